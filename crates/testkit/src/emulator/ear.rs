//! What emulated recognisers have in common: when someone speaks, and which words.
//!
//! Loudness tells speech from silence. Words come from [`tone`](super::tone)s; an utterance without any is taken for
//! the script's next transcript, of which a word is revealed every [`WORD_MS`].

use super::tone::Reader;

/// How finely speech is told from silence.
const FRAME_MS: u32 = 20;
/// Root mean square above which a frame is loud.
const LOUD: f32 = 0.01;
/// So much loudness is speech.
const SPEECH_MS: u32 = 60;
/// By then the first word of an utterance in tones has begun.
const VERDICT_MS: u32 = 200;
/// How fast scripted words are spoken.
const WORD_MS: u32 = 250;

/// What an ear notices. Times are milliseconds of audio since the stream began.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    /// Someone speaks.
    Began { at_ms: u32 },
    /// Another word is known: all words of the utterance so far.
    Words { text: String, at_ms: u32 },
    /// The utterance is over.
    Ended { utterance: Utterance },
}

/// An utterance.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Utterance {
    pub(super) words: Vec<HeardWord>,
    pub(super) began_ms: u32,
    pub(super) ended_ms: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeardWord {
    pub(super) text: String,
    pub(super) began_ms: u32,
    pub(super) ended_ms: u32,
}

