//! WebSocket `/realtime`: OpenAI's speech-native conversation, and with `?intent=transcription` its recogniser.
//!
//! Turns are found by loudness or by the client's own commits; speech over an answer interrupts it.

mod response;
mod settings;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Value, json};

use self::response::Plan;
use self::settings::{Purpose, Settings};
use super::{known, refuse};
use crate::emulator::Shared;
use crate::emulator::answer::{Answer, Question};
use crate::emulator::ear::{self, Ear, Heard, Utterance};
use crate::emulator::gate::HandedOver;
use crate::emulator::refusal::Refusal;
use crate::emulator::socket::{Incoming, Over, Socket};
use crate::emulator::spoken::{self, RATE_HZ, Speaking};

/// OpenAI commits no less audio than this.
const LEAST_COMMIT_MS: usize = 100;

pub(super) async fn converse(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
    Extension(handed_over): Extension<HandedOver>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let purpose = match (query.get("intent").map(String::as_str), query.get("model")) {
        (Some("transcription"), _) => Purpose::Transcription,
        (_, Some(model)) => match known(model) {
            Ok(()) => Purpose::Conversation(model.clone()),
            Err(refusal) => return refuse(&refusal),
        },
        (_, None) => return refuse(&Refusal::invalid("You must provide a model parameter.")),
    };
    let Some(carrier) = handed_over.take() else { return refuse(&Refusal::invalid("It was answered already.")) };
    upgrade.on_upgrade(move |stream| async move {
        let mut session = Session::new(Socket::new(stream, carrier), purpose, shared);
        // It is over when its client is gone or a fault ended it; both are in the log by then.
        if session.run().await.is_ok() {
            session.socket.complete();
        }
    })
}

type Script = Box<dyn FnMut() -> String + Send>;

struct Session {
    socket: Socket,
    shared: Arc<Shared>,
    settings: Settings,
    ear: Ear<Script>,
    /// Audio since the last commit, for turns that the client ends.
    uncommitted: Vec<f32>,
    /// The item that the next utterance becomes.
    next_item: String,
    last_item: Option<String>,
    items: usize,
    responses: usize,
    events: usize,
    question: Question,
    speaking: Option<Speaking>,
    /// The answer under way.
    response_id: String,
    /// The client's own id of its latest event: errors name it.
    cause: Value,
}

impl Session {
    fn new(socket: Socket, purpose: Purpose, shared: Arc<Shared>) -> Self {
        let settings = Settings::new(purpose);
        Self {
            ear: Ear::new(RATE_HZ, settings.silence_ms, script(&shared)),
            socket,
            shared,
            settings,
            uncommitted: Vec::new(),
            next_item: "item_1".to_owned(),
            last_item: None,
            items: 1,
            responses: 0,
            events: 0,
            question: Question::default(),
            speaking: None,
            response_id: String::new(),
            cause: Value::Null,
        }
    }

    async fn run(&mut self) -> Result<(), Over> {
        self.send(json!({"type": "session.created", "session": self.settings.described()})).await?;
        loop {
            tokio::select! {
                incoming = self.socket.receive() => match incoming? {
                    Incoming::Message(event) => self.take(&event).await?,
                    Incoming::Malformed => self.send_error("invalid_json", "We could not parse the JSON body.").await?,
                    Incoming::Closed => return Ok(()),
                },
                event = spoken::next(&mut self.speaking) => {
                    if let Some(event) = event {
                        self.send(event).await?;
                    }
                }
            }
        }
    }

