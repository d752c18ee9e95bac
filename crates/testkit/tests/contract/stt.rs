//! What every recogniser does.

use std::sync::Arc;
use std::time::Duration;

use providers::stt::{SAMPLE_RATE_HZ, SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use testkit::emulator::{Emulator, Pace, Script, tone};
use testkit::words;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::local;
use crate::vendors::{Encrypted, GOOGLE_SPEECH, OPENAI_TRANSCRIBER, Reach, Vendor};

/// A busy machine may need so long for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// A window of voice detection.
const WINDOW: usize = 512;

/// A recogniser under test, with speech that it understands.
struct Subject {
    ear: Arc<dyn SpeechToText>,
    speech: [Speech; 2],
    /// Speech of many seconds.
    long: Speech,
    /// Of so many words one may be misheard.
    words_for_an_error: usize,
    _emulator: Option<Emulator>,
}

#[derive(Clone)]
struct Speech {
    samples: Vec<f32>,
    words: String,
}

impl Subject {
    async fn vendor(vendor: Vendor<dyn SpeechToText>, encrypted: Encrypted) -> Self {
        // As the vendors do, an emulator that takes its time finds words that come too late.
        let script = Script { pace: Pace::LIFELIKE, ..Script::default() };
        let emulator = Emulator::start(script).await.expect("it starts");
        let ear = (vendor.make)(Reach { encrypted, ..Reach::plain(&emulator) });
        let say = |words: &str| Speech {
            samples: [vec![0.0; 3_072], tone::speak(words, SAMPLE_RATE_HZ)].concat(),
            words: words.to_owned(),
        };
        let speech = ["Book a table in Zürich for two", "no make it three please"].map(say);
        let long = say(&(1..=40).map(|number| format!("word{number}")).collect::<Vec<_>>().join(" "));
        Self { ear, speech, long, words_for_an_error: usize::MAX, _emulator: Some(emulator) }
    }

    fn local() -> Self {
        let speech = ["austen-0880.wav", "austen-0870.wav"].map(|name| {
            let (samples, words) = local::recording(name);
            Speech { samples, words }
        });
        let long = speech[0].clone();
        Self { ear: local::moonshine(), speech, long, words_for_an_error: 4, _emulator: None }
    }

    fn open(&self) -> Speaker {
        Speaker { stream: self.ear.open(SttOptions::default()) }
    }

    #[track_caller]
    fn check(&self, heard: &str, said: &[&Speech]) {
        let said: Vec<String> = said.iter().flat_map(|speech| words::of(&speech.words)).collect();
        let heard = words::of(heard);
        let missed = words::errors(&said, &heard);
        assert!(missed <= said.len() / self.words_for_an_error, "{heard:?} for {said:?}");
    }
}

/// One speaker and their stream.
struct Speaker {
    stream: SttStream,
}

impl Speaker {
    async fn send(&self, input: SttInput) {
        self.stream.input.send(input).await.expect("the stream is open");
    }

    /// All at once.
    async fn say(&self, speech: &Speech) {
        for window in speech.samples.chunks(WINDOW) {
            self.send(SttInput::Audio(Arc::from(window))).await;
        }
    }

    /// As a microphone sends it.
    async fn say_live(&self, speech: &Speech) {
        let mut ticks = interval(Duration::from_millis(WINDOW as u64 * 1_000 / u64::from(SAMPLE_RATE_HZ)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for window in speech.samples.chunks(WINDOW) {
            ticks.tick().await;
            self.send(SttInput::Audio(Arc::from(window))).await;
        }
    }

    async fn event(&mut self) -> SttEvent {
        timeout(PATIENCE, self.stream.events.recv()).await.expect("in time").expect("the stream is open")
    }

    /// The words that are settled for this pause.
    async fn pause(&mut self, mark: u32) -> String {
        self.send(SttInput::Pause(mark)).await;
        loop {
            match self.event().await {
                SttEvent::Partial { text, settled: Some(settled) } if settled == mark => return text,
                SttEvent::Partial { settled, .. } => assert!(settled.is_none_or(|earlier| earlier < mark)),
                other => panic!("{other:?}"),
            }
        }
    }

    async fn last_words(&mut self) -> String {
        loop {
            match self.event().await {
                SttEvent::Final { text } => return text,
                SttEvent::Partial { .. } => {}
                SttEvent::Failed(failure) => panic!("{}", failure.0),
            }
        }
    }

    async fn commit(&mut self) -> String {
        self.send(SttInput::Commit).await;
        self.last_words().await
    }
}

async fn a_pause_settles_all_words_and_a_commit_ends_them(subject: Subject) {
    let mut speaker = subject.open();
    for (mark, speech) in (1..).zip(&subject.speech) {
        speaker.say(speech).await;
        subject.check(&speaker.pause(mark).await, &[speech]);
        subject.check(&speaker.commit().await, &[speech]);
    }
}

async fn live_speech_is_understood(subject: Subject) {
    let mut speaker = subject.open();
    speaker.say_live(&subject.speech[0]).await;
    subject.check(&speaker.pause(7).await, &[&subject.speech[0]]);
    subject.check(&speaker.commit().await, &[&subject.speech[0]]);
}

async fn a_commit_without_a_pause_is_answered(subject: Subject) {
    let mut speaker = subject.open();
    speaker.say(&subject.speech[0]).await;
    subject.check(&speaker.commit().await, &[&subject.speech[0]]);
}

async fn many_seconds_at_once_are_understood_to_the_last_word(subject: Subject) {
    let mut speaker = subject.open();
    speaker.say(&subject.long).await;
    subject.check(&speaker.pause(1).await, &[&subject.long]);
    subject.check(&speaker.commit().await, &[&subject.long]);
}

async fn speech_goes_on_after_a_pause(subject: Subject) {
    let mut speaker = subject.open();
    speaker.say(&subject.speech[0]).await;
    subject.check(&speaker.pause(1).await, &[&subject.speech[0]]);
    speaker.say(&subject.speech[1]).await;
    let both = [&subject.speech[0], &subject.speech[1]];
    subject.check(&speaker.pause(2).await, &both);
    subject.check(&speaker.commit().await, &both);
}

/// So a chain hands over what another recogniser left unanswered: all of it, at once.
async fn utterances_that_come_at_once_keep_their_words(subject: Subject) {
    let mut speaker = subject.open();
    let [first, second] = &subject.speech;
    let said = [first, second, first];
    for speech in said {
        speaker.say(speech).await;
        speaker.send(SttInput::Commit).await;
    }
    for speech in said {
        subject.check(&speaker.last_words().await, &[speech]);
    }
}

async fn nothing_said_is_nothing(subject: Subject) {
    let mut speaker = subject.open();
    assert_eq!(speaker.pause(1).await, "");
    assert_eq!(speaker.commit().await, "");
    assert_eq!(speaker.commit().await, "");
}

async fn what_is_reset_is_forgotten(subject: Subject) {
    let mut speaker = subject.open();
    speaker.say(&subject.speech[0]).await;
    speaker.send(SttInput::Reset).await;
    speaker.say(&subject.speech[1]).await;
    subject.check(&speaker.pause(1).await, &[&subject.speech[1]]);
    subject.check(&speaker.commit().await, &[&subject.speech[1]]);
}

async fn speakers_do_not_mix(subject: Subject) {
    let mut speakers: Vec<Speaker> = (0..4).map(|_| subject.open()).collect();
    for (speaker, speech) in speakers.iter().zip(subject.speech.iter().cycle()) {
        speaker.say(speech).await;
        speaker.send(SttInput::Commit).await;
    }
    for (speaker, speech) in speakers.iter_mut().zip(subject.speech.iter().cycle()) {
        subject.check(&speaker.last_words().await, &[speech]);
    }
}

async fn who_hangs_up_disturbs_nobody(subject: Subject) {
    for _ in 0..3 {
        let speaker = subject.open();
        speaker.say(&subject.speech[0]).await;
        speaker.send(SttInput::Pause(1)).await;
    }
    let mut speaker = subject.open();
    speaker.say(&subject.speech[1]).await;
    subject.check(&speaker.commit().await, &[&subject.speech[1]]);
}

/// Google takes 100 streams over one connection and lets more wait without a word; each speaker here keeps one open.
#[tokio::test]
async fn more_speakers_than_one_connection_carries_are_understood_at_once() {
    let subject = Subject::vendor(GOOGLE_SPEECH, Encrypted::No).await;
    let mut speakers: Vec<Speaker> = (0..120).map(|_| subject.open()).collect();
    for speaker in &speakers {
        speaker.say(&subject.speech[0]).await;
        speaker.send(SttInput::Pause(1)).await;
    }
    for speaker in &mut speakers {
        subject.check(&speaker.commit().await, &[&subject.speech[0]]);
    }
}

/// Makes the tests of the whole contract for a recogniser.
macro_rules! keeps {
    ($name:ident, $subject:expr) => {
        keeps!(
            $name, $subject; a_pause_settles_all_words_and_a_commit_ends_them, live_speech_is_understood,
            a_commit_without_a_pause_is_answered, many_seconds_at_once_are_understood_to_the_last_word, speech_goes_on_after_a_pause,
            utterances_that_come_at_once_keep_their_words, nothing_said_is_nothing, what_is_reset_is_forgotten,
            speakers_do_not_mix, who_hangs_up_disturbs_nobody
        );
    };
    ($name:ident, $subject:expr; $($check:ident),+) => {
        mod $name {
            use super::*;
            $(
                #[tokio::test]
                async fn $check() {
                    super::$check($subject).await;
                }
            )+
        }
    };
}

keeps!(openai, Subject::vendor(OPENAI_TRANSCRIBER, Encrypted::No).await);
keeps!(openai_over_tls, Subject::vendor(OPENAI_TRANSCRIBER, Encrypted::Yes).await);
keeps!(google, Subject::vendor(GOOGLE_SPEECH, Encrypted::No).await);
keeps!(google_over_tls, Subject::vendor(GOOGLE_SPEECH, Encrypted::Yes).await);
keeps!(moonshine, Subject::local());
