//! Hands records to one end of a link without ever waiting: what does not fit waits here, and of that the oldest live
//! audio goes first and an event never.

use std::collections::VecDeque;

use audio::leg::{FromCaller, ToCaller};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

/// Audio that waits for a slow reader beyond the link's own room: 1 s. Older is of no use to anybody.
const MAX_AUDIO: usize = 50;
/// Records that wait for a slow reader in all. One that leaves so many unread is stuck, and the call is given up.
const MAX_WAITING: usize = 4_096;

/// Tells live audio, of which old may be dropped, from all else.
pub(crate) trait Record {
    /// Whether this is live audio.
    fn is_live_audio(&self) -> bool;
}

impl Record for FromCaller {
    fn is_live_audio(&self) -> bool {
        matches!(self, Self::Frame(_))
    }
}

impl Record for ToCaller {
    /// The agent's voice is made ahead of its time, and every word of it counts.
    fn is_live_audio(&self) -> bool {
        false
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// It was read, or will be.
    Kept,
    /// It, or older audio, was dropped.
    Dropped,
    /// Nobody reads any more.
    Gone,
}

/// The sending end of a link.
#[derive(Debug)]
pub(crate) struct Delivery<T> {
    link: Sender<T>,
    waiting: VecDeque<T>,
    audio: usize,
}

impl<T: Record> Delivery<T> {
    pub(crate) fn new(link: Sender<T>) -> Self {
        Self { link, waiting: VecDeque::new(), audio: 0 }
    }

    /// Hands over a record, behind those that wait.
    pub(crate) fn push(&mut self, record: T) -> Delivered {
        if self.flush() == Delivered::Gone {
            return Delivered::Gone;
        }
        if self.waiting.is_empty() {
            match self.link.try_send(record) {
                Ok(()) => return Delivered::Kept,
                Err(TrySendError::Closed(_)) => return Delivered::Gone,
                Err(TrySendError::Full(record)) => return self.wait(record),
            }
        }
        self.wait(record)
    }

    /// Hands over what waits, as far as there is room.
    pub(crate) fn flush(&mut self) -> Delivered {
        if self.link.is_closed() {
            return Delivered::Gone;
        }
        while let Some(record) = self.waiting.pop_front() {
            self.audio -= usize::from(record.is_live_audio());
            match self.link.try_send(record) {
                Ok(()) => {}
                Err(TrySendError::Closed(_)) => return Delivered::Gone,
                Err(TrySendError::Full(record)) => {
                    self.audio += usize::from(record.is_live_audio());
                    self.waiting.push_front(record);
                    break;
                }
            }
        }
        Delivered::Kept
    }

    fn wait(&mut self, record: T) -> Delivered {
        if self.waiting.len() >= MAX_WAITING {
            return Delivered::Gone;
        }
        self.audio += usize::from(record.is_live_audio());
        self.waiting.push_back(record);
        if self.audio <= MAX_AUDIO {
            return Delivered::Kept;
        }
        if let Some(oldest) = self.waiting.iter().position(Record::is_live_audio) {
            self.waiting.remove(oldest);
            self.audio -= 1;
        }
        Delivered::Dropped
    }
}

#[cfg(test)]
mod tests {
    use audio::leg::{FromCaller, OpusFrame};
    use bytes::Bytes;
    use tokio::sync::mpsc;

    use super::{Delivered, Delivery, MAX_AUDIO, MAX_WAITING};

    fn frame(sequence: u64) -> FromCaller {
        FromCaller::Frame(OpusFrame { sequence, rtp_time: 0, payload: Bytes::new() })
    }

    fn read(link: &mut mpsc::Receiver<FromCaller>, delivery: &mut Delivery<FromCaller>) -> Vec<FromCaller> {
        let mut all = Vec::new();
        while let Ok(record) = link.try_recv() {
            all.push(record);
            delivery.flush();
        }
        all
    }

    #[test]
    fn a_slow_reader_loses_the_oldest_audio_and_no_event() {
        let (sender, mut link) = mpsc::channel(1);
        let mut delivery = Delivery::new(sender);
        let total = MAX_AUDIO as u64 * 2;
        assert_eq!(delivery.push(FromCaller::Connected), Delivered::Kept);
        for sequence in 0..total {
            delivery.push(frame(sequence));
            delivery.push(FromCaller::Key('1'));
        }
        let read = read(&mut link, &mut delivery);
        let kept: Vec<_> = (total - MAX_AUDIO as u64..total).map(frame).collect();
        let (audio, events): (Vec<_>, Vec<_>) = read.into_iter().partition(|one| matches!(one, FromCaller::Frame(_)));
        assert_eq!(audio, kept);
        assert_eq!(events.len() as u64, 1 + total);
        assert!(delivery.waiting.is_empty());
    }

    #[test]
    fn a_reader_that_is_stuck_is_given_up() {
        let (sender, _link) = mpsc::channel(1);
        let mut delivery = Delivery::new(sender);
        let kept = (0..).take_while(|_| delivery.push(FromCaller::ChannelOpen) == Delivered::Kept).count();
        assert_eq!(kept, MAX_WAITING + 1);
    }

    #[test]
    fn a_reader_that_went_is_noticed() {
        let (sender, link) = mpsc::channel(1);
        drop(link);
        assert_eq!(Delivery::new(sender).push(FromCaller::Connected), Delivered::Gone);
    }
}
