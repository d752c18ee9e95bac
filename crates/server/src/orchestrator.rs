//! The orchestrator role: takes the calls that the media role announces, and gives each a conversation.

use bus::local::{NewCall, NewCalls};
use session::{AgentConfig, Providers};

use crate::conversation::Conversation;
use crate::recorder::Recorder;
use crate::switchboard::CallDetails;
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
    /// What clients are told of it.
    pub(crate) fn model(&self) -> &'static str {
        match self {
            Self::Echo => "antiphon-echo",
            Self::Models(_) => "antiphon-local",
        }
    }
}

/// What every conversation is held with.
#[derive(Clone)]
pub(crate) struct Orchestrator {
    /// Who answers.
    pub agent: Agent,
    /// How they answer.
    pub config: AgentConfig,
    /// Takes down what happens.
    pub recorder: Recorder,
    /// Owns the conversations' tasks.
    pub tasks: Tasks,
}

impl Orchestrator {
    /// Takes calls until the media role is gone.
    pub(crate) async fn run(self, mut new_calls: NewCalls<CallDetails>) {
        while let Some(call) = new_calls.recv().await {
            let conversation = self.conversation(call);
            self.tasks.spawn(conversation.hold());
        }
    }

    fn conversation(&self, call: NewCall<CallDetails>) -> Conversation {
        let mut config = self.config.clone();
        if let Some(instructions) = call.details.instructions {
            config.instructions = Some(instructions);
        }
        Conversation {
            id: call.id,
            opened_at: call.details.opened_at,
            link: call.link,
            agent: self.agent.clone(),
            config,
            recorder: self.recorder.clone(),
        }
    }
}
