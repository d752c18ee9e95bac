//! Lines that are said again and again, such as a greeting or an apology: spoken from memory once they were spoken whole.
//!
//! That saves the wait and the vendor's bill, and an apology can still be spoken when no voice can be reached.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::tts::SpeechRequest;

/// All audio that is kept: about half an hour at 24 kHz. What comes after that is not kept.
const MOST_SAMPLES: usize = 48_000_000;

/// The audio of fixed lines, shared by all calls. Holds nothing that callers or models said.
#[derive(Debug, Default)]
pub struct LineMemory {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    audio: HashMap<Key, Arc<[f32]>>,
    samples: usize,
}

/// Who says what, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    provider: String,
    voice: Option<String>,
    speed_bits: u32,
    text: String,
}

/// The fixed lines of one agent, and where their audio is kept.
#[derive(Debug, Clone)]
pub struct FixedLines {
    lines: Arc<HashSet<String>>,
    memory: Arc<LineMemory>,
}

impl FixedLines {
    /// These lines, kept there.
    pub fn new(lines: impl IntoIterator<Item = String>, memory: Arc<LineMemory>) -> Self {
        Self { lines: Arc::new(lines.into_iter().collect()), memory }
    }

    /// Whether it is one of them.
    pub(super) fn has(&self, request: &SpeechRequest) -> bool {
        self.lines.contains(&request.text)
    }

    /// The whole line as this provider spoke it once.
    pub(super) fn recall(&self, provider: &str, request: &SpeechRequest) -> Option<Arc<[f32]>> {
        self.memory.lock().audio.get(&key(provider, request)).cloned()
    }

    /// Keeps a line that this provider spoke whole.
    pub(super) fn keep(&self, provider: &str, request: &SpeechRequest, audio: Vec<f32>) {
        let mut kept = self.memory.lock();
        if kept.samples + audio.len() <= MOST_SAMPLES {
            kept.samples += audio.len();
            // Two calls may have spoken it at once; the first one's stays counted.
            if let Some(before) = kept.audio.insert(key(provider, request), audio.into()) {
                kept.samples -= before.len();
            }
        }
    }
}

impl LineMemory {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Whole after every line that touches it.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(provider: &str, request: &SpeechRequest) -> Key {
    let SpeechRequest { text, voice, speed } = request;
    Key { provider: provider.to_owned(), voice: voice.clone(), speed_bits: speed.to_bits(), text: text.clone() }
}
