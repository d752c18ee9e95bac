//! A simulated world around the engine: recogniser, judge, model, voice, leg and tools that do what they are told, late,
//! twice, wrongly or not at all. Everything follows from one seed.

mod leg;

use std::time::Duration;

use dialogue::{
    Action, AfterTool, Attempt, CloseReason, Event, Line, PauseId, PlayoutEvent, ReplyEvent, SentenceId, Timestamp,
    ToolCall, ToolManner, ToolOutcome, ToolOutput, ToolRunId, TurnId, VoiceEvent,
};
use leg::Leg;

/// Numbers that look random and follow from a seed (xorshift64*).
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    /// True this many times in a hundred.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()].clone()
    }
}

const WORDS: [&str; 8] =
    ["Hello there.", "And then", "Uh-huh.", "Stop.", "", "My number is four eight two", "Yes.", "I would like to"];
const TEXTS: [&str; 5] = ["Yes. ", "Well, that is so, and more of it. ", "a", "No, never. And so it goes. ", "Hm"];

pub(crate) struct World {
    dice: Dice,
    now: Timestamp,
    due: Vec<(Timestamp, Event)>,
    leg: Leg,
    speaking: Option<Timestamp>,
    turns: u32,
    tools: u32,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let leg = Leg::default();
        Self { dice: Dice::new(seed), now: Timestamp::ZERO, due: Vec::new(), leg, speaking: None, turns: 0, tools: 0 }
    }

    /// The next event that happens by itself or by somebody's whim, no later than `deadline`; none if that comes first.
    pub(crate) fn next(&mut self, deadline: Option<Timestamp>) -> Option<(Timestamp, Event)> {
        let pause = if self.dice.percent(10) { 4_000 } else { 260 };
        let whim = self.now + self.millis(pause);
        let earliest = self.due.iter().map(|(at, _)| *at).chain(self.leg.next_at()).min();
        let next = earliest.map_or(whim, |at| at.min(whim)).max(self.now);
        if let Some(deadline) = deadline.filter(|at| *at <= next) {
            self.now = self.now.max(deadline);
            return None;
        }
        self.now = next;
        if let Some(mark) = self.leg.play(self.now) {
            return Some((self.now, Event::Playout(mark)));
        }
        if let Some(index) = self.due.iter().position(|(at, _)| *at <= self.now) {
            return Some((self.now, self.due.remove(index).1));
        }
        Some((self.now, self.whim()))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    fn millis(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.dice.below(bound + 1))
    }

    fn later(&mut self, bound_ms: u64, event: Event) {
        let at = self.now + self.millis(bound_ms);
        if self.dice.percent(2) {
            self.due.push((at + Duration::from_millis(50), event.clone()));
        }
        self.due.push((at, event));
    }

    /// What somebody does of their own accord.
    fn whim(&mut self) -> Event {
        match (self.dice.below(100), self.speaking) {
            (0..70, None) => {
                self.speaking = Some(self.now);
                Event::SpeechStarted { onset: self.now - Duration::from_millis(64) }
            }
            (0..50, Some(since)) => Event::SpeechGoesOn { spoken: self.now.since(since) + Duration::from_millis(64) },
            (50..58, Some(_)) => Event::Words { text: self.dice.pick(&WORDS).to_owned(), settled: None },
            (58..92, Some(_)) => {
                self.speaking = None;
                Event::SpeechPaused { ended: self.now - Duration::from_millis(64) }
            }
            (70..76, None) => Event::Typed { text: self.dice.pick(&WORDS).to_owned() },
            (76..80, None) => Event::Digit(self.dice.pick(&['1', '#', '*', 'x'])),
            (80..84, None) => Event::Commit,
            (84..88, None) => {
                let interruptible = self.dice.percent(50);
                Event::Say(Line { text: self.dice.pick(&TEXTS).to_owned(), interruptible })
            }
            (88..92, None) => Event::StopSpeaking,
            (92..94, _) => Event::Connected,
            _ => self.absurdity(),
        }
    }

    /// What no part should ever say, or not now.
    fn absurdity(&mut self) -> Event {
        let turn = TurnId(u32::try_from(self.dice.below(6)).unwrap());
        let attempt = Attempt(u32::try_from(self.dice.below(4)).unwrap());
        let sentence = SentenceId { turn, attempt, index: u32::try_from(self.dice.below(3)).unwrap() };
        match self.dice.below(9) {
            0 => Event::SpeechStarted { onset: self.now },
            1 => Event::SpeechPaused { ended: self.now },
            2 => Event::WordsFailed,
            3 => Event::PauseScored { pause: PauseId(1), completeness: f32::NAN },
            4 => Event::Reply { turn, attempt, event: ReplyEvent::Done },
            5 => Event::Voice { sentence, event: VoiceEvent::Done { duration_ms: 0 } },
            6 => Event::ToolReturned { run: ToolRunId(1), output: output("absurd", AfterTool::GoOn) },
            7 => Event::Summarised(None),
            _ => Event::Words { text: "absurd".to_owned(), settled: Some(PauseId(99)) },
        }
    }

    /// Does what the engine says, in its fashion.
    pub(crate) fn perform(&mut self, action: &Action) {
        match action {
            Action::JudgePause(pause) => self.judge(*pause),
            Action::StartReply { turn, attempt, .. } => self.answer(*turn, *attempt),
            Action::CancelReply { turn, attempt } => {
                self.leg.cancel(*turn, *attempt);
                // Some words were on their way already.
                if self.dice.percent(70) {
                    let of = |event: &Event| matches!(event, Event::Reply { turn: t, attempt: a, .. } if (t, a) == (turn, attempt));
                    self.due.retain(|(_, event)| !of(event));
                }
            }
            Action::Speak { sentence, text } => self.speak(*sentence, text),
            Action::Release { turn, attempt } => self.leg.release(*turn, *attempt),
            Action::FlushPlayout => {
                let cut = self.leg.flush(self.now);
                if !self.dice.percent(5) {
                    self.later(30, Event::Playout(PlayoutEvent::Flushed { cut }));
                }
            }
            Action::HoldPlayout => {
                let at = self.leg.hold(self.now);
                self.later(10, Event::Playout(PlayoutEvent::Held { at }));
            }
            Action::ResumePlayout => self.leg.resume(self.now),
            Action::RunTool { run, .. } if !self.dice.percent(5) => {
                let then = if self.dice.percent(10) { AfterTool::HangUp } else { AfterTool::GoOn };
                let output = output(&format!("result {}", run.0), then);
                self.later(3_000, Event::ToolReturned { run: *run, output });
            }
            Action::Summarise { .. } => {
                let summary = self.dice.percent(80).then(|| "They spoke.".to_owned());
                self.later(2_000, Event::Summarised(summary));
            }
            Action::RunTool { .. }
            | Action::CancelTool(_)
            | Action::EndUtterance
            | Action::DiscardUtterance
            | Action::Prepare { .. }
            | Action::Announce(_)
            | Action::Close(_) => {}
        }
    }

    fn judge(&mut self, pause: PauseId) {
        if !self.dice.percent(8) {
            let text = self.dice.pick(&WORDS).to_owned();
            self.later(300, Event::Words { text, settled: Some(pause) });
        }
        if !self.dice.percent(8) {
            let completeness = self.dice.below(100) as f32 / 100.0;
            self.later(200, Event::PauseScored { pause, completeness });
        }
        if self.dice.percent(3) {
            self.later(400, Event::WordsFailed);
        }
    }

    fn answer(&mut self, turn: TurnId, attempt: Attempt) {
        self.turns = self.turns.max(turn.0);
        let mut delay = self.dice.below(500);
        let mut tell = |world: &mut Self, event| {
            delay += 1 + world.dice.below(60);
            world.due.push((world.now + Duration::from_millis(delay), Event::Reply { turn, attempt, event }));
        };
        for _ in 0..self.dice.below(4) {
            let text = self.dice.pick(&TEXTS).to_owned();
            tell(self, ReplyEvent::Text(text));
        }
        if self.dice.percent(25) {
            for _ in 0..=self.dice.below(2) {
                self.tools += 1;
                let call = ToolCall {
                    id: format!("call_{}", self.tools),
                    name: "tool".to_owned(),
                    arguments: "{}".to_owned(),
                };
                let manner =
                    ToolManner { background: self.dice.percent(20), cancel_on_interrupt: self.dice.percent(30) };
                tell(self, ReplyEvent::ToolCall { call, manner });
            }
        }
        match self.dice.below(20) {
            0 => tell(self, ReplyEvent::Failed),
            1 => tell(self, ReplyEvent::FailedRetryable),
            2 => {}
            _ => tell(self, ReplyEvent::Done),
        }
    }

    fn speak(&mut self, sentence: SentenceId, text: &str) {
        let voice = |event| Event::Voice { sentence, event };
        if self.dice.percent(4) {
            return self.later(100, voice(VoiceEvent::Failed));
        }
        let words = text.split_whitespace().count();
        let duration_ms = u32::try_from(words).unwrap() * 250;
        let made = self.now + self.millis(80);
        self.due.push((made, voice(VoiceEvent::FirstAudio)));
        if self.dice.percent(50) {
            let ends = (1..=u32::try_from(words).unwrap()).map(|word| word * 250).collect();
            self.due.push((made, voice(VoiceEvent::WordEnds(ends))));
        }
        self.due.push((made, voice(VoiceEvent::Done { duration_ms })));
        self.leg.queue(sentence, duration_ms, made);
    }
}

fn output(text: &str, then: AfterTool) -> ToolOutput {
    ToolOutput { text: text.to_owned(), outcome: ToolOutcome::Done, then }
}

/// The end of every history.
pub(crate) fn hang_up() -> Event {
    Event::HangUp(CloseReason::CallerHungUp)
}
