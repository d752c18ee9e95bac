//! The server: everything between the command line and the other crates.
//!
//! `app` starts and stops it. The media role is `http` over `switchboard`; the orchestrator role is `orchestrator` with
//! a `conversation` for each call; the bus stands between them. `realtime` is the client event protocol, `recorder`
//! writes to the store, `roster` knows who can be called, `agent` loads the models, `config` reads the settings,
//! `load` measures how busy an orchestrator is, `notice` is what callers hear when the bus is gone, `call` is `antiphon call`.

pub mod app;
pub mod cli;
pub mod config;
pub mod wait_policy;

mod agent;
mod call;
mod commands;
mod conversation;
mod http;
mod load;
mod log;
mod metrics;
mod models;
mod notice;
mod orchestrator;
mod readiness;
mod realtime;
mod recorder;
mod roster;
mod switchboard;
mod tapes;
mod tasks;
mod wire;

pub use commands::{call, check, media, models, orchestrator, replay, serve};
