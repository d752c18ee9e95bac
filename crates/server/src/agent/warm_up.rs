//! The instructions are read before the first caller waits for it: the larger model takes three seconds for them on two
//! cores. Later conversations copy what was read.

use providers::llm::{LlmEvent, LlmRequest, Message, Role};
use session::AgentConfig;

use crate::orchestrator::Agent;

/// The conversation that is never held.
const CONVERSATION: &str = "warm-up";

/// Reads the instructions. Calls may begin meanwhile.
pub(crate) async fn warm_up(agent: Agent, config: AgentConfig) {
    let Agent::Models(providers) = agent else { return };
    let message = |role, text: &str| Message { role, text: text.to_owned() };
    let mut answer = providers.llm.reply(LlmRequest {
        conversation: CONVERSATION.to_owned(),
        messages: vec![message(Role::System, config.system_prompt()), message(Role::User, "Hello.")],
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
