//! The line from a call to its agent: live audio is dropped when the agent lags, everything else waits in order.

use std::collections::VecDeque;

use audio::leg::{FromCaller, OpusFrame};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

/// Events that wait for a slow agent; beyond that the agent is taken for stuck and further ones are dropped.
const MAX_WAITING_EVENTS: usize = 1_024;

/// Whether something reached the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It did, or will.
    Taken,
    /// The agent lags too far behind.
    Dropped,
}

/// One call's way to its agent.
#[derive(Debug)]
pub(crate) struct AgentLine {
    sender: Sender<FromCaller>,
    waiting: VecDeque<FromCaller>,
    agent: Agent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agent {
    Listening,
    Gone,
}

impl AgentLine {
    pub(crate) fn new(sender: Sender<FromCaller>) -> Self {
        Self { sender, waiting: VecDeque::new(), agent: Agent::Listening }
    }

    /// Hands a microphone frame over now or never: late audio is worth nothing.
    pub(crate) fn frame(&mut self, frame: OpusFrame) -> Delivery {
        if !self.waiting.is_empty() {
            return Delivery::Dropped;
        }
        match self.sender.try_send(FromCaller::Frame(frame)) {
            Ok(()) => Delivery::Taken,
            Err(TrySendError::Full(_)) => Delivery::Dropped,
            Err(TrySendError::Closed(_)) => self.lost(),
        }
    }

    /// Takes an event to be handed over with the next [`AgentLine::deliver`], after those that wait already.
    pub(crate) fn tell(&mut self, event: FromCaller) -> Delivery {
        // The end is always told: nothing can follow it, so it cannot pile up.
        if self.waiting.len() >= MAX_WAITING_EVENTS && !matches!(event, FromCaller::Ended(_)) {
            return Delivery::Dropped;
        }
        self.waiting.push_back(event);
        Delivery::Taken
    }

    /// Hands over what waits, as far as there is room.
    pub(crate) fn deliver(&mut self) {
        while let Some(event) = self.waiting.pop_front() {
            match self.sender.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.waiting.push_front(event);
                    return;
                }
                Err(TrySendError::Closed(_)) => {
                    self.lost();
                }
            }
        }
    }

    /// Whether events wait for room.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the agent hung up its end.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.agent == Agent::Gone
    }

    fn lost(&mut self) -> Delivery {
        self.agent = Agent::Gone;
        self.waiting.clear();
        Delivery::Dropped
    }
}

#[cfg(test)]
mod tests {
    use audio::leg::EndReason;
    use bytes::Bytes;
    use tokio::sync::mpsc;

    use super::*;

    fn frame(sequence: u64) -> OpusFrame {
        OpusFrame { sequence, rtp_time: 0, payload: Bytes::new() }
    }

    #[test]
    fn a_slow_agent_misses_audio_but_no_event() {
        let (sender, mut agent) = mpsc::channel(1);
        let mut line = AgentLine::new(sender);
        assert_eq!(line.tell(FromCaller::Connected), Delivery::Taken);
        line.deliver();
        assert_eq!(line.frame(frame(1)), Delivery::Dropped);
        assert_eq!(line.tell(FromCaller::ChannelOpen), Delivery::Taken);
        assert_eq!(line.tell(FromCaller::Ended(EndReason::Hangup)), Delivery::Taken);
        assert!(line.is_waiting());
        assert_eq!(agent.try_recv(), Ok(FromCaller::Connected));
        line.deliver();
        assert_eq!(agent.try_recv(), Ok(FromCaller::ChannelOpen));
        line.deliver();
        assert_eq!(agent.try_recv(), Ok(FromCaller::Ended(EndReason::Hangup)));
        assert!(!line.is_waiting() && !line.is_abandoned());
    }

    #[test]
    fn an_agent_that_hung_up_is_noticed() {
        let (sender, agent) = mpsc::channel(1);
        let mut line = AgentLine::new(sender);
        drop(agent);
        assert_eq!(line.frame(frame(1)), Delivery::Dropped);
        assert!(line.is_abandoned() && !line.is_waiting());
    }

    #[test]
    fn a_stuck_agent_costs_bounded_memory_and_still_gets_the_end() {
        let (sender, mut agent) = mpsc::channel(1);
        let mut line = AgentLine::new(sender);
        let dropped = (0..2 * MAX_WAITING_EVENTS).filter(|_| line.tell(FromCaller::ChannelOpen) == Delivery::Dropped);
        assert!(dropped.count() >= MAX_WAITING_EVENTS - 1);
        line.tell(FromCaller::Ended(EndReason::Lost));
        line.deliver();
        let mut last = None;
        while let Ok(event) = agent.try_recv() {
            last = Some(event);
            line.deliver();
        }
        assert_eq!(last, Some(FromCaller::Ended(EndReason::Lost)));
    }
}
