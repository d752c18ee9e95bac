//! Google's own Rust clients against the emulator: both streams, their faults, and TLS with a token. (Single requests they
//! make over REST, which the emulator has not.)
//!
//! They take trusted certificates only from the environment, which a process must not change while it runs. So the call
//! over TLS is a test of its own that another one starts as a process.

use std::iter::once;
use std::time::Duration;

use google_cloud_auth::credentials::{CacheableResource, Credentials, CredentialsProvider, EntityTag, anonymous};
use google_cloud_auth::errors::CredentialsError;
use google_cloud_speech_v2::client::Speech;
use google_cloud_speech_v2::model as stt;
use google_cloud_texttospeech_v1::client::TextToSpeech;
use google_cloud_texttospeech_v1::model as tts;
use http::{Extensions, HeaderMap, HeaderValue};
use testkit::emulator::{Code, Emulator, Ending, Fault, Refusal, Route, Script, Trouble};
use testkit::tone;
use tokio::process::Command;

const RATE_HZ: u32 = 16_000;
/// As the environment tells it to the process of the call over TLS.
const TLS_URL: &str = "ANTIPHON_TEST_TLS_URL";

/// A token as a service account would get it.
#[derive(Debug)]
struct Token(&'static str);

impl CredentialsProvider for Token {
    async fn headers(&self, _: Extensions) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        let value = HeaderValue::from_str(&format!("Bearer {}", self.0)).expect("a header");
        let data = once((http::header::AUTHORIZATION, value)).collect();
        Ok(CacheableResource::New { entity_tag: EntityTag::new(), data })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

fn nobody() -> Credentials {
    anonymous::Builder::new().build()
}

async fn speech(url: String, credentials: Credentials) -> Speech {
    Speech::builder().with_endpoint(url).with_credentials(credentials).build().await.expect("a client")
}

async fn voice(url: String, credentials: Credentials) -> TextToSpeech {
    TextToSpeech::builder().with_endpoint(url).with_credentials(credentials).build().await.expect("a client")
}

/// The words as tones with a pause behind them, as 16-bit samples in pieces of 100 ms.
fn spoken(words: &str) -> Vec<Vec<u8>> {
    let mut samples = tone::speak(words, RATE_HZ);
    samples.extend(vec![0.0; RATE_HZ as usize]);
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
    bytes.chunks(3_200).map(<[u8]>::to_vec).collect()
}

fn recognition() -> stt::StreamingRecognizeRequest {
    let decoding = stt::ExplicitDecodingConfig::new()
        .set_encoding(stt::explicit_decoding_config::AudioEncoding::Linear16)
        .set_sample_rate_hertz(i32::try_from(RATE_HZ).expect("it fits"))
        .set_audio_channel_count(1);
    let config = stt::RecognitionConfig::new()
        .set_model("latest_long")
        .set_language_codes(["en-US"])
        .set_explicit_decoding_config(decoding)
        .set_features(stt::RecognitionFeatures::new().set_enable_word_time_offsets(true));
    let features =
        stt::StreamingRecognitionFeatures::new().set_interim_results(true).set_enable_voice_activity_events(true);
    let streaming = stt::StreamingRecognitionConfig::new().set_config(config).set_streaming_features(features);
    stt::StreamingRecognizeRequest::new()
        .set_recognizer("projects/p/locations/us/recognizers/_")
        .set_streaming_config(streaming)
}

/// What came of a recognition, and what ended it.
async fn recognise(
    client: &Speech,
    words: &str,
) -> (Vec<stt::StreamingRecognizeResponse>, Option<google_cloud_speech_v2::Error>) {
    let (sender, mut answers) = client.streaming_recognize().build();
    let pieces = spoken(words);
    let sending = async move {
        let audio = pieces.into_iter().map(|piece| stt::StreamingRecognizeRequest::new().set_audio(piece));
        for request in once(recognition()).chain(audio) {
            // A stream that has ended says why in its answers.
            if sender.send(request).await.is_err() {
                break;
            }
        }
    };
    let hearing = async {
        let mut heard = Vec::new();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(answer) => heard.push(answer),
                Err(error) => return (heard, Some(error)),
            }
        }
        (heard, None)
    };
    tokio::join!(sending, hearing).1
}