    async fn take(&mut self, event: &Value) -> Result<(), Over> {
        let kind = event["type"].as_str().unwrap_or_default();
        self.socket.exchange().received(kind);
        self.cause = event["event_id"].clone();
        match kind {
            "session.update" => self.update(&event["session"]).await,
            "input_audio_buffer.append" => self.append(event["audio"].as_str().unwrap_or_default()).await,
            "input_audio_buffer.commit" => self.commit().await,
            "input_audio_buffer.clear" => {
                self.uncommitted.clear();
                self.ear = Ear::new(RATE_HZ, self.settings.silence_ms, script(&self.shared));
                self.send(json!({"type": "input_audio_buffer.cleared"})).await
            }
            "conversation.item.create" => self.add_item(event["item"].clone()).await,
            "conversation.item.delete" => self.delete_item(&event["item_id"]).await,
            "conversation.item.truncate" => {
                let heard = json!({"type": "conversation.item.truncated", "item_id": event["item_id"],
                    "content_index": event["content_index"], "audio_end_ms": event["audio_end_ms"]});
                self.socket.exchange().note("truncated", heard.clone());
                self.send(heard).await
            }
            "response.create" if self.speaking.is_some() => {
                let message = "Conversation already has an active response in progress.";
                self.send_error("conversation_already_has_active_response", message).await
            }
            "response.create" => {
                self.respond();
                Ok(())
            }
            "response.cancel" if self.speaking.is_none() => {
                self.send_error("response_cancel_not_active", "Cancellation failed: no active response found").await
            }
            "response.cancel" => self.interrupt("client_cancelled").await,
            other => self.send_error("invalid_value", &format!("Invalid value: '{other}'.")).await,
        }
    }

    async fn update(&mut self, session: &Value) -> Result<(), Over> {
        self.socket.exchange().note("session", session.clone());
        if let Err(message) = self.settings.update(session) {
            return self.send_error("invalid_value", &message).await;
        }
        self.question.tools = self.settings.tools();
        self.ear = Ear::new(RATE_HZ, self.settings.silence_ms, script(&self.shared));
        self.send(json!({"type": "session.updated", "session": self.settings.described()})).await
    }

    async fn append(&mut self, audio: &str) -> Result<(), Over> {
        let Some(samples) = spoken::samples(audio) else {
            return self.send_error("invalid_value", "Invalid 'audio'. Expected base64-encoded audio bytes.").await;
        };
        self.uncommitted.extend_from_slice(&samples);
        if !self.settings.detects_turns {
            return Ok(());
        }
        for heard in self.ear.listen(&samples) {
            match heard {
                Heard::Began { at_ms } => self.speech_started(at_ms).await?,
                Heard::Words { .. } => {}
                Heard::Ended { utterance } => self.speech_stopped(&utterance).await?,
            }
        }
        Ok(())
    }

    async fn speech_started(&mut self, at_ms: u32) -> Result<(), Over> {
        let item_id = self.next_item.clone();
        self.send(json!({"type": "input_audio_buffer.speech_started", "audio_start_ms": at_ms, "item_id": item_id}))
            .await?;
        if self.settings.interrupts { self.interrupt("turn_detected").await } else { Ok(()) }
    }

