//! What the adapters to vendors' HTTP interfaces have in common.
//!
//! `endpoint` knows where a vendor is and who we are to it; `deadlines`, how long it may take; `events` reads its
//! stream of server-sent events, which `sse` cuts out of the bytes; `refusal` turns an answer that is none into a
//! [`Failure`](crate::Failure); `reply` runs one answer of a language model from request to last event. What a vendor's
//! JSON means is not known here: that is in the vendor's own module.

mod deadlines;
mod endpoint;
mod events;
mod merge;
mod refusal;
mod reply;
mod sse;
mod tasks;

pub use deadlines::Deadlines;
pub use endpoint::{Auth, AuthSource, Endpoint, EndpointError};

pub(crate) use merge::merge;
pub(crate) use refusal::{Refusal, code_of};
pub(crate) use reply::{Ask, Progress, Reader, Unreadable};
pub(crate) use tasks::Tasks;
