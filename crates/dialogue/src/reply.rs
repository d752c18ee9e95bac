//! One answer under way: what is written, what is being spoken, the ledger of what was heard, and the tools it called.

mod runs;
mod sentence;

pub(crate) use runs::{Run, RunState};
use sentence::Sentence;
pub use sentence::heard_words;

use crate::cutter::plain_text;
use crate::{
    Attempt, Entry, SentenceCutter, SentenceId, Speaker, Timestamp, ToolCall, ToolManner, ToolPlace, ToolRunId, TurnId,
    TurnTimings,
};

/// An answer under way.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) turn: TurnId,
    pub(crate) attempt: Attempt,
    /// The caller's words; empty if the agent speaks of its own accord.
    pub(crate) user_text: String,
    pub(crate) timings: TurnTimings,
    pub(crate) writing: Writing,
    /// Whether speech may interrupt it.
    pub(crate) interruptible: bool,
    /// Whether it only says that there is no answer.
    pub(crate) is_apology: bool,
    /// When it was asked for.
    pub(crate) started: Timestamp,
    pub(crate) runs: Vec<Run>,
    /// How often the model went on after tools.
    pub(crate) rounds: u32,
    /// How many of the runs the model has gone on from.
    folded: usize,
    /// How often the agent said that it is at it.
    pub(crate) fillers: usize,
    cutter: SentenceCutter,
    sentences: Vec<Sentence>,
}

/// Whether more text is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    Going,
    /// The model waits for its tools and goes on then.
    AwaitsTools,
    Done,
    Failed,
}

impl Reply {
    pub(crate) fn new(now: Timestamp, turn: TurnId, attempt: Attempt, user_text: String, timings: TurnTimings) -> Self {
        Self {
            turn,
            attempt,
            user_text,
            timings,
            writing: Writing::Going,
            interruptible: true,
            is_apology: false,
            started: now,
            runs: Vec::new(),
            rounds: 0,
            folded: 0,
            fillers: 0,
            cutter: SentenceCutter::default(),
            sentences: Vec::new(),
        }
    }

    /// Takes more text; gives the sentences it completed, to be spoken.
    pub(crate) fn write(&mut self, now: Timestamp, text: &str) -> Vec<(SentenceId, String)> {
        self.timings.first_text.get_or_insert(now);
        let pieces = self.cutter.push(text);
        pieces.into_iter().map(|piece| self.add_piece(now, piece)).collect()
    }

    /// Something else follows the text so far; gives the sentences that end there.
    pub(crate) fn pause_writing(&mut self, now: Timestamp) -> Vec<(SentenceId, String)> {
        let rest = self.cutter.finish();
        rest.into_iter().map(|piece| self.add_piece(now, piece)).collect()
    }

    /// No more text comes for now; gives the last sentences.
    pub(crate) fn finish_writing(&mut self, now: Timestamp, outcome: Writing) -> Vec<(SentenceId, String)> {
        self.writing = outcome;
        self.pause_writing(now)
    }

    /// Adds a sentence that the model did not write, such as an apology. It is spoken whole, without marks.
    pub(crate) fn add(&mut self, now: Timestamp, text: &str) -> (SentenceId, String) {
        self.add_piece(now, plain_text(text))
    }

    fn add_piece(&mut self, now: Timestamp, text: String) -> (SentenceId, String) {
        self.timings.first_clause.get_or_insert(now);
        let index = u32::try_from(self.sentences.len()).unwrap_or(u32::MAX);
        self.sentences.push(Sentence::new(text.clone()));
        (SentenceId { turn: self.turn, attempt: self.attempt, index }, text)
    }

    /// Adds a sentence that is said while tools run. It stands before their calls: what a model goes on from must end
    /// with their results.
    pub(crate) fn add_filler(&mut self, now: Timestamp, text: &str) -> (SentenceId, String) {
        self.fillers += 1;
        let sentence = self.add(now, text);
        let sentences = self.sentences.len();
        self.runs[self.folded..].iter_mut().for_each(|run| run.after_sentences = sentences);
        sentence
    }

    /// Notes a call of a tool; it waits to be started.
    pub(crate) fn call(&mut self, id: ToolRunId, call: ToolCall, manner: ToolManner) {
        self.runs.push(Run { id, call, manner, state: RunState::Waiting, after_sentences: self.sentences.len() });
    }

    /// True if there are calls that the model has not gone on from.
    pub(crate) fn has_unfolded_runs(&self) -> bool {
        self.runs.len() > self.folded
    }

