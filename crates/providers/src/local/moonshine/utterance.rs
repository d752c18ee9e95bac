//! One utterance: the audio that is still open to change, the words of the part that is not, and where to cut.
//!
//! Pure. The model's cost grows faster than the length of what it reads, and beyond 15 s it invents words, so a long
//! utterance is cut at a quiet place and the words before the cut are kept.

/// Longer than this, a segment is cut at the next pause.
const COMFORTABLE_SAMPLES: usize = 10 * RATE;
/// Longer than this, a segment is cut at its quietest place, pause or not.
const LONGEST_SAMPLES: usize = 15 * RATE;
/// No cut before this, so that a segment has enough context to be understood.
const SHORTEST_CUT_SAMPLES: usize = 5 * RATE;
/// The stretch whose loudness counts: 30 ms, about the shortest sound that carries meaning.
const FRAME_SAMPLES: usize = 480;
/// A pause between words: 180 ms.
const PAUSE_FRAMES: usize = 6;
/// Shorter than any word: 100 ms.
const SHORTEST_WORD_SAMPLES: usize = RATE / 10;
/// The loudest frame of digital silence or of a muted microphone (−54 dBFS).
const SILENCE_RMS: f32 = 0.002;
/// The loudest frame in which nobody speaks into a working microphone (−40 dBFS).
const FAINT_RMS: f32 = 0.01;
/// A decode is trusted to be complete when it heard this much silence at its end: 90 ms.
const SETTLED_FRAMES: usize = 3;
/// So often in a row nobody says the same phrase; a model that lost its way does.
const REPEATS: usize = 4;
/// The longest phrase that is looked at for repeats.
const PHRASE_WORDS: usize = 6;
/// What the model says when nobody speaks (seen on silence, faint noise and hum).
const HALLUCINATIONS: [&str; 5] = ["you", "thank you", "bye", "so", "the"];
const RATE: usize = crate::stt::SAMPLE_RATE_HZ as usize;

/// An utterance in the making.
#[derive(Debug, Default)]
pub(super) struct Utterance {
    kept: String,
    open: Vec<f32>,
    heard: Option<Heard>,
}

/// What was understood of the open audio.
#[derive(Debug)]
struct Heard {
    samples: usize,
    text: String,
}

