//! What the adapters to vendors' HTTP interfaces have in common.
//!
//! `endpoint` knows where a vendor is, `identity` who we are to it; `deadlines`, how long it may take; `body` reads its answer
//! within them, `events` a stream of server-sent events, which `sse` cuts out of the bytes, and `pcm` audio. `refusal`
//! turns an answer that is none into a [`Failure`](crate::Failure); `reply` runs one answer of a language model from
//! request to last event. `socket` is a conversation over a WebSocket. What a vendor's JSON means is not known here: that is in the vendor's own module.

mod body;
mod deadlines;
mod endpoint;
mod events;
mod identity;
mod merge;
mod pcm;
mod refusal;
mod reply;
mod socket;
mod sse;

pub use deadlines::Deadlines;
pub use endpoint::{Endpoint, EndpointError};
pub use identity::{Auth, AuthSource};

pub(crate) use crate::tasks::Tasks;
pub(crate) use merge::merge;
pub(crate) use pcm::{Samples, bytes};
pub(crate) use refusal::{Refusal, code_of};
pub(crate) use reply::{Ask, Progress, Reader, Unreadable};
pub(crate) use socket::{Socket, decode, encode};

#[cfg(feature = "openai")]
pub(crate) use {
    body::{Body, StreamError},
    events::{EventStream, MAX_STREAM_BYTES},
    sse::Item,
};
#[cfg(feature = "google")]
pub(crate) use {endpoint::check, identity::Identity, socket::SocketError};
