//! The contracts of the voice models, kept by the real models on recordings of real people.
//!
//! Wants the packs of a profile and `speech-tests` in the models directory; a test without them fails and says how
//! to fetch them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]
#![cfg(all(feature = "onnx", feature = "packs"))]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use providers::local::hibari::Hibari;
use providers::local::moonshine::Moonshine;
use providers::local::runtime::{LoadError, Runtime};
use providers::local::silero::Silero;
use providers::local::smart_turn::SmartTurn;
use providers::packs::{SpeechSample, speech_tests};
use providers::stt::{SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use providers::turn::TurnDetector;
use providers::vad::{VoiceActivity, WINDOW_SAMPLES};
use testkit::{installed, words};

/// How long a model may take on a busy machine before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

static DIR: LazyLock<PathBuf> = LazyLock::new(installed::models);
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| ready(Runtime::load(&DIR.join(Runtime::FILE))));
static MOONSHINE: LazyLock<Moonshine> = LazyLock::new(|| ready(Moonshine::load(&RUNTIME, &DIR.join(Moonshine::DIR))));
static HIBARI: LazyLock<Hibari> = LazyLock::new(|| ready(Hibari::load(&RUNTIME, &DIR.join(Hibari::DIR))));

fn ready<T>(loaded: Result<T, LoadError>) -> T {
    loaded.unwrap_or_else(|error| panic!("{error} (for tests: `antiphon models pull --profile fast speech-tests`)"))
}

fn speech(name: &str) -> SpeechSample {
    speech_tests(&DIR).into_iter().find(|sample| sample.path.ends_with(name)).expect("the manifest has it")
}

fn samples(sample: &SpeechSample) -> Vec<f32> {
    sample.samples().unwrap_or_else(|error| panic!("{error}; run `antiphon models pull speech-tests`"))
}

async fn next(stream: &mut SttStream) -> SttEvent {
    tokio::time::timeout(PATIENCE, stream.events.recv()).await.expect("in time").expect("the stream is open")
}

async fn send(stream: &SttStream, audio: &[f32]) {
    for frame in audio.chunks(320) {
        stream.input.send(SttInput::Audio(Arc::from(frame))).await.expect("the stream is open");
    }
}

async fn final_text(stream: &mut SttStream) -> String {
    stream.input.send(SttInput::Commit).await.expect("the stream is open");
    loop {
        match next(stream).await {
            SttEvent::Final { text } => return text,
            SttEvent::Partial { .. } => {}
            SttEvent::Failed(failure) => panic!("{}", failure.0),
        }
    }
}

