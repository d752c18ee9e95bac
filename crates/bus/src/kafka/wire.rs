//! The wire format: `proto/bus.proto`, and its conversion to what the roles speak (`audio::leg`).
//!
//! Whatever does not decode, has an unknown version or lacks a part is refused as a whole ([`Poison`]): the reader counts
//! it and goes on.

mod from_caller;
mod status;
mod to_caller;
mod transport;

use audio::leg::{Clip, FromCaller, ToCaller};
use bytes::Bytes;
use prost::Message as _;

use crate::kafka::node_id::NodeId;
use crate::local::Heard;

pub(crate) use status::{Role, Status};

/// Generated from `proto/bus.proto`.
mod proto {
    #![allow(missing_docs, unreachable_pub, clippy::all)]
    include!(concat!(env!("OUT_DIR"), "/antiphon.bus.v1.rs"));
}

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

/// A record that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Poison {
    /// These are not the bytes of an envelope.
    #[error("read a bus record: the bytes are no envelope")]
    Undecodable,
    /// A newer writer, or a much older one.
    #[error("read a bus record: version {0} is unknown")]
    Version(u32),
    /// A part that must be there is not.
    #[error("read a bus record: it is incomplete")]
    Incomplete,
}

/// Who sends what to whom, and where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// The node that sends.
    pub(crate) from: NodeId,
    /// The node that is meant.
    pub(crate) to: NodeId,
    /// How often the call has been given to an orchestrator.
    pub(crate) epoch: u32,
    /// The record within session, epoch and direction.
    pub(crate) sequence: u64,
    /// Microseconds since 1970 at the sender.
    pub(crate) sent_us: u64,
}

/// What media tells an orchestrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToAgent {
    /// Here is a call.
    Announce {
        /// Where the answers go.
        reply_partition: i32,
        /// What the two roles agree on about it.
        details: Bytes,
        /// What the caller heard last of an orchestrator that had it before.
        heard: Option<Heard>,
    },
    /// What the caller does.
    Caller(FromCaller),
    /// Media let go of the call.
    Closed,
    /// The call is somebody else's, or over.
    Superseded,
}

/// What an orchestrator tells media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToMedia {
    /// The call is taken.
    Taken,
    /// The call is not taken.
    Refused,
    /// Packets of the agent's voice.
    Voice(Clip, Vec<Bytes>),
    /// Everything else that the agent says.
    Agent(ToCaller),
    /// The agent let go of the call.
    LetGo,
    /// Another orchestrator shall have the call.
    HandOver,
}

/// One direction of the wire.
pub(crate) trait Body: Sized {
    /// The record's bytes.
    fn encode(self, header: &Header) -> Vec<u8>;
    /// The record.
    fn decode(bytes: &[u8]) -> Result<(Header, Self), Poison>;
}

impl Body for ToAgent {
    fn encode(self, header: &Header) -> Vec<u8> {
        envelope(header, from_caller::body(self))
    }

    fn decode(bytes: &[u8]) -> Result<(Header, Self), Poison> {
        let (header, body) = open(bytes)?;
        Ok((header, from_caller::meaning(body)?))
    }
}

impl Body for ToMedia {
    fn encode(self, header: &Header) -> Vec<u8> {
        envelope(header, to_caller::body(self))
    }

    fn decode(bytes: &[u8]) -> Result<(Header, Self), Poison> {
        let (header, body) = open(bytes)?;
        Ok((header, to_caller::meaning(body)?))
    }
}

fn envelope(header: &Header, body: proto::envelope::Body) -> Vec<u8> {
    let &Header { from, to, epoch, sequence, sent_us } = header;
    let envelope =
        proto::Envelope { version: VERSION, from: from.0, to: to.0, epoch, sequence, sent_us, body: Some(body) };
    envelope.encode_to_vec()
}

fn open(bytes: &[u8]) -> Result<(Header, proto::envelope::Body), Poison> {
    // One copy, of which all payloads are parts.
    let envelope = proto::Envelope::decode(Bytes::copy_from_slice(bytes)).map_err(|_| Poison::Undecodable)?;
    let proto::Envelope { version, from, to, epoch, sequence, sent_us, body } = envelope;
    if version != VERSION {
        return Err(Poison::Version(version));
    }
    let header = Header { from: NodeId(from), to: NodeId(to), epoch, sequence, sent_us };
    Ok((header, body.ok_or(Poison::Incomplete)?))
}

fn clip_out(clip: Clip) -> proto::Clip {
    proto::Clip { turn: clip.turn, attempt: clip.attempt, sentence: clip.sentence }
}

fn clip_in(clip: proto::Clip) -> Clip {
    Clip { turn: clip.turn, attempt: clip.attempt, sentence: clip.sentence }
}

#[cfg(test)]
mod tests;
