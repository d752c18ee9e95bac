//! Voices in a row.

use std::sync::Arc;
use std::time::Duration;

use providers::Remedy;
use providers::resilience::{FixedLines, Link, ResilienceConfig, Stage, TtsChain};
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use testkit::faulty::{Fault, FaultyVoice};
use tokio::time::Instant;

use super::link;

const SENTENCE: &str = "Sixteen letters go by in about a second of speech.";

struct Chain {
    first: Arc<FaultyVoice>,
    second: Arc<FaultyVoice>,
    chain: TtsChain,
}

fn chain(second_rate_hz: u32) -> Chain {
    let (first, second) =
        (FaultyVoice::new("test.first", FaultyVoice::RATE_HZ), FaultyVoice::new("test.second", second_rate_hz));
    let links: Vec<Link<dyn TextToSpeech>> =
        vec![link("first", Stage::Tts, Arc::clone(&first) as _), link("second", Stage::Tts, Arc::clone(&second) as _)];
    Chain { first, second, chain: TtsChain::new(links, &ResilienceConfig::default()) }
}

/// How much was spoken, and the last event.
async fn speak(voice: &dyn TextToSpeech) -> (Duration, TtsEvent) {
    let request = SpeechRequest { text: SENTENCE.to_owned(), voice: Some("anna".to_owned()), speed: 1.0 };
    let mut events = voice.speak(request);
    let mut samples = 0;
    loop {
        match events.recv().await.expect("a sentence has a last event") {
            TtsEvent::Audio(more) => samples += more.len(),
            last @ (TtsEvent::Done | TtsEvent::Failed(_)) => {
                let rate_hz = voice.sample_rate_hz() as usize;
                return (Duration::from_millis((samples * 1_000 / rate_hz) as u64), last);
            }
        }
    }
}

fn said(voice: &FaultyVoice) -> Vec<String> {
    voice.asked.lock().unwrap().iter().map(|request| request.text.clone()).collect()
}

const WHOLE: Duration = Duration::from_millis(10 * FaultyVoice::WORD_MS as u64);