async fn settled_text(stream: &mut SttStream) -> String {
    stream.input.send(SttInput::Pause(1)).await.expect("the stream is open");
    loop {
        match next(stream).await {
            SttEvent::Partial { text, settled: Some(_) } => return text,
            SttEvent::Partial { settled: None, .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn transcribe(audio: &[f32]) -> String {
    let mut stream = MOONSHINE.open(SttOptions::default());
    send(&stream, audio).await;
    final_text(&mut stream).await
}

async fn say(text: &str) -> Vec<f32> {
    let mut events = HIBARI.speak(SpeechRequest { text: text.to_owned(), voice: None, speed: 1.0 });
    let mut audio = Vec::new();
    loop {
        match tokio::time::timeout(PATIENCE, events.recv()).await.expect("in time").expect("Done comes last") {
            TtsEvent::Audio(piece) => audio.extend_from_slice(&piece),
            TtsEvent::Done => return audio,
            TtsEvent::Failed(failure) => panic!("{failure}"),
        }
    }
}

#[tokio::test]
async fn people_are_understood() {
    for set in ["read", "spoken"] {
        let (mut wrong, mut total) = (0, 0);
        for sample in speech_tests(&DIR).iter().filter(|sample| sample.set == set) {
            let text = transcribe(&samples(sample)).await;
            let (said, heard) = (words::of(&sample.transcript), words::of(&text));
            wrong += words::errors(&said, &heard);
            total += said.len();
            println!("{text}");
        }
        let rate = wrong as f64 / total as f64;
        println!("{set}: {wrong} of {total} words wrong ({:.1} %)", rate * 100.0);
        assert!(rate < 0.15, "{set}: {rate}");
    }
}

#[tokio::test]
async fn a_pause_settles_the_words_and_a_commit_then_costs_nothing() {
    let audio = samples(&speech("go-forward.raw"));
    let mut stream = MOONSHINE.open(SttOptions::default());
    send(&stream, &audio).await;
    let settled = settled_text(&mut stream).await;
    assert!(words::of(&settled).contains(&"forward".to_owned()), "{settled}");

    let started = Instant::now();
    let text = final_text(&mut stream).await;
    println!("commit after pause: {:?}", started.elapsed());
    assert_eq!(text, settled);

    // The next utterance knows nothing of the last one.
    assert_eq!(final_text(&mut stream).await, "");
}

#[tokio::test]
async fn words_after_a_pause_join_the_utterance() {
    let (first, second) = (samples(&speech("go-forward.raw")), samples(&speech("austen-0880.wav")));
    let mut stream = MOONSHINE.open(SttOptions::default());
    send(&stream, &first).await;
    settled_text(&mut stream).await;
    send(&stream, &second).await;
    let text = final_text(&mut stream).await;
    let heard = words::of(&text);
    assert!(heard.contains(&"forward".to_owned()) && heard.contains(&"young".to_owned()), "{text}");
}

#[tokio::test]
async fn running_transcripts_come_while_people_speak() {
    let audio = samples(&speech("austen-0870.wav"));
    let mut stream = MOONSHINE.open(SttOptions::default());
    let mut partials = 0;
    for second in audio.chunks(16_000) {
        send(&stream, second).await;
        if second.len() == 16_000 {
            let SttEvent::Partial { settled: None, .. } = next(&mut stream).await else { panic!("not a partial") };
            partials += 1;
        }
    }
    assert!(partials >= 6, "{partials}");
    assert!(words::of(&final_text(&mut stream).await).contains(&"leisure".to_owned()));
}

#[tokio::test]
async fn a_reset_forgets_and_silence_says_nothing() {
    let mut stream = MOONSHINE.open(SttOptions::default());
    send(&stream, &samples(&speech("go-forward.raw"))).await;
    stream.input.send(SttInput::Reset).await.expect("the stream is open");
    assert_eq!(final_text(&mut stream).await, "");
    send(&stream, &vec![0.0; 32_000]).await;
    assert_eq!(settled_text(&mut stream).await, "");
    assert_eq!(transcribe(&noise(32_000, 0.002)).await, "");
    assert_eq!(transcribe(&[0.1; 100]).await, "");
}

#[tokio::test]
async fn a_long_monologue_is_understood_to_its_end() {
    let names = ["austen-0870.wav", "austen-0890.wav", "austen-0920.wav", "austen-0930.wav", "austen-0880.wav"];
    let parts: Vec<SpeechSample> = names.into_iter().map(speech).collect();
    let audio = parts.iter().map(samples).collect::<Vec<_>>().concat();
    let said = words::of(&parts.iter().map(|part| part.transcript.clone()).collect::<Vec<_>>().join(" "));
    let text = transcribe(&audio).await;
    let rate = words::errors(&said, &words::of(&text)) as f64 / said.len() as f64;
    println!("{:.1} s, {:.1} % wrong: {text}", audio.len() as f64 / 16_000.0, rate * 100.0);
    assert!(rate < 0.15);
}

#[tokio::test]
async fn a_dropped_stream_does_not_hold_up_the_others() {
    let audio = samples(&speech("austen-0870.wav"));
    for _ in 0..20 {
        let stream = MOONSHINE.open(SttOptions::default());
        stream.input.send(SttInput::Audio(Arc::from(audio.as_slice()))).await.expect("the stream is open");
        stream.input.send(SttInput::Commit).await.expect("the stream is open");
    }
    let started = Instant::now();
    let text = transcribe(&samples(&speech("go-forward.raw"))).await;
    println!("behind 20 dropped streams: {:?}", started.elapsed());
    assert!(words::of(&text).contains(&"forward".to_owned()), "{text}");
}

#[tokio::test]
async fn what_the_voice_says_is_understood() {
    let sentences = [
        ("Your table is booked for 7:30 tomorrow evening.", "your table is booked for seven thirty tomorrow evening"),
        ("Dr. Smith lives at 221B Baker Street.", "doctor smith lives at two twenty one b baker street"),
        ("Breakfast & dinner are included.", "breakfast and dinner are included"),
        ("The weather is lovely today, isn't it?", "the weather is lovely today isnt it"),
        ("I am sorry, I did not understand that.", "i am sorry i did not understand that"),
    ];
    assert!(misheard(&sentences).await < 0.15);
}

/// Each as it is written and as the recogniser writes it when it was said right: with digits where it likes them.
#[tokio::test]
async fn written_forms_are_heard_as_they_are_meant() {
    let sentences = [
        ("It is due on Nov 22, 2026.", "it is due on november 22 2026"),
        ("She was born on 11/22/1985.", "she was born on november 22 1985"),
        ("The shop is open from 3–5 pm.", "the shop is open from 3 to 5 pm"),
        ("The company made $1.2bn last year.", "the company made $1.2 billion last year"),
        ("The coffee costs €3,50 here.", "the coffee costs three euros and 50 cents here"),
        ("Henry VIII had six wives.", "henry the eighth had six wives"),
        ("He is 5'10\" tall.", "he is five foot ten tall"),
        ("It is 98.6°F outside.", "it is 98.6 degrees fahrenheit outside"),
        ("We meet at 9 a.m. on Monday.", "we meet at nine a m on monday"),
        ("No. 5 is the best, approx. 60 mph.", "number five is the best approximately 60 miles per hour"),
        ("Add 1½ cups of sugar.", "add one and a half cups of sugar"),
        ("It weighs ±5 kg.", "it weighs plus or minus five kilograms"),
    ];
    assert!(misheard(&sentences).await < 0.15);
}

/// The share of words that the recogniser hears otherwise when the voice says the texts.
async fn misheard(sentences: &[(&str, &str)]) -> f64 {
    let (mut wrong, mut total) = (0, 0);
    for (text, said) in sentences {
        let started = Instant::now();
        let audio = say(text).await;
        let heard = transcribe(&audio::resample::resample(&audio, HIBARI.sample_rate_hz(), 16_000)).await;
        println!("{:?} | {heard}", started.elapsed());
        let said = words::of(said);
        // The recogniser writes numbers as digits, which are compared as the voice's text has them.
        wrong += words::errors(&said, &words::of(&heard)).min(words::errors(&words::of(text), &words::of(&heard)));
        total += said.len();
    }
    let rate = wrong as f64 / total as f64;
    println!("{wrong} of {total} words wrong ({:.1} %)", rate * 100.0);
    rate
}

#[tokio::test]
async fn the_first_sound_comes_early_and_the_ends_are_trimmed() {
    let audio = say("Hello there, how can I help you?").await;
    let rate = HIBARI.sample_rate_hz() as usize;
    let first = audio.iter().position(|sample| sample.abs() > 0.01).expect("there is sound");
    let last = audio.iter().rposition(|sample| sample.abs() > 0.01).expect("there is sound");
    assert!(first < rate * 80 / 1000, "first sound at {first}");
    assert!(audio.len() - last < rate * 400 / 1000, "{} samples of silence", audio.len() - last);
    assert!(audio.iter().all(|sample| sample.abs() <= 1.0));
}

#[tokio::test]
async fn what_cannot_be_pronounced_makes_no_sound_and_no_fault() {
    for text in ["", "   ", "...", "🎉🎉", "```\n```", "***"] {
        assert!(say(text).await.is_empty(), "{text:?}");
    }
    for text in ["日本語", "x".repeat(300).as_str(), "[a](b)", "🎉 ok 1/0 3:99 $ %", "aA1bB2-_'"] {
        say(text).await;
    }
    let mut events = HIBARI.speak(SpeechRequest { text: "a".repeat(3_000), voice: None, speed: 1.0 });
    assert!(matches!(events.recv().await, Some(TtsEvent::Failed(_))));
    let named = |voice: &str| SpeechRequest { text: "Hi.".into(), voice: Some(voice.into()), speed: f32::NAN };
    assert!(matches!(HIBARI.speak(named("nobody")).recv().await, Some(TtsEvent::Failed(_))));
    assert!(matches!(HIBARI.speak(named("heart")).recv().await, Some(TtsEvent::Audio(_))));
}

#[tokio::test]
async fn a_dropped_reply_is_not_spoken() {
    let long = "This sentence is only here to be cut off, as nobody listens to it. ".repeat(20);
    for _ in 0..10 {
        drop(HIBARI.speak(SpeechRequest { text: long.clone(), voice: None, speed: 1.0 }));
    }
    let started = Instant::now();
    say("Hello.").await;
    let waited = started.elapsed();
    println!("behind ten dropped replies: {waited:?}");
    assert!(waited < Duration::from_secs(10));
}

async fn speech_share(silero: &Silero, audio: &[f32]) -> f32 {
    let mut stream = silero.open();
    let (mut speech, mut total) = (0, 0);
    for window in audio.chunks_exact(WINDOW_SAMPLES) {
        let window: [f32; WINDOW_SAMPLES] = window.try_into().expect("exact chunks");
        stream.windows.send(Box::new(window)).await.expect("the stream is open");
        let probability = stream.probabilities.recv().await.expect("one answer a window");
        assert!((0.0..=1.0).contains(&probability));
        speech += usize::from(probability > 0.5);
        total += 1;
    }
    speech as f32 / total as f32
}

fn noise(count: usize, level: f32) -> Vec<f32> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| level * next()).collect()
}

#[tokio::test]
async fn speech_is_told_from_silence_and_noise() {
    let silero = ready(Silero::load(&RUNTIME, &DIR.join(Silero::FILE)));
    for sample in speech_tests(&DIR) {
        let share = speech_share(&silero, &samples(&sample)).await;
        assert!(share > 0.3, "{}: {share}", sample.path.display());
    }
    assert_eq!(speech_share(&silero, &vec![0.0; 48_000]).await, 0.0);
    assert!(speech_share(&silero, &noise(48_000, 0.05)).await < 0.05);
}

#[tokio::test]
async fn streams_side_by_side_hear_what_they_hear_alone() {
    let silero = ready(Silero::load(&RUNTIME, &DIR.join(Silero::FILE)));
    let recordings: Vec<Vec<f32>> = speech_tests(&DIR).iter().map(samples).collect();
    let mut alone = Vec::new();
    for audio in &recordings {
        alone.push(speech_share(&silero, audio).await);
    }
    let together = futures_util::future::join_all(recordings.iter().map(|audio| speech_share(&silero, audio))).await;
    for (alone, together) in alone.iter().zip(&together) {
        assert!((alone - together).abs() < 0.02, "{alone} alone, {together} together");
    }
}

#[tokio::test]
async fn a_finished_sentence_is_told_from_an_unfinished_one() {
    let smart_turn = ready(SmartTurn::load(&RUNTIME, &DIR.join(SmartTurn::FILE)));
    for name in ["go-forward.raw", "austen-0880.wav", "beckett.wav"] {
        let audio = samples(&speech(name));
        let half = smart_turn.score(audio[..audio.len() / 2].to_vec()).await.expect("scored");
        let whole = smart_turn.score(audio).await.expect("scored");
        println!("{name}: half {half:.2}, whole {whole:.2}");
        assert!((0.0..=1.0).contains(&half) && (0.0..=1.0).contains(&whole));
        assert!(whole > half, "{name}: {half} then {whole}");
    }
    for audio in [vec![], vec![0.0; 16_000], noise(300_000, 0.1)] {
        assert!((0.0..=1.0).contains(&smart_turn.score(audio).await.expect("scored")));
    }
}

#[tokio::test]
async fn a_missing_or_damaged_model_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let Err(error) = Silero::load(&RUNTIME, &dir.path().join("none.onnx")) else { panic!("there is no such file") };
    assert!(error.to_string().contains("antiphon models pull"), "{error}");
    std::fs::write(dir.path().join("bad.onnx"), b"not a model").unwrap();
    let Err(error) = SmartTurn::load(&RUNTIME, &dir.path().join("bad.onnx")) else { panic!("it is no model") };
    assert!(error.to_string().contains("antiphon models verify"), "{error}");
    assert!(matches!(Moonshine::load(&RUNTIME, dir.path()), Err(LoadError::Missing { .. })));
    std::fs::write(dir.path().join("tokenizer.bin"), [200]).unwrap();
    assert!(matches!(Moonshine::load(&RUNTIME, dir.path()), Err(LoadError::Corrupt { .. })));
    // Another kind of model in the right place is no voice detector.
    let other = Silero::load(&RUNTIME, &DIR.join(SmartTurn::FILE));
    assert!(matches!(other, Err(LoadError::Corrupt { .. })));
}
