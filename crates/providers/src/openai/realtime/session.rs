//! One conversation over its WebSocket, from the settings to the farewell.

use std::time::Duration;

use audio::resample::Resampler;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::answer::Answer;
use super::{PROVIDER, RATE_HZ, wire};
use crate::live::{LiveEvent, LiveInput, LiveRequest, SAMPLE_RATE_HZ, Said};
use crate::llm::{Finish, ToolCall, Usage};
use crate::openai::RealtimeConfig;
use crate::remote::{Deadlines, Endpoint, Refusal, Samples, Socket, decode};
use crate::{Failure, Remedy};

/// OpenAI takes no less audio for speech; what is shorter is followed by silence.
const LEAST_SAMPLES: usize = RATE_HZ as usize / 10;
/// Stands for no deadline in a timer that is switched off.
const FAR_AWAY: Duration = Duration::from_secs(86_400);

pub(super) struct Session {
    socket: Socket,
    config: RealtimeConfig,
    deadlines: Deadlines,
    listener: mpsc::Sender<LiveEvent>,
    resampler: Resampler,
    /// Samples that were sent and not committed.
    uncommitted: usize,
    /// Answers asked for, and those that began: they begin in their order.
    asked: u32,
    begun: u32,
    /// The answer under way.
    current: Option<Answer>,
    /// The one before, of which something may be forgotten.
    last: Option<Answer>,
    samples: Samples,
    /// When the next piece of the answer is overdue.
    due: Option<Instant>,
}

/// Whatever comes next.
enum Next {
    Input(Option<LiveInput>),
    Event(Value),
    Overdue,
    Old,
}

impl Session {
    /// Holds a conversation until its inputs end.
    pub(super) async fn hold(
        endpoint: Endpoint,
        config: RealtimeConfig,
        request: LiveRequest,
        inputs: mpsc::Receiver<LiveInput>,
        listener: mpsc::Sender<LiveEvent>,
    ) -> Result<(), Failure> {
        let address = endpoint.address("realtime", &[("model", &config.model)]);
        let socket = Socket::open(&endpoint, address).await.map_err(|error| error.into_failure(PROVIDER))?;
        let mut session = Self {
            socket,
            config,
            deadlines: endpoint.deadlines(),
            listener,
            resampler: Resampler::new(SAMPLE_RATE_HZ, RATE_HZ),
            uncommitted: 0,
            asked: 0,
            begun: 0,
            current: None,
            last: None,
            samples: Samples::default(),
            due: None,
        };
        session.set_up(&request).await?;
        session.run(inputs).await?;
        session.socket.close().await;
        Ok(())
    }

    async fn set_up(&mut self, request: &LiveRequest) -> Result<(), Failure> {
        self.send(&wire::session(&self.config, request)).await?;
        let within = self.deadlines.first;
        let until = Instant::now() + within;
        loop {
            let message = format!("it did not take the settings within {} ms", within.as_millis());
            let event = timeout_at(until, self.socket.receive()).await.map_err(|_| retry(message))?;
            let event = event.map_err(|error| error.into_failure(PROVIDER))?;
            match event["type"].as_str() {
                Some("session.updated") => break,
                Some("error") => return Err(Refusal::of_error(&event["error"]).into_failure(PROVIDER)),
                _ => {}
            }
        }
        for item in request.history.iter().flat_map(wire::remember) {
            self.send(&item).await?;
        }
        Ok(())
    }

