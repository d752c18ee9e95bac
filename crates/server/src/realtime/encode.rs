//! Facts in, server events out.

use audio::leg::TransportStats;
use audio::mend::Mended;
use dialogue::{AgentState, Fact, Timestamp, TurnId, TurnRecord, TurnStatus};

use super::decode::ClientError;
use super::transport::Transport;
use super::wire::{
    Envelope, ErrorDetails, OutputContent, OutputItem, Response, ResponseStatus, ServerEvent, Session, SessionInfo,
    State,
};

/// Turns the facts of one conversation into the events a client sees. Give it every fact, also while no channel is
/// open: it remembers what is under way.
#[derive(Debug)]
pub(crate) struct Encoder {
    conversation_id: String,
    info: SessionInfo,
    /// The id's random end, short enough to read.
    tag: String,
    events: u64,
    state: State,
    speech: Option<Speech>,
    answer: Option<Answer>,
    last_item: Option<String>,
}

/// Speech that was announced as started and not yet as stopped.
#[derive(Debug)]
struct Speech {
    turn: TurnId,
    has_partial: bool,
}

/// An answer that was announced as created and not yet as done.
#[derive(Debug)]
struct Answer {
    turn: TurnId,
    is_audible: bool,
}

impl Encoder {
    /// For one conversation.
    pub(crate) fn new(conversation_id: &str, info: SessionInfo) -> Self {
        let hex: String = conversation_id.chars().filter(char::is_ascii_alphanumeric).collect();
        let tag = hex[hex.len().saturating_sub(12)..].to_owned();
        Self {
            conversation_id: conversation_id.to_owned(),
            info,
            tag,
            events: 0,
            state: State::Listening,
            speech: None,
            answer: None,
            last_item: None,
        }
    }

    /// The first events on a channel: the session and the agent's state.
    pub(crate) fn opened(&mut self) -> Vec<Envelope> {
        let session = Session::new(&self.conversation_id, &self.info);
        let state = self.state;
        self.seal([ServerEvent::SessionCreated { session }, ServerEvent::StateChanged { state }])
    }

    /// The answer to `session.update`: the session as it is.
    pub(crate) fn updated(&mut self) -> Vec<Envelope> {
        let session = Session::new(&self.conversation_id, &self.info);
        self.seal([ServerEvent::SessionUpdated { session }])
    }

    /// The answer to what a client should not have sent.
    pub(crate) fn refused(&mut self, error: ClientError) -> Vec<Envelope> {
        let error = ErrorDetails {
            kind: "invalid_request_error",
            code: error.code,
            message: error.message,
            param: error.param,
            event_id: error.event_id,
        };
        self.seal([ServerEvent::Error { error }])
    }

    /// Another agent answers from here on.
    pub(crate) fn handed_off(&mut self, agent: String) -> Vec<Envelope> {
        self.seal([ServerEvent::AgentChanged { agent }])
    }

    /// A turn is over, with its times as a reader of the store would see them. What tools gave back was told when it
    /// came, and would make this message larger than a data channel takes.
    pub(crate) fn turn_over(&mut self, mut turn: store::Turn) -> Vec<Envelope> {
        turn.tool_calls.iter_mut().for_each(|call| call.result = None);
        self.seal([ServerEvent::TurnOver { turn: turn.into() }])
    }

    /// How the network treats the call so far.
    pub(crate) fn transport(&mut self, transport: &TransportStats, mended: &Mended) -> Vec<Envelope> {
        self.seal([ServerEvent::TransportStats(Transport::new(transport, mended))])
    }

    /// What a fact looks like to a client. `at` is when it became true.
    pub(crate) fn fact(&mut self, at: Timestamp, fact: &Fact) -> Vec<Envelope> {
        let events = match fact {
            Fact::StateChanged(state) => self.state_changed(*state),
            Fact::SpeechStarted { turn, at } => self.speech_started(*turn, *at),
            Fact::PartialTranscript { turn, text } => self.partial(*turn, text),
            Fact::TurnCommitted { turn, speech_ended, user_text } => self.committed(*turn, *speech_ended, user_text),
            Fact::SpeechDiscarded { turn } => self.discarded(*turn, at),
            Fact::ReplyStarted { turn } => self.reply_started(*turn),
            Fact::SentenceStarted { turn, text } => self.sentence_started(*turn, text),
            Fact::TurnEnded(record) => self.turn_ended(record),
            Fact::ReplyHeld { turn } => vec![ServerEvent::ReplyHeld { response_id: self.response_id(*turn) }],
            Fact::ReplyResumed { turn } => vec![ServerEvent::ReplyResumed { response_id: self.response_id(*turn) }],
            Fact::ToolCalled { turn, call, .. } => vec![ServerEvent::ToolCalled {
                response_id: self.response_id(*turn),
                call_id: call.id.clone(),
                name: call.name.clone(),
                arguments: call.arguments.clone(),
            }],
            Fact::ToolReturned { turn, call_id, output, .. } => vec![ServerEvent::ToolReturned {
                response_id: self.response_id(*turn),
                call_id: call_id.clone(),
                output: output.clone(),
            }],
            // The prompt that follows tells it; the transport says goodbye itself.
            Fact::Idle | Fact::Closed(_) => Vec::new(),
        };
        self.seal(events)
    }

    fn state_changed(&mut self, state: AgentState) -> Vec<ServerEvent> {
        self.state = match state {
            AgentState::Listening => State::Listening,
            AgentState::Thinking => State::Thinking,
            AgentState::Speaking => State::Speaking,
        };
        vec![ServerEvent::StateChanged { state: self.state }]
    }