impl Utterance {
    pub(super) fn append(&mut self, audio: &[f32]) {
        self.open.extend_from_slice(audio);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The audio whose words may still change.
    pub(super) fn open(&self) -> &[f32] {
        &self.open
    }

    /// Samples that no decode has heard yet.
    pub(super) fn unheard_samples(&self) -> usize {
        self.open.len() - self.heard.as_ref().map_or(0, |heard| heard.samples)
    }

    /// Where to cut the open audio, once it is too long to be read at once.
    pub(super) fn cut(&self) -> Option<usize> {
        if self.open.len() <= COMFORTABLE_SAMPLES {
            return None;
        }
        let longest = self.open.len().min(LONGEST_SAMPLES);
        let levels: Vec<f32> = self.open[..longest].chunks_exact(FRAME_SAMPLES).map(rms).collect();
        let first = SHORTEST_CUT_SAMPLES / FRAME_SAMPLES;
        let (quietest, level) = levels
            .windows(PAUSE_FRAMES)
            .enumerate()
            .skip(first)
            .map(|(at, window)| (at, mean(window)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))?;
        // A tenth of the mean level is a breath or a gap between sentences, not a soft consonant.
        let is_pause = level < (mean(&levels) / 10.0).max(SILENCE_RMS);
        let must_cut = self.open.len() > LONGEST_SAMPLES;
        (is_pause || must_cut).then(|| (quietest + PAUSE_FRAMES / 2) * FRAME_SAMPLES)
    }

    /// Keeps `text` as the words of the first `samples` of the open audio.
    pub(super) fn keep(&mut self, samples: usize, text: &str) {
        self.kept = join(&self.kept, text);
        self.open.drain(..samples.min(self.open.len()));
        self.heard = None;
    }

    /// Takes `text` as the words of the first `samples` of the open audio, until more is known.
    pub(super) fn hear(&mut self, samples: usize, text: String) {
        self.heard = Some(Heard { samples: samples.min(self.open.len()), text });
    }

    /// Whether the last decode heard all there is to hear: whatever came after it is silence.
    pub(super) fn is_settled(&self) -> bool {
        let Some(heard) = &self.heard else { return is_silent(&self.open) };
        let (before, after) = self.open.split_at(heard.samples);
        let tail = &before[before.len().saturating_sub(SETTLED_FRAMES * FRAME_SAMPLES)..];
        after.is_empty() || (is_silent(after) && is_silent(tail))
    }

    /// All words so far.
    pub(super) fn text(&self) -> String {
        join(&self.kept, self.heard.as_ref().map_or("", |heard| &heard.text))
    }
}

/// Whether there is nothing in `audio` that the model should be asked about: it is too short for a word, or silent.
pub(super) fn is_wordless(audio: &[f32]) -> bool {
    audio.len() < SHORTEST_WORD_SAMPLES || is_silent(audio)
}

fn is_silent(audio: &[f32]) -> bool {
    loudest(audio) < SILENCE_RMS
}

/// What the model said, without what it made up and without marks that are no words.
pub(super) fn clean(text: &str, audio: &[f32]) -> String {
    // Now and then the model takes a sentence for a quotation.
    let text = text.replace(['♪', '♫', '"'], " ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_faint = loudest(audio) < FAINT_RMS;
    let sensible = sensible_words(&words);
    let kept = words[..sensible].join(" ");
    if !kept.chars().any(char::is_alphanumeric) || (is_faint && sensible < words.len()) {
        return String::new();
    }
    let bare = kept.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    if is_faint && HALLUCINATIONS.contains(&bare.as_str()) { String::new() } else { kept }
}

/// How many words come before the model begins to repeat itself for good, with the phrase said once.
fn sensible_words(words: &[&str]) -> usize {
    for start in 0..words.len() {
        for phrase in 1..=PHRASE_WORDS {
            let end = start + phrase * REPEATS;
            // Only a repetition that lasts to the end is the model's; people repeat themselves and go on.
            let repeats = || (start + phrase..words.len()).all(|at| words[at].eq_ignore_ascii_case(words[at - phrase]));
            if end <= words.len() && repeats() {
                return start + phrase;
            }
        }
    }
    words.len()
}

fn join(before: &str, after: &str) -> String {
    match (before, after) {
        ("", text) | (text, "") => text.to_owned(),
        _ => format!("{before} {after}"),
    }
}

fn loudest(audio: &[f32]) -> f32 {
    audio.chunks(FRAME_SAMPLES).map(rms).fold(0.0, f32::max)
}

fn rms(frame: &[f32]) -> f32 {
    (frame.iter().map(|sample| sample * sample).sum::<f32>() / frame.len().max(1) as f32).sqrt()
}

fn mean(levels: &[f32]) -> f32 {
    levels.iter().sum::<f32>() / levels.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(seconds: f32) -> Vec<f32> {
        (0..(seconds * RATE as f32) as usize).map(|i| 0.2 * (i as f32 * 0.3).sin()).collect()
    }

    #[test]
    fn a_long_utterance_is_cut_in_its_pause() {
        let mut utterance = Utterance::default();
        utterance.append(&tone(7.0));
        utterance.append(&vec![0.0; RATE / 2]);
        utterance.append(&tone(3.5));
        let cut = utterance.cut().expect("longer than is comfortable");
        assert!((7 * RATE..=7 * RATE + RATE / 2).contains(&cut), "cut at {cut}");
        utterance.keep(cut, "one");
        utterance.hear(utterance.open().len(), "two".to_owned());
        assert_eq!(utterance.text(), "one two");
        assert!(utterance.cut().is_none());
    }

    #[test]
    fn without_a_pause_the_cut_comes_at_fifteen_seconds() {
        let mut utterance = Utterance::default();
        utterance.append(&tone(14.9));
        assert!(utterance.cut().is_none());
        utterance.append(&tone(0.3));
        assert!(utterance.cut().is_some_and(|cut| (SHORTEST_CUT_SAMPLES..=LONGEST_SAMPLES).contains(&cut)));
    }

    #[test]
    fn silence_after_a_settled_decode_asks_for_no_other() {
        let mut utterance = Utterance::default();
        utterance.append(&tone(1.0));
        utterance.append(&vec![0.0; RATE / 5]);
        utterance.hear(utterance.open().len(), "hello".to_owned());
        utterance.append(&vec![0.0; RATE]);
        assert!(utterance.is_settled());
        utterance.append(&tone(0.1));
        assert!(!utterance.is_settled());
    }

    #[test]
    fn words_invented_on_silence_are_dropped_and_spoken_ones_kept() {
        let faint = vec![0.002; RATE];
        for text in ["You", "you.", "♪♪♪", "", "...", "Thank you."] {
            assert_eq!(clean(text, &faint), "", "{text:?}");
        }
        assert_eq!(clean("The first is the first is the first is the first is", &faint), "");
        assert_eq!(
            clean("Well the first is the first is the first is the first is the", &tone(0.5)),
            "Well the first is"
        );
        assert_eq!(clean("No, no, no, no, stop", &tone(0.5)), "No, no, no, no, stop");
        assert_eq!(clean("You", &tone(0.5)), "You");
        assert_eq!(clean(" Hello,  world. ♪", &faint), "Hello, world.");
    }
}