fn finals(answers: &[stt::StreamingRecognizeResponse]) -> Vec<&str> {
    let results = answers.iter().flat_map(|answer| &answer.results).filter(|result| result.is_final);
    results.map(|result| result.alternatives[0].transcript.as_str()).collect()
}

/// The samples that a voice answers with, and what ended it.
async fn say(client: &TextToSpeech, texts: &[&str]) -> (Vec<f32>, Option<google_cloud_texttospeech_v1::Error>) {
    let voice = tts::VoiceSelectionParams::new().set_language_code("en-US").set_name("en-US-Chirp3-HD-Kore");
    let audio = tts::StreamingAudioConfig::new()
        .set_audio_encoding(tts::AudioEncoding::Pcm)
        .set_sample_rate_hertz(i32::try_from(RATE_HZ).expect("it fits"));
    let config = tts::StreamingSynthesizeConfig::new().set_voice(voice).set_streaming_audio_config(audio);
    let (sender, mut answers) = client.streaming_synthesize().build();
    let inputs = texts.iter().map(|text| {
        let input = tts::StreamingSynthesisInput::new().set_text(*text);
        tts::StreamingSynthesizeRequest::new().set_input(input)
    });
    for request in once(tts::StreamingSynthesizeRequest::new().set_streaming_config(config)).chain(inputs) {
        let _ = sender.send(request).await;
    }
    drop(sender);
    let mut samples = Vec::new();
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(answer) => {
                let pairs = answer.audio_content.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
                samples.extend(pairs.map(|sample| f32::from(sample) / 32_768.0));
            }
            Err(error) => return (samples, Some(error)),
        }
    }
    (samples, None)
}

async fn ending(emulator: &Emulator, route: Route) -> Ending {
    let is_over = |log: &[testkit::emulator::Record]| {
        log.iter().rev().find(|record| record.route == route).is_some_and(|record| record.ended.is_some())
    };
    let log = emulator.when(is_over).await;
    log.iter().rev().find(|record| record.route == route).and_then(|record| record.ended).expect("it is over").1
}

