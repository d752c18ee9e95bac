//! One conversation over its WebSocket, from the setup to the farewell.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::{PROVIDER, Place, wire};
use crate::google::LiveConfig;
use crate::live::{LiveEvent, LiveInput, LiveRequest, Said};
use crate::llm::{Finish, Message, ToolCall, Usage};
use crate::remote::{Deadlines, Endpoint, Samples, Socket, decode};
use crate::{Failure, Remedy};

/// After the last audio of an answer its turn is not over before it would have been played. Words that are still to come
/// then come soon.
const LAST_WORDS: Duration = Duration::from_millis(150);
/// Stands for no deadline in a timer that is switched off.
const FAR_AWAY: Duration = Duration::from_secs(86_400);

pub(super) struct Session {
    socket: Socket,
    config: LiveConfig,
    deadlines: Deadlines,
    listener: mpsc::Sender<LiveEvent>,
    /// An activity of the caller is open.
    active: bool,
    /// What was remembered or returned asks for an answer by itself.
    pending: Pending,
    /// The number of the answer under way.
    current: Option<u32>,
    samples: Samples,
    usage: Usage,
    /// What the vendor would go on from.
    handle: Option<String>,
    /// When the next piece of the answer is overdue, or counts as not coming.
    due: Option<(Instant, Due)>,
}

/// What is to be answered beside speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Nothing,
    /// It is answered without being asked.
    Results,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Overdue,
    Complete,
}

/// Whatever comes next.
enum Next {
    Input(Option<LiveInput>),
    Message(Value),
    Due(Due),
}

impl Session {
    /// Holds a conversation until its inputs end.
    pub(super) async fn hold(
        endpoint: &Endpoint,
        place: &Place,
        config: LiveConfig,
        request: LiveRequest,
        inputs: mpsc::Receiver<LiveInput>,
        listener: mpsc::Sender<LiveEvent>,
    ) -> Result<(), Failure> {
        let socket = match Self::open(endpoint, place, &config, &request).await {
            // What the vendor would go on from is not there any more; we still know what was said.
            Err(failure) if request.resume.is_some() => {
                tracing::info!(provider = PROVIDER, cause = %failure.message, "a conversation was not resumed");
                Self::open(endpoint, place, &config, &LiveRequest { resume: None, ..request }).await?
            }
            outcome => outcome?,
        };
        let mut session = Self {
            socket,
            config,
            deadlines: endpoint.deadlines(),
            listener,
            active: false,
            pending: Pending::Nothing,
            current: None,
            samples: Samples::default(),
            usage: Usage::default(),
            handle: None,
            due: None,
        };
        session.run(inputs).await?;
        session.socket.close().await;
        Ok(())
    }

    async fn open(
        endpoint: &Endpoint,
        place: &Place,
        config: &LiveConfig,
        request: &LiveRequest,
    ) -> Result<Socket, Failure> {
        let failed = |error: crate::remote::SocketError| error.into_failure(PROVIDER);
        let mut socket = Socket::open(endpoint, place.address.clone()).await.map_err(failed)?;
        socket.send(&wire::setup(place, config, request)).await.map_err(failed)?;
        let within = endpoint.deadlines().first;
        let until = Instant::now() + within;
        loop {
            let message = timeout_at(until, socket.receive()).await;
            let message = message.map_err(|_| retry(format!("no setup within {} ms", within.as_millis())))?;
            if message.map_err(failed)?.get("setupComplete").is_some() {
                break;
            }
        }
        if wire::has_history(request) {
            socket.send(&wire::history(&request.history)).await.map_err(failed)?;
        }
        Ok(socket)
    }

    async fn run(&mut self, mut inputs: mpsc::Receiver<LiveInput>) -> Result<(), Failure> {
        let opened = Instant::now();
        loop {
            let (at, due) = self.due.unwrap_or((opened + FAR_AWAY, Due::Overdue));
            let next = tokio::select! {
                biased;
                input = inputs.recv() => Next::Input(input),
                message = self.socket.receive() => {
                    Next::Message(message.map_err(|error| error.into_failure(PROVIDER))?)
                }
                () = sleep_until(at), if self.due.is_some() => Next::Due(due),
            };
            match next {
                Next::Input(Some(input)) => self.take(input).await?,
                Next::Input(None) => return Ok(()),
                Next::Message(message) => self.message(&message).await?,
                Next::Due(Due::Overdue) => return Err(retry("nothing of the answer came in time".to_owned())),
                Next::Due(Due::Complete) => self.done(Finish::Stop).await,
            }
        }
    }