impl Utterance {
    pub(super) fn text(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// The words of a whole recording.
pub(super) fn transcribe(samples: &[f32], rate_hz: u32, script: impl FnMut() -> String) -> String {
    let endpoint_ms = 700;
    let mut ear = Ear::new(rate_hz, endpoint_ms, script);
    let mut heard = ear.listen(samples);
    heard.extend(ear.finish());
    let texts = heard.into_iter().filter_map(|heard| match heard {
        Heard::Ended { utterance } => Some(utterance.text()),
        Heard::Began { .. } | Heard::Words { .. } => None,
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// An ear in the middle of a stream.
pub(super) struct Ear<S> {
    rate_hz: u32,
    /// Silence after which an utterance is over.
    endpoint_ms: u32,
    script: S,
    pending: Vec<f32>,
    at_ms: u32,
    loud_ms: u32,
    reader: Reader,
    state: State,
}

enum State {
    Silent,
    Speaking { utterance: Utterance, silent_ms: u32, source: Source },
}

/// Where the words of an utterance come from.
enum Source {
    NotKnownYet,
    Tones,
    /// The words that are still to be revealed, the next one last.
    Script(Vec<String>),
}

impl<S: FnMut() -> String> Ear<S> {
    pub(super) fn new(rate_hz: u32, endpoint_ms: u32, script: S) -> Self {
        Self {
            rate_hz,
            endpoint_ms,
            script,
            pending: Vec::new(),
            at_ms: 0,
            loud_ms: 0,
            reader: Reader::new(rate_hz),
            state: State::Silent,
        }
    }

    /// Audio so far.
    pub(super) fn at_ms(&self) -> u32 {
        self.at_ms
    }

    /// Takes samples of any number; gives what was noticed in them.
    pub(super) fn listen(&mut self, samples: &[f32]) -> Vec<Heard> {
        self.pending.extend_from_slice(samples);
        let length = (self.rate_hz / 1_000 * FRAME_MS) as usize;
        let mut heard = Vec::new();
        let pending = std::mem::take(&mut self.pending);
        let frames = pending.chunks_exact(length);
        self.pending = frames.remainder().to_vec();
        frames.for_each(|frame| self.take_frame(frame, &mut heard));
        heard
    }

    /// The stream is over, and with it the utterance.
    pub(super) fn finish(&mut self) -> Option<Heard> {
        if let Some(word) = self.reader.finish() {
            self.add_word(&word);
        }
        self.end_utterance()
    }

    fn take_frame(&mut self, frame: &[f32], heard: &mut Vec<Heard>) {
        self.at_ms += FRAME_MS;
        let is_loud = audio::energy::rms(frame) > LOUD;
        self.loud_ms = if is_loud { self.loud_ms + FRAME_MS } else { 0 };
        if matches!(self.state, State::Silent) && self.loud_ms >= SPEECH_MS {
            let began_ms = self.at_ms - SPEECH_MS;
            let utterance = Utterance { began_ms, ended_ms: self.at_ms, words: Vec::new() };
            self.state = State::Speaking { utterance, silent_ms: 0, source: Source::NotKnownYet };
            heard.push(Heard::Began { at_ms: began_ms });
        }
        let known_before = self.words_known();
        for word in self.reader.read(frame) {
            self.add_word(&word);
        }
        self.decide_source();
        self.reveal(is_loud);
        if let State::Speaking { utterance, .. } = &self.state
            && utterance.words.len() > known_before
        {
            heard.push(Heard::Words { text: utterance.text(), at_ms: self.at_ms });
        }
        if self.note_silence(is_loud) >= self.endpoint_ms {
            heard.extend(self.end_utterance());
        }
    }

    fn words_known(&self) -> usize {
        match &self.state {
            State::Silent => 0,
            State::Speaking { utterance, .. } => utterance.words.len(),
        }
    }

    fn add_word(&mut self, word: &super::tone::reader::Word) {
        let ms = |sample: usize| (sample as u64 * 1_000 / u64::from(self.rate_hz)) as u32;
        let (began_ms, ended_ms) = (ms(word.start), ms(word.end));
        if let State::Speaking { utterance, source, .. } = &mut self.state {
            *source = Source::Tones;
            utterance.words.push(HeardWord { text: word.text.clone(), began_ms, ended_ms });
        }
    }

    fn decide_source(&mut self) {
        let is_reading = self.reader.is_reading();
        let State::Speaking { utterance, source: source @ Source::NotKnownYet, .. } = &mut self.state else { return };
        if is_reading {
            *source = Source::Tones;
        } else if self.at_ms - utterance.began_ms >= VERDICT_MS {
            *source = scripted(&mut self.script);
        }
    }

    /// Makes the next scripted word known when it is time.
    fn reveal(&mut self, is_loud: bool) {
        let State::Speaking { utterance, source: Source::Script(words), .. } = &mut self.state else { return };
        let due = (self.at_ms - utterance.began_ms) / WORD_MS;
        if is_loud
            && utterance.words.len() < due as usize
            && let Some(text) = words.pop()
        {
            let began_ms = self.at_ms - WORD_MS.min(self.at_ms);
            utterance.words.push(HeardWord { text, began_ms, ended_ms: self.at_ms });
        }
    }

    /// How long it has been silent inside an utterance.
    fn note_silence(&mut self, is_loud: bool) -> u32 {
        let State::Speaking { utterance, silent_ms, .. } = &mut self.state else { return 0 };
        if is_loud {
            *silent_ms = 0;
            utterance.ended_ms = self.at_ms;
        } else {
            *silent_ms += FRAME_MS;
        }
        *silent_ms
    }

    fn end_utterance(&mut self) -> Option<Heard> {
        self.loud_ms = 0;
        let State::Speaking { mut utterance, source, .. } = std::mem::replace(&mut self.state, State::Silent) else {
            return None;
        };
        let source = match source {
            Source::NotKnownYet => scripted(&mut self.script),
            known @ (Source::Tones | Source::Script(_)) => known,
        };
        if let Source::Script(mut words) = source {
            let at = utterance.ended_ms;
            while let Some(text) = words.pop() {
                utterance.words.push(HeardWord { text, began_ms: at, ended_ms: at });
            }
        }
        Some(Heard::Ended { utterance })
    }
}

fn scripted(script: &mut impl FnMut() -> String) -> Source {
    Source::Script(script().split_whitespace().rev().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::{Ear, Heard, transcribe};
    use crate::emulator::tone;

    const RATE_HZ: u32 = 16_000;

    fn nothing() -> String {
        panic!("the script is not asked")
    }

    #[test]
    fn tones_are_understood_and_the_script_is_kept() {
        assert_eq!(transcribe(&tone::speak("book a table", RATE_HZ), RATE_HZ, nothing), "book a table");
    }

    #[test]
    fn speech_is_taken_for_the_next_lines_of_the_script() {
        let mut speech = crate::scripted::tone(RATE_HZ, 1_000);
        speech.extend(vec![0.0; 16_000]);
        let mut lines = ["first line", "second"].iter();
        let twice = [speech.clone(), speech].concat();
        let text = transcribe(&twice, RATE_HZ, || lines.next().expect("two utterances").to_string());
        assert_eq!(text, "first line second");
    }

    #[test]
    fn an_ear_tells_when_speech_begins_and_ends() {
        let mut audio = vec![0.0; 8_000];
        audio.extend(tone::speak("hi you", RATE_HZ));
        audio.extend(vec![0.0; 16_000]);
        let mut ear = Ear::new(RATE_HZ, 500, nothing);
        let heard: Vec<Heard> = audio.chunks(777).flat_map(|piece| ear.listen(piece)).collect();
        let [Heard::Began { at_ms: 500 }, Heard::Words { text, .. }, Heard::Words { .. }, Heard::Ended { utterance }] =
            heard.as_slice()
        else {
            panic!("{heard:?}")
        };
        assert_eq!((text.as_str(), utterance.text().as_str()), ("hi", "hi you"));
        // Two bursts of 4 and 5 symbols and the gap between them.
        assert_eq!((utterance.began_ms, utterance.ended_ms), (500, 500 + 10 * 40));
        assert_eq!((utterance.words[1].began_ms, utterance.words[1].ended_ms), (700, 900));
    }
}
