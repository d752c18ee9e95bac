//! What every voice does.

use std::sync::Arc;

use providers::Failure;
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use testkit::emulator::{Emulator, tone};
use tokio::sync::mpsc::Receiver;

use crate::emulator;
use crate::local;
use crate::vendors::{Encrypted, GOOGLE_VOICE, OPENAI_VOICE, Reach, Vendor};

/// A voice under test.
struct Subject {
    voice: Arc<dyn TextToSpeech>,
    /// Speaks in tones, so that every letter can be heard.
    has_tones: bool,
    _emulator: Option<Emulator>,
}

impl Subject {
    async fn vendor(vendor: Vendor<dyn TextToSpeech>, encrypted: Encrypted) -> Self {
        let emulator = emulator().await;
        let voice = (vendor.make)(Reach { encrypted, ..Reach::plain(&emulator) });
        Self { voice, has_tones: true, _emulator: Some(emulator) }
    }

    fn local() -> Self {
        Self { voice: local::hibari(), has_tones: false, _emulator: None }
    }

    async fn say(&self, text: &str) -> Spoken {
        listen(self.voice.speak(request(text))).await
    }

    #[track_caller]
    fn check_words(&self, spoken: &Spoken, text: &str) {
        assert!(spoken.failure.is_none(), "{:?}", spoken.failure);
        assert!(spoken.samples.iter().all(|sample| sample.abs() <= 1.0));
        let ms = spoken.samples.len() * 1_000 / self.voice.sample_rate_hz() as usize;
        // Nobody says more than 40 letters a second.
        assert!(ms >= text.len() * 25, "{ms} ms for {text:?}");
        if self.has_tones {
            assert_eq!(tone::understand(&spoken.samples, self.voice.sample_rate_hz()), text);
        }
    }
}

pub(crate) fn request(text: &str) -> SpeechRequest {
    SpeechRequest { text: text.to_owned(), voice: None, speed: 1.0 }
}

/// All of a sentence.
#[derive(Debug, Default)]
pub(crate) struct Spoken {
    pub(crate) samples: Vec<f32>,
    pub(crate) is_done: bool,
    pub(crate) failure: Option<Failure>,
}

/// Listens to the last event; nothing may follow it, and without it nothing may end.
pub(crate) async fn listen(mut events: Receiver<TtsEvent>) -> Spoken {
    let mut spoken = Spoken::default();
    while let Some(event) = events.recv().await {
        assert!(!spoken.is_done && spoken.failure.is_none(), "{event:?} came after the last event");
        match event {
            TtsEvent::Audio(samples) => {
                assert!(!samples.is_empty(), "a piece holds something");
                spoken.samples.extend(samples.iter());
            }
            TtsEvent::Done => spoken.is_done = true,
            TtsEvent::Failed(failure) => spoken.failure = Some(failure),
        }
    }
    assert!(spoken.is_done || spoken.failure.is_some(), "a sentence has a last event");
    spoken
}

async fn a_sentence_is_spoken_whole(subject: Subject) {
    let text = "Good morning to all of you, wherever you are.";
    let spoken = subject.say(text).await;
    subject.check_words(&spoken, text);
}

async fn the_rate_is_one_that_opus_takes(subject: Subject) {
    assert!([8_000, 12_000, 16_000, 24_000, 48_000].contains(&subject.voice.sample_rate_hz()));
}

async fn any_script_is_spoken_or_passed_over(subject: Subject) {
    let text = "Zoë's naïve café, 東京, costs 5 € 👋.";
    let spoken = subject.say(text).await;
    assert!(spoken.is_done, "{:?}", spoken.failure);
    if subject.has_tones {
        subject.check_words(&spoken, text);
    }
}

/// A clause may turn out to hold nothing to say. That is nobody's failure, and no reason to change the voice.
async fn nothing_to_say_is_done_at_once(subject: Subject) {
    for text in ["", " ", "…", "\n", "—", "!?"] {
        let spoken = subject.say(text).await;
        assert!(spoken.is_done, "{text:?}: {:?}", spoken.failure);
    }
}

async fn sentences_at_the_same_time_do_not_mix(subject: Subject) {
    let texts: Vec<String> = (1..=6).map(|number| format!("Sentence number {number} is not the others.")).collect();
    let spoken: Vec<_> = texts.iter().map(|text| subject.voice.speak(request(text))).collect();
    for (text, events) in texts.iter().zip(spoken) {
        subject.check_words(&listen(events).await, text);
    }
}

async fn a_long_text_is_spoken_to_its_end(subject: Subject) {
    let text = "This is a sentence that is said again and again. ".repeat(12);
    let spoken = subject.say(text.trim()).await;
    subject.check_words(&spoken, text.trim());
}

async fn any_speed_is_taken(subject: Subject) {
    for speed in [0.0, 0.5, 1.3, 100.0, f32::NAN] {
        let spoken = listen(subject.voice.speak(SpeechRequest { speed, ..request("Hello there.") })).await;
        assert!(spoken.is_done && !spoken.samples.is_empty(), "{speed}: {:?}", spoken.failure);
    }
}

async fn whoever_stops_listening_can_ask_again(subject: Subject) {
    for _ in 0..3 {
        let mut events = subject.voice.speak(request("One, two, three, four, five, six, seven, eight, nine, ten."));
        assert!(matches!(events.recv().await, Some(TtsEvent::Audio(_))));
        drop(events);
        drop(subject.voice.speak(request("Never heard.")));
    }
    subject.check_words(&subject.say("Hello there.").await, "Hello there.");
}

/// Makes the tests of the whole contract for a voice.
macro_rules! keeps {
    ($name:ident, $subject:expr) => {
        keeps!(
            $name, $subject; a_sentence_is_spoken_whole, the_rate_is_one_that_opus_takes,
            any_script_is_spoken_or_passed_over, nothing_to_say_is_done_at_once, sentences_at_the_same_time_do_not_mix,
            a_long_text_is_spoken_to_its_end, any_speed_is_taken, whoever_stops_listening_can_ask_again
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

keeps!(openai, Subject::vendor(OPENAI_VOICE, Encrypted::No).await);
keeps!(openai_over_tls, Subject::vendor(OPENAI_VOICE, Encrypted::Yes).await);
keeps!(google, Subject::vendor(GOOGLE_VOICE, Encrypted::No).await);
keeps!(google_over_tls, Subject::vendor(GOOGLE_VOICE, Encrypted::Yes).await);
keeps!(hibari, Subject::local());