    async fn speech_stopped(&mut self, utterance: &Utterance) -> Result<(), Over> {
        let stopped = json!({"type": "input_audio_buffer.speech_stopped", "audio_end_ms": utterance.ended_ms,
            "item_id": self.next_item});
        self.send(stopped).await?;
        self.add_utterance(utterance.text()).await?;
        if self.settings.responds && self.speaking.is_none() {
            self.respond();
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Over> {
        let ms = self.uncommitted.len() * 1_000 / RATE_HZ as usize;
        if ms < LEAST_COMMIT_MS {
            let message = format!(
                "Error committing input audio buffer: buffer too small. Expected at least {LEAST_COMMIT_MS}ms of \
                 audio, but buffer only has {ms}.00ms of audio."
            );
            return self.send_error("input_audio_buffer_commit_empty", &message).await;
        }
        let text = ear::transcribe(&self.uncommitted, RATE_HZ, || self.shared.next_transcript());
        // What the detector heard is in there.
        self.ear = Ear::new(RATE_HZ, self.settings.silence_ms, script(&self.shared));
        self.add_utterance(text).await
    }

    /// An utterance becomes an item of the conversation.
    async fn add_utterance(&mut self, text: String) -> Result<(), Over> {
        self.uncommitted.clear();
        let item_id = self.advance_item();
        let before = self.last_item.replace(item_id.clone());
        self.send(json!({"type": "input_audio_buffer.committed", "item_id": item_id, "previous_item_id": before}))
            .await?;
        let content = json!([{"type": "input_audio", "transcript": null}]);
        let item = json!({"id": item_id, "object": "realtime.item", "type": "message", "status": "completed",
            "role": "user", "content": content});
        self.announce(item, before).await?;
        if self.settings.transcribes {
            self.transcribe(&item_id, &text).await?;
        }
        self.question.prompt_tokens += text.split_whitespace().count();
        self.question.said = text;
        self.question.tool_output = None;
        Ok(())
    }

    async fn transcribe(&mut self, item_id: &str, text: &str) -> Result<(), Over> {
        const NAME: &str = "conversation.item.input_audio_transcription";
        for word in text.split_inclusive(' ') {
            let delta = json!({"type": format!("{NAME}.delta"), "item_id": item_id, "content_index": 0, "delta": word});
            self.send(delta).await?;
        }
        let usage = json!({"type": "duration", "seconds": 1.0});
        let completed = json!({"type": format!("{NAME}.completed"), "item_id": item_id, "content_index": 0,
            "transcript": text, "usage": usage});
        self.send(completed).await
    }

    async fn add_item(&mut self, mut item: Value) -> Result<(), Over> {
        match item["type"].as_str() {
            Some("function_call_output") => {
                self.question.tool_output = item["output"].as_str().map(str::to_owned);
            }
            Some("message") if item["role"] == "user" => {
                let parts = item["content"].as_array().map(Vec::as_slice).unwrap_or_default();
                self.question.said = parts.iter().filter_map(|part| part["text"].as_str()).collect();
                self.question.tool_output = None;
            }
            // What the agent said or what was summarised does not change the rule's answer.
            Some(_) => {}
            None => {
                return self.send_error("missing_required_parameter", "Missing required parameter: 'item.type'.").await;
            }
        }
        self.socket.exchange().told(&item);
        let item_id = self.advance_item();
        item["id"] = item_id.clone().into();
        item["object"] = "realtime.item".into();
        let before = self.last_item.replace(item_id);
        self.announce(item, before).await
    }

    async fn delete_item(&mut self, item_id: &Value) -> Result<(), Over> {
        let number = item_id.as_str().and_then(|id| id.strip_prefix("item_")).and_then(|number| number.parse().ok());
        if number.is_none_or(|number: usize| number >= self.items) {
            let message = format!("Error deleting item: the item with id {item_id} does not exist.");
            return self.send_error("item_delete_invalid_item_id", &message).await;
        }
        self.send(json!({"type": "conversation.item.deleted", "item_id": item_id})).await
    }

    async fn announce(&mut self, item: Value, before: Option<String>) -> Result<(), Over> {
        for kind in ["conversation.item.added", "conversation.item.done"] {
            self.send(json!({"type": kind, "item": item, "previous_item_id": before})).await?;
        }
        Ok(())
    }

    fn respond(&mut self) {
        self.responses += 1;
        self.response_id = format!("resp_{}", self.responses);
        let answer = Answer::to(&self.question, &self.shared);
        let items = (0..answer.calls.len() + 1).map(|_| self.advance_item()).collect();
        let plan = Plan {
            response_id: self.response_id.clone(),
            items,
            answer,
            form: self.settings.form,
            pace: self.shared.pace,
        };
        self.speaking = Some(plan.speak());
    }

    /// Stops the answer under way, if there is one.
    async fn interrupt(&mut self, reason: &str) -> Result<(), Over> {
        if self.speaking.take().is_none() {
            return Ok(());
        }
        let details = json!({"type": "cancelled", "reason": reason});
        self.send(
            json!({"type": "response.done", "response": response::described(&self.response_id, "cancelled", &details)}),
        )
        .await
    }

    fn advance_item(&mut self) -> String {
        self.items += 1;
        std::mem::replace(&mut self.next_item, format!("item_{}", self.items))
    }

    async fn send_error(&mut self, code: &str, message: &str) -> Result<(), Over> {
        let error = json!({"type": "invalid_request_error", "code": code, "message": message, "param": null,
            "event_id": self.cause});
        self.send(json!({"type": "error", "error": error})).await
    }

    async fn send(&mut self, mut event: Value) -> Result<(), Over> {
        self.events += 1;
        event["event_id"] = format!("event_{}", self.events).into();
        self.socket.send(&event).await
    }
}

fn script(shared: &Arc<Shared>) -> Script {
    let shared = Arc::clone(shared);
    Box::new(move || shared.next_transcript())
}
