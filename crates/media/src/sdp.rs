//! SDP as text: what an offer must contain, and what our answers add to those of the WebRTC stack.
//!
//! Pure. The stack parses and negotiates; this module checks beforehand, so that a refusal can say what was wrong,
//! and touches up afterwards. Read `offer` first; `rules` is what makes an offer unacceptable, `fragment` what comes after it.

mod answer;
mod credentials;
mod fragment;
mod offer;
mod rules;
mod section;

pub(crate) use answer::{ice_fragment, touch_up};
pub(crate) use credentials::Credentials;
pub(crate) use fragment::Fragment;
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
    /// Several cameras.
    #[error("SDP offer has {0} video sections: send one at most")]
    SeveralVideo(usize),
    /// Video is not accepted here.
    #[error(
        "SDP offer has video, which is refused here: leave it out, or set media.accept_video = true to have it ignored"
    )]
    VideoRefused,
    /// Tracks of different streams.
    #[error("SDP offer has tracks of several streams: give all sections the same stream in a=msid")]
    SeveralStreams,
    /// Each section would need a transport of its own.
    #[error(
        "SDP offer is not bundled: list the a=mid of every section in a=group:BUNDLE (in a browser: bundlePolicy: 'max-bundle')"
    )]
    NotBundled,
    /// RTCP would need a transport of its own.
    #[error("SDP offer lacks a=rtcp-mux: add it to every audio and video section")]
    NoRtcpMux,
    /// DTLS could not begin.
    #[error("SDP offer says a=setup:{0}: offer actpass or active")]
    WrongSetup(String),
    /// The offer's direction does not fit the endpoint.
    #[error("SDP offer's {kind} is a={offered}; this endpoint needs {wanted}")]
    WrongDirection {
        /// `audio` or `video`.
        kind: &'static str,
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

#[cfg(test)]
mod tests {
    pub(super) const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-ufrag:abcd\r\n\
        a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 00\r\n";
    pub(super) const AUDIO: &str =
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n";
}
