//! The client event protocol on the data channel `oai-events`: OpenAI Realtime GA, with `antiphon.*` beside it.
//!
//! Pure: `encode` turns facts into server events, `decode` turns a client's text into what it asks for, `wire` holds
//! the JSON. The table they keep to is in `docs/protocol.md`.

mod decode;
mod encode;
mod transport;
mod wire;

pub(crate) use decode::{Decoder, Wish};
pub(crate) use encode::Encoder;
pub(crate) use wire::{Envelope, SessionInfo};
