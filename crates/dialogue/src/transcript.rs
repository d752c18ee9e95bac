//! What was said, heard and done, in order: the memory of the conversation.

use crate::ToolCall;

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// The caller.
    Caller,
    /// The agent.
    Agent,
}

/// One thing that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Words: what the caller said, or what the caller heard of the agent.
    Said {
        /// Who spoke.
        speaker: Speaker,
        /// The words.
        text: String,
    },
    /// The agent called a tool; [`Entry::ToolReturned`] follows at once.
    ToolCalled(ToolCall),
    /// What the tool gave back.
    ToolReturned {
        /// The model's id of the call.
        id: String,
        /// The tool's name.
        name: String,
        /// The result.
        output: String,
    },
    /// A result that came when its turn was over, or of a tool that nobody waited for.
    ToolNews {
        /// The tool's name.
        name: String,
        /// The result.
        output: String,
    },
    /// What older entries said, in short.
    Summary(String),
}

impl Entry {
    fn chars(&self) -> usize {
        match self {
            Self::Said { text, .. } | Self::Summary(text) => text.len(),
            Self::ToolCalled(call) => call.name.len() + call.arguments.len(),
            Self::ToolReturned { name, output, .. } | Self::ToolNews { name, output } => name.len() + output.len(),
        }
    }
}

/// All entries, oldest first. Two utterances in a row never have the same speaker: later words join the earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    entries: Vec<Entry>,
}

impl Transcript {
    /// The entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds words; empty ones leave no trace.
    pub fn push(&mut self, speaker: Speaker, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        match self.entries.last_mut() {
            Some(Entry::Said { speaker: last, text: words }) if *last == speaker => {
                words.push(' ');
                words.push_str(text);
            }
            _ => self.entries.push(Entry::Said { speaker, text: text.to_owned() }),
        }
    }

    /// Adds something that was done.
    pub fn note(&mut self, entry: Entry) {
        match entry {
            Entry::Said { speaker, text } => self.push(speaker, &text),
            other => self.entries.push(other),
        }
    }

    /// The entries with the caller's words at the end: a prompt.
    pub fn prompt_with(&self, caller_words: &str) -> Vec<Entry> {
        let mut prompt = self.clone();
        prompt.push(Speaker::Caller, caller_words);
        prompt.entries
    }

    /// How long the entries are, in bytes of text.
    pub(crate) fn chars(&self) -> usize {
        self.entries.iter().map(Entry::chars).sum()
    }

    /// The oldest entries that can be summarised together: about half of all, cut where the caller speaks, so that no
    /// tool call is parted from its result and no question from its answer.
    pub(crate) fn oldest_half(&self) -> &[Entry] {
        let half = self.chars() / 2;
        let mut chars = 0;
        let mut cut = 0;
        for (index, entry) in self.entries.iter().enumerate() {
            if matches!(entry, Entry::Said { speaker: Speaker::Caller, .. }) {
                cut = index;
                if chars >= half {
                    break;
                }
            }
            chars += entry.chars();
        }
        &self.entries[..cut]
    }

    /// Puts a summary in the place of the oldest `count` entries.
    pub(crate) fn fold(&mut self, count: usize, summary: String) {
        if count > 0 && count <= self.entries.len() {
            self.entries.splice(..count, [Entry::Summary(summary)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Speaker, Transcript};

    #[test]
    fn words_of_one_speaker_join() {
        let mut transcript = Transcript::default();
        transcript.push(Speaker::Caller, "wait ");
        transcript.push(Speaker::Caller, " I mean Tuesday");
        transcript.push(Speaker::Agent, "   ");
        assert_eq!(
            transcript.entries(),
            [Entry::Said { speaker: Speaker::Caller, text: "wait I mean Tuesday".to_owned() }]
        );
    }

    #[test]
    fn the_oldest_half_ends_before_a_question_and_is_folded() {
        let mut transcript = Transcript::default();
        for turn in 0..6 {
            transcript.push(Speaker::Caller, &format!("question {turn}"));
            transcript.push(Speaker::Agent, &format!("an answer {turn}"));
        }
        let count = transcript.oldest_half().len();
        assert!(count.is_multiple_of(2) && (4..=8).contains(&count), "{count} entries");
        transcript.fold(count, "They spoke.".to_owned());
        assert_eq!(transcript.entries().len(), 12 - count + 1);
        assert_eq!(transcript.entries()[0], Entry::Summary("They spoke.".to_owned()));
    }
}
