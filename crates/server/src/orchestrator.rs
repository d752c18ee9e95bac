//! The orchestrator role: takes the calls that the media role announces, and gives each a conversation.

use bus::local::{NewCall, NewCalls};
use dialogue::Transcript;
use session::{AgentConfig, DEFAULT_AGENT, Providers};
use store::Store;

use std::sync::Arc;

use crate::agent::Cast;
use crate::conversation::{Conversation, Resumed};
use crate::metrics::Metrics;
use crate::recorder::Recorder;
use crate::roster::Roster;
use crate::switchboard::CallDetails;
use crate::tapes::Tapes;
use crate::tasks::Tasks;

/// Who answers.
#[derive(Clone)]
pub(crate) enum Agent {
    /// Plays back what it hears; needs no model.
    Echo,
    /// Understands, thinks and speaks.
    Models(Providers),
}

impl Agent {
    fn of(cast: &Cast, agent: &AgentConfig) -> Self {
        match cast {
            Cast::Echo => Self::Echo,
            Cast::Models(lineup) => Self::Models(lineup.of(agent)),
        }
    }

    /// What clients are told of it.
    pub(crate) fn model(&self) -> &'static str {
        match self {
            Self::Echo => "antiphon-echo",
            Self::Models(_) => "antiphon",
        }
    }
}

/// What every conversation is held with.
#[derive(Clone)]
pub(crate) struct Orchestrator {
    /// With which models.
    pub cast: Cast,
    /// Who may answer, by name.
    pub roster: Roster,
    /// Holds what was said before in conversations that go on.
    pub store: Arc<dyn Store>,
    /// What is measured.
    pub metrics: Metrics,
    /// Takes down what happens.
    pub recorder: Recorder,
    /// Keeps the tapes of conversations, where they are wanted.
    pub tapes: Option<Tapes>,
    /// What an agent says when it takes over a call whose orchestrator died.
    pub recovery: Option<String>,
    /// Owns the conversations' tasks.
    pub tasks: Tasks,
}

impl Orchestrator {
    /// Takes calls until the media role is gone.
    pub(crate) async fn run(self, mut new_calls: NewCalls<CallDetails>) {
        while let Some(call) = new_calls.recv().await {
            let orchestrator = self.clone();
            self.tasks.spawn(async move { orchestrator.conversation(call).await.hold().await });
        }
    }

    async fn conversation(self, call: NewCall<CallDetails>) -> Conversation {
        let wishes = call.details.wishes;
        // As they are now: what changes later is for later calls.
        let agents = self.roster.now();
        let asked = wishes.agent.as_deref().and_then(|name| agents.get(name));
        // The default agent always exists; a name was checked when the call was opened.
        let mut config = asked.or_else(|| agents.get(DEFAULT_AGENT)).cloned().unwrap_or_default();
        if let Some(instructions) = wishes.instructions {
            config.instructions = Some(instructions);
        }
        if call.handed_over {
            config.greeting = self.recovery.clone();
        }
        let resumed = match wishes.resumes {
            Some(id) => self.resume(id).await,
            // What was said before another orchestrator lost it.
            None if call.handed_over => self.resume(call.id.clone()).await,
            None => Resumed { id: call.id.clone(), last_turn: 0, history: Transcript::default() },
        };
        let tape = self.tapes.as_ref().map(|tapes| tapes.tape(&call.id, &self.tasks));
        Conversation {
            tape,
            call: call.id,
            resumed,
            opened_at: call.details.opened_at,
            link: call.link,
            agent: Agent::of(&self.cast, &config),
            config,
            agents,
            recorder: self.recorder,
            metrics: self.metrics,
        }
    }

    /// What was said before. A store that cannot be read costs the memory, not the call.
    async fn resume(&self, id: String) -> Resumed {
        match self.store.get(&id).await {
            Ok(Some(before)) => Resumed::from(before),
            Ok(None) => Resumed { id, last_turn: 0, history: Transcript::default() },
            Err(cause) => {
                tracing::error!(session = %id, %cause, "what was said before cannot be read");
                // Its turns must not be written over: this call is kept far behind them.
                Resumed { id, last_turn: UNKNOWN_TURNS, history: Transcript::default() }
            }
        }
    }
}

/// Turns that a conversation may already have had when that cannot be read.
const UNKNOWN_TURNS: u32 = 1_000_000;
