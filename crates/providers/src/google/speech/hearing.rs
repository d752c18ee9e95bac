//! Which words belong to which utterance, and when they are settled. Pure: time and positions come in.
//!
//! Google knows no utterances of ours. It sends running words that may change and final ones that do not, each with
//! the position at which they end; whoever waits at a pause wants all words up to there.

use std::time::Duration;

use tokio::time::Instant;

use crate::stt::{SAMPLE_RATE_HZ, SttEvent};

/// Words end before a pause is noticed, and Google rounds: so much earlier they still reach up to it (300 ms).
const TOLERANCE: u64 = 3 * SAMPLE_RATE_HZ as u64 / 10;
/// Running words reach up to a pause that is this much later (160 ms): it is noticed after 64 ms of silence, and a last
/// word that is missing is longer.
const PAUSE: u64 = 16 * SAMPLE_RATE_HZ as u64 / 100;
/// So many words may come twice where audio was sent again.
const MOST_REPEATED: usize = 2;

/// How long words are waited for at a pause.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    /// Then what is there will do.
    pub settle: Duration,
    /// Then whatever is there must do, though it is nothing or does not reach to the end.
    pub give_up: Duration,
}

/// What one speaker says.
#[derive(Debug)]
pub(super) struct Hearing {
    waits: Waits,
    utterance: Option<Utterance>,
    /// The end of the last final words.
    final_until: u64,
    /// Audio was sent again: the next words may repeat the last ones.
    is_seam: bool,
    /// An utterance was left before its last word was final.
    is_left_unfinished: bool,
}

/// All audio between two commits.
#[derive(Debug)]
struct Utterance {
    /// Its first and last audio.
    begins: u64,
    ends: u64,
    /// What does not change any more; none before Google has said anything final.
    finals: Option<String>,
    /// What may, and where it ends.
    running: String,
    running_until: u64,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Speaking,
    /// Somebody waits for all words.
    Paused {
        mark: Option<u32>,
        since: Instant,
        told: Option<String>,
        is_over: bool,
    },
}

impl Utterance {
    fn finals(&self) -> &str {
        self.finals.as_deref().unwrap_or_default()
    }

    fn words(&self) -> String {
        join(self.finals(), &self.running)
    }
}

impl Hearing {
    pub(super) fn new(waits: Waits) -> Self {
        Self { waits, utterance: None, final_until: 0, is_seam: false, is_left_unfinished: false }
    }

    /// Audio between these positions. Says whether it begins an utterance.
    pub(super) fn audio(&mut self, begins: u64, ends: u64) -> bool {
        match &mut self.utterance {
            Some(utterance) => {
                utterance.ends = ends;
                utterance.state = State::Speaking;
                false
            }
            None => {
                self.is_seam = false;
                let (running, state) = (String::new(), State::Speaking);
                self.utterance = Some(Utterance { begins, ends, finals: None, running, running_until: 0, state });
                true
            }
        }
    }

    /// The speaker fell silent.
    pub(super) fn pause(&mut self, mark: u32, now: Instant, out: &mut Vec<SttEvent>) {
        match &mut self.utterance {
            Some(utterance) => {
                utterance.state = State::Paused { mark: Some(mark), since: now, told: None, is_over: false };
                self.settle_if_covered(out);
            }
            None => out.push(SttEvent::Partial { text: String::new(), settled: Some(mark) }),
        }
    }

    /// The utterance is over.
    pub(super) fn commit(&mut self, now: Instant, out: &mut Vec<SttEvent>) {
        let Some(utterance) = &mut self.utterance else {
            out.push(SttEvent::Final { text: String::new() });
            return;
        };
        match &mut utterance.state {
            State::Paused { told: Some(_), .. } => self.end(out),
            State::Paused { is_over, .. } => *is_over = true,
            State::Speaking => {
                utterance.state = State::Paused { mark: None, since: now, told: None, is_over: true };
                self.settle_if_covered(out);
            }
        }
    }

