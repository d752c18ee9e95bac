//! Real recordings, spliced into cases whose truth is known: when the caller's turn ends, and what is no turn.

use std::path::Path;

use audio::energy;
use providers::vad::{VoiceActivity, WINDOW_SAMPLES};
use testkit::room::Room;

/// Everything is at this rate.
pub(crate) const RATE_HZ: usize = 16_000;
const LEAD_IN: usize = RATE_HZ / 2;
const HOP: usize = RATE_HZ / 100;
/// The detector's own threshold for speech.
const SPEECH: f32 = 0.5;
/// Longer recordings are readings of several sentences: whether a border between two is the end is a matter of taste.
const READING: usize = 7 * RATE_HZ;
/// Pauses that are put into sentences, in milliseconds: about as long as those of people who speak freely, most of them
/// around 0.7 s, one in six longer than 1.5 s. None lies on a threshold that is compared.
const PAUSES_MS: [usize; 6] = [350, 550, 700, 900, 1_150, 1_600];
/// In so many places of a sentence.
const PLACES: usize = 3;
/// At least so far from each other, in steps of [`HOP`].
const BETWEEN_PLACES: usize = 40;
/// Sentences among the prompts of Asterisk (Debian's `asterisk-core-sounds-en-wav`), picked by their words: the others
/// are parts of sentences, or lists.
const PROMPTS: [&str; 30] = [
    "agent-incorrect",
    "agent-newlocation",
    "agent-pass",
    "agent-user",
    "all-circuits-busy-now",
    "auth-incorrect",
    "cannot-complete-as-dialed",
    "check-number-dial-again",
    "conf-getconfno",
    "conf-getpin",
    "conf-invalid",
    "conf-kicked",
    "conf-leaderhasleft",
    "conf-noempty",
    "conf-onlyperson",
    "conf-waitforleader",
    "confbridge-only-participant",
    "confbridge-pin-bad",
    "demo-echodone",
    "dir-nomatch",
    "dir-nomore",
    "feature-not-avail-line",
    "invalid",
    "one-moment-please",
    "please-try-call-later",
    "pls-hold-while-try",
    "queue-thankyou",
    "ss-noservice",
    "vm-mismatch",
    "vm-nobox",
];

/// Delays in milliseconds and gains in decibels of the agent's voice on its way through loudspeaker and room.
const ECHOES: [(u32, i32); 8] =
    [(40, -10), (80, -12), (120, -15), (150, -18), (220, -24), (300, -12), (400, -20), (500, -28)];

/// How long walls go on: in the open, and in a living room.
const WALLS_MS: [u32; 2] = [0, 300];
/// How long the agent is listened to beside a loudspeaker.
const ECHO_MS: usize = 10_000;
/// How long the agent speaks beside a loudspeaker before it is interrupted.
const BESIDE_LEAD_IN: usize = 2 * RATE_HZ;

/// A recording cut to its speech.
#[derive(Clone)]
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) samples: Vec<f32>,
}

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Whole,
    Reading,
    Paused,
    Noisy,
    Assent,
    Interruption,
    /// The agent beside a loudspeaker, and nobody else.
    Echo(Way),
    /// The agent beside a loudspeaker, interrupted.
    InterruptionBeside(Way),
}

/// The way of the agent's voice through loudspeaker and room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Way {
    delay_ms: u32,
    gain_db: i32,
    /// How long the walls go on; 0 in the open.
    decay_ms: u32,
}

impl Way {
    pub(crate) fn room(self) -> Room {
        let gain = 10_f32.powf(self.gain_db as f32 / 20.0);
        match self.decay_ms {
            0 => Room::direct(self.delay_ms, gain),
            decay_ms => Room::reflecting(self.delay_ms, gain, decay_ms),
        }
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { delay_ms, gain_db, decay_ms } = self;
        write!(f, "{gain_db} dB after {delay_ms} ms, walls of {decay_ms} ms")
    }
}

