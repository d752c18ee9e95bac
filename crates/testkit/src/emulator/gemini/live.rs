//! WebSocket `BidiGenerateContent`: Gemini Live, which hears and speaks by itself.
//!
//! The first message is the setup. Turns are found by loudness or by the client's own marks; speech over an answer
//! interrupts it. JSON comes and goes in binary frames.

mod setup;
mod turn;

use std::sync::Arc;

use axum::Extension;
use axum::extract::{State, WebSocketUpgrade};
use axum::response::Response;
use serde_json::{Value, json};

use self::setup::Setup;
use self::turn::Turn;
use super::{field, list, refuse};
use crate::emulator::Shared;
use crate::emulator::answer::{Answer, Question};
use crate::emulator::ear::{self, Ear, Heard};
use crate::emulator::gate::HandedOver;
use crate::emulator::refusal::Refusal;
use crate::emulator::socket::{Incoming, Over, Socket, UNUSABLE};
use crate::emulator::spoken::{self, Speaking};

/// What clients speak at, unless they say otherwise with each piece.
const INPUT_HZ: u32 = 16_000;
/// With this a conversation is resumed.
const HANDLE: &str = "handle_emulator";

pub(super) async fn converse(
    State(shared): State<Arc<Shared>>,
    Extension(handed_over): Extension<HandedOver>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(carrier) = handed_over.take() else { return refuse(&Refusal::invalid("It was answered already.")) };
    upgrade.on_upgrade(move |stream| async move {
        let mut socket = Socket::new(stream, carrier);
        let setup = match socket.receive().await {
            Ok(Incoming::Message(message)) => Setup::new(&message, socket.exchange()),
            Ok(Incoming::Malformed) => Err("Invalid JSON payload received.".to_owned()),
            Ok(Incoming::Closed) => return socket.complete(),
            Err(Over) => return,
        };
        match setup {
            Ok(setup) => run(socket, setup, shared).await,
            Err(reason) => socket.close(UNUSABLE, &reason).await,
        }
    })
}

async fn run(socket: Socket, setup: Setup, shared: Arc<Shared>) {
    let mut session = Session::new(socket, setup, shared);
    match session.run().await {
        Ok(Close::ByClient) => session.socket.complete(),
        Ok(Close::Refused(reason)) => session.socket.close(UNUSABLE, reason).await,
        // It is in the log already.
        Err(Over) => {}
    }
}

/// How a conversation ends that no fault ends.
enum Close {
    ByClient,
    Refused(&'static str),
}

type Script = Box<dyn FnMut() -> String + Send>;

struct Session {
    socket: Socket,
    shared: Arc<Shared>,
    setup: Setup,
    ear: Ear<Script>,
    /// Audio of a turn that the client marks; none outside of one.
    marked: Option<Vec<f32>>,
    question: Question,
    speaking: Option<Speaking>,
    /// The calls that wait for their answers.
    calls: Vec<String>,
    turns: usize,
}

impl Session {
    fn new(socket: Socket, setup: Setup, shared: Arc<Shared>) -> Self {
        let script = Arc::clone(&shared);
        let script: Script = Box::new(move || script.next_transcript());
        let question = Question { tools: setup.tools.clone(), ..Question::default() };
        Self {
            ear: Ear::new(INPUT_HZ, setup.silence_ms, script),
            socket,
            shared,
            setup,
            marked: None,
            question,
            speaking: None,
            calls: Vec::new(),
            turns: 0,
        }
    }

    async fn run(&mut self) -> Result<Close, Over> {
        self.socket.send(&json!({"setupComplete": {"sessionId": "sess_emulator"}})).await?;
        if self.setup.resumes {
            self.send_handle().await?;
        }
        loop {
            tokio::select! {
                incoming = self.socket.receive() => match incoming? {
                    Incoming::Message(message) => {
                        if let Some(close) = self.take(&message).await? {
                            return Ok(close);
                        }
                    }
                    Incoming::Malformed => return Ok(Close::Refused("Invalid JSON payload received.")),
                    Incoming::Closed => return Ok(Close::ByClient),
                },
                message = spoken::next(&mut self.speaking) => {
                    if let Some(message) = message {
                        self.socket.send(&message).await?;
                    }
                }
            }
        }
    }

    async fn take(&mut self, message: &Value) -> Result<Option<Close>, Over> {
        self.socket.exchange().received(&kind(message));
        let realtime = field(message, "realtimeInput");
        let content = field(message, "clientContent");
        let response = field(message, "toolResponse");
        match (realtime.is_object(), content.is_object(), response.is_object()) {
            (true, false, false) => self.take_realtime(realtime).await,
            (false, true, false) => self.take_content(content).await.map(|()| None),
            (false, false, true) => Ok(self.take_tool_response(response)),
            _ => Ok(Some(Close::Refused("Request contains an invalid argument."))),
        }
    }

