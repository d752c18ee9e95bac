//! The tools of one conversation: the built-in ones, those that the agent may use of the shared toolbox, and the calls
//! that are under way.

mod built_in;

use std::sync::Arc;

use dialogue::{AfterTool, ToolCall, ToolManner, ToolOutcome, ToolOutput, ToolRunId, TurnId};
use futures_util::StreamExt as _;
use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use futures_util::stream::FuturesUnordered;
use providers::llm::ToolSpec;
use providers::tools::{CallContext, OnInterrupt, ToolFailure, Toolbox};

use crate::AgentConfig;
use crate::agents::Agents;
pub(crate) use built_in::BuiltIn;
pub use built_in::{BUILT_IN_TOOLS, is_built_in};

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Returned {
    pub(crate) run: ToolRunId,
    pub(crate) output: ToolOutput,
    /// The agent that takes over.
    pub(crate) hand_off: Option<String>,
}

pub(crate) struct Toolbelt {
    conversation: String,
    turns_before: u32,
    shared: Arc<Toolbox>,
    built_in: Vec<BuiltIn>,
    allowed: Vec<String>,
    under_way: FuturesUnordered<Abortable<BoxFuture<'static, Returned>>>,
    handles: Vec<(ToolRunId, AbortHandle)>,
}

impl Toolbelt {
    /// The tools of a conversation that had `turns_before` in earlier calls.
    pub(crate) fn new(conversation: &str, turns_before: u32, shared: Arc<Toolbox>) -> Self {
        Self {
            conversation: conversation.to_owned(),
            turns_before,
            shared,
            built_in: Vec::new(),
            allowed: Vec::new(),
            under_way: FuturesUnordered::new(),
            handles: Vec::new(),
        }
    }

    /// From now on the tools of this agent are offered. Calls under way go on.
    pub(crate) fn equip(&mut self, agent: &AgentConfig, agents: &Agents) {
        self.built_in = BuiltIn::of(agent, agents);
        self.allowed.clone_from(&agent.tools);
    }

    /// What the model may call now.
    pub(crate) fn specs(&self) -> Vec<ToolSpec> {
        specs(&self.built_in, &self.shared, &self.allowed)
    }

    pub(crate) fn manner(&self, name: &str) -> ToolManner {
        let manner = self.shared.manner_of(name);
        manner.map_or_else(ToolManner::default, |manner| ToolManner {
            background: manner.background,
            cancel_on_interrupt: manner.on_interrupt == OnInterrupt::Cancel,
        })
    }

    pub(crate) fn run(&mut self, run: ToolRunId, turn: TurnId, call: ToolCall) {
        let call = self.call(run, turn, call);
        let (handle, registration) = AbortHandle::new_pair();
        self.under_way.push(Abortable::new(call, registration));
        self.handles.push((run, handle));
    }

    pub(crate) fn cancel(&mut self, run: ToolRunId) {
        for (_, handle) in self.handles.extract_if(.., |(other, _)| *other == run) {
            handle.abort();
        }
    }

    /// The next call that is done; waits for ever while none is under way. Cancel safe.
    pub(crate) async fn returned(&mut self) -> Returned {
        loop {
            match self.under_way.next().await {
                Some(Ok(returned)) => {
                    self.handles.retain(|(run, _)| *run != returned.run);
                    return returned;
                }
                // It was cancelled.
                Some(Err(_)) => {}
                None => return std::future::pending().await,
            }
        }
    }

    fn call(&self, run: ToolRunId, turn: TurnId, call: ToolCall) -> BoxFuture<'static, Returned> {
        if let Some(built_in) = self.built_in.iter().find(|tool| tool.name() == call.name) {
            let returned = built_in.call(run, &call.arguments);
            return Box::pin(std::future::ready(returned));
        }
        if !self.allowed.contains(&call.name) {
            let text = format!("There is no tool `{}`.", call.name);
            return Box::pin(std::future::ready(plain(run, text, ToolOutcome::Failed)));
        }
        let shared = Arc::clone(&self.shared);
        let turn = self.turns_before.saturating_add(turn.0);
        let context = CallContext { conversation: self.conversation.clone(), turn };
        Box::pin(async move {
            let call = providers::llm::ToolCall { id: call.id, name: call.name, arguments: call.arguments };
            match shared.call(&call, &context).await {
                Ok(text) => plain(run, text, ToolOutcome::Done),
                Err(failure) => {
                    tracing::warn!(tool = call.name, %failure, "a tool failed");
                    plain(run, format!("The tool failed: {failure}"), outcome_of(&failure))
                }
            }
        })
    }
}

/// What an agent may call, as its models are told.
pub fn tools_of(agent: &AgentConfig, agents: &Agents, shared: &Toolbox) -> Vec<ToolSpec> {
    specs(&BuiltIn::of(agent, agents), shared, &agent.tools)
}

fn specs(built_in: &[BuiltIn], shared: &Toolbox, allowed: &[String]) -> Vec<ToolSpec> {
    let built_in = built_in.iter().map(BuiltIn::spec);
    let shared = shared.tools().into_iter().map(|tool| tool.spec);
    built_in.chain(shared.filter(|spec| allowed.contains(&spec.name))).collect()
}

fn outcome_of(failure: &ToolFailure) -> ToolOutcome {
    match failure {
        ToolFailure::Timeout(_) => ToolOutcome::Overdue,
        ToolFailure::Unknown(_) | ToolFailure::Arguments(_) | ToolFailure::Refused(_) | ToolFailure::Unreachable => {
            ToolOutcome::Failed
        }
    }
}

fn plain(run: ToolRunId, text: String, outcome: ToolOutcome) -> Returned {
    Returned { run, output: ToolOutput { text, outcome, then: AfterTool::GoOn }, hand_off: None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use async_trait::async_trait;
    use dialogue::{ToolCall, ToolRunId, TurnId};
    use providers::llm::ToolSpec;
    use providers::tools::{CallContext, Manner, Tool, ToolFailure, ToolSource, Toolbox};

    use super::Toolbelt;
    use crate::{AgentConfig, Agents};

    /// A tool that says for which turn it was called.
    struct Echo;

    #[async_trait]
    impl ToolSource for Echo {
        fn tools(&self) -> Vec<Tool> {
            let parameters = serde_json::json!({"type": "object"});
            let spec = ToolSpec { name: "echo".to_owned(), description: String::new(), parameters };
            vec![Tool { spec, manner: Manner::default() }]
        }

        async fn call(&self, _call: &providers::llm::ToolCall, context: &CallContext) -> Result<String, ToolFailure> {
            Ok(format!("{} turn {}", context.conversation, context.turn))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_counted_on_in_a_conversation_that_goes_on() {
        let agent = AgentConfig { tools: vec!["echo".to_owned()], ..AgentConfig::default() };
        let agents = Agents::new(agent.clone(), BTreeMap::new()).unwrap();
        let mut toolbelt = Toolbelt::new("0199", 7, Arc::new(Toolbox::new(vec![Arc::new(Echo)]).unwrap()));
        toolbelt.equip(&agent, &agents);
        let call = ToolCall { id: "1".to_owned(), name: "echo".to_owned(), arguments: "{}".to_owned() };
        toolbelt.run(ToolRunId(1), TurnId(2), call);
        assert_eq!(toolbelt.returned().await.output.text, "0199 turn 9");
    }
}
