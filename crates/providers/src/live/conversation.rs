//! The task of one call: passes between our engine's requests and the vendor's conversation, and keeps the two memories
//! the same.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::earshot::Earshot;
use super::link::{Link, Setup, results, split};
use super::track::{Piece, Track};
use super::{LiveEvent, LiveInput, LiveModel, Said};
use crate::llm::{Finish, LlmEvent, LlmRequest, Message, Usage};
use crate::{Failure, Remedy};

/// Answers whose sentences may still be spoken: one before each round of tools.
const TRACKS: usize = 4;
/// A conversation that failed is not opened ahead of a request before this time is over.
const REST: Duration = Duration::from_secs(2);
/// How often who waits for words is told that there is sound: words may come much later, and silence is taken for a
/// fault.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);

/// What the parts of a call ask for.
pub(super) enum Ask {
    /// The caller speaks.
    Hear(Arc<[f32]>),
    /// What the caller said since the last turn was nothing.
    Discard,
    /// The agent's turn is over.
    Rest,
    /// Speak with this voice from the next answer on.
    SpeakAs(Option<String>),
    /// These messages will soon begin a request.
    Prepare(LlmRequest),
    Reply(LlmRequest, mpsc::Sender<LlmEvent>),
    Speak(String, mpsc::Sender<Piece>),
}

pub(super) struct Conversation {
    model: Arc<dyn LiveModel>,
    asks: mpsc::Receiver<Ask>,
    setup: Setup,
    link: Option<Link>,
    earshot: Earshot,
    /// The words that the speech for which an answer was asked was understood as, and their place.
    asked: Option<(usize, String)>,
    /// An answer is on its way or being played: what is heard meanwhile stays here until it is known to be a turn.
    answering: bool,
    /// The number of the last answer, and who listens to it while it is made.
    number: u32,
    listener: Option<mpsc::Sender<LlmEvent>>,
    tracks: Vec<Track>,
    /// When the writer was told anything last.
    told: Instant,
    failed: Option<Instant>,
}

/// Whatever comes next.
enum Next {
    Ask(Option<Ask>),
    Event(Option<LiveEvent>),
    /// There is room for a piece of this track.
    Room(usize),
    /// Nobody listens any more.
    Gone,
}

impl Conversation {
    pub(super) fn new(model: Arc<dyn LiveModel>, setup: Setup, asks: mpsc::Receiver<Ask>) -> Self {
        Self {
            model,
            asks,
            setup,
            link: None,
            earshot: Earshot::default(),
            asked: None,
            answering: false,
            number: 0,
            listener: None,
            tracks: Vec::new(),
            told: Instant::now(),
            failed: None,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            match self.next().await {
                Next::Ask(None) => return,
                Next::Ask(Some(ask)) => self.take(ask),
                Next::Event(Some(LiveEvent::Said { answer, said })) => {
                    // What comes of an answer that was cancelled, comes too late.
                    if answer == self.number && self.listener.is_some() {
                        self.said(said);
                    }
                }
                Next::Event(Some(LiveEvent::Expires { resume })) => {
                    self.link.iter_mut().for_each(|link| link.expires = Some(resume.clone()));
                    self.renew_at_rest();
                }
                Next::Event(Some(LiveEvent::Failed(failure))) => self.fail(failure),
                Next::Event(None) => {
                    self.fail(Failure::new(self.model.name(), Remedy::Retry, "the conversation broke off"));
                }
                Next::Room(track) => self.give(track),
                Next::Gone => self.cancel(),
            }
        }
    }

    async fn next(&mut self) -> Next {
        let waiting = self.tracks.iter().enumerate().find_map(|(at, track)| Some((at, track.waiting()?)));
        let speaking = self.tracks.iter().find_map(Track::listener);
        tokio::select! {
            biased;
            ask = self.asks.recv() => Next::Ask(ask),
            () = closed(self.listener.as_ref()) => Next::Gone,
            () = closed(speaking) => Next::Gone,
            at = room(waiting) => at.map_or(Next::Gone, Next::Room),
            event = event_of(&mut self.link) => Next::Event(event),
        }
    }

    fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Hear(samples) => {
                self.earshot.hear(samples);
                self.pass_on();
            }
            Ask::Discard => {
                if self.earshot.discard() {
                    self.tell(LiveInput::Discard);
                }
            }
            Ask::Rest => {
                self.answering = false;
                self.renew_at_rest();
                self.pass_on();
            }
            Ask::SpeakAs(voice) => self.setup.voice = voice,
            Ask::Prepare(request) => self.prepare(request),
            Ask::Reply(request, listener) => self.reply(request, listener),
            Ask::Speak(text, pieces) => self.speak(&text, pieces),
        }
    }

    fn prepare(&mut self, request: LlmRequest) {
        if self.answering || self.failed.is_some_and(|at| at.elapsed() < REST) {
            return;
        }
        let messages = self.set_up(request);
        self.align(&messages);
        self.pass_on();
    }

    fn reply(&mut self, request: LlmRequest, listener: mpsc::Sender<LlmEvent>) {
        self.cancel();
        let messages = self.set_up(request);
        // Nothing that was heard is doubtful any more: the caller's turn is over.
        self.answering = false;
        let known = self.align(&messages);
        self.number = self.number.wrapping_add(1);
        self.ask_for_answer(&messages, known);
        self.answering = true;
        self.listener = Some(listener);
        self.told = Instant::now();
        // After tools the same answer goes on: sentences before them may still be spoken.
        if !matches!(messages.last(), Some(Message::ToolResult { .. })) {
            self.tracks.clear();
        }
        if self.tracks.len() == TRACKS {
            self.tracks.remove(0);
        }
        self.tracks.push(Track::new(self.model.sample_rate_hz()));
    }

    /// Takes the instructions out of a request.
    fn set_up(&mut self, request: LlmRequest) -> Vec<Message> {
        let mut messages = request.messages;
        self.setup.tools = request.tools;
        if matches!(messages.first(), Some(Message::System(_)))
            && let Message::System(instructions) = messages.remove(0)
        {
            self.setup.instructions = instructions;
        }
        messages
    }

    /// Makes the vendor's memory say what ours says before the words that ask for an answer. Gives how many of our
    /// messages it knows then; it may know those words too.
    fn align(&mut self, messages: &[Message]) -> usize {
        let (before, _) = split(messages);
        self.settle(messages);
        let fits = self.link.as_ref().and_then(|link| link.fits(&self.setup, messages));
        let Some((new, cut)) = fits else {
            // Results without their calls mean nothing to a conversation that did not call.
            let after_tools = matches!(messages.last(), Some(Message::ToolResult { .. }));
            let history = if after_tools { messages } else { before };
            self.link = Some(Link::open(&*self.model, self.setup.clone(), history, None));
            self.earshot.rewind();
            return history.len();
        };
        if let Some(heard) = cut {
            let ms = if heard == 0 { 0 } else { self.tracks.last().map_or(0, |track| track.heard_ms(heard)) };
            self.tell(LiveInput::Heard { ms });
        }
        let known = new.max(before.len());
        if let Some(link) = &mut self.link {
            link.learn(&messages[..known], new);
        }
        known
    }

    /// The speech of an earlier question is a matter of the past once another one is asked.
    fn settle(&mut self, messages: &[Message]) {
        let Some((place, _)) = &self.asked else { return };
        let same = match messages.last() {
            // As long as nothing was answered, what the caller says is one message.
            Some(Message::User(_)) => messages.len() == place + 1,
            Some(Message::ToolResult { .. }) => true,
            Some(Message::System(_) | Message::Assistant { .. }) | None => false,
        };
        if !same {
            self.earshot.settle();
            self.asked = None;
        }
    }

    /// Asks for an answer to the last message, of which the vendor has `known`.
    fn ask_for_answer(&mut self, messages: &[Message], known: usize) {
        let (before, asks) = split(messages);
        let knows = known > before.len();
        match asks.first() {
            Some(Message::User(text)) => {
                let again = self.asked.as_ref().is_some_and(|(_, words)| words == text);
                if self.earshot.is_fresh() || (again && !self.earshot.is_empty()) {
                    self.pass_on();
                    self.earshot.ask();
                    self.asked = Some((before.len(), text.clone()));
                } else {
                    let before = self.link.as_ref().filter(|_| knows).and_then(Link::last_words).unwrap_or_default();
                    let new = text.strip_prefix(before).unwrap_or(text).trim().to_owned();
                    if !new.is_empty() {
                        self.tell(LiveInput::Text(new));
                    }
                }
            }
            Some(Message::ToolResult { .. }) if !knows => self.tell(LiveInput::ToolResults(results(asks))),
            Some(_) | None => {}
        }
        if let Some(link) = &mut self.link {
            link.learn(messages, messages.len());
        }
        self.tell(LiveInput::Answer(self.number));
    }

    fn said(&mut self, said: Said) {
        let (Some(link), Some(track)) = (&mut self.link, self.tracks.last_mut()) else { return };
        let event = match said {
            Said::Audio(samples) => {
                track.add_audio(&samples);
                if self.told.elapsed() >= SIGN_OF_LIFE {
                    self.tell_writer(LlmEvent::Text(String::new()));
                }
                return;
            }
            Said::Text(text) => {
                track.add_text(&text);
                link.said(&text);
                LlmEvent::Text(text)
            }
            Said::ToolCall(call) => {
                link.called(call.clone());
                LlmEvent::ToolCall(call)
            }
            Said::Done { finish, usage } => {
                track.complete();
                return self.finish(LlmEvent::Done { finish, usage });
            }
            Said::Blocked(words) => {
                track.complete();
                self.tell_writer(LlmEvent::Text(words));
                return self.finish(LlmEvent::Done { finish: Finish::Stop, usage: Usage::default() });
            }
        };
        self.tell_writer(event);
    }

    fn speak(&mut self, text: &str, pieces: mpsc::Sender<Piece>) {
        let mut pieces = pieces;
        for track in self.tracks.iter_mut().rev() {
            match track.ask(text, pieces) {
                Ok(()) => return,
                Err(back) => pieces = back,
            }
        }
        // It has room: nothing was sent before. Who does not listen needs no answer.
        drop(pieces.try_send(Piece::Declined));
    }

    fn give(&mut self, track: usize) {
        let Some(track) = self.tracks.get_mut(track) else { return };
        if let Some(listener) = track.listener().cloned()
            && let Some(piece) = track.next_piece()
        {
            // There is room, or nobody listens: then that is what comes next.
            drop(listener.try_send(piece));
        }
    }

    /// Stops the answer that is made or spoken.
    fn cancel(&mut self) {
        self.tracks.iter_mut().for_each(|track| {
            if track.listener().is_some_and(mpsc::Sender::is_closed) {
                track.forget_sentences();
            }
        });
        if self.listener.take().is_some() {
            self.tracks.iter_mut().for_each(Track::break_off);
            if self.model.can_forget() {
                self.tell(LiveInput::Cancel);
            } else {
                // It would remember what nobody heard: the next answer is given in a new conversation.
                self.link = None;
                self.earshot.rewind();
            }
        }
    }

    fn fail(&mut self, failure: Failure) {
        tracing::warn!(provider = failure.provider, cause = %failure.message, "a spoken conversation failed");
        self.link = None;
        self.failed = Some(Instant::now());
        self.earshot.rewind();
        self.tracks.iter_mut().for_each(Track::break_off);
        self.finish(LlmEvent::Failed(failure));
    }

    /// Tells the last event of an answer.
    fn finish(&mut self, last: LlmEvent) {
        self.tell_writer(last);
        self.listener = None;
    }

    /// A writer that does not keep up loses the answer: it sees an end without a last word.
    fn tell_writer(&mut self, event: LlmEvent) {
        let Some(listener) = &self.listener else { return };
        self.told = Instant::now();
        if listener.try_send(event).is_err() {
            self.cancel();
        }
    }

    fn renew_at_rest(&mut self) {
        if self.answering || self.listener.is_some() {
            return;
        }
        if let Some(link) = self.link.take_if(|link| link.expires.is_some()) {
            self.link = Some(link.renewed(&*self.model));
            self.earshot.rewind_to_asked();
        }
    }

    /// Passes on what was heard, unless it may be nothing.
    fn pass_on(&mut self) {
        if self.answering || self.link.is_none() {
            return;
        }
        while let Some(samples) = self.earshot.next_unsent() {
            self.tell(LiveInput::Audio(samples));
        }
    }

    fn tell(&mut self, input: LiveInput) {
        if let Some(link) = &mut self.link {
            link.tell(input);
        }
    }
}

async fn closed<T>(sender: Option<&mpsc::Sender<T>>) {
    match sender {
        Some(sender) => sender.closed().await,
        None => std::future::pending().await,
    }
}

/// The track for whose next piece there is room; none if nobody listens to it.
async fn room(waiting: Option<(usize, &mpsc::Sender<Piece>)>) -> Option<usize> {
    match waiting {
        Some((at, listener)) => listener.reserve().await.ok().map(|_room| at),
        None => std::future::pending().await,
    }
}

async fn event_of(link: &mut Option<Link>) -> Option<LiveEvent> {
    match link {
        Some(link) => link.event().await,
        None => std::future::pending().await,
    }
}
