//! The orchestrator role: takes the calls that the media role announces, and gives each a conversation.

use bus::local::{Heard, NewCall, NewCalls};
use session::{AgentConfig, DEFAULT_AGENT, Providers};
use store::Store;

use std::sync::Arc;

use crate::agent::Cast;
use crate::conversation::{Conversation, Resumed};
use crate::metrics::Metrics;
use crate::notice::Notices;
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
    /// What callers hear when nobody can be reached, in their agent's voice.
    pub notices: Option<Notices>,
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
        if call.handed_over.is_some() {
            config.greeting.clone_from(&self.recovery);
            config.welcome_back.clone_from(&self.recovery);
        }
        let resumed = match (wishes.resumes, call.handed_over) {
            (Some(id), None) => self.resume(id, None).await,
            // What was said before another orchestrator lost it.
            (Some(id), Some(before)) => self.resume(id, before.heard).await,
            (None, Some(before)) => self.resume(call.id.clone(), before.heard).await,
            (None, None) => Resumed::new(call.id.clone()),
        };
        let agent = Agent::of(&self.cast, &config);
        if let (Some(notices), Agent::Models(providers)) = (&self.notices, &agent) {
            let leave = notices.clone().leave(config.clone(), Arc::clone(&providers.tts), &call.link.to_caller);
            self.tasks.spawn(leave);
        }
        let tape = self.tapes.as_ref().map(|tapes| tapes.tape(&call.id, &self.tasks));
        Conversation {
            tape,
            call: call.id,
            resumed,
            opened_at: call.details.opened_at,
            link: call.link,
            agent,
            config,
            agents,
            recorder: self.recorder,
            metrics: self.metrics,
        }
    }

    /// What was said before. A store that cannot be read costs the memory, not the call.
    async fn resume(&self, id: String, heard: Option<Heard>) -> Resumed {
        match self.store.get(&id).await {
            Ok(Some(before)) => Resumed::after(before, heard),
            Ok(None) => Resumed::new(id),
            Err(cause) => {
                tracing::error!(session = %id, %cause, "what was said before cannot be read");
                // Its turns must not be written over: this call is kept far behind them.
                Resumed { last_turn: UNKNOWN_TURNS, ..Resumed::new(id) }
            }
        }
    }
}

/// Turns that a conversation may already have had when that cannot be read.
const UNKNOWN_TURNS: u32 = 1_000_000;
