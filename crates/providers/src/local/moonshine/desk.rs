//! Whose audio is read next.
//!
//! Owns every open stream's utterance and two queues: those who wait for an answer to a pause or a commit, and those
//! who would like a running transcript. Input is taken in between the model's steps, so an urgent order is seen while
//! a running transcript is being made.

use std::collections::{HashMap, VecDeque};

use tokio::sync::mpsc;

use super::EVENTS_LIMIT;
use super::utterance::Utterance;
use crate::Failure;
use crate::local::worker::{Arrival, StreamId, Streams, Unread};
use crate::stt::{FailureEvent, SAMPLE_RATE_HZ, SttEvent, SttInput};

/// New audio that calls for a running transcript: 500 ms, about as often as a reader's eye returns.
const PARTIAL_SAMPLES: usize = SAMPLE_RATE_HZ as usize / 2;
/// A running transcript is made anew at most when a tenth of the segment is new, so that a long segment, which costs
/// more to read, is read less often: one speaker then takes a third of a core at most.
const PARTIAL_SHARE: usize = 10;
/// Audio that one stream may have unread. Beyond this it is not taken in, and its sender waits.
const BACKLOG_SAMPLES: usize = 60 * SAMPLE_RATE_HZ as usize;

/// One open stream.
pub(super) struct Speaker {
    events: mpsc::Sender<SttEvent>,
    utterance: Utterance,
    wanted: Wanted,
    /// The mark of the last pause.
    mark: u32,
    /// Set while the stream is not read: during a commit, or when there is too much unread.
    unread: Option<Unread<SttInput>>,
    /// Counts resets and commits, so that words of an utterance that is gone are not given to the next.
    generation: u64,
    shown: String,
    input_closed: bool,
}

impl Speaker {
    pub(super) fn new(events: mpsc::Sender<SttEvent>) -> Self {
        Self {
            events,
            utterance: Utterance::default(),
            wanted: Wanted::Nothing,
            mark: 0,
            unread: None,
            generation: 0,
            shown: String::new(),
            input_closed: false,
        }
    }

    fn start_over(&mut self) {
        self.utterance.clear();
        self.shown.clear();
        self.wanted = Wanted::Nothing;
        self.generation += 1;
    }
}

/// What a stream waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wanted {
    Nothing,
    Partial,
    Settled,
    Final,
}

/// Work for the model: a stream, what it waits for, and which of its utterances is meant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    id: StreamId,
    wanted: Wanted,
    mark: u32,
    generation: u64,
}

/// Audio to be read, and whether its words are kept for good.
pub(super) struct Segment {
    pub(super) samples: Vec<f32>,
    pub(super) is_cut: bool,
}

/// All streams and what they wait for.
pub(super) struct Desk {
    inbox: Streams<SttInput, Speaker>,
    speakers: HashMap<StreamId, Speaker>,
    urgent: VecDeque<StreamId>,
    partial: VecDeque<StreamId>,
}

impl Desk {
    pub(super) fn new(inbox: Streams<SttInput, Speaker>) -> Self {
        Self { inbox, speakers: HashMap::new(), urgent: VecDeque::new(), partial: VecDeque::new() }
    }

    /// Waits for work; none when every stream is gone and none can be opened.
    pub(super) fn next_order(&mut self) -> Option<Order> {
        loop {
            self.take_ready();
            while let Some(id) = self.urgent.pop_front() {
                if let Some(order) = self.order(id, Wanted::Settled) {
                    return Some(order);
                }
            }
            while let Some(id) = self.partial.pop_front() {
                if let Some(order) = self.order(id, Wanted::Partial) {
                    return Some(order);
                }
            }
            let arrival = self.inbox.wait()?;
            self.take(arrival);
        }
    }

    /// Whether the work on `order` still makes sense: its stream wants it, and nobody waits more urgently.
    pub(super) fn may_continue(&mut self, order: Order) -> bool {
        self.take_ready();
        let Some(speaker) = self.speakers.get(&order.id) else { return false };
        let is_wanted = speaker.generation == order.generation && !speaker.events.is_closed();
        is_wanted && (order.wanted > Wanted::Partial || self.urgent.is_empty())
    }

    /// The next audio to read for `order`; none when all is read.
    pub(super) fn unread_segment(&self, order: Order) -> Option<Segment> {
        let speaker = self.current(order)?;
        let utterance = &speaker.utterance;
        if let Some(cut) = utterance.cut() {
            return Some(Segment { samples: utterance.open()[..cut].to_vec(), is_cut: true });
        }
        (!utterance.is_settled()).then(|| Segment { samples: utterance.open().to_vec(), is_cut: false })
    }

    /// Takes down the words of a segment.
    pub(super) fn hear(&mut self, order: Order, segment: &Segment, text: String) {
        let Some(speaker) = self.speakers.get_mut(&order.id).filter(|s| s.generation == order.generation) else {
            return;
        };
        if segment.is_cut {
            speaker.utterance.keep(segment.samples.len(), &text);
        } else {
            speaker.utterance.hear(segment.samples.len(), text);
        }
    }