    async fn take(&mut self, input: LiveInput) -> Result<(), Failure> {
        match input {
            LiveInput::Audio(samples) => {
                if !self.active {
                    self.active = true;
                    self.send(&wire::activity_start()).await?;
                }
                self.send(&wire::audio(&samples)).await
            }
            LiveInput::Remember(message) => self.send(&wire::remember(&[message])).await,
            LiveInput::Text(text) => self.send(&wire::remember(&[Message::User(text)])).await,
            LiveInput::ToolResults(results) => {
                self.pending = Pending::Results;
                self.send(&wire::tool_results(&results)).await
            }
            LiveInput::Answer(number) => self.ask(number).await,
            // What was nothing stays a part of the activity that is open.
            LiveInput::Discard => Ok(()),
            // Such a conversation is given up instead.
            LiveInput::Cancel | LiveInput::Heard { .. } => {
                self.current = None;
                self.due = None;
                Ok(())
            }
        }
    }

    async fn ask(&mut self, number: u32) -> Result<(), Failure> {
        self.current = Some(number);
        self.samples = Samples::default();
        self.usage = Usage::default();
        self.due = Some((Instant::now() + self.deadlines.first, Due::Overdue));
        let pending = std::mem::replace(&mut self.pending, Pending::Nothing);
        match pending {
            Pending::Results => Ok(()),
            Pending::Nothing if self.active => {
                self.active = false;
                self.send(&wire::activity_end()).await
            }
            Pending::Nothing => self.send(&wire::answer()).await,
        }
    }

    async fn message(&mut self, message: &Value) -> Result<(), Failure> {
        let tokens = |key: &str| message["usageMetadata"][key].as_u64().and_then(|count| u32::try_from(count).ok());
        self.usage.prompt_tokens = tokens("promptTokenCount").unwrap_or(self.usage.prompt_tokens);
        self.usage.cached_tokens = tokens("cachedContentTokenCount").unwrap_or(self.usage.cached_tokens);
        self.usage.completion_tokens = tokens("responseTokenCount").unwrap_or(self.usage.completion_tokens);
        let update = &message["sessionResumptionUpdate"];
        if update["resumable"] == true {
            self.handle = update["newHandle"].as_str().filter(|handle| !handle.is_empty()).map(str::to_owned);
        } else if update.is_object() {
            self.handle = None;
        }
        if message.get("goAway").is_some() {
            let resume = self.handle.clone();
            self.tell(LiveEvent::Expires { resume }).await;
        }
        if let Some(calls) = message["toolCall"]["functionCalls"].as_array() {
            self.calls(calls).await;
        }
        self.content(&message["serverContent"]).await
    }

    async fn content(&mut self, content: &Value) -> Result<(), Failure> {
        if self.current.is_none() {
            return Ok(());
        }
        for part in content["modelTurn"]["parts"].as_array().into_iter().flatten() {
            let audio = part["inlineData"]["data"].as_str().and_then(decode);
            if let Some(samples) = audio.and_then(|bytes| self.samples.push(&bytes)) {
                self.say(Said::Audio(samples)).await;
            }
        }
        if let Some(text) = content["outputTranscription"]["text"].as_str().filter(|text| !text.is_empty()) {
            self.say(Said::Text(text.to_owned())).await;
        }
        if content["interrupted"] == true {
            return Err(retry("the answer was interrupted by nobody".to_owned()));
        }
        if content["generationComplete"] == true {
            self.due = Some((Instant::now() + LAST_WORDS, Due::Complete));
        }
        if content["turnComplete"] == true {
            match content["turnCompleteReason"].as_str() {
                Some("RESPONSE_REJECTED") => return self.blocked().await,
                Some("MALFORMED_FUNCTION_CALL") => return Err(retry("it called a tool in vain".to_owned())),
                Some(_) | None => self.done(Finish::Stop).await,
            }
        }
        Ok(())
    }

    /// The model waits for its tools; with their results the turn goes on.
    async fn calls(&mut self, calls: &[Value]) {
        if self.current.is_none() {
            return;
        }
        for call in calls {
            let text = |key: &str| call[key].as_str().unwrap_or_default().to_owned();
            let arguments = call.get("args").map_or_else(|| "{}".to_owned(), Value::to_string);
            self.say(Said::ToolCall(ToolCall { id: text("id"), name: text("name"), arguments })).await;
        }
        self.done(Finish::ToolCalls).await;
    }

    async fn done(&mut self, finish: Finish) {
        let usage = self.usage;
        self.say(Said::Done { finish, usage }).await;
        self.current = None;
        self.due = None;
    }

    async fn blocked(&mut self) -> Result<(), Failure> {
        let words = self.config.blocked_answer.clone();
        if words.is_empty() {
            return Err(Failure::new(PROVIDER, Remedy::GiveUp, "its guard against misuse refused to answer"));
        }
        self.say(Said::Blocked(words)).await;
        self.current = None;
        self.due = None;
        Ok(())
    }

    async fn say(&mut self, said: Said) {
        let Some(answer) = self.current else { return };
        self.due = Some((Instant::now() + self.deadlines.stall, Due::Overdue));
        self.tell(LiveEvent::Said { answer, said }).await;
    }

    async fn tell(&mut self, event: LiveEvent) {
        // Who does not listen has closed the inputs too.
        drop(self.listener.send(event).await);
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
