//! What is better done before the first caller waits for it.
//!
//! The larger model takes three seconds for the instructions on two cores; later conversations copy what was read. Vendors'
//! voices say the fixed lines once, so that they can be said at once, and also when no voice can be reached.

use std::sync::Arc;

use providers::llm::{LlmEvent, LlmRequest, Message};
use providers::tts::{SpeechRequest, TtsEvent};
use session::{AgentConfig, Agents, Choice, DEFAULT_AGENT, LOCAL, tools_of};

use super::Cast;
use super::lineup::Lineup;
use crate::notice::Notices;

/// The conversation that is never held.
const CONVERSATION: &str = "warm-up";

/// Does all of it. Calls may begin meanwhile.
pub(crate) async fn warm_up(cast: Cast, agents: Arc<Agents>, notices: Option<Notices>) {
    let Cast::Models(lineup) = &cast else { return };
    let say = async {
        for (_, agent) in agents.iter() {
            if let Some(notices) = &notices {
                // One that cannot be said now is tried again with each call.
                let _ = notices.said(agent, &*lineup.of(agent).tts).await;
            }
            say_fixed_lines(lineup, agent).await;
        }
    };
    tokio::join!(say, read_instructions(&cast, &agents));
}

/// Has them said, to nobody. A local voice alone keeps none, and needs none.
async fn say_fixed_lines(lineup: &Lineup, agent: &AgentConfig) {
    if agent.tts == Choice::from(LOCAL) {
        return;
    }
    let tts = lineup.of(agent).tts;
    // Where a speech-native model answers, the name is one of its voices.
    let voice = agent.voice.as_ref().filter(|_| agent.live.is_none());
    for text in agent.fixed_lines() {
        let mut events = tts.speak(SpeechRequest { text, voice: voice.cloned(), speed: agent.speed });
        while let Some(event) = events.recv().await {
            if let TtsEvent::Failed(failure) = event {
                tracing::warn!(provider = failure.provider, cause = %failure.message, "a fixed line was not said ahead");
                return;
            }
        }
    }
}

/// Reads the default agent's instructions and tools, where it may answer with the language model of this machine. Calls may
/// begin meanwhile.
async fn read_instructions(cast: &Cast, agents: &Agents) {
    let toolbox = cast.toolbox();
    let (Cast::Models(lineup), Some(config)) = (cast, agents.get(DEFAULT_AGENT)) else { return };
    if !config.llm.has_local() || config.live.is_some() {
        return;
    }
    let Some(llm) = lineup.local_llm() else { return };
    let mut answer = llm.reply(LlmRequest {
        conversation: CONVERSATION.to_owned(),
        messages: vec![Message::System(config.system_prompt().to_owned()), Message::User("Hello.".to_owned())],
        tools: tools_of(config, agents, &toolbox),
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