    /// Sends the words of a finished order.
    pub(super) fn answer(&mut self, order: Order) {
        let Some(speaker) = self.speakers.get_mut(&order.id).filter(|s| s.generation == order.generation) else {
            return;
        };
        let text = speaker.utterance.text();
        let sent = match order.wanted {
            Wanted::Final => speaker.events.try_send(SttEvent::Final { text }).is_ok(),
            Wanted::Settled => speaker.events.try_send(SttEvent::Partial { text, settled: Some(order.mark) }).is_ok(),
            Wanted::Partial | Wanted::Nothing => {
                if text != speaker.shown && speaker.events.capacity() > EVENTS_LIMIT / 2 {
                    speaker.shown.clone_from(&text);
                    speaker.events.try_send(SttEvent::Partial { text, settled: None }).ok();
                }
                true
            }
        };
        self.close_order(order, sent);
    }

    /// Tells the stream that its order failed. A failed running transcript says nothing: the pause will tell.
    pub(super) fn fail(&mut self, order: Order, failure: Failure) {
        let Some(speaker) = self.current(order) else { return };
        let is_answer = order.wanted > Wanted::Partial;
        let told = !is_answer || speaker.events.try_send(SttEvent::Failed(FailureEvent(failure))).is_ok();
        self.close_order(order, told);
    }

    /// Puts an interrupted order back; it will be done with whatever audio there is by then.
    pub(super) fn postpone(&mut self, order: Order) {
        match self.speakers.get(&order.id) {
            Some(speaker) if speaker.events.is_closed() => drop(self.speakers.remove(&order.id)),
            Some(speaker) if speaker.generation == order.generation && speaker.wanted == Wanted::Partial => {
                self.partial.push_back(order.id);
            }
            Some(_) | None => {}
        }
    }

    fn current(&self, order: Order) -> Option<&Speaker> {
        self.speakers.get(&order.id).filter(|speaker| speaker.generation == order.generation)
    }

    fn close_order(&mut self, order: Order, sent: bool) {
        let Some(speaker) = self.speakers.get_mut(&order.id) else { return };
        // A stream that reads no answers, or whose both ends are gone, is over.
        if !sent || (speaker.input_closed && speaker.wanted <= order.wanted) {
            self.speakers.remove(&order.id);
            return;
        }
        if order.wanted == Wanted::Final {
            speaker.start_over();
        } else if speaker.wanted == order.wanted && speaker.mark == order.mark {
            speaker.wanted = Wanted::Nothing;
        }
        if let Some(unread) = speaker.unread.take_if(|_| speaker.wanted != Wanted::Final) {
            self.inbox.resume(unread);
        }
    }

    /// An order for a stream that still wants at least `least`.
    fn order(&mut self, id: StreamId, least: Wanted) -> Option<Order> {
        let speaker = self.speakers.get(&id)?;
        if speaker.events.is_closed() {
            self.speakers.remove(&id);
            return None;
        }
        // What waits in the urgent queue is not done a second time for the other one.
        let is_due = if least == Wanted::Partial { speaker.wanted == least } else { speaker.wanted >= least };
        is_due.then_some(Order { id, wanted: speaker.wanted, mark: speaker.mark, generation: speaker.generation })
    }

    fn take_ready(&mut self) {
        while let Some(arrival) = self.inbox.ready() {
            self.take(arrival);
        }
    }

    fn take(&mut self, arrival: Arrival<SttInput, Speaker>) {
        match arrival {
            Arrival::Opened(id, speaker) => drop(self.speakers.insert(id, speaker)),
            Arrival::Input(id, input, unread) => self.take_input(id, input, unread),
            Arrival::Closed(id) => {
                if let Some(speaker) = self.speakers.get_mut(&id) {
                    speaker.input_closed = true;
                    if speaker.wanted <= Wanted::Partial {
                        self.speakers.remove(&id);
                    }
                }
            }
        }
    }

    fn take_input(&mut self, id: StreamId, input: SttInput, unread: Unread<SttInput>) {
        let Some(speaker) = self.speakers.get_mut(&id) else { return };
        match input {
            SttInput::Audio(audio) => {
                speaker.utterance.append(&audio);
                let due = PARTIAL_SAMPLES.max(speaker.utterance.open().len() / PARTIAL_SHARE);
                if speaker.wanted == Wanted::Nothing && speaker.utterance.unheard_samples() >= due {
                    speaker.wanted = Wanted::Partial;
                    self.partial.push_back(id);
                }
            }
            SttInput::Pause(mark) => {
                speaker.mark = mark;
                speaker.wanted = speaker.wanted.max(Wanted::Settled);
                self.urgent.push_back(id);
            }
            SttInput::Commit => {
                speaker.wanted = Wanted::Final;
                self.urgent.push_back(id);
            }
            SttInput::Reset => speaker.start_over(),
        }
        let backlog = speaker.utterance.open().len() > BACKLOG_SAMPLES && speaker.wanted != Wanted::Nothing;
        if speaker.wanted == Wanted::Final || backlog {
            speaker.unread = Some(unread);
        } else {
            self.inbox.resume(unread);
        }
    }
}
