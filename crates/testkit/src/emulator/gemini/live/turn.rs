//! An answer as the messages of a Live conversation.

use serde_json::{Value, json};

use crate::emulator::answer::Answer;
use crate::emulator::pause;
use crate::emulator::produce::{Outlet, produce};
use crate::emulator::script::Pace;
use crate::emulator::spoken::{RATE_HZ, Speaking, sound};

/// An answer that is to be given.
pub(super) struct Turn {
    pub(super) number: usize,
    pub(super) answer: Answer,
    /// Aloud, not in text.
    pub(super) speaks: bool,
    pub(super) transcribes: bool,
    pub(super) pace: Pace,
}

impl Turn {
    pub(super) fn speak(self) -> Speaking {
        Box::pin(produce(move |out| self.run(out)))
    }

    /// The ids of its calls.
    pub(super) fn call_ids(&self) -> Vec<String> {
        (0..self.answer.calls.len()).map(|index| format!("fc-{}-{index}", self.number)).collect()
    }

    async fn run(self, out: Outlet<Value>) {
        pause(self.pace.first_token + self.pace.first_audio).await;
        for token in &self.answer.tokens {
            self.say(token, &out).await;
            pause(self.pace.audio_piece).await;
        }
        if !self.answer.calls.is_empty() {
            // The turn goes on with the answers to the calls.
            return out.send(json!({"toolCall": {"functionCalls": self.calls()}})).await;
        }
        out.send(json!({"serverContent": {"generationComplete": true}})).await;
        let (prompt, response) = (self.answer.prompt_tokens, self.answer.completion_tokens());
        let usage = json!({"promptTokenCount": prompt, "responseTokenCount": response,
            "totalTokenCount": prompt + response});
        out.send(json!({"serverContent": {"turnComplete": true}, "usageMetadata": usage})).await;
    }

    async fn say(&self, token: &str, out: &Outlet<Value>) {
        if !self.speaks {
            let parts = json!([{"text": token}]);
            return out.send(json!({"serverContent": {"modelTurn": {"role": "model", "parts": parts}}})).await;
        }
        if let Some(data) = sound(token) {
            let parts = json!([{"inlineData": {"mimeType": format!("audio/pcm;rate={RATE_HZ}"), "data": data}}]);
            out.send(json!({"serverContent": {"modelTurn": {"role": "model", "parts": parts}}})).await;
        }
        if self.transcribes {
            out.send(json!({"serverContent": {"outputTranscription": {"text": token}}})).await;
        }
    }

    fn calls(&self) -> Vec<Value> {
        let calls = self.call_ids().into_iter().zip(&self.answer.calls);
        calls.map(|(id, call)| json!({"id": id, "name": call.name, "args": call.arguments})).collect()
    }
}
