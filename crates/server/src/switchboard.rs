//! The media role: opens calls for the HTTP interface, joins each to an agent over the bus, and ends them.
//!
//! `details` is what the roles agree on about a call. Nothing here touches the disk, so that an answer to an SDP offer leaves in well under a millisecond.

mod details;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audio::leg::{EndReason, ToCaller};
use bus::local::{Announcer, NewCall};
use jiff::Timestamp;
use media::{Answer, CallSender, Media};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::readiness::{Readiness, Unready};
use crate::tasks::Tasks;

pub(crate) use details::{CallDetails, CallWishes};
pub(crate) use media::{Door, IceChange, IceError, IceMatch, OfferError};

/// How often a server that drains looks whether its calls are over.
const LOOK: Duration = Duration::from_millis(100);

/// Opens and ends calls.
#[derive(Clone)]
pub(crate) struct Switchboard {
    shared: Arc<Shared>,
}

struct Shared {
    media: Media,
    announcer: Announcer<CallDetails>,
    readiness: Readiness,
    tasks: Tasks,
    /// Calls that were opened and not yet hung up.
    live: Mutex<HashSet<String>>,
}

/// Somebody calls in.
#[derive(Debug)]
pub(crate) struct CallRequest {
    /// Through which route.
    pub door: Door,
    /// Their SDP offer.
    pub offer: String,
    /// What they ask for.
    pub wishes: CallWishes,
}

/// An offer that was accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// The call, or the listener.
    pub id: String,
    /// The answer to it.
    pub answer: Answer,
}

/// A call that is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefusedCall {
    /// The server is not ready for calls, or no agent is free.
    #[error("open a call: the server does not take calls now")]
    NotReady(Unready),
    /// The offer cannot be accepted.
    #[error("open a call: {0}")]
    Offer(#[from] OfferError),
}

impl Switchboard {
    /// Calls go to whoever takes them from the announcer's other side.
    pub(crate) fn new(media: Media, announcer: Announcer<CallDetails>, readiness: Readiness, tasks: Tasks) -> Self {
        Self { shared: Arc::new(Shared { media, announcer, readiness, tasks, live: Mutex::default() }) }
    }

    /// Opens a call.
    ///
    /// # Errors
    /// When the offer cannot be accepted, or nobody takes calls now.
    pub(crate) fn open(&self, request: CallRequest) -> Result<Accepted, RefusedCall> {
        let shared = &self.shared;
        if let Some(why) = shared.readiness.unready() {
            return Err(RefusedCall::NotReady(why));
        }
        let id = Uuid::now_v7().to_string();
        let (media_end, agent_end) = bus::local::link();
        let opened = shared.media.open_call(request.door, id.clone(), &request.offer, media_end.to_agent)?;
        shared.live().insert(id.clone());
        let details = CallDetails { opened_at: Timestamp::now(), wishes: request.wishes };
        // When this fails the agent's end is dropped, by which the relay hangs up.
        let announced =
            shared.announcer.announce(NewCall { id: id.clone(), details, handed_over: None, link: agent_end });
        let relay = relay(Arc::clone(shared), id.clone(), media_end.from_agent, opened.voice);
        shared.tasks.spawn(relay);
        announced.map_err(|_| RefusedCall::NotReady(Unready::Full))?;
        tracing::info!(session = %id, door = ?request.door, "call opened");
        Ok(Accepted { id, answer: opened.answer })
    }

    /// Opens a listener to the agent of a call.
    ///
    /// # Errors
    /// When there is no such call, or the offer cannot be accepted.
    pub(crate) fn listen(&self, call: &str, offer: &str) -> Result<Accepted, RefusedCall> {
        let id = Uuid::now_v7().to_string();
        let answer = self.shared.media.open_listener(call, id.clone(), offer)?;
        tracing::info!(session = %call, listener = %id, "listener opened");
        Ok(Accepted { id, answer })
    }

    /// Whether a call was opened and not yet hung up.
    pub(crate) fn is_live(&self, call: &str) -> bool {
        self.shared.live().contains(call)
    }

    /// Whether a listener was opened and not yet stopped.
    pub(crate) fn is_listening(&self, call: &str, listener: &str) -> bool {
        self.shared.media.has_listener(call, listener)
    }

    /// Trickles candidates or restarts ICE, of a call or of one listener of it.
    ///
    /// # Errors
    /// See [`IceError`]; the session goes on as it was.
    pub(crate) async fn patch_ice(
        &self,
        call: &str,
        listener: Option<&str>,
        if_match: IceMatch,
        fragment: &str,
    ) -> Result<IceChange, IceError> {
        let change = self.shared.media.patch_ice(call, listener, if_match, fragment).await;
        match &change {
            Ok(IceChange::Trickled) => {}
            Ok(IceChange::Restarted { .. }) => tracing::info!(session = %call, listener, "ICE restarted"),
            Err(error) => tracing::info!(session = %call, listener, %error, "ICE not changed"),
        }
        change
    }

    /// Ends when no call is live.
    pub(crate) async fn all_over(&self) {
        let mut looks = tokio::time::interval(LOOK);
        while !self.shared.live().is_empty() {
            looks.tick().await;
        }
    }

    /// Hangs up for the caller. False when there is no such call.
    pub(crate) fn hang_up(&self, call: &str) -> bool {
        self.shared.end(call, EndReason::Hangup)
    }

    /// Ends a listener. False when there is no such call or listener.
    pub(crate) fn stop_listening(&self, call: &str, listener: &str) -> bool {
        self.shared.media.close_listener(call, listener).is_ok()
    }

    /// Hangs up on everyone and closes the UDP port. Waits for the media thread, so call it off the async threads.
    pub(crate) fn close(&self) {
        self.shared.media.shutdown();
    }
}

impl Shared {
    fn live(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        // The set is whole after every statement that holds it, so a panic elsewhere cannot have torn it.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, call: &str, reason: EndReason) -> bool {
        self.live().remove(call) && self.media.hangup(call, reason).is_ok()
    }
}

/// Carries what the agent says to the caller, until the agent lets go of the call.
async fn relay(shared: Arc<Shared>, call: String, mut from_agent: mpsc::Receiver<ToCaller>, voice: CallSender) {
    while let Some(message) = from_agent.recv().await {
        voice.send(message);
    }
    // False when the caller was first.
    let _ = shared.end(&call, EndReason::AgentHangup);
}
