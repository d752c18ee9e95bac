//! One task per conversation: it drives a `dialogue::Dialogue` and performs its actions. The only caller of providers.
//!
//! Reading order: [`Session`] and its loop in `session`; `microphone` turns the caller's packets into speech events and
//! words, and `echo_guard` keeps the agent from hearing itself; `judge` scores pauses; `writer` runs the language model; `voice` turns sentences into paced packets.
//! Nothing here knows HTTP, JSON, disks or brokers: what happens is told as [`Report`]s.

mod agents;
mod air;
mod config;
mod echo;
mod echo_guard;
mod judge;
mod loudspeaker;
mod memory;
mod microphone;
mod outbox;
mod session;
mod speech;
mod toolbelt;
pub mod trace;
mod voice;
mod writer;

pub use agents::{Agents, AgentsError, DEFAULT_AGENT};
pub use config::{AgentConfig, BargeInConfig, Choice, Eagerness, IdleConfig, LOCAL, LimitConfig, Mode, TurnTaking};
pub use echo::echo;
pub use session::{Link, Providers, Report, Request, Session, SessionError};
pub use toolbelt::{BUILT_IN_TOOLS, is_built_in, tools_of};
