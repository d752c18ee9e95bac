//! One call's conversation: runs its session, and tells the store and the caller's client what happens in it.

mod observer;
mod resumed;
mod tool_times;
mod turns;

use audio::leg::{Memo, ToCaller};
use bus::local::AgentEnd;
use jiff::Timestamp;
use std::sync::Arc;

use session::trace::Tape;
use session::{AgentConfig, Agents, Link, Report, Request, Session};
use tokio::sync::mpsc;

use crate::metrics::Metrics;
use crate::orchestrator::Agent;
use crate::realtime::SessionInfo;
use crate::recorder::Recorder;
use observer::Observer;

pub(crate) use resumed::Resumed;

/// Reports that wait to be passed on: more than a long turn has, since a report that does not fit is lost.
const REPORTS_CAPACITY: usize = 512;
/// Requests of a client that wait for the session; more than a person clicks.
const REQUESTS_CAPACITY: usize = 32;

/// A conversation that is to be held.
pub(crate) struct Conversation {
    /// The call's id.
    pub call: String,
    /// Which conversation it is, and what was said in it before.
    pub resumed: Resumed,
    /// When the call was opened.
    pub opened_at: Timestamp,
    /// The call.
    pub link: AgentEnd,
    /// Who answers.
    pub agent: Agent,
    /// How they answer.
    pub config: AgentConfig,
    /// To whom the call may be handed over.
    pub agents: Arc<Agents>,
    /// Takes down what happens.
    pub recorder: Recorder,
    /// What is measured.
    pub metrics: Metrics,
    /// Where the engine's events and actions are written down.
    pub tape: Option<Tape>,
}

impl Conversation {
    /// Holds it until it is over.
    pub(crate) async fn hold(self) {
        let (reports, told) = mpsc::channel(REPORTS_CAPACITY);
        let (ask, requests) = mpsc::channel(REQUESTS_CAPACITY);
        let observer = Observer::new(&self, ask);
        let _active = self.metrics.conversation();
        let agent = answer(self, requests, reports);
        tokio::join!(agent, observer.run(told));
    }

    fn session_info(&self) -> SessionInfo {
        SessionInfo {
            model: self.agent.model(),
            instructions: self.config.system_prompt().to_owned(),
            voice: self.config.voice.clone(),
            max_output_tokens: self.config.max_reply_tokens,
        }
    }
}

async fn answer(conversation: Conversation, requests: mpsc::Receiver<Request>, reports: mpsc::Sender<Report>) {
    let Conversation { call: id, resumed, link, agent, config, agents, tape, .. } = conversation;
    let link = Link { from_caller: link.from_caller, to_caller: link.to_caller };
    // There is room for the first message; without it, words are filed with another turn if this process dies.
    let _ = link.to_caller.try_send(ToCaller::Keep(Memo::TurnsBefore(resumed.last_turn)));
    match agent {
        Agent::Echo => session::echo(link, reports).await,
        Agent::Models(providers) => {
            let session = id.clone();
            let (history, turns_before) = (resumed.history, resumed.last_turn);
            let agent = config;
            let conversation =
                Session { id, link, requests, reports, agent, agents, history, turns_before, providers, tape };
            let held = conversation.run().await;
            if let Err(cause) = held {
                tracing::error!(session, %cause, "the session could not be set up");
            }
        }
    }
}