#[tokio::test]
async fn googles_rust_client_hears() {
    let emulator = Emulator::start(Script::default()).await.expect("it starts");
    let client = speech(emulator.grpc_url(), nobody()).await;
    let (answers, error) = recognise(&client, "book a table in Zürich").await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(finals(&answers), ["book a table in Zürich"]);
    let events: Vec<_> = answers.iter().map(|answer| &answer.speech_event_type).collect();
    assert!(events.contains(&&stt::streaming_recognize_response::SpeechEventType::SpeechActivityBegin), "{events:?}");
    let last = answers.iter().find(|answer| answer.results.iter().any(|result| result.is_final)).expect("a final");
    let words: Vec<_> = last.results[0].alternatives[0].words.iter().map(|word| word.word.as_str()).collect();
    assert_eq!(words, ["book", "a", "table", "in", "Zürich"]);
    assert_eq!(ending(&emulator, Route::StreamingRecognize).await, Ending::Completed);

    // Refused, with the time to wait.
    let quota = Fault::at_once(Trouble::Error(Refusal::quota(Duration::from_secs(7))));
    emulator.fault(Route::StreamingRecognize, 1, quota);
    let (answers, error) = recognise(&client, "again").await;
    let error = error.expect("it is refused");
    let status = error.status().expect("Google refused it");
    assert_eq!((answers.len(), status.code.name()), (0, "RESOURCE_EXHAUSTED"));
    let details = serde_json::to_value(&status.details).expect("JSON");
    assert!(details.to_string().contains(r#""retryDelay":"7s""#), "{details}");

    // Broken off in the middle: an answer of Google's, a connection that is gone.
    let refusal = Refusal::new(Code::Aborted, "Max duration of 5 minutes reached for stream.");
    emulator.fault(Route::StreamingRecognize, 1, Fault::after(2, Trouble::Error(refusal)));
    let (answers, error) = recognise(&client, "book a table in Zürich").await;
    let error = error.expect("it breaks off");
    assert_eq!((answers.len(), error.status().map(|status| status.code.name())), (2, Some("ABORTED")));
    emulator.fault(Route::StreamingRecognize, 1, Fault::after(2, Trouble::Reset));
    let (_, error) = recognise(&client, "book a table in Zürich").await;
    let error = error.expect("it breaks off");
    assert!(error.is_transport(), "{error:?}");
    let (answers, error) = recognise(&client, "and again").await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(finals(&answers), ["and again"]);

    // Who leaves is noticed.
    let (sender, answers) = client.streaming_recognize().build();
    sender.send(recognition()).await.expect("it is open");
    emulator.when(|log| log.last().is_some_and(|record| record.ended.is_none())).await;
    drop((sender, answers));
    assert_eq!(ending(&emulator, Route::StreamingRecognize).await, Ending::ClientLeft);
}

#[tokio::test]
async fn googles_rust_client_speaks() {
    let emulator = Emulator::start(Script::default()).await.expect("it starts");
    let client = voice(emulator.grpc_url(), nobody()).await;
    let (samples, error) = say(&client, &["Hello there. ", "How are you?"]).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(tone::understand(&samples, RATE_HZ), "Hello there. How are you?");
    assert_eq!(ending(&emulator, Route::StreamingSynthesize).await, Ending::Completed);

    let refusal = Refusal::new(Code::Internal, "Internal error encountered.");
    emulator.fault(Route::StreamingSynthesize, 1, Fault::after(2, Trouble::Error(refusal)));
    let (samples, error) = say(&client, &["Hello there. ", "How are you?"]).await;
    let error = error.expect("it breaks off");
    assert_eq!(error.status().map(|status| status.code.name()), Some("INTERNAL"));
    assert!(!samples.is_empty(), "what came before is kept");
    emulator.fault(Route::StreamingSynthesize, 1, Fault::after(1, Trouble::Reset));
    let (_, error) = say(&client, &["Hello there."]).await;
    let error = error.expect("it breaks off");
    assert!(error.is_transport(), "{error:?}");
}

#[tokio::test]
async fn googles_rust_clients_are_served_over_tls() {
    let script = Script { keys: vec!["right".to_owned()], ..Script::default() };
    let emulator = Emulator::start(script).await.expect("it starts");
    let folder = tempfile::tempdir().expect("a folder");
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, emulator.authority_pem()).expect("a file");
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "google_rust::over_tls", "--ignored"])
        .env("SSL_CERT_FILE", &authority)
        .env(TLS_URL, emulator.tls_url())
        .kill_on_drop(true)
        .output()
        .await
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let shown: Vec<_> = emulator.log().into_iter().map(|record| (record.route, record.authorization)).collect();
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let hears = Route::StreamingRecognize;
    let speaks = Route::StreamingSynthesize;
    assert_eq!(shown, [(hears, bearer("right")), (speaks, bearer("right")), (hears, bearer("wrong"))]);
}

#[tokio::test]
#[ignore = "a part of googles_rust_clients_are_served_over_tls"]
async fn over_tls() {
    #[allow(clippy::disallowed_methods, reason = "nothing else reaches this process")]
    let url = || std::env::var(TLS_URL).expect("set by the test that starts this one");
    let with = |token| Credentials::from(Token(token));
    let (answers, error) = recognise(&speech(url(), with("right")).await, "in secret").await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(finals(&answers), ["in secret"]);
    let (samples, error) = say(&voice(url(), with("right")).await, &["In secret."]).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(tone::understand(&samples, RATE_HZ), "In secret.");
    let (_, error) = recognise(&speech(url(), with("wrong")).await, "in secret").await;
    assert_eq!(error.expect("it is refused").status().map(|status| status.code.name()), Some("UNAUTHENTICATED"));
}