#[tokio::test(start_paused = true)]
async fn a_voice_that_cannot_begin_is_replaced_for_the_whole_sentence() {
    for fault in [Fault::Refused(Remedy::Replace), Fault::BreaksAfter(0), Fault::VanishesAfter(0)] {
        let pair = chain(FaultyVoice::RATE_HZ);
        pair.first.faults.expect([Some(fault)]);
        let (spoken, last) = speak(&pair.chain).await;
        assert!(matches!(last, TtsEvent::Done), "{fault:?}");
        assert_eq!((spoken, said(&pair.second)), (WHOLE, vec![SENTENCE.to_owned()]), "{fault:?}");
        assert_eq!(pair.second.asked.lock().unwrap()[0].voice, None, "the name is the first voice's");
    }
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_breaks_off_is_gone_on_for_and_nothing_is_said_twice() {
    for words in 1..10 {
        for fault in [Fault::BreaksAfter(words), Fault::StallsAfter(words)] {
            let pair = chain(FaultyVoice::RATE_HZ);
            pair.first.faults.expect([Some(fault)]);
            let (_, last) = speak(&pair.chain).await;
            assert!(matches!(last, TtsEvent::Done), "{fault:?}");
            let rest = said(&pair.second).pop().unwrap_or_default();
            assert!(SENTENCE.ends_with(&rest), "{rest:?}");
            let left = rest.split_whitespace().count();
            assert!(left + words <= 10, "{left} words after {words} of 10");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_voice_without_a_sound_in_time_is_replaced_and_cancelled() {
    for fault in [Fault::Silence, Fault::StallsAfter(0), Fault::Slow(Duration::from_millis(2_600))] {
        let pair = chain(FaultyVoice::RATE_HZ);
        pair.first.faults.expect([Some(fault)]);
        let asked = Instant::now();
        assert_eq!(speak(&pair.chain).await.0, WHOLE, "{fault:?}");
        assert_eq!(asked.elapsed(), Duration::from_millis(2_500 + 10 * 10), "{fault:?}");
        assert_eq!(said(&pair.second), [SENTENCE]);
        assert_eq!(pair.first.faults.cancelled(), 1, "{fault:?}");
    }
}

/// A voice that speaks one sentence after the other, each for two seconds before its first sound.
struct InOrder(tokio::sync::mpsc::UnboundedSender<tokio::sync::mpsc::Sender<TtsEvent>>);

impl InOrder {
    const TAKES: Duration = Duration::from_secs(2);

    #[allow(clippy::disallowed_methods)] // It ends with the test's own runtime.
    fn start() -> Self {
        let (sentences, mut asked) = tokio::sync::mpsc::unbounded_channel::<tokio::sync::mpsc::Sender<TtsEvent>>();
        tokio::spawn(async move {
            while let Some(sentence) = asked.recv().await {
                tokio::time::sleep(Self::TAKES).await;
                drop(sentence.send(TtsEvent::Audio(vec![0.1; 240].into())).await);
                drop(sentence.send(TtsEvent::Done).await);
            }
        });
        Self(sentences)
    }
}

impl TextToSpeech for InOrder {
    fn name(&self) -> &'static str {
        "test.in_order"
    }

    fn sample_rate_hz(&self) -> u32 {
        FaultyVoice::RATE_HZ
    }

    fn speak(&self, _request: SpeechRequest) -> tokio::sync::mpsc::Receiver<TtsEvent> {
        let (sender, events) = tokio::sync::mpsc::channel(4);
        self.0.send(sender).expect("the voice runs");
        events
    }
}

#[tokio::test(start_paused = true)]
async fn a_voice_that_is_still_at_an_older_sentence_is_not_silent() {
    let second = FaultyVoice::new("test.second", FaultyVoice::RATE_HZ);
    let links: Vec<Link<dyn TextToSpeech>> = vec![
        link("first", Stage::Tts, Arc::new(InOrder::start()) as _),
        link("second", Stage::Tts, Arc::clone(&second) as _),
    ];
    let call = TtsChain::new(links, &ResilienceConfig::default()).for_call().expect("a chain has calls");
    let request = || SpeechRequest { text: SENTENCE.to_owned(), voice: None, speed: 1.0 };
    let sentences: Vec<_> = (0..3).map(|_| call.speak(request())).collect();
    let asked = Instant::now();
    for (older, mut events) in (1..).zip(sentences) {
        assert!(matches!(events.recv().await, Some(TtsEvent::Audio(_))));
        assert_eq!(asked.elapsed(), InOrder::TAKES * older);
        assert!(matches!(events.recv().await, Some(TtsEvent::Done)));
    }
    assert_eq!(second.faults.requests(), 0, "nobody else was asked");
}

#[tokio::test(start_paused = true)]
async fn the_last_voice_may_begin_late_and_may_not_stand_still() {
    let pair = chain(FaultyVoice::RATE_HZ);
    pair.first.faults.expect([Some(Fault::Refused(Remedy::Retry))]);
    pair.second.faults.expect([Some(Fault::Slow(Duration::from_secs(20)))]);
    let (spoken, last) = speak(&pair.chain).await;
    assert!(spoken == WHOLE && matches!(last, TtsEvent::Done), "slow is better than nothing");
    let pair = chain(FaultyVoice::RATE_HZ);
    pair.first.faults.expect([Some(Fault::Refused(Remedy::Retry))]);
    pair.second.faults.expect([Some(Fault::StallsAfter(2))]);
    let (_, last) = speak(&pair.chain).await;
    assert!(matches!(last, TtsEvent::Failed(failure) if failure.message == "the sentence stood still"));
}

#[tokio::test(start_paused = true)]
async fn a_call_keeps_the_voice_that_worked() {
    let pair = chain(FaultyVoice::RATE_HZ);
    pair.first.faults.expect([Some(Fault::Refused(Remedy::Retry))]);
    let (call, other) = (pair.chain.for_call().unwrap(), pair.chain.for_call().unwrap());
    for _ in 0..3 {
        speak(&*call).await;
    }
    assert_eq!((pair.first.faults.requests(), pair.second.faults.requests()), (1, 3));
    speak(&*other).await;
    assert_eq!(pair.first.faults.requests(), 2, "another call begins with the first voice");
}

#[tokio::test(start_paused = true)]
async fn all_voices_come_at_the_rate_of_the_first() {
    let pair = chain(16_000);
    pair.first.faults.expect([Some(Fault::Refused(Remedy::Retry))]);
    let (spoken, _) = speak(&pair.chain).await;
    assert_eq!(spoken, WHOLE);
}

#[tokio::test(start_paused = true)]
async fn when_all_voices_fail_that_is_told() {
    let pair = chain(FaultyVoice::RATE_HZ);
    pair.first.faults.expect([Some(Fault::Refused(Remedy::Retry))]);
    pair.second.faults.expect([Some(Fault::Refused(Remedy::Retry))]);
    let (spoken, last) = speak(&pair.chain).await;
    assert_eq!(spoken, Duration::ZERO);
    assert!(matches!(last, TtsEvent::Failed(failure) if failure.provider == "test.second"));
}

#[tokio::test(start_paused = true)]
async fn a_sentence_that_nobody_wants_any_more_is_cancelled() {
    let pair = chain(FaultyVoice::RATE_HZ);
    pair.first.faults.expect([Some(Fault::Silence)]);
    let request = SpeechRequest { text: SENTENCE.to_owned(), voice: None, speed: 1.0 };
    drop(pair.chain.speak(request));
    while pair.first.faults.cancelled() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(pair.second.faults.requests(), 0);
}

/// The chain of [`chain`] for a call, which knows [`SENTENCE`] for a fixed line.
fn with_fixed_line(pair: &Chain) -> Arc<dyn TextToSpeech> {
    let lines = FixedLines::new([SENTENCE.to_owned()], Arc::default());
    let links: Vec<Link<dyn TextToSpeech>> = vec![
        link("first", Stage::Tts, Arc::clone(&pair.first) as _),
        link("second", Stage::Tts, Arc::clone(&pair.second) as _),
    ];
    Arc::new(TtsChain::new(links, &ResilienceConfig::default()).with_fixed_lines(lines))
}

#[tokio::test(start_paused = true)]
async fn a_fixed_line_is_spoken_from_memory_once_it_was_spoken_whole() {
    let pair = chain(FaultyVoice::RATE_HZ);
    let voice = with_fixed_line(&pair);
    // Called off in the middle: half a line is not kept.
    let mut events =
        voice.speak(SpeechRequest { text: SENTENCE.to_owned(), voice: Some("anna".to_owned()), speed: 1.0 });
    assert!(matches!(events.recv().await, Some(TtsEvent::Audio(_))));
    drop(events);
    for call in [voice.for_call(), voice.for_call(), Some(Arc::clone(&voice))] {
        let (spoken, last) = speak(&*call.expect("a call has a voice of its own")).await;
        assert!(matches!(last, TtsEvent::Done));
        assert_eq!(spoken, WHOLE);
    }
    assert_eq!(pair.first.faults.requests(), 2, "the one that was called off, and the first whole one");
    let faster = SpeechRequest { text: SENTENCE.to_owned(), voice: None, speed: 1.2 };
    voice.speak(faster).recv().await.expect("another voice is asked");
    assert_eq!(pair.first.faults.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_a_stand_in_said_is_not_kept() {
    let pair = chain(FaultyVoice::RATE_HZ);
    let voice = with_fixed_line(&pair);
    pair.first.faults.expect([Some(Fault::Refused(Remedy::Replace))]);
    speak(&*voice.for_call().expect("a voice")).await;
    speak(&*voice.for_call().expect("a voice")).await;
    assert_eq!((pair.first.faults.requests(), pair.second.faults.requests()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_fixed_line_can_be_said_when_no_voice_can_be_reached() {
    let pair = chain(FaultyVoice::RATE_HZ);
    let voice = with_fixed_line(&pair);
    speak(&*voice).await;
    let down = [Some(Fault::Refused(Remedy::Replace)), Some(Fault::Refused(Remedy::Replace))];
    let call = voice.for_call().expect("a voice");
    // The first voice fails in another sentence, so this call goes on with the second.
    pair.first.faults.expect(down);
    pair.second.faults.expect(down);
    let other = SpeechRequest { text: "Another sentence.".to_owned(), voice: None, speed: 1.0 };
    let mut events = call.speak(other);
    while !matches!(events.recv().await.expect("a last event"), TtsEvent::Failed(_)) {}
    let (spoken, last) = speak(&*call).await;
    assert!(matches!(last, TtsEvent::Done), "{last:?}");
    assert_eq!(spoken, WHOLE);
}