    /// The utterance is to be forgotten.
    pub(super) fn reset(&mut self) {
        self.is_left_unfinished |= !self.is_final();
        self.utterance = None;
    }

    /// Whether an utterance was left before its last word was final since this was asked last: what else Google says
    /// may mix it with the next one.
    pub(super) fn take_left_unfinished(&mut self) -> bool {
        std::mem::take(&mut self.is_left_unfinished)
    }

    /// Whether the words of an utterance that is over are still awaited. What belongs to the next one must wait.
    pub(super) fn is_owed(&self) -> bool {
        matches!(self.utterance, Some(Utterance { state: State::Paused { is_over: true, .. }, .. }))
    }

    /// The audio up to the pause leaves only until then: the wait for its words begins there.
    pub(super) fn waits_from(&mut self, then: Instant) {
        if let Some(Utterance { state: State::Paused { since, told: None, .. }, .. }) = &mut self.utterance {
            *since = then.max(*since);
        }
    }

    /// Final words that end there.
    pub(super) fn finals(&mut self, words: &str, until: u64, out: &mut Vec<SttEvent>) {
        self.final_until = self.final_until.max(until);
        let is_seam = std::mem::take(&mut self.is_seam);
        let Some(utterance) = self.utterance.as_mut().filter(|utterance| until > utterance.begins) else { return };
        let words = if is_seam { without_repeated(utterance.finals(), words) } else { words };
        utterance.finals = Some(join(utterance.finals(), words));
        utterance.running.clear();
        self.tell(out);
    }

    /// Words so far after the final ones. They end there, and may change.
    pub(super) fn running(&mut self, words: &str, until: u64, out: &mut Vec<SttEvent>) {
        let is_seam = self.is_seam;
        let Some(utterance) = self.utterance.as_mut().filter(|utterance| until > utterance.begins) else { return };
        let words = if is_seam { without_repeated(utterance.finals(), words) } else { words };
        words.trim().clone_into(&mut utterance.running);
        utterance.running_until = until;
        self.tell(out);
    }

    /// The audio from [`Self::unheard_from`] on is sent again: what was not final comes anew.
    pub(super) fn starts_again(&mut self) {
        self.is_seam = true;
        if let Some(utterance) = &mut self.utterance {
            utterance.running.clear();
            utterance.running_until = 0;
        }
    }

    /// No words will come for what was said so far. Nobody waits any more; whoever did is told by somebody else.
    pub(super) fn failed(&mut self) {
        match self.utterance.as_mut().map(|utterance| &mut utterance.state) {
            Some(State::Paused { is_over: true, .. }) => self.utterance = None,
            Some(state) => *state = State::Speaking,
            None => {}
        }
    }

    /// From where on there are no final words.
    pub(super) fn unheard_from(&self) -> u64 {
        self.utterance.as_ref().map_or(self.final_until, |utterance| utterance.begins.max(self.final_until))
    }

    /// Whether every word that was said is final: then no later result can be about it.
    pub(super) fn is_final(&self) -> bool {
        self.utterance.as_ref().is_none_or(|utterance| {
            let is_covered = self.final_until.saturating_add(TOLERANCE) >= utterance.ends;
            utterance.finals.is_some() && utterance.running.is_empty() && is_covered
        })
    }

    /// Since when the speaker has been silent within an utterance.
    pub(super) fn paused_since(&self) -> Option<Instant> {
        match self.utterance.as_ref()?.state {
            State::Paused { since, .. } => Some(since),
            State::Speaking => None,
        }
    }

