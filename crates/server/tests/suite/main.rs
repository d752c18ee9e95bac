//! The server from outside: over HTTP and WebRTC, and as a command.

mod agents;
#[allow(clippy::unwrap_used, dead_code, reason = "a test fails by panicking, its helpers too; a part of them is used")]
#[path = "../../../bus/tests/suite/broker.rs"]
mod broker;
mod calls;
mod clients;
mod cluster;
mod command_line;
mod routes;
mod spoken;
mod support;
mod takeover;
mod tools;
mod vendors;
mod whep;
mod whip;