    /// The model goes on from all calls so far.
    pub(crate) fn fold_runs(&mut self) {
        self.folded = self.runs.len();
        self.rounds += 1;
    }

    /// The model failed while it wrote calls: they never happened.
    pub(crate) fn forget_unfolded_runs(&mut self) {
        self.runs.truncate(self.folded);
    }

    /// Calls that were never started never happened.
    pub(crate) fn forget_waiting_runs(&mut self) {
        self.runs.retain(|run| run.state != RunState::Waiting);
    }

    /// Takes over what tools gave an attempt before this one, though not the words between them.
    pub(crate) fn inherit_runs(&mut self, old: &mut Self) {
        old.forget_unfolded_runs();
        self.runs = std::mem::take(&mut old.runs);
        self.runs.iter_mut().for_each(|run| run.after_sentences = 0);
        (self.folded, self.rounds, self.fillers) = (old.folded, old.rounds, old.fillers);
    }

    /// True once no more text is to come.
    pub(crate) fn is_written(&self) -> bool {
        matches!(self.writing, Writing::Done | Writing::Failed)
    }

    pub(crate) fn has_sentences(&self) -> bool {
        !self.sentences.is_empty()
    }

    pub(crate) fn text_of(&self, sentence: SentenceId) -> Option<&str> {
        Some(self.sentences.get(sentence.index as usize)?.text.as_str())
    }

    /// Milliseconds from now until all audio that is known is played, at most.
    pub(crate) fn unplayed_ms(&self) -> u64 {
        self.sentences.iter().map(Sentence::unplayed_ms).sum()
    }

    pub(crate) fn voice_made(&mut self, sentence: SentenceId, duration_ms: u32) {
        self.with(sentence, |s| s.made(duration_ms));
    }

    pub(crate) fn word_ends(&mut self, sentence: SentenceId, ends_ms: Vec<u32>) {
        self.with(sentence, |s| s.word_ends(ends_ms));
    }

    pub(crate) fn voice_broke_off(&mut self, sentence: SentenceId, duration_ms: u32) {
        self.with(sentence, |s| s.broke_off(duration_ms));
    }

    pub(crate) fn voice_failed(&mut self, sentence: SentenceId) {
        self.with(sentence, Sentence::failed);
    }

    /// Notes how far a sentence was heard. A voice that stands still while it is held is not heard on.
    pub(crate) fn heard_up_to(&mut self, now: Timestamp, sentence: SentenceId, ms: u32) {
        let before = self.heard_ms();
        self.with(sentence, |s| s.heard_up_to(ms));
        if self.heard_ms() > before || self.timings.last_heard.is_none() {
            self.timings.last_heard = Some(now);
        }
    }

    pub(crate) fn heard_all(&mut self, now: Timestamp, sentence: SentenceId) {
        self.timings.last_heard = Some(now);
        self.with(sentence, Sentence::heard_all);
    }

    /// True once no text is to come, no tool is awaited and no sentence is to be heard.
    pub(crate) fn is_over(&self) -> bool {
        self.is_written() && self.is_silent()
    }

    /// True while there is nothing left to be heard of what was written.
    pub(crate) fn is_silent(&self) -> bool {
        self.sentences.iter().all(Sentence::is_over)
    }

    /// True if any of it was heard.
    pub(crate) fn was_heard(&self) -> bool {
        self.sentences.iter().any(Sentence::was_heard)
    }

    /// All that was to be spoken.
    pub(crate) fn written_text(&self) -> String {
        join(self.sentences.iter().map(|s| s.text.clone()))
    }

    /// The sentences of which any was played, whole: what may come back as an echo.
    pub(crate) fn played_text(&self) -> String {
        join(self.sentences.iter().filter(|s| s.was_heard()).map(|s| s.text.clone()))
    }

    /// What the caller heard: whole sentences, and of a cut one the words that were complete.
    pub(crate) fn heard_text(&self) -> String {
        join(self.sentences.iter().map(Sentence::heard_text))
    }

    pub(crate) fn heard_ms(&self) -> u32 {
        self.sentences.iter().map(Sentence::heard_ms).sum()
    }

    /// The tools that were started, and after how much of [`Self::heard_text`].
    pub(crate) fn tool_places(&self) -> Vec<ToolPlace> {
        let place = |run: &Run| {
            let before = self.sentences.get(..run.after_sentences).unwrap_or_default();
            let heard_before = join(before.iter().map(Sentence::heard_text)).chars().count();
            ToolPlace { run: run.id, heard_before }
        };
        self.runs.iter().filter(|run| run.state != RunState::Waiting).map(place).collect()
    }