/// Audio of the caller with its truth.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What the microphone hears, from the case's start.
    pub(crate) samples: Vec<f32>,
    /// Where the last speech ends, in samples.
    pub(crate) speech_ends: usize,
    /// Where the first speech begins, in samples.
    pub(crate) speech_begins: usize,
    /// Whether figures were tuned on it; the others are reported.
    pub(crate) tuned_on: bool,
}

/// Reads all recordings of a folder and cuts them to their speech.
pub(crate) fn recordings(folder: &Path, vad: &dyn VoiceActivity) -> Vec<Recording> {
    let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "wav"))
        .filter(|path| path.file_stem().is_some_and(|name| is_utterance(folder, &name.to_string_lossy())))
        .filter_map(|path| read(path, vad))
        .collect()
}

fn read(path: &Path, vad: &dyn VoiceActivity) -> Option<Recording> {
    let clip = audio::wav::read(&std::fs::read(path).ok()?).ok()?;
    let samples = if clip.rate_hz as usize == RATE_HZ {
        clip.samples
    } else {
        audio::resample::resample(&clip.samples, clip.rate_hz, RATE_HZ as u32)
    };
    let (begin, end) = speech(&samples, vad)?;
    let name = path.file_stem()?.to_string_lossy().into_owned();
    Some(Recording { name, samples: samples[begin..end].to_vec() })
}

/// Where the first and the last speech are, to a window of the detector.
fn speech(samples: &[f32], vad: &dyn VoiceActivity) -> Option<(usize, usize)> {
    let mut stream = vad.open();
    let mut probabilities = Vec::new();
    for window in samples.as_chunks::<WINDOW_SAMPLES>().0 {
        stream.windows.blocking_send(Box::new(*window)).ok()?;
        probabilities.push(stream.probabilities.blocking_recv()?);
    }
    let first = probabilities.iter().position(|p| *p >= SPEECH)?;
    let last = probabilities.iter().rposition(|p| *p >= SPEECH)?;
    Some((first * WINDOW_SAMPLES, (last + 1) * WINDOW_SAMPLES))
}

/// Whether a recording is a whole utterance; all are but most of Asterisk's prompts.
fn is_utterance(folder: &Path, name: &str) -> bool {
    !folder.join("vm-goodbye.wav").exists() || PROMPTS.contains(&name)
}

/// All cases of these recordings. Nothing was tuned on those of [`PROMPTS`], nor their speaker.
pub(crate) fn cases(recordings: &[Recording], assents: &[Recording]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, recording) in recordings.iter().enumerate() {
        let tuned_on = !PROMPTS.contains(&recording.name.as_str());
        let mut add = |kind, name: String, speech: &[f32]| cases.push(case(kind, name, speech, tuned_on));
        if recording.samples.len() > READING {
            add(Kind::Reading, recording.name.clone(), &recording.samples);
            continue;
        }
        add(Kind::Whole, recording.name.clone(), &recording.samples);
        let places = soft_places(&recording.samples);
        let pauses: Vec<(usize, Vec<f32>)> = places
            .iter()
            .enumerate()
            .map(|(place, &cut)| {
                let pause_ms = PAUSES_MS[(index * PLACES + place) % PAUSES_MS.len()];
                (pause_ms, with_pause(&recording.samples, cut, pause_ms))
            })
            .collect();
        for (pause_ms, paused) in &pauses {
            add(Kind::Paused, format!("{} +{pause_ms} ms", recording.name), paused);
        }
        for snr_db in [20.0, 10.0] {
            let mut noisy = |name: String, speech: &[f32]| {
                let mut noisy = case(Kind::Noisy, format!("{name} in noise of {snr_db} dB"), speech, tuned_on);
                add_noise(&mut noisy.samples, energy::rms(&recording.samples), snr_db);
                cases.push(noisy);
            };
            noisy(recording.name.clone(), &recording.samples);
            if let Some((pause_ms, paused)) = pauses.first() {
                noisy(format!("{} +{pause_ms} ms", recording.name), paused);
            }
        }
        let opening = &recording.samples[..recording.samples.len().min(2 * RATE_HZ)];
        cases.push(case(Kind::Interruption, recording.name.clone(), opening, tuned_on));
    }
    for (index, assent) in assents.iter().enumerate() {
        cases.push(case(Kind::Assent, assent.name.clone(), &assent.samples, index % 2 == 0));
    }
    cases.extend(beside_loudspeaker(recordings));
    cases
}

