//! The instructions are read before the first caller waits for it: the larger model takes three seconds for them on two
//! cores. Later conversations copy what was read.

use std::sync::Arc;

use providers::llm::{LlmEvent, LlmRequest, Message};
use session::{Agents, DEFAULT_AGENT, tools_of};

use super::Cast;

/// The conversation that is never held.
const CONVERSATION: &str = "warm-up";

/// Reads the default agent's instructions and tools, where it may answer with the language model of this machine. Calls may
/// begin meanwhile.
pub(crate) async fn warm_up(cast: Cast, agents: Arc<Agents>) {
    let toolbox = cast.toolbox();
    let (Cast::Models(lineup), Some(config)) = (cast, agents.get(DEFAULT_AGENT)) else { return };
    if !config.llm.has_local() {
        return;
    }
    let Some(llm) = lineup.local_llm() else { return };
    let mut answer = llm.reply(LlmRequest {
        conversation: CONVERSATION.to_owned(),
        messages: vec![Message::System(config.system_prompt().to_owned()), Message::User("Hello.".to_owned())],
        tools: tools_of(config, &agents, &toolbox),
        max_tokens: 1,
        temperature: 0.0,
    });
    while let Some(event) = answer.recv().await {
        if let LlmEvent::Failed(failure) = event {
            tracing::warn!(provider = failure.provider, cause = %failure.message, "the instructions were not read ahead");
        }
    }
    llm.release(CONVERSATION);
}