    async fn run(&mut self, mut inputs: mpsc::Receiver<LiveInput>) -> Result<(), Failure> {
        let opened = Instant::now();
        let mut renewal = Some(opened + self.config.renew_after);
        loop {
            let far = opened + FAR_AWAY;
            let next = tokio::select! {
                biased;
                input = inputs.recv() => Next::Input(input),
                event = self.socket.receive() => Next::Event(event.map_err(|error| error.into_failure(PROVIDER))?),
                () = sleep_until(self.due.unwrap_or(far)), if self.due.is_some() => Next::Overdue,
                () = sleep_until(renewal.unwrap_or(far)), if renewal.is_some() => Next::Old,
            };
            match next {
                Next::Input(Some(input)) => self.take(input).await?,
                Next::Input(None) => return Ok(()),
                Next::Event(event) => self.event(&event).await?,
                Next::Overdue => return Err(retry("nothing of the answer came in time".to_owned())),
                Next::Old => {
                    renewal = None;
                    self.tell(LiveEvent::Expires { resume: None }).await;
                }
            }
        }
    }

    async fn take(&mut self, input: LiveInput) -> Result<(), Failure> {
        match input {
            LiveInput::Audio(samples) => {
                let mut out = Vec::new();
                self.resampler.process(&samples, &mut out);
                self.append(&out).await
            }
            LiveInput::Discard => {
                self.resampler = Resampler::new(SAMPLE_RATE_HZ, RATE_HZ);
                self.uncommitted = 0;
                self.send(&wire::clear()).await
            }
            LiveInput::Remember(message) => self.send_all(wire::remember(&message)).await,
            LiveInput::Text(text) => self.send_all(wire::remember(&crate::llm::Message::User(text))).await,
            LiveInput::ToolResults(results) => self.send_all(results.iter().map(wire::result).collect()).await,
            LiveInput::Answer(number) => self.ask(number).await,
            LiveInput::Cancel => {
                self.due = None;
                match self.current.take() {
                    Some(answer) => {
                        self.last = Some(answer);
                        self.send(&wire::cancel_response()).await
                    }
                    None => Ok(()),
                }
            }
            LiveInput::Heard { ms } => {
                let told = self.last.as_mut().map(|answer| answer.forget_after(ms)).unwrap_or_default();
                self.send_all(told).await
            }
        }
    }

    async fn append(&mut self, samples: &[f32]) -> Result<(), Failure> {
        if samples.is_empty() {
            return Ok(());
        }
        self.uncommitted += samples.len();
        self.send(&wire::append(samples)).await
    }

    async fn ask(&mut self, number: u32) -> Result<(), Failure> {
        if self.uncommitted > 0 {
            let mut tail = Vec::new();
            self.resampler.finish(&mut tail);
            let missing = LEAST_SAMPLES.saturating_sub(self.uncommitted + tail.len());
            tail.resize(tail.len() + missing, 0.0);
            self.append(&tail).await?;
            self.uncommitted = 0;
            self.send(&wire::commit()).await?;
        }
        self.asked += 1;
        self.samples = Samples::default();
        self.current = Some(Answer::new(number));
        self.due = Some(Instant::now() + self.deadlines.first);
        self.send(&wire::create_response()).await
    }

