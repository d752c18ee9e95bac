//! Who stops listening hangs up: the vendor sees its stream closed within 50 ms, wherever the answer stands.
//!
//! The emulator's log tells when it saw that. `cargo test --release -p testkit --test contract cancel -- --nocapture`
//! prints the figures.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use providers::llm::LanguageModel;
use providers::stt::{SAMPLE_RATE_HZ, SpeechToText, SttInput, SttOptions};
use providers::tts::TextToSpeech;
use testkit::emulator::{Emulator, Ending, Pace, Record, Route, Script, tone};
use tokio::time::Instant;

use crate::vendors::{
    GEMINI, GOOGLE_SPEECH, GOOGLE_VOICE, OPENAI_CHAT, OPENAI_TRANSCRIBER, OPENAI_VOICE, Reach, Vendor,
};
use crate::{llm, tts};

/// The requirement.
const WITHIN: Duration = Duration::from_millis(50);
/// So often each is tried.
const TIMES: usize = 20;
/// On a machine that is busy with other things a whole round may be late; of so many one must not.
const ROUNDS: usize = 5;
/// No test waits for it.
const NEVER: Duration = Duration::from_secs(3_600);

/// What is listened to, and who answers: the provider stays, as it does in a server.
struct Listening {
    events: Box<dyn Any>,
    provider: Box<dyn Any>,
}

/// Where an answer stands when its listener goes.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Asked, and nothing has come.
    Before,
    /// Something has come, and the rest has not.
    Within,
}

impl Place {
    /// Answers that stand still there.
    fn pace(self) -> Pace {
        match self {
            Self::Before => Pace { first_token: NEVER, first_audio: NEVER, transcript: NEVER, ..Pace::default() },
            Self::Within => Pace { token: NEVER, audio_piece: NEVER, transcript: NEVER, ..Pace::default() },
        }
    }
}

async fn ask_llm(vendor: Vendor<dyn LanguageModel>, reach: Reach<'_>, place: Place) -> Listening {
    let model = (vendor.make)(reach);
    let mut events = model.reply(llm::request("cancel", "one two three"));
    if let Place::Within = place {
        events.recv().await.expect("a first word");
    }
    Listening { events: Box::new(events), provider: Box::new(model) }
}

async fn ask_voice(vendor: Vendor<dyn TextToSpeech>, reach: Reach<'_>, place: Place) -> Listening {
    let voice = (vendor.make)(reach);
    let mut events = voice.speak(tts::request("Several words are one sentence"));
    if let Place::Within = place {
        events.recv().await.expect("a first sound");
    }
    Listening { events: Box::new(events), provider: Box::new(voice) }
}

async fn ask_ear(vendor: Vendor<dyn SpeechToText>, reach: Reach<'_>) -> Listening {
    let ear = (vendor.make)(reach);
    let stream = ear.open(SttOptions::default());
    for window in tone::speak("book a table", SAMPLE_RATE_HZ).chunks(512) {
        stream.input.send(SttInput::Audio(Arc::from(window))).await.expect("the stream is open");
    }
    stream.input.send(SttInput::Commit).await.expect("the stream is open");
    Listening { events: Box::new(stream), provider: Box::new(ear) }
}

/// Whether a request has come as far as it does before its listener goes.
fn has_come(record: &Record) -> bool {
    match record.route {
        Route::OpenAiTranscription => record.request.get("file_bytes").is_some(),
        Route::StreamingRecognize => record.request.get("audio_messages").is_some(),
        Route::StreamingSynthesize => record.request.get("text").is_some(),
        _ => record.request.is_object(),
    }
}

/// How long after its listener was dropped each stream was seen to be closed.
async fn departures(place: Place, ask: impl AsyncFn(Reach<'_>) -> Listening) -> Vec<Duration> {
    let script = Script { pace: place.pace(), ..Script::default() };
    let emulator = Emulator::start(script).await.expect("it starts");
    let mut took = Vec::new();
    for number in 0..TIMES {
        let Listening { events, provider } = ask(Reach::plain(&emulator)).await;
        let log = emulator.when(|log| log.get(number).is_some_and(has_come)).await;
        assert!(log[number].ended.is_none(), "it goes on as long as somebody listens");
        let dropped = Instant::now();
        drop(events);
        let log = emulator.when(|log| log[number].ended.is_some()).await;
        let (at, ending) = log[number].ended.expect("waited for");
        assert_eq!(ending, Ending::ClientLeft);
        took.push(at.duration_since(dropped));
        drop(provider);
    }
    took.sort();
    took
}

async fn is_seen_in_time(name: &str, place: Place, ask: impl AsyncFn(Reach<'_>) -> Listening) {
    for round in 1..=ROUNDS {
        let took = departures(place, &ask).await;
        let (median, most) = (took[TIMES / 2], took[TIMES - 1]);
        println!("{name} {place:?}: median {median:?}, most {most:?} of {TIMES} (round {round})");
        if most <= WITHIN {
            return;
        }
    }
    panic!("{name} {place:?}: in none of {ROUNDS} rounds was every stream closed within {WITHIN:?}");
}

macro_rules! hangs_up {
    ($name:ident, $place:ident, $ask:expr) => {
        #[tokio::test]
        async fn $name() {
            is_seen_in_time(stringify!($name), Place::$place, $ask).await;
        }
    };
}

hangs_up!(openai_chat_before, Before, async |reach: Reach<'_>| ask_llm(OPENAI_CHAT, reach, Place::Before).await);
hangs_up!(openai_chat_within, Within, async |reach: Reach<'_>| ask_llm(OPENAI_CHAT, reach, Place::Within).await);
hangs_up!(gemini_before, Before, async |reach: Reach<'_>| ask_llm(GEMINI, reach, Place::Before).await);
hangs_up!(gemini_within, Within, async |reach: Reach<'_>| ask_llm(GEMINI, reach, Place::Within).await);
hangs_up!(openai_speech_before, Before, async |reach: Reach<'_>| ask_voice(OPENAI_VOICE, reach, Place::Before).await);
hangs_up!(openai_speech_within, Within, async |reach: Reach<'_>| ask_voice(OPENAI_VOICE, reach, Place::Within).await);
hangs_up!(google_tts_before, Before, async |reach: Reach<'_>| ask_voice(GOOGLE_VOICE, reach, Place::Before).await);
hangs_up!(google_tts_within, Within, async |reach: Reach<'_>| ask_voice(GOOGLE_VOICE, reach, Place::Within).await);
hangs_up!(openai_transcription, Before, async |reach: Reach<'_>| ask_ear(OPENAI_TRANSCRIBER, reach).await);
hangs_up!(google_stt, Within, async |reach: Reach<'_>| ask_ear(GOOGLE_SPEECH, reach).await);
