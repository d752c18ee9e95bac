//! Hears what a session reports and passes it on: to the store, and to the caller's client.

use audio::leg::ToCaller;
use dialogue::{CloseReason, Fact};
use jiff::Timestamp;
use session::{Report, Request};
use store::{NewConversation, Turn};
use tokio::sync::mpsc;

use super::Conversation;
use super::tool_times::ToolTimes;
use super::turns::TurnLog;
use crate::metrics::{Metrics, TransportMeter};
use crate::realtime::{Decoder, Encoder, Envelope, Wish};
use crate::recorder::{Record, Recorder};

/// The listener of one session's reports.
pub(super) struct Observer {
    id: String,
    opened_at: Timestamp,
    turns: TurnLog,
    tools: ToolTimes,
    encoder: Encoder,
    decoder: Decoder,
    channel: Channel,
    journal: Journal,
    /// A turn that whoever held the conversation before could not end.
    amended: Option<Turn>,
    recorder: Recorder,
    metrics: Metrics,
    transport: TransportMeter,
    requests: mpsc::Sender<Request>,
    to_caller: mpsc::Sender<ToCaller>,
}

/// Whether the client can be told anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Closed,
    Open,
}

/// Whether the store knows of the conversation. A call that never connected leaves no trace there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Journal {
    Blank,
    Begun,
    Closed,
}

impl Observer {
    pub(super) fn new(conversation: &Conversation, requests: mpsc::Sender<Request>) -> Self {
        Self {
            id: conversation.resumed.id.clone(),
            opened_at: conversation.opened_at,
            turns: TurnLog::new(Timestamp::now(), conversation.resumed.last_turn),
            tools: ToolTimes::default(),
            encoder: Encoder::new(&conversation.call, conversation.session_info()),
            decoder: Decoder::default(),
            channel: Channel::Closed,
            journal: Journal::Blank,
            amended: conversation.resumed.amended.clone(),
            recorder: conversation.recorder.clone(),
            metrics: conversation.metrics.clone(),
            transport: TransportMeter::default(),
            requests,
            to_caller: conversation.link.to_caller.clone(),
        }
    }

    /// Listens until the session is over.
    pub(super) async fn run(mut self, mut reports: mpsc::Receiver<Report>) {
        while let Some(report) = reports.recv().await {
            let events = self.hear(report);
            self.tell(&events).await;
        }
        if self.journal == Journal::Begun {
            self.close_journal(Timestamp::now(), CloseReason::Failed);
        }
    }

    fn hear(&mut self, report: Report) -> Vec<Envelope> {
        match report {
            Report::Connected => {
                self.begin_journal();
                Vec::new()
            }
            Report::ChannelOpen => {
                self.begin_journal();
                self.channel = Channel::Open;
                self.encoder.opened()
            }
            Report::ClientMessage(text) => self.client_message(&text),
            Report::HandedOff { agent } => self.encoder.handed_off(agent),
            Report::Transport { transport, mended } => {
                self.transport.note(&self.metrics, &transport, &mended);
                self.encoder.transport(&transport, &mended)
            }
            Report::Counted(counters) => {
                self.metrics.counted(&counters);
                Vec::new()
            }
            Report::Fact { at, fact } => {
                self.metrics.note(&fact);
                if let Some(tool) = self.tools.note(at, &fact) {
                    self.metrics.tool_ended(&tool.name, tool.outcome, tool.took);
                }
                let mut events = self.encoder.fact(at, &fact);
                if let Some(turn) = self.turns.note(at, &fact) {
                    // A turn whose tool returns later is over already.
                    if let Fact::TurnEnded(_) = fact {
                        events.extend(self.encoder.turn_over(turn.clone()));
                    }
                    self.begin_journal();
                    self.recorder.record(Record::Turn { conversation_id: self.id.clone(), turn: Box::new(turn) });
                }
                if let Fact::Closed(reason) = fact {
                    self.close_journal(self.turns.moment(at), reason);
                }
                events
            }
        }
    }

    fn client_message(&mut self, text: &str) -> Vec<Envelope> {
        let request = match self.decoder.decode(text) {
            Ok(Wish::StopSpeaking) => Request::StopSpeaking,
            Ok(Wish::Answer(words)) => Request::Typed(words),
            Ok(Wish::Commit) => Request::Commit,
            Ok(Wish::Digit(digit)) => Request::Digit(digit),
            Ok(Wish::ShowSession) => return self.encoder.updated(),
            Ok(Wish::Nothing) => return Vec::new(),
            Err(error) => return self.encoder.refused(error),
        };
        if self.requests.try_send(request).is_err() {
            tracing::warn!(session = %self.id, "a client's request was dropped: the session takes no more");
        }
        Vec::new()
    }

    async fn tell(&self, events: &[Envelope]) {
        if self.channel == Channel::Closed {
            return;
        }
        for event in events {
            match serde_json::to_string(event) {
                // A link that is gone means that the call is over: nobody misses the event.
                Ok(json) => drop(self.to_caller.send(ToCaller::Message(json)).await),
                Err(cause) => tracing::error!(session = %self.id, %cause, "an event could not be encoded"),
            }
        }
    }

    fn begin_journal(&mut self) {
        if self.journal == Journal::Blank {
            self.journal = Journal::Begun;
            let conversation = NewConversation { id: self.id.clone(), created_at: self.opened_at };
            self.recorder.record(Record::Began(conversation));
            if let Some(turn) = self.amended.take() {
                self.recorder.record(Record::Turn { conversation_id: self.id.clone(), turn: Box::new(turn) });
            }
        }
    }

    fn close_journal(&mut self, at: Timestamp, reason: CloseReason) {
        let seconds = at.duration_since(self.opened_at).as_secs();
        tracing::info!(session = %self.id, ?reason, seconds, "call ended");
        if self.journal == Journal::Begun {
            let conversation_id = self.id.clone();
            self.recorder.record(Record::Ended { conversation_id, at, reason });
        }
        self.journal = Journal::Closed;
    }
}
