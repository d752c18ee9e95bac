//! What every voice behind a network does, whoever the vendor is.

use std::sync::Arc;
use std::time::Duration;

use providers::remote::Deadlines;
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use providers::{Failure, Remedy};
use tokio::sync::mpsc::Receiver;

use crate::llm::{PATIENT, SOON};

/// What a voice says in every test.
pub(crate) const TEXT: &str = "Good morning.";

/// A vendor whose voice does as it is told, and a way to look at what it was sent.
pub(crate) trait Vendor: Sized {
    /// A vendor with this answer to the first request.
    async fn start(script: Script) -> Self;
    fn voice(&self, deadlines: Deadlines) -> Arc<dyn TextToSpeech>;
    /// Waits until somebody goes before an answer is complete.
    async fn hung_up_on(&mut self);
}

/// What a vendor does with a sentence.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// Sends these bytes of audio, piece by piece, and ends.
    Speak(Vec<Vec<u8>>),
    /// Sends these bytes and nothing more.
    SpeakAndHang(Vec<u8>),
    /// Sends these bytes and breaks the connection.
    SpeakAndCut(Vec<u8>),
    /// Refuses because of too many requests, and wants to be left alone for 7 s.
    Busy,
    /// Refuses because something is out of order.
    Trouble,
    /// Refuses who asks.
    Stranger,
}

#[derive(Debug, Default)]
pub(crate) struct Spoken {
    pub(crate) samples: Vec<f32>,
    pub(crate) pieces: usize,
    pub(crate) is_done: bool,
    pub(crate) failure: Option<Failure>,
}

/// Listens to the last event; nothing may follow it.
pub(crate) async fn listen(mut events: Receiver<TtsEvent>) -> Spoken {
    let mut spoken = Spoken::default();
    while let Some(event) = events.recv().await {
        assert!(!spoken.is_done && spoken.failure.is_none(), "{event:?} came after the last event");
        match event {
            TtsEvent::Audio(samples) => {
                spoken.samples.extend(samples.iter());
                spoken.pieces += 1;
            }
            TtsEvent::Done => spoken.is_done = true,
            TtsEvent::Failed(failure) => spoken.failure = Some(failure),
        }
    }
    spoken
}

pub(crate) fn request() -> SpeechRequest {
    SpeechRequest { text: TEXT.to_owned(), voice: None, speed: 1.0 }
}

async fn spoken<V: Vendor>(script: Script) -> Spoken {
    let vendor = V::start(script).await;
    let voice = vendor.voice(PATIENT);
    listen(voice.speak(request())).await
}

async fn failure<V: Vendor>(script: Script) -> Failure {
    let failure = spoken::<V>(script).await.failure.expect("it failed");
    assert!(!failure.message.contains(TEXT), "{failure}");
    failure
}

fn bytes(values: &[i16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(crate) async fn samples_come_however_they_are_cut<V: Vendor>() {
    let audio = bytes(&[0, 16_384, -16_384, -32_768, 8_192]);
    for piece in [1, 2, 3, 10] {
        let pieces = audio.chunks(piece).map(<[u8]>::to_vec).collect();
        let spoken = spoken::<V>(Script::Speak(pieces)).await;
        assert_eq!(spoken.samples, [0.0, 0.5, -0.5, -1.0, 0.25], "in pieces of {piece}");
        assert!(spoken.is_done, "{spoken:?}");
    }
}

pub(crate) async fn audio_comes_while_the_rest_is_made<V: Vendor>() {
    let vendor = V::start(Script::SpeakAndHang(bytes(&[16_384]))).await;
    let voice = vendor.voice(PATIENT);
    let mut events = voice.speak(request());
    assert!(matches!(events.recv().await, Some(TtsEvent::Audio(samples)) if *samples == [0.5]));
}

pub(crate) async fn no_audio_is_a_failure<V: Vendor>() {
    assert_eq!(failure::<V>(Script::Speak(Vec::new())).await.remedy, Remedy::Retry);
}

pub(crate) async fn a_broken_connection_is_a_failure<V: Vendor>() {
    let spoken = spoken::<V>(Script::SpeakAndCut(bytes(&[16_384]))).await;
    assert_eq!(spoken.failure.expect("it failed").remedy, Remedy::Retry);
}

pub(crate) async fn a_refusal_says_what_can_be_done<V: Vendor>() {
    let busy = failure::<V>(Script::Busy).await;
    assert_eq!((busy.remedy, busy.retry_after), (Remedy::Replace, Some(Duration::from_secs(7))));
    assert_eq!(failure::<V>(Script::Trouble).await.remedy, Remedy::Retry);
    assert_eq!(failure::<V>(Script::Stranger).await.remedy, Remedy::Replace);
}

pub(crate) async fn silence_is_bounded<V: Vendor>() {
    let vendor = V::start(Script::SpeakAndHang(Vec::new())).await;
    let late = listen(vendor.voice(Deadlines { first: SOON, ..PATIENT }).speak(request())).await;
    assert!(late.failure.expect("it failed").message.contains("50 ms"));

    let vendor = V::start(Script::SpeakAndHang(bytes(&[16_384]))).await;
    let stalled = listen(vendor.voice(Deadlines { stall: SOON, ..PATIENT }).speak(request())).await;
    assert_eq!(stalled.samples, [0.5]);
    assert!(stalled.failure.expect("it failed").message.contains("50 ms"));
}

pub(crate) async fn who_stops_listening_hangs_up_at_once<V: Vendor>() {
    let mut vendor = V::start(Script::SpeakAndHang(bytes(&[16_384]))).await;
    let voice = vendor.voice(PATIENT);
    let mut events = voice.speak(request());
    assert!(matches!(events.recv().await, Some(TtsEvent::Audio(_))));
    drop(events);
    // The deadlines are a minute away: only the dropped receiver can be the cause.
    vendor.hung_up_on().await;
}

/// Makes the tests of the whole suite for a vendor.
macro_rules! tts_suite {
    ($vendor:ty) => {
        tts_suite!(
            $vendor: samples_come_however_they_are_cut, audio_comes_while_the_rest_is_made, no_audio_is_a_failure,
            a_broken_connection_is_a_failure, a_refusal_says_what_can_be_done, silence_is_bounded,
            who_stops_listening_hangs_up_at_once
        );
    };
    ($vendor:ty: $($test:ident),+) => {
        $(
            #[tokio::test]
            async fn $test() {
                crate::tts::$test::<$vendor>().await;
            }
        )+
    };
}

pub(crate) use tts_suite;
