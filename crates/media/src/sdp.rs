//! SDP as text: what an offer must contain, and what our answers add to those of the WebRTC stack.
//!
//! Pure. The stack parses and negotiates; this module checks beforehand, so that a refusal can say what was wrong,
//! and touches up afterwards. Read `offer` first.

mod answer;
mod offer;

pub(crate) use answer::touch_up;
pub(crate) use offer::Offer;

/// The largest offer that is read. Browsers send 2 to 8 KiB.
pub(crate) const MAX_SDP_BYTES: usize = 64 * 1024;

/// What a peer may do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// WHIP: it speaks.
    Publisher,
    /// WHEP: it listens.
    Listener,
    /// Both, with a data channel.
    TwoWay,
}

impl Role {
    pub(crate) fn speaks(self) -> bool {
        matches!(self, Self::Publisher | Self::TwoWay)
    }

    pub(crate) fn listens(self) -> bool {
        matches!(self, Self::Listener | Self::TwoWay)
    }
}

/// Why an offer was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// The body is no SDP, or SDP that cannot work.
    #[error("bad SDP offer: {0}")]
    BadSdp(String),
    /// Larger than any offer needs to be.
    #[error("SDP offer of {bytes} bytes is too large; the limit is {MAX_SDP_BYTES}")]
    TooLarge {
        /// The offer's size.
        bytes: usize,
    },
    /// Nothing to hear or say.
    #[error("SDP offer has no audio: add an m=audio section (in a browser: addTrack or addTransceiver('audio'))")]
    NoAudio,
    /// Several microphones.
    #[error("SDP offer has {0} audio sections: send one")]
    SeveralAudio(usize),
    /// Opus is the only codec spoken here.
    #[error("SDP offer lacks Opus: add a=rtpmap:<pt> opus/48000/2 to the audio section")]
    NoOpus,
    /// The offer's direction does not fit the endpoint.
    #[error("SDP offer's audio is a={offered}; this endpoint needs {wanted}")]
    WrongDirection {
        /// What the offer says.
        offered: &'static str,
        /// What would do.
        wanted: &'static str,
    },
    /// No such call, or it ended.
    #[error("unknown call {0}: it has ended or never was")]
    UnknownCall(String),
    /// The id is that of a live call or listener.
    #[error("{0} is in use: choose another id")]
    IdInUse(String),
    /// The configured number of calls is reached.
    #[error("all {limit} calls are taken: try again later, or raise media.max_calls")]
    AtCapacity {
        /// The configured limit.
        limit: usize,
    },
    /// The call has as many listeners as it may.
    #[error("the call has {limit} listeners, the most allowed: raise media.max_listeners_per_call")]
    TooManyListeners {
        /// The configured limit.
        limit: usize,
    },
    /// The server is going down.
    #[error("media is shutting down")]
    ShuttingDown,
}