    async fn take_realtime(&mut self, input: &Value) -> Result<Option<Close>, Over> {
        if let Some(text) = input["text"].as_str() {
            self.interrupt().await?;
            self.ask(text.to_owned());
        }
        if field(input, "activityStart").is_object() || field(input, "activityEnd").is_object() {
            if self.setup.detects_turns {
                return Ok(Some(Close::Refused(
                    "Explicit activity control is not supported when automatic activity detection is enabled.",
                )));
            }
            if field(input, "activityStart").is_object() {
                self.interrupt().await?;
                self.marked = Some(Vec::new());
            } else if let Some(samples) = self.marked.take() {
                let text = ear::transcribe(&samples, INPUT_HZ, || self.shared.next_transcript());
                self.heard(text).await?;
            }
        }
        if input["audio"].is_object() {
            return self.take_audio(&input["audio"]).await;
        }
        if field(input, "audioStreamEnd") == true
            && let Some(Heard::Ended { utterance }) = self.ear.finish()
        {
            self.heard(utterance.text()).await?;
        }
        Ok(None)
    }

    async fn take_audio(&mut self, audio: &Value) -> Result<Option<Close>, Over> {
        let kind = field(audio, "mimeType").as_str().unwrap_or_default();
        let rate_hz = kind.split("rate=").nth(1).and_then(|rate| rate.parse().ok()).unwrap_or(INPUT_HZ);
        let samples = audio["data"].as_str().and_then(spoken::samples);
        let (true, Some(samples), 8_000..=48_000) = (kind.starts_with("audio/pcm"), samples, rate_hz) else {
            return Ok(Some(Close::Refused("Cannot extract voices from a non-audio request.")));
        };
        let samples = audio::resample::resample(&samples, rate_hz, INPUT_HZ);
        if !self.setup.detects_turns {
            self.marked.iter_mut().for_each(|marked| marked.extend_from_slice(&samples));
            return Ok(None);
        }
        for heard in self.ear.listen(&samples) {
            match heard {
                Heard::Began { .. } if self.setup.interrupts => self.interrupt().await?,
                Heard::Began { .. } | Heard::Words { .. } => {}
                Heard::Ended { utterance } => self.heard(utterance.text()).await?,
            }
        }
        Ok(None)
    }

    async fn take_content(&mut self, content: &Value) -> Result<(), Over> {
        list(&content["turns"]).iter().for_each(|turn| self.socket.exchange().told(turn));
        let said = list(&content["turns"]).iter().rev().find(|turn| turn["role"] != "model");
        if let Some(turn) = said {
            self.question.said = list(&turn["parts"]).iter().filter_map(|part| part["text"].as_str()).collect();
        }
        if self.setup.begins_with_history {
            self.setup.begins_with_history = field(content, "turnComplete") != true;
        } else if field(content, "turnComplete") == true {
            self.interrupt().await?;
            self.ask(self.question.said.clone());
        }
        Ok(())
    }

    fn take_tool_response(&mut self, response: &Value) -> Option<Close> {
        for response in list(field(response, "functionResponses")) {
            let Some(at) = self.calls.iter().position(|id| response["id"] == id.as_str()) else {
                return Some(Close::Refused("The function response matches no function call."));
            };
            self.calls.remove(at);
            let output = response["response"].get("output").unwrap_or(&response["response"]);
            self.question.tool_output = Some(output.as_str().map_or_else(|| output.to_string(), str::to_owned));
        }
        if self.calls.is_empty() {
            self.answer();
        }
        None
    }

    /// The user has spoken.
    async fn heard(&mut self, text: String) -> Result<(), Over> {
        if self.setup.transcribes_input {
            self.socket
                .send(&json!({"serverContent": {"inputTranscription": {"text": text, "finished": true}}}))
                .await?;
        }
        self.ask(text);
        Ok(())
    }

    fn ask(&mut self, text: String) {
        self.question.prompt_tokens += text.split_whitespace().count();
        self.question.said = text;
        self.question.tool_output = None;
        self.answer();
    }

    fn answer(&mut self) {
        self.turns += 1;
        let answer = Answer::to(&self.question, &self.shared);
        let turn = Turn {
            number: self.turns,
            answer,
            speaks: self.setup.speaks,
            transcribes: self.setup.transcribes_output,
            pace: self.shared.pace,
        };
        self.calls = turn.call_ids();
        self.speaking = Some(turn.speak());
    }

    /// Stops the answer under way, and takes back the calls that wait.
    async fn interrupt(&mut self) -> Result<(), Over> {
        if !self.calls.is_empty() {
            let ids = std::mem::take(&mut self.calls);
            self.socket.send(&json!({"toolCallCancellation": {"ids": ids}})).await?;
        }
        if self.speaking.take().is_some() {
            self.socket.send(&json!({"serverContent": {"interrupted": true}})).await?;
            self.socket.send(&json!({"serverContent": {"turnComplete": true}})).await?;
        }
        Ok(())
    }

    async fn send_handle(&mut self) -> Result<(), Over> {
        self.socket.send(&json!({"sessionResumptionUpdate": {"newHandle": HANDLE, "resumable": true}})).await
    }
}

/// What a message is about, such as `realtimeInput.audio`.
fn kind(message: &Value) -> String {
    let first = |value: &Value| value.as_object().and_then(|fields| fields.keys().next().cloned());
    let name = first(message).unwrap_or_default();
    match first(&message[&name]).filter(|_| name == "realtimeInput" || name == "realtime_input") {
        Some(part) => format!("{name}.{part}"),
        None => name,
    }
}
