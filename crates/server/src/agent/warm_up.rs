//! The instructions are read before the first caller waits for it: the larger model takes three seconds for them on two
//! cores. Later conversations copy what was read.

use std::sync::Arc;

use providers::llm::{LlmEvent, LlmRequest, Message};
use session::{Agents, DEFAULT_AGENT, tools_of};

use crate::orchestrator::Agent;

/// The conversation that is never held.
const CONVERSATION: &str = "warm-up";

/// Reads the default agent's instructions and tools. Calls may begin meanwhile.
pub(crate) async fn warm_up(agent: Agent, agents: Arc<Agents>) {
    let (Agent::Models(providers), Some(config)) = (agent, agents.get(DEFAULT_AGENT)) else { return };
    let mut answer = providers.llm.reply(LlmRequest {
        conversation: CONVERSATION.to_owned(),
        messages: vec![Message::System(config.system_prompt().to_owned()), Message::User("Hello.".to_owned())],
        tools: tools_of(config, &agents, &providers.tools),
        max_tokens: 1,
        temperature: 0.0,
    });
    while let Some(event) = answer.recv().await {
        if let LlmEvent::Failed(failure) = event {
            tracing::warn!(provider = failure.provider, cause = %failure.message, "the instructions were not read ahead");
        }
    }
    providers.llm.release(CONVERSATION);
}
