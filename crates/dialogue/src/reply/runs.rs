//! The tools that an answer called, and what came of them.

use crate::{Entry, ToolCall, ToolManner, ToolRunId};

/// What the model is told of a tool that is still at work when its turn is over.
const STILL_RUNNING: &str = "Still running; the result will follow.";

/// One call of a tool.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: ToolRunId,
    pub(crate) call: ToolCall,
    pub(crate) manner: ToolManner,
    pub(crate) state: RunState,
    /// How many sentences of the answer came before it.
    pub(crate) after_sentences: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunState {
    /// Not started: the turn is not decided, or the caller may be taking the floor.
    Waiting,
    Running,
    Returned(String),
}

impl Run {
    pub(crate) fn is_awaited(&self) -> bool {
        !self.manner.background && !matches!(self.state, RunState::Returned(_))
    }

    /// The call and its result, as they are remembered.
    pub(crate) fn entries(&self) -> [Entry; 2] {
        let output = match &self.state {
            RunState::Returned(output) => output.clone(),
            RunState::Waiting | RunState::Running => STILL_RUNNING.to_owned(),
        };
        let returned = Entry::ToolReturned { id: self.call.id.clone(), name: self.call.name.clone(), output };
        [Entry::ToolCalled(self.call.clone()), returned]
    }
}
