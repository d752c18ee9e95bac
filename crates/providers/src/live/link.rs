//! An open conversation with the vendor, and what it knows.

use std::collections::VecDeque;

use super::known::{Fit, fit};
use super::{LiveEvent, LiveInput, LiveModel, LiveRequest, LiveStream, ToolResult};
use crate::llm::{Message, ToolCall, ToolSpec};

/// What the vendor was told at the beginning. When it changes, the conversation goes on in a new one.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Setup {
    pub(super) instructions: String,
    pub(super) tools: Vec<ToolSpec>,
    pub(super) voice: Option<String>,
    pub(super) language: Option<String>,
}

/// A conversation with the vendor. Dropping it ends it.
pub(super) struct Link {
    stream: LiveStream,
    /// What the vendor had no room for yet.
    outgoing: VecDeque<LiveInput>,
    setup: Setup,
    known: Vec<Message>,
    can_forget: bool,
    /// It is to be replaced; with what the vendor goes on from.
    pub(super) expires: Option<Option<String>>,
}

impl Link {
    pub(super) fn open(model: &dyn LiveModel, setup: Setup, history: &[Message], resume: Option<String>) -> Self {
        let Setup { instructions, tools, voice, language } = setup.clone();
        let request = LiveRequest { instructions, history: history.to_vec(), tools, voice, language, resume };
        Self {
            stream: model.open(request),
            outgoing: VecDeque::new(),
            setup,
            known: history.to_vec(),
            can_forget: model.can_forget(),
            expires: None,
        }
    }

    /// The same conversation, in a new one.
    pub(super) fn renewed(self, model: &dyn LiveModel) -> Self {
        Self::open(model, self.setup, &self.known, self.expires.flatten())
    }

    /// Our messages from this index on are new to the vendor, and of its last answer this many letters were heard;
    /// none if the conversation must go on in a new one.
    pub(super) fn fits(&self, setup: &Setup, messages: &[Message]) -> Option<(usize, Option<usize>)> {
        if *setup != self.setup {
            return None;
        }
        match fit(&self.known, messages) {
            Fit::Same { new } => Some((new, None)),
            Fit::Cut { heard, new } if self.can_forget => Some((new, Some(heard))),
            Fit::Cut { .. } | Fit::Differs => None,
        }
    }

    /// The vendor's memory is now what these messages say, of which it is told those from `new` on.
    pub(super) fn learn(&mut self, messages: &[Message], new: usize) {
        for message in messages.iter().skip(new) {
            self.tell(LiveInput::Remember(message.clone()));
        }
        self.known = messages.to_vec();
    }

    /// The vendor said more.
    pub(super) fn said(&mut self, more: &str) {
        if let Message::Assistant { text, .. } = self.answer() {
            text.push_str(more);
        }
    }

    /// The vendor called a tool.
    pub(super) fn called(&mut self, call: ToolCall) {
        if let Message::Assistant { calls, .. } = self.answer() {
            calls.push(call);
        }
    }

    /// The caller's last words that the vendor knows.
    pub(super) fn last_words(&self) -> Option<&str> {
        self.known.iter().rev().find_map(|message| match message {
            Message::User(text) => Some(text.as_str()),
            Message::System(_) | Message::Assistant { .. } | Message::ToolResult { .. } => None,
        })
    }

    pub(super) fn tell(&mut self, input: LiveInput) {
        self.outgoing.push_back(input);
        while let Ok(room) = self.stream.input.try_reserve() {
            let Some(next) = self.outgoing.pop_front() else { break };
            room.send(next);
        }
    }

    /// The next event; none once the conversation is over. Hands over what waits meanwhile. Cancel safe.
    pub(super) async fn event(&mut self) -> Option<LiveEvent> {
        loop {
            let waits = !self.outgoing.is_empty();
            tokio::select! {
                biased;
                event = self.stream.events.recv() => return event,
                room = self.stream.input.reserve(), if waits => {
                    let (Ok(room), Some(next)) = (room, self.outgoing.pop_front()) else { return None };
                    room.send(next);
                }
            }
        }
    }

    /// The answer at the end of what the vendor knows.
    fn answer(&mut self) -> &mut Message {
        if !matches!(self.known.last(), Some(Message::Assistant { .. })) {
            self.known.push(Message::Assistant { text: String::new(), calls: Vec::new() });
        }
        let last = self.known.len() - 1;
        &mut self.known[last]
    }
}

/// Splits messages into what was there before and what asks for an answer: the caller's last words, or results of tools.
pub(super) fn split(messages: &[Message]) -> (&[Message], &[Message]) {
    let results = messages.iter().rev().take_while(|message| matches!(message, Message::ToolResult { .. })).count();
    let asks = match messages.last() {
        Some(Message::User(_)) => 1,
        Some(Message::System(_) | Message::Assistant { .. } | Message::ToolResult { .. }) | None => results,
    };
    messages.split_at(messages.len() - asks)
}

/// What tools gave back, among these messages.
pub(super) fn results(messages: &[Message]) -> Vec<ToolResult> {
    let result = |message: &Message| match message {
        Message::ToolResult { call_id, name, output } => {
            Some(ToolResult { call_id: call_id.clone(), name: name.clone(), output: output.clone() })
        }
        Message::System(_) | Message::User(_) | Message::Assistant { .. } => None,
    };
    messages.iter().filter_map(result).collect()
}