    fn speech_started(&mut self, turn: TurnId, at: Timestamp) -> Vec<ServerEvent> {
        self.speech = Some(Speech { turn, has_partial: false });
        vec![ServerEvent::SpeechStarted { audio_start_ms: at.as_millis(), item_id: self.caller_item(turn) }]
    }

    fn partial(&mut self, turn: TurnId, text: &str) -> Vec<ServerEvent> {
        if let Some(speech) = &mut self.speech {
            speech.has_partial = true;
        }
        vec![ServerEvent::TranscriptionPartial { item_id: self.caller_item(turn), transcript: text.to_owned() }]
    }

    fn committed(&mut self, turn: TurnId, speech_ended: Timestamp, user_text: &str) -> Vec<ServerEvent> {
        let item_id = self.caller_item(turn);
        let mut events = Vec::with_capacity(3);
        // Typed words were never speech, so they have no audio to close.
        if self.speech.take_if(|speech| speech.turn == turn).is_some() {
            events
                .push(ServerEvent::SpeechStopped { audio_end_ms: speech_ended.as_millis(), item_id: item_id.clone() });
            events.push(ServerEvent::Committed { item_id: item_id.clone(), previous_item_id: self.last_item.clone() });
        }
        self.last_item = Some(item_id.clone());
        events.push(ServerEvent::TranscriptionCompleted {
            item_id,
            content_index: 0,
            transcript: user_text.to_owned(),
        });
        events
    }

    fn discarded(&mut self, turn: TurnId, at: Timestamp) -> Vec<ServerEvent> {
        let Some(speech) = self.speech.take_if(|speech| speech.turn == turn) else { return Vec::new() };
        let item_id = self.caller_item(turn);
        let mut events = vec![ServerEvent::SpeechStopped { audio_end_ms: at.as_millis(), item_id: item_id.clone() }];
        if speech.has_partial {
            events.push(ServerEvent::TranscriptionPartial { item_id, transcript: String::new() });
        }
        events
    }

    fn reply_started(&mut self, turn: TurnId) -> Vec<ServerEvent> {
        self.answer = Some(Answer { turn, is_audible: false });
        vec![ServerEvent::ResponseCreated { response: self.response(turn, ResponseStatus::InProgress, Vec::new()) }]
    }

    fn sentence_started(&mut self, turn: TurnId, text: &str) -> Vec<ServerEvent> {
        let Some(answer) = self.answer.as_mut().filter(|answer| answer.turn == turn) else { return Vec::new() };
        let is_first = !std::mem::replace(&mut answer.is_audible, true);
        let mut events = Vec::with_capacity(2);
        if is_first {
            events.push(ServerEvent::VoiceStarted { response_id: self.response_id(turn) });
        }
        let text = text.trim();
        events.push(ServerEvent::TranscriptDelta {
            response_id: self.response_id(turn),
            item_id: self.agent_item(turn),
            output_index: 0,
            content_index: 0,
            delta: if is_first { text.to_owned() } else { format!(" {text}") },
        });
        events
    }

    fn turn_ended(&mut self, record: &TurnRecord) -> Vec<ServerEvent> {
        let Some(answer) = self.answer.take_if(|answer| answer.turn == record.turn) else { return Vec::new() };
        let response_id = self.response_id(record.turn);
        let item_id = self.agent_item(record.turn);
        self.last_item = Some(item_id.clone());
        let mut events = Vec::with_capacity(4);
        let was_cut = record.status == TurnStatus::Interrupted;
        match (answer.is_audible, was_cut) {
            (true, true) => events.push(ServerEvent::VoiceCleared { response_id: response_id.clone() }),
            (true, false) => events.push(ServerEvent::VoiceStopped { response_id: response_id.clone() }),
            (false, _) => {}
        }
        events.push(ServerEvent::TranscriptDone {
            response_id,
            item_id: item_id.clone(),
            output_index: 0,
            content_index: 0,
            transcript: record.agent_text.clone(),
        });
        if was_cut {
            events.push(ServerEvent::ItemTruncated {
                item_id,
                content_index: 0,
                audio_end_ms: record.heard_ms,
                transcript: record.heard_text.clone(),
            });
        }
        events.push(ServerEvent::ResponseDone { response: self.ended_response(record) });
        events
    }

    fn ended_response(&self, record: &TurnRecord) -> Response {
        let (status, item_status) = match record.status {
            TurnStatus::Completed => (ResponseStatus::Completed, "completed"),
            TurnStatus::Interrupted => (ResponseStatus::Cancelled, "incomplete"),
            TurnStatus::Failed => (ResponseStatus::Failed, "incomplete"),
        };
        let message = OutputItem {
            id: self.agent_item(record.turn),
            kind: "message",
            role: "assistant",
            status: item_status,
            content: vec![OutputContent { kind: "output_audio", transcript: record.heard_text.clone() }],
        };
        let output = if record.heard_text.is_empty() { Vec::new() } else { vec![message] };
        self.response(record.turn, status, output)
    }

    fn response(&self, turn: TurnId, status: ResponseStatus, output: Vec<OutputItem>) -> Response {
        Response { id: self.response_id(turn), object: "realtime.response", status, output }
    }

    fn caller_item(&self, turn: TurnId) -> String {
        format!("item_{}_{}_caller", self.tag, turn.0)
    }

    fn agent_item(&self, turn: TurnId) -> String {
        format!("item_{}_{}_agent", self.tag, turn.0)
    }

    fn response_id(&self, turn: TurnId) -> String {
        format!("resp_{}_{}", self.tag, turn.0)
    }

    fn seal(&mut self, events: impl IntoIterator<Item = ServerEvent>) -> Vec<Envelope> {
        events
            .into_iter()
            .map(|event| {
                self.events += 1;
                Envelope { event_id: format!("event_{}_{}", self.tag, self.events), event }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