/// Each way in the open and in a room, with nobody there, then with somebody who interrupts.
fn beside_loudspeaker(recordings: &[Recording]) -> Vec<Case> {
    let mut cases = Vec::new();
    let ways =
        ECHOES.into_iter().flat_map(|(delay_ms, gain_db)| WALLS_MS.map(|decay_ms| Way { delay_ms, gain_db, decay_ms }));
    let mut openings = recordings.iter().filter(|recording| recording.samples.len() <= READING).cycle();
    for (index, way) in ways.enumerate() {
        let tuned_on = (index / WALLS_MS.len()).is_multiple_of(2);
        let nobody = vec![0.0; ECHO_MS * RATE_HZ / 1_000];
        cases.push(Case { samples: nobody, ..case(Kind::Echo(way), format!("echo of {way}"), &[], tuned_on) });
        if let Some(Recording { name, samples }) = openings.next() {
            let mut samples = samples[..samples.len().min(2 * RATE_HZ)].to_vec();
            // The echo is known before somebody speaks over it, as in a call that has gone on for some seconds.
            samples.splice(..0, vec![0.0; BESIDE_LEAD_IN]);
            let mut case =
                case(Kind::InterruptionBeside(way), format!("{name} over echo of {way}"), &samples, tuned_on);
            case.speech_begins += BESIDE_LEAD_IN;
            cases.push(case);
        }
    }
    cases
}

fn case(kind: Kind, name: String, speech: &[f32], tuned_on: bool) -> Case {
    let mut samples = vec![0.0; LEAD_IN];
    samples.extend(speech);
    let speech_ends = samples.len();
    samples.extend(std::iter::repeat_n(0.0, 3 * RATE_HZ));
    Case { name, kind, samples, speech_ends, speech_begins: LEAD_IN, tuned_on }
}

/// The softest places between the first fifth and the last eighth: between words, mostly.
fn soft_places(samples: &[f32]) -> Vec<usize> {
    let levels: Vec<f32> = samples.chunks(HOP).map(energy::rms).collect();
    let around = |at: usize| levels[at.saturating_sub(2)..(at + 3).min(levels.len())].iter().sum::<f32>();
    let mut inside: Vec<usize> = (levels.len() / 5..levels.len() * 7 / 8).collect();
    inside.sort_by(|&a, &b| around(a).total_cmp(&around(b)));
    let mut places: Vec<usize> = Vec::new();
    for at in inside {
        if places.len() < PLACES && places.iter().all(|place| place.abs_diff(at) > BETWEEN_PLACES) {
            places.push(at);
        }
    }
    places.iter().map(|at| at * HOP).collect()
}

fn with_pause(samples: &[f32], cut: usize, pause_ms: usize) -> Vec<f32> {
    let silence = std::iter::repeat_n(0.0, pause_ms * RATE_HZ / 1_000);
    samples[..cut].iter().copied().chain(silence).chain(samples[cut..].iter().copied()).collect()
}

/// White noise over everything, from a fixed seed.
fn add_noise(samples: &mut [f32], speech_rms: f32, snr_db: f32) {
    let level = speech_rms / 10_f32.powf(snr_db / 20.0) * 3_f32.sqrt();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for sample in samples {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *sample += level * ((state >> 40) as f32 / 8_388_608.0 - 1.0);
    }
}