    async fn event(&mut self, event: &Value) -> Result<(), Failure> {
        let kind = event["type"].as_str().unwrap_or_default();
        if kind == "error" {
            return self.refused(&event["error"]);
        }
        if kind == "response.created" {
            self.begun += 1;
            // One that was called off before it began is not the one that is waited for.
            if self.begun == self.asked
                && let Some(answer) = self.current.as_mut().or(self.last.as_mut())
            {
                answer.id = event["response"]["id"].as_str().map(str::to_owned);
            }
            return Ok(());
        }
        if kind == "response.output_item.added"
            && let Some(id) = event["item"]["id"].as_str()
        {
            let both = self.current.iter_mut().chain(&mut self.last);
            both.filter(|answer| answer.is_meant(event)).for_each(|answer| answer.add_item(id));
        }
        if kind == "response.done" {
            let is_current = |answer: &Answer| answer.id.as_deref() == event["response"]["id"].as_str();
            return match self.current.take_if(|answer| answer.id.is_some() && is_current(answer)) {
                Some(answer) => self.done(answer, &event["response"]).await,
                None => Ok(()),
            };
        }
        match self.current.take_if(|answer| answer.is_meant(event)) {
            Some(mut answer) => {
                self.part(&mut answer, kind, event).await;
                self.current = Some(answer);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A part of the answer under way.
    async fn part(&mut self, answer: &mut Answer, kind: &str, event: &Value) {
        let delta = || event["delta"].as_str().unwrap_or_default();
        let said = match kind {
            "response.output_audio_transcript.delta" | "response.output_text.delta" => Said::Text(delta().to_owned()),
            "response.output_audio.delta" => {
                let Some(samples) = decode(delta()).and_then(|bytes| self.samples.push(&bytes)) else { return };
                answer.add_audio(event, samples.len());
                Said::Audio(samples)
            }
            "response.output_item.done" if event["item"]["type"] == "function_call" => {
                answer.calls_tools = true;
                let text = |key: &str| event["item"][key].as_str().unwrap_or_default().to_owned();
                Said::ToolCall(ToolCall { id: text("call_id"), name: text("name"), arguments: text("arguments") })
            }
            _ => return,
        };
        self.due = Some(Instant::now() + self.deadlines.stall);
        self.say(answer.number, said).await;
    }

    async fn done(&mut self, answer: Answer, response: &Value) -> Result<(), Failure> {
        self.due = None;
        let (number, calls_tools) = (answer.number, answer.calls_tools);
        self.last = Some(answer);
        let details = &response["status_details"];
        let finish = match (response["status"].as_str(), details["reason"].as_str()) {
            (Some("completed"), _) if calls_tools => Finish::ToolCalls,
            (Some("completed"), _) => Finish::Stop,
            (Some("incomplete"), Some("max_output_tokens")) => Finish::Length,
            (Some("incomplete"), Some("content_filter")) => return self.blocked(number).await,
            (Some("failed"), _) => return Err(Refusal::of_error(&details["error"]).into_failure(PROVIDER)),
            (_, _) => return Err(retry("the answer was ended without a reason".to_owned())),
        };
        let tokens = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or_default();
        let usage = &response["usage"];
        let usage = Usage {
            prompt_tokens: tokens(&usage["input_tokens"]),
            cached_tokens: tokens(&usage["input_token_details"]["cached_tokens"]),
            completion_tokens: tokens(&usage["output_tokens"]),
        };
        self.say(number, Said::Done { finish, usage }).await;
        Ok(())
    }

    async fn blocked(&mut self, number: u32) -> Result<(), Failure> {
        let words = self.config.blocked_answer.clone();
        if words.is_empty() {
            return Err(Failure::new(PROVIDER, Remedy::GiveUp, "its guard against misuse refused to answer"));
        }
        self.say(number, Said::Blocked(words)).await;
        Ok(())
    }

    /// An error. What it forgot too late or cancelled in vain changes nothing.
    fn refused(&self, error: &Value) -> Result<(), Failure> {
        let code = error["code"].as_str();
        if error["event_id"] == wire::HARMLESS || code == Some("response_cancel_not_active") {
            tracing::debug!(provider = PROVIDER, code, "a correction came too late");
            return Ok(());
        }
        Err(Refusal::of_error(error).into_failure(PROVIDER))
    }

    async fn say(&mut self, answer: u32, said: Said) {
        self.tell(LiveEvent::Said { answer, said }).await;
    }

    async fn tell(&mut self, event: LiveEvent) {
        // Who does not listen has closed the inputs too.
        drop(self.listener.send(event).await);
    }

    async fn send_all(&mut self, messages: Vec<Value>) -> Result<(), Failure> {
        for message in messages {
            self.send(&message).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: &Value) -> Result<(), Failure> {
        let within = self.deadlines.stall;
        let sent = timeout(within, self.socket.send(message)).await;
        let late = |_| retry(format!("it took nothing for {} ms", within.as_millis()));
        sent.map_err(late)?.map_err(|error| error.into_failure(PROVIDER))
    }
}

fn retry(message: String) -> Failure {
    Failure::new(PROVIDER, Remedy::Retry, message)
}