    /// When [`Self::due`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let utterance = self.utterance.as_ref()?;
        match utterance.state {
            State::Paused { since, told: None, .. } if !self.reaches_the_end(utterance) => {
                Some(since + self.waits.give_up)
            }
            State::Paused { since, told: None, .. } => Some(since + self.waits.settle),
            State::Paused { .. } | State::Speaking => None,
        }
    }

    /// Whether there are words up to the end of what was said. Where there are none, the last words are still to come, or
    /// the stream is dead; to go on without them would lose them.
    fn reaches_the_end(&self, utterance: &Utterance) -> bool {
        let reached = (utterance.running_until + PAUSE).max(self.final_until.saturating_add(TOLERANCE));
        !utterance.words().is_empty() && reached >= utterance.ends
    }

    /// Settles what has been waited for long enough.
    pub(super) fn due(&mut self, now: Instant, out: &mut Vec<SttEvent>) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.settle(out);
        }
    }

    /// Tells words that are new to whoever may want them.
    fn tell(&mut self, out: &mut Vec<SttEvent>) {
        let Some(utterance) = &mut self.utterance else { return };
        let words = utterance.words();
        match &mut utterance.state {
            State::Speaking => out.push(SttEvent::Partial { text: words, settled: None }),
            // Words that change after they were settled are told again.
            State::Paused { mark: Some(mark), told: Some(told), .. } => {
                if *told != words {
                    told.clone_from(&words);
                    out.push(SttEvent::Partial { text: words, settled: Some(*mark) });
                }
            }
            State::Paused { mark: None, told: Some(_), .. } => {}
            State::Paused { told: None, .. } => self.settle_if_covered(out),
        }
    }

    /// Final words reach up to the pause nearly; running ones count only when Google has heard all of it.
    fn settle_if_covered(&mut self, out: &mut Vec<SttEvent>) {
        let Some(utterance) = &self.utterance else { return };
        let is_heard = !utterance.running.is_empty() && utterance.running_until >= utterance.ends;
        if is_heard || self.is_final() {
            self.settle(out);
        }
    }

    fn settle(&mut self, out: &mut Vec<SttEvent>) {
        let Some(utterance) = &mut self.utterance else { return };
        let words = utterance.words();
        let State::Paused { mark, told, is_over, .. } = &mut utterance.state else { return };
        if told.is_none() {
            *told = Some(words.clone());
            out.extend(mark.map(|mark| SttEvent::Partial { text: words, settled: Some(mark) }));
        }
        if *is_over {
            self.end(out);
        }
    }

    fn end(&mut self, out: &mut Vec<SttEvent>) {
        self.is_left_unfinished |= !self.is_final();
        if let Some(utterance) = self.utterance.take() {
            out.push(SttEvent::Final { text: utterance.words() });
        }
    }
}

/// Words after words: with a space, except in scripts that have none.
fn join(before: &str, after: &str) -> String {
    let (before, after) = (before.trim(), after.trim());
    let has_space = |character: Option<char>| !character.is_some_and(is_spaceless);
    let space = !before.is_empty()
        && !after.is_empty()
        && has_space(before.chars().next_back())
        && has_space(after.chars().next());
    format!("{before}{}{after}", if space { " " } else { "" })
}

/// Thai, Chinese, Japanese.
fn is_spaceless(character: char) -> bool {
    matches!(character, '\u{0e00}'..='\u{0e7f}' | '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

/// What comes after the words that stand at the end of `before` already.
fn without_repeated<'a>(before: &str, words: &'a str) -> &'a str {
    let words = words.trim_start();
    let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let tail: Vec<String> = before.split_whitespace().rev().take(MOST_REPEATED).map(plain).collect();
    for many in (1..=tail.len()).rev() {
        let repeated: Vec<&str> = words.split_whitespace().take(many).collect();
        let is_same =
            repeated.len() == many && repeated.iter().map(|word| plain(word)).eq(tail[..many].iter().rev().cloned());
        if is_same {
            let end = repeated.last().map_or(0, |last| last.as_ptr() as usize - words.as_ptr() as usize + last.len());
            return words.get(end..).unwrap_or_default();
        }
    }
    words
}

#[cfg(test)]
mod tests;
