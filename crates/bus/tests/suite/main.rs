//! The bus from outside: one contract for both of its kinds, and what only a bus between machines must stand.
//!
//! The broker is a real Apache Kafka (`scripts/kafka`); nothing here is skipped when it is missing, it fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod broker;
mod contract;
mod disorder;
mod events;
mod faults;
mod outage;
mod placement;
mod rig;
