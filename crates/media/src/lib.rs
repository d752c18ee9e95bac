//! The caller's media leg: WHIP, WHEP and two-way WebRTC calls on one UDP port.
//!
//! [`Media::start`] owns one thread; [`Media::open_call`] turns an SDP offer into a call, whose microphone arrives on
//! a channel as [`audio::leg::FromCaller`] and whose voice goes out through a [`CallSender`]. No HTTP here, no decoding,
//! no turn-taking.
//!
//! Read `handle` for the interface, `reactor` for what the thread does, `playout` for how the voice is paced, `peer`
//! for the only code that knows the WebRTC stack. [`caller`] is the other end: a headless client.

mod agent_line;
pub mod caller;
mod commands;
mod config;
mod demux;
mod directory;
mod handle;
#[cfg(test)]
mod hostile;
mod ice;
mod peer;
mod playout;
mod public_address;
mod reactor;
mod sdp;
mod sockets;
mod stats;
mod strangers;
mod tcp;
mod texts;
mod timers;

pub use commands::CallSender;
pub use config::{IceMode, MediaConfig};
pub use directory::UnknownCall;
pub use handle::{Answer, Door, Media, OpenedCall, StartError};
pub use ice::{IceChange, IceError, IceMatch, IceTag};
pub use sdp::OfferError;
pub use stats::MediaStats;