    /// What is remembered of it: words as they were heard, and between them the tools.
    pub(crate) fn heard_entries(&self) -> Vec<Entry> {
        self.entries(Sentence::heard_text)
    }

    /// What the model goes on from: words as they were written, and between them the tools.
    pub(crate) fn written_entries(&self) -> Vec<Entry> {
        self.entries(|sentence| sentence.text.clone())
    }

    fn entries(&self, text: impl Fn(&Sentence) -> String) -> Vec<Entry> {
        let mut entries = vec![Entry::Said { speaker: Speaker::Caller, text: self.user_text.clone() }];
        let said = |from: usize, to: usize| {
            let words = self.sentences.get(from..to).unwrap_or_default();
            Entry::Said { speaker: Speaker::Agent, text: join(words.iter().map(&text)) }
        };
        let mut from = 0;
        for run in self.runs.iter().filter(|run| run.state != RunState::Waiting) {
            entries.push(said(from, run.after_sentences));
            entries.extend(run.entries());
            from = run.after_sentences;
        }
        entries.push(said(from, self.sentences.len()));
        entries
    }

    fn with(&mut self, sentence: SentenceId, change: impl FnOnce(&mut Sentence)) {
        if let Some(entry) = self.sentences.get_mut(sentence.index as usize) {
            change(entry);
        }
    }
}

fn join(texts: impl Iterator<Item = String>) -> String {
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Reply, RunState, Writing};
    use crate::{Attempt, Entry, Timestamp, ToolCall, ToolManner, ToolPlace, ToolRunId, TurnId, TurnTimings};

    const NOW: Timestamp = Timestamp::ZERO;

    fn reply() -> Reply {
        Reply::new(NOW, TurnId(1), Attempt(1), "Hello?".to_owned(), TurnTimings::default())
    }

    #[test]
    fn an_answer_is_over_when_all_that_can_be_spoken_was_heard() {
        let mut reply = reply();
        let (first, _) = reply.add(NOW, "Yes.");
        let (second, _) = reply.add(NOW, "No.");
        reply.heard_all(NOW, first);
        reply.voice_failed(second);
        assert!(!reply.is_over(), "more text may come");
        reply.finish_writing(NOW, Writing::Done);
        assert!(reply.is_over());
        assert_eq!(reply.heard_text(), "Yes.");
    }

    #[test]
    fn a_voice_that_is_held_and_then_cut_was_last_heard_when_it_was_held() {
        let mut reply = reply();
        let (sentence, _) = reply.add(NOW, "Yes, of course.");
        let at = Timestamp::from_millis;
        reply.heard_up_to(at(1_000), sentence, 0);
        assert_eq!(reply.timings.last_heard, Some(at(1_000)));
        for now in [1_400, 2_400] {
            reply.heard_up_to(at(now), sentence, 400);
            assert_eq!(reply.timings.last_heard, Some(at(1_400)));
        }
    }

    #[test]
    fn what_is_written_before_a_call_stands_before_it() {
        let mut reply = reply();
        assert_eq!(reply.write(NOW, "Let me look."), [], "more of the sentence may come");
        assert_eq!(reply.pause_writing(NOW)[0].1, "Let me look.");
        let call = ToolCall { id: "c".to_owned(), name: "look".to_owned(), arguments: "{}".to_owned() };
        reply.call(ToolRunId(1), call, ToolManner::default());
        assert_eq!(reply.runs[0].after_sentences, 1);
    }

    #[test]
    fn tools_stand_between_the_words_around_them() {
        let mut reply = reply();
        let (first, _) = reply.add(NOW, "Let me look.");
        let call = ToolCall { id: "c".to_owned(), name: "look".to_owned(), arguments: "{}".to_owned() };
        reply.call(ToolRunId(1), call.clone(), ToolManner::default());
        reply.runs[0].state = RunState::Returned("42".to_owned());
        reply.add(NOW, "It is 42.");
        reply.heard_all(NOW, first);
        let entries = reply.heard_entries();
        assert_eq!(entries[2], Entry::ToolCalled(call));
        let texts: Vec<&str> = entries
            .iter()
            .filter_map(|e| if let Entry::Said { text, .. } = e { Some(text.as_str()) } else { None })
            .collect();
        assert_eq!(texts, ["Hello?", "Let me look.", ""], "the last words were not heard");
        assert_eq!(reply.tool_places(), [ToolPlace { run: ToolRunId(1), heard_before: "Let me look.".len() }]);
    }
}
