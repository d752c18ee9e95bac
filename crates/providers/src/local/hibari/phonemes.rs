//! Words to phonemes to the ids that the voice takes.
//!
//! `misaki-rs` knows the words of its lexicon; what it does not know, a small network spells out by sound.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use misaki_rs::fallback::FallbackError;
use misaki_rs::{Fallback, G2P, Language};
use ort::session::Session;
use ort::value::TensorRef;

use crate::local::runtime::{self, LoadError, Runtime};

/// The id at both ends of every clause.
const BOUNDARY: i64 = 0;
/// More phonemes at once than this blur the voice; its authors' own limit.
const CLAUSE_PHONEMES: usize = 400;
/// Letters that the network for unknown words takes at once; a longer word is sounded out in pieces.
const UNKNOWN_WORD_LETTERS: usize = 24;
/// The longest unknown word that is sounded out at all. No word is longer; what is, is noise.
const LONGEST_WORD_LETTERS: usize = 4 * UNKNOWN_WORD_LETTERS;

/// The phonemiser with the voice's alphabet.
pub(super) struct Phonemes {
    g2p: G2P,
    alphabet: HashMap<char, i64>,
}

impl Phonemes {
    pub(super) fn load(runtime: &Runtime, dir: &Path) -> Result<Self, LoadError> {
        let path = dir.join("vocab.json");
        let alphabet: HashMap<char, i64> =
            serde_json::from_slice(&runtime::read(&path)?).map_err(|error| LoadError::corrupt(&path, &error))?;
        let unknown = UnknownWords::load(runtime, dir)?;
        Ok(Self { g2p: G2P::with_fallback(Language::EnglishUS, Some(Box::new(unknown))), alphabet })
    }

    /// The ids of `text`, cut into clauses that the voice can take. Empty when there is nothing to pronounce.
    ///
    /// # Errors
    /// When the phonemiser gives up on the text.
    pub(super) fn clauses(&self, text: &str) -> Result<Vec<Vec<i64>>, String> {
        // A foreign crate over free text: a panic in it must cost one sentence, not the voice.
        let (phonemes, _) = catch_unwind(AssertUnwindSafe(|| self.g2p.g2p(text)))
            .map_err(|_| "the phonemiser panicked".to_owned())?
            .map_err(|error| error.to_string())?;
        let ids: Vec<(char, i64)> =
            phonemes.chars().filter_map(|symbol| Some((symbol, *self.alphabet.get(&symbol)?))).collect();
        let clauses = cut(&ids).into_iter().filter(|clause| clause.iter().any(|(symbol, _)| symbol.is_alphabetic()));
        let bounded = |clause: &[(char, i64)]| {
            let inner = clause.iter().map(|(_, id)| *id);
            std::iter::once(BOUNDARY).chain(inner).chain(std::iter::once(BOUNDARY)).collect()
        };
        Ok(clauses.map(bounded).collect())
    }
}

/// Cuts after the last clause mark that fits, else after the last space, else wherever the limit is.
fn cut(ids: &[(char, i64)]) -> Vec<&[(char, i64)]> {
    let mut clauses = Vec::new();
    let mut rest = ids;
    while rest.len() > CLAUSE_PHONEMES {
        let head = &rest[..CLAUSE_PHONEMES];
        let mark = head.iter().rposition(|(symbol, _)| ",;:.!?—…".contains(*symbol));
        let space = head.iter().rposition(|(symbol, _)| *symbol == ' ');
        // A mark right at the start would leave a scrap.
        let at = mark.filter(|at| *at > CLAUSE_PHONEMES / 4).or(space).filter(|at| *at > 0);
        let (clause, after) = rest.split_at(at.map_or(CLAUSE_PHONEMES, |at| at + 1));
        clauses.push(clause);
        rest = after;
    }
    clauses.push(rest);
    clauses
}

/// The network that sounds out words that are in no lexicon.
struct UnknownWords {
    session: Mutex<Session>,
    letters: HashMap<char, i64>,
    sounds: Vec<String>,
}

/// `oov.json`: the alphabets of the network, in the order of their ids from 1 on.
#[derive(serde::Deserialize)]
struct Alphabets {
    r#in: Vec<char>,
    out: Vec<String>,
}

impl UnknownWords {
    fn load(runtime: &Runtime, dir: &Path) -> Result<Self, LoadError> {
        let path = dir.join("oov.json");
        let alphabets: Alphabets =
            serde_json::from_slice(&runtime::read(&path)?).map_err(|error| LoadError::corrupt(&path, &error))?;
        Ok(Self {
            session: Mutex::new(runtime.session(&dir.join("oov.onnx"))?),
            letters: alphabets.r#in.into_iter().zip(1..).collect(),
            sounds: alphabets.out,
        })
    }

    fn sound_out(&self, word: &str) -> ort::Result<String> {
        let letters = word.chars().filter_map(|c| self.letters.get(&c).copied());
        let ids: Vec<i64> = letters.take(LONGEST_WORD_LETTERS).collect();
        ids.chunks(UNKNOWN_WORD_LETTERS).map(|piece| self.sounds_of(piece)).collect()
    }

    fn sounds_of(&self, ids: &[i64]) -> ort::Result<String> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(ort::inputs!["chars" => TensorRef::from_array_view(([1, ids.len()], ids))?])?;
        let (_, sounds) = outputs[0].try_extract_tensor::<i64>()?;
        // Connectionist decoding: a repeated id is one sound, and 0 is none.
        let mut last = 0;
        let mut phonemes = String::new();
        for &id in sounds {
            let sound = usize::try_from(id - 1).ok().and_then(|index| self.sounds.get(index));
            if let Some(sound) = sound.filter(|_| id != last) {
                phonemes.push_str(sound);
            }
            last = id;
        }
        Ok(phonemes)
    }
}

impl Fallback for UnknownWords {
    /// Never fails: an error would lose the whole sentence for the sake of one word.
    fn phonemize(&self, word: &str) -> Result<String, FallbackError> {
        Ok(self.sound_out(word).unwrap_or_else(|error| {
            tracing::warn!(provider = super::PROVIDER, %error, "cannot sound out a word");
            String::new()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_at_its_marks() {
        let ids = |text: &str| text.chars().map(|c| (c, 1)).collect::<Vec<_>>();
        let long = format!("{}, {}", "ab ".repeat(100), "cd ".repeat(100));
        let long = ids(&long);
        let clauses = cut(&long);
        assert_eq!(clauses.len(), 2);
        assert_eq!(clauses[0].last().map(|(c, _)| *c), Some(','));
        assert_eq!(clauses.concat(), long);

        let unbroken = ids(&"x".repeat(1_000));
        assert!(cut(&unbroken).iter().all(|clause| clause.len() <= CLAUSE_PHONEMES));
        assert_eq!(cut(&unbroken).concat().len(), 1_000);
    }
}
