//! What callers hear when the bus is gone, in the voice of their agent. It is made once for each voice, ahead of need, and left
//! with media when a call is taken: later nobody could say it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use audio::leg::{Memo, ToCaller};
use bytes::Bytes;
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use session::AgentConfig;
use tokio::sync::mpsc::Sender;

use super::encode;

/// Voices whose words are kept: more than an installation has.
const MAX_VOICES: usize = 256;

/// The words, by the voice that says them. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Notices {
    text: Arc<str>,
    made: Arc<Mutex<HashMap<String, Vec<Bytes>>>>,
}

impl Notices {
    /// These words, which nobody has said yet.
    pub(crate) fn of(text: &str) -> Self {
        Self { text: text.into(), made: Arc::default() }
    }

    /// Has them said in an agent's voice, and leaves them with the media server that holds a call.
    pub(crate) fn leave(
        self,
        agent: AgentConfig,
        tts: Arc<dyn TextToSpeech>,
        to_caller: &Sender<ToCaller>,
    ) -> impl Future<Output = ()> + Send + use<> {
        // The call must not last longer for this.
        let to_caller = to_caller.downgrade();
        async move {
            let Some(packets) = self.said(&agent, &*tts).await else { return };
            if let Some(to_caller) = to_caller.upgrade() {
                // A call that is over needs none.
                let _ = to_caller.send(ToCaller::Keep(Memo::Notice(packets))).await;
            }
        }
    }

    /// The words in an agent's voice; none when it cannot be reached.
    pub(crate) async fn said(&self, agent: &AgentConfig, tts: &dyn TextToSpeech) -> Option<Vec<Bytes>> {
        // Where a speech-native model answers, the name is one of its voices.
        let voice = agent.voice.as_ref().filter(|_| agent.live.is_none());
        let key = format!("{:?} {voice:?} {}", agent.tts, agent.speed);
        if let Some(packets) = self.made().get(&key) {
            return Some(packets.clone());
        }
        let request = SpeechRequest { text: self.text.to_string(), voice: voice.cloned(), speed: agent.speed };
        let samples = all_of(tts, request).await?;
        let packets = encode(&samples, tts.sample_rate_hz());
        let packets =
            packets.inspect_err(|cause| tracing::warn!(%cause, "the notice of an outage was not encoded")).ok()?;
        let mut made = self.made();
        if made.len() < MAX_VOICES {
            made.insert(key, packets.clone());
        }
        Some(packets)
    }

    fn made(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<Bytes>>> {
        // Whole after every statement that holds it.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn all_of(tts: &dyn TextToSpeech, request: SpeechRequest) -> Option<Vec<f32>> {
    let mut events = tts.speak(request);
    let mut samples = Vec::new();
    loop {
        match events.recv().await? {
            TtsEvent::Audio(more) => samples.extend_from_slice(&more),
            TtsEvent::Done => return Some(samples),
            TtsEvent::Failed(failure) => {
                let (provider, cause) = (failure.provider, &failure.message);
                tracing::warn!(provider, %cause, "the notice of an outage was not said ahead; a signal stands for it");
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use audio::leg::{Memo, ToCaller};
    use session::AgentConfig;
    use testkit::scripted::Murmur;
    use tokio::sync::mpsc;

    use super::Notices;

    #[tokio::test]
    async fn each_voice_says_it_once_and_leaves_it_with_the_call() {
        let notices = Notices::of("One moment, please.");
        let (to_caller, mut told) = mpsc::channel(4);
        let agents = [1.0, 1.0, 1.5].map(|speed| AgentConfig { speed, ..AgentConfig::default() });
        for agent in agents {
            notices.clone().leave(agent, Arc::new(Murmur), &to_caller).await;
            let Some(ToCaller::Keep(Memo::Notice(packets))) = told.recv().await else { panic!("it is left") };
            assert!(!packets.is_empty());
        }
        assert_eq!(notices.made().len(), 2);
        drop(to_caller);
        assert_eq!(told.recv().await, None, "nothing holds the call up");
    }
}
