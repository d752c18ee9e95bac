//! What the thread keeps for each call and each of its legs.

use std::time::{Duration, Instant};

use audio::jitter::{JitterBuffer, JitterStats};
use audio::leg::{EndReason, VoiceStats};

use crate::agent_line::AgentLine;
use crate::commands::{CallKey, LegKey};
use crate::ice::IceSession;
use crate::peer::Peer;
use crate::playout::Playout;
use crate::sdp::Role;
use crate::texts::Texts;

/// One peer connection.
pub(super) struct Leg {
    pub(super) peer: Peer,
    pub(super) ice: IceSession,
    pub(super) call: CallKey,
    pub(super) purpose: Purpose,
    pub(super) link: Link,
    /// How the peer hears us, as far as it has told.
    pub(super) report: Option<VoiceStats>,
}

/// What a leg is for.
pub(super) enum Purpose {
    /// The caller's own; the call ends with it.
    Caller,
    /// A listener that comes and goes.
    Listener { id: String },
}

/// How far a leg has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Link {
    Connecting {
        until: Instant,
    },
    Connected {
        heard_at: Instant,
    },
    /// The peer has said goodbye.
    Closed,
}

/// One call.
pub(super) struct Call {
    pub(super) id: String,
    pub(super) role: Role,
    pub(super) agent: AgentLine,
    /// Whether the call is in the reactor's list of those with mail.
    pub(super) has_mail: bool,
    pub(super) caller: LegKey,
    pub(super) listeners: Vec<LegKey>,
    /// The connected legs that hear the agent.
    pub(super) audience: Vec<LegKey>,
    pub(super) jitter: JitterBuffer,
    /// What of the jitter buffer's counts is in the metrics already.
    pub(super) counted: JitterStats,
    /// How many packets that came twice are in the metrics already.
    pub(super) duplicates_counted: u64,
    pub(super) playout: Playout,
    pub(super) texts: Texts,
    pub(super) goodbye: Option<Goodbye>,
    /// When the agent is told next how the network treats the call.
    pub(super) transport_due: Instant,
}

/// The agent has hung up; what it wrote last may still go out until then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goodbye {
    pub(super) until: Instant,
}

impl Leg {
    /// When the leg is given up unless something happens, and why.
    pub(super) fn patience(&self, silent_peer_timeout: Duration) -> Option<(Instant, EndReason)> {
        match self.link {
            Link::Connecting { until } => Some((until, EndReason::NeverConnected)),
            Link::Connected { heard_at } => Some((heard_at + silent_peer_timeout, EndReason::Lost)),
            Link::Closed => None,
        }
    }
}
