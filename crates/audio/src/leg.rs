//! What travels between a caller's media leg and the agent that answers.
//!
//! The media role speaks these types to the bus, the bus carries them (through channels or encoded), and a session
//! consumes them. They live here because all three may depend on this crate and on nothing else of each other.

use std::time::Duration;

use bytes::Bytes;

/// Milliseconds of audio in one Opus packet of ours, both ways.
pub const FRAME_MS: u32 = 20;
/// The RTP clock of Opus (RFC 7587, section 4.1), whatever rate the audio was made at.
pub const RTP_CLOCK_HZ: u32 = 48_000;

/// Whole milliseconds of so many ticks of the RTP clock.
#[must_use]
pub const fn ticks_to_ms(ticks: u64) -> u64 {
    ticks / (RTP_CLOCK_HZ as u64 / 1_000)
}

/// One Opus packet of the caller's microphone, in order, after the jitter buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpusFrame {
    /// Extended RTP sequence number; never wraps within a call.
    pub sequence: u64,
    /// Extended RTP time at [`RTP_CLOCK_HZ`]; never wraps within a call.
    pub rtp_time: u64,
    /// The Opus packet, without RTP header. Empty when the packet was lost and is to be concealed.
    pub payload: Bytes,
}

/// Names a piece of the agent's voice: a sentence of an attempt of a turn. Media only hands it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Clip {
    /// The turn, counted from 1 within a conversation.
    pub turn: u32,
    /// The attempt at answering this turn, counted from 1.
    pub attempt: u32,
    /// The sentence within the attempt, counted from 0.
    pub sentence: u32,
}

/// What the caller's leg tells the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromCaller {
    /// The transport is up (ICE and DTLS): audio may flow.
    Connected,
    /// The data channel `oai-events` is open: messages may flow.
    ChannelOpen,
    /// A microphone packet, or a gap of one packet (empty payload).
    Frame(OpusFrame),
    /// A key of the telephone's keypad, pressed beside the voice (RFC 4733): `0` to `9`, `*`, `#`, `A` to `D`.
    Key(char),
    /// A text message from the data channel.
    Message(String),
    /// How far the agent's voice has been played.
    Playout(PlayoutMark),
    /// How the network treats the call so far; every few seconds, and before the end.
    Transport(TransportStats),
    /// The leg is gone; nothing follows.
    Ended(EndReason),
}

/// How the network treats a call. Counts are since its begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransportStats {
    /// The microphone on its way in.
    pub microphone: MicrophoneStats,
    /// The voice on its way out; none where nobody has told yet how they hear it.
    pub voice: Option<VoiceStats>,
}

/// How the microphone's packets came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MicrophoneStats {
    /// Frames of audio, whether their packet came or a copy of it.
    pub frames: u64,
    /// Packets of which neither they nor a copy came in time.
    pub lost: u64,
    /// Packets that came when their place had been given up.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Milliseconds of audio of which a copy came first, or nothing else (RED, RFC 2198).
    pub recovered_ms: u64,
    /// The interarrival jitter (RFC 3550, section 6.4.1).
    pub jitter: Duration,
}

/// How the agent's voice is heard, as the listener reports (RFC 3550, section 6.4.2). Of several, the one that misses most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VoiceStats {
    /// Packets that left.
    pub sent: u64,
    /// Packets that the listener missed.
    pub lost: u64,
    /// The share that it missed lately, in percent.
    pub loss_percent: u8,
    /// Its interarrival jitter.
    pub jitter: Duration,
    /// From here to there and back.
    pub round_trip: Option<Duration>,
}

/// How far a clip has been played. Positions count milliseconds from the clip's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayoutMark {
    /// The clip's first frame left.
    Started(Clip),
    /// The clip has been played up to here; sent about every 100 ms.
    Reached {
        /// The clip being played.
        clip: Clip,
        /// Milliseconds of it that were played.
        heard_ms: u32,
    },
    /// The clip's last frame left.
    Finished(Clip),
    /// A hold took effect: silence follows until a resume or a flush. Sent once for each [`ToCaller::Hold`].
    Held {
        /// The clip that was stopped, with the milliseconds of it that were played; none if nothing was playing.
        at: Option<(Clip, u32)>,
    },
    /// A flush took effect: nothing queued is left. Sent once for each [`ToCaller::Flush`].
    Flushed {
        /// The clip that was cut, with the milliseconds of it that were played; none if nothing was playing.
        cut: Option<(Clip, u32)>,
    },
}

/// Why a leg ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The caller hung up (HTTP `DELETE`, hang-up route, or DTLS close).
    Hangup,
    /// The agent hung up.
    AgentHangup,
    /// The peer fell silent: no STUN, no RTP within the grace period.
    Lost,
    /// The peer never connected.
    NeverConnected,
    /// The server is shutting down.
    Shutdown,
    /// The transport failed.
    Failed,
}

/// What the agent tells the caller's leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToCaller {
    /// One 20 ms Opus packet of the agent's voice; queued and paced by media.
    Voice {
        /// What this packet is part of.
        clip: Clip,
        /// The Opus packet.
        payload: Bytes,
    },
    /// No more packets of this clip follow; answered by [`PlayoutMark::Finished`] once played.
    EndOfClip(Clip),
    /// Drop all queued voice before the next packet; answered by [`PlayoutMark::Flushed`].
    Flush,
    /// Fall silent before the next packet and keep what is queued; answered by [`PlayoutMark::Held`].
    Hold,
    /// Go on with the packet at which the hold began.
    Resume,
    /// A text message for the data channel. Dropped (and counted) where the leg has none.
    Message(String),
    /// Say goodbye: close the transport once all queued messages are out.
    Hangup,
    /// Something to be kept in case this agent is gone. Media itself has no use for it: the bus between machines keeps it.
    Keep(Memo),
}

/// What is kept beside a call, so that another agent can go on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memo {
    /// So many turns the conversation had before this agent took the call: its own count from 1.
    TurnsBefore(u32),
    /// The words of a clip; comes before its voice.
    Words {
        /// The clip.
        clip: Clip,
        /// What is said in it.
        text: String,
    },
    /// What is played to the caller when nobody can be reached any more: Opus packets of 20 ms, in the agent's voice.
    Notice(Vec<Bytes>),
}
