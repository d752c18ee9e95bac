//! The bus within one process: channels, without encoding.
//!
//! A [`link`] is one call: bounded both ways. [`hub`] is how the media role tells the orchestrator role that a call has
//! come in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use audio::leg::{FromCaller, ToCaller};
use tokio::sync::mpsc;

/// Microphone packets and news that wait for the agent: 2 s of audio. The media role must not wait; what does not fit
/// is dropped, because audio that is later than this is of no use.
const FROM_CALLER_CAPACITY: usize = 100;
/// Voice packets and messages that wait for the media role: 5 s of audio. The agent waits when it is full, so no word
/// is lost.
const TO_CALLER_CAPACITY: usize = 250;
/// Calls that wait to be accepted. Accepting takes microseconds; beyond this the caller is told to come back.
const NEW_CALLS_CAPACITY: usize = 256;

/// The media role's end of a link.
#[derive(Debug)]
pub struct MediaEnd {
    /// What the caller does. Dropped with the transport.
    pub to_agent: mpsc::Sender<FromCaller>,
    /// What the agent answers. Ends when the agent let go of the call.
    pub from_agent: mpsc::Receiver<ToCaller>,
}

/// The orchestrator role's end of a link.
#[derive(Debug)]
pub struct AgentEnd {
    /// What the caller does. Ends after [`FromCaller::Ended`].
    pub from_caller: mpsc::Receiver<FromCaller>,
    /// What the agent answers. Dropping every clone hangs up.
    pub to_caller: mpsc::Sender<ToCaller>,
}

/// Makes the two ends of a call.
pub fn link() -> (MediaEnd, AgentEnd) {
    let (to_agent, from_caller) = mpsc::channel(FROM_CALLER_CAPACITY);
    let (to_caller, from_agent) = mpsc::channel(TO_CALLER_CAPACITY);
    (MediaEnd { to_agent, from_agent }, AgentEnd { from_caller, to_caller })
}

/// A call that has come in and waits for an agent. `D` is what the two roles agree on beyond the audio.
#[derive(Debug)]
pub struct NewCall<D> {
    /// The conversation's id.
    pub id: String,
    /// How the caller came in and what they asked for.
    pub details: D,
    /// Set when an agent had it before, who died or gave it up: what was said is in the store.
    pub handed_over: Option<HandedOver>,
    /// The agent's end of the call.
    pub link: AgentEnd,
}

/// A call that an agent had before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandedOver {
    /// What the caller heard last: that agent may not have written it down any more.
    pub heard: Option<Heard>,
}

/// What a caller heard of an agent's turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The turn, counted from 1 within the conversation.
    pub turn: u32,
    /// The words that were complete.
    pub text: String,
}

/// The media role's side of the hub.
#[derive(Debug, Clone)]
pub struct Announcer<D> {
    calls: mpsc::Sender<NewCall<D>>,
    places: Places,
}

/// New calls that there is room for, where somebody counts them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(Option<Arc<AtomicU32>>);

impl Places {
    /// None at first.
    #[cfg_attr(not(feature = "kafka"), allow(dead_code, reason = "only the bus between machines counts places"))]
    pub(crate) fn counted() -> Self {
        Self(Some(Arc::default()))
    }

    /// There is room for so many now.
    #[cfg_attr(not(feature = "kafka"), allow(dead_code, reason = "only the bus between machines counts places"))]
    pub(crate) fn set(&self, places: u32) {
        if let Some(free) = &self.0 {
            free.store(places, Ordering::Release);
        }
    }

    fn take(&self) -> bool {
        let Some(free) = &self.0 else { return true };
        free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |places| places.checked_sub(1)).is_ok()
    }
}

/// The orchestrator role's side of the hub: calls in the order they came.
pub type NewCalls<D> = mpsc::Receiver<NewCall<D>>;

/// No agent takes calls now: too many wait, or the orchestrator is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("announce a call: no agent takes calls now")]
pub struct NotTaken;

/// Makes the two sides of the hub.
pub fn hub<D>() -> (Announcer<D>, NewCalls<D>) {
    hub_with(Places::default())
}

/// The same, where calls are refused that there is no place for.
pub(crate) fn hub_with<D>(places: Places) -> (Announcer<D>, NewCalls<D>) {
    let (calls, new_calls) = mpsc::channel(NEW_CALLS_CAPACITY);
    (Announcer { calls, places }, new_calls)
}

impl<D> Announcer<D> {
    /// Announces a call; never waits.
    ///
    /// # Errors
    /// When nobody takes it. The call's link is dropped, which its media end sees.
    pub fn announce(&self, call: NewCall<D>) -> Result<(), NotTaken> {
        if !self.places.take() {
            return Err(NotTaken);
        }
        self.calls.try_send(call).map_err(|_| NotTaken)
    }
}

#[cfg(test)]
mod tests {
    use audio::leg::{EndReason, FromCaller, ToCaller};

    use super::{NEW_CALLS_CAPACITY, NewCall, NotTaken, hub, link};

    fn call(id: &str) -> (super::MediaEnd, NewCall<()>) {
        let (media, link) = link();
        (media, NewCall { id: id.to_owned(), details: (), handed_over: None, link })
    }

    #[tokio::test]
    async fn a_call_is_joined_to_its_agent() {
        let (announcer, mut new_calls) = hub();
        let (mut media, announced) = call("one");
        announcer.announce(announced).expect("there is room");
        let mut agent = new_calls.recv().await.expect("announced").link;

        media.to_agent.try_send(FromCaller::Connected).expect("there is room");
        agent.to_caller.try_send(ToCaller::Hangup).expect("there is room");
        assert_eq!(agent.from_caller.recv().await, Some(FromCaller::Connected));
        assert_eq!(media.from_agent.recv().await, Some(ToCaller::Hangup));
    }

    #[tokio::test]
    async fn each_side_sees_the_other_go() {
        let (mut media, announced) = call("one");
        drop(announced);
        assert_eq!(media.from_agent.recv().await, None);
        assert!(media.to_agent.try_send(FromCaller::Ended(EndReason::Hangup)).is_err());
    }

    #[test]
    fn calls_beyond_the_limit_are_refused() {
        let (announcer, new_calls) = hub();
        for _ in 0..NEW_CALLS_CAPACITY {
            announcer.announce(call("waiting").1).expect("there is room");
        }
        assert_eq!(announcer.announce(call("late").1), Err(NotTaken));
        drop(new_calls);
        assert_eq!(announcer.announce(call("nobody").1), Err(NotTaken));
    }
}
