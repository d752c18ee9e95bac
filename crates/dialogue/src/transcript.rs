//! What was said and heard, in order: the memory of the conversation.

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Speaker {
    /// The caller.
    Caller,
    /// The agent.
    Agent,
}

/// One speaker's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who spoke.
    pub speaker: Speaker,
    /// The words: what the caller said, or what the caller heard of the agent.
    pub text: String,
}

/// All entries, oldest first. Two entries in a row never have the same speaker: later words join the earlier ones.
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
            Some(last) if last.speaker == speaker => {
                last.text.push(' ');
                last.text.push_str(text);
            }
            _ => self.entries.push(Entry { speaker, text: text.to_owned() }),
        }
    }

    /// The entries with the caller's words at the end: a prompt.
    pub fn prompt_with(&self, caller_words: &str) -> Vec<Entry> {
        let mut prompt = self.clone();
        prompt.push(Speaker::Caller, caller_words);
        prompt.entries
    }
}

#[cfg(test)]
mod tests {
    use super::{Speaker, Transcript};

    #[test]
    fn words_of_one_speaker_join() {
        let mut transcript = Transcript::default();
        transcript.push(Speaker::Caller, "wait ");
        transcript.push(Speaker::Caller, " I mean Tuesday");
        transcript.push(Speaker::Agent, "   ");
        assert_eq!(transcript.entries().len(), 1);
        assert_eq!(transcript.entries()[0].text, "wait I mean Tuesday");
    }
}
