//! What a voice of the emulator says, a recogniser of the emulator understands, across vendors and over gRPC.

use std::time::Duration;

use bytes::Bytes;
use google_apis::speech::explicit_decoding_config::AudioEncoding;
use google_apis::speech::recognition_config::DecodingConfig;
use google_apis::speech::speech_client::SpeechClient;
use google_apis::speech::streaming_recognize_request::StreamingRequest;
use google_apis::speech::{
    ExplicitDecodingConfig, RecognitionConfig, StreamingRecognitionConfig, StreamingRecognizeRequest,
    StreamingRecognizeResponse,
};
use google_apis::text_to_speech::streaming_synthesis_input::InputSource;
use google_apis::text_to_speech::streaming_synthesize_request::StreamingRequest as SynthesisRequest;
use google_apis::text_to_speech::text_to_speech_client::TextToSpeechClient;
use google_apis::text_to_speech::{
    StreamingSynthesisInput, StreamingSynthesizeConfig, StreamingSynthesizeRequest, VoiceSelectionParams,
};
use reqwest::Client;
use serde_json::json;
use testkit::emulator::{Emulator, Ending, Fault, Limits, Refusal, Route, Script, Trouble};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::start;

async fn channel(emulator: &Emulator) -> Channel {
    Channel::from_shared(emulator.grpc_url()).unwrap().connect().await.expect("it listens")
}

fn config(rate_hz: i32) -> StreamingRecognizeRequest {
    let explicit = ExplicitDecodingConfig {
        encoding: AudioEncoding::Linear16.into(),
        sample_rate_hertz: rate_hz,
        audio_channel_count: 1,
    };
    let config = RecognitionConfig {
        model: "chirp_3".to_owned(),
        language_codes: vec!["en-US".to_owned()],
        decoding_config: Some(DecodingConfig::ExplicitDecodingConfig(explicit)),
        ..RecognitionConfig::default()
    };
    let streaming = StreamingRecognitionConfig { config: Some(config), ..StreamingRecognitionConfig::default() };
    StreamingRecognizeRequest {
        recognizer: "projects/p/locations/us/recognizers/_".to_owned(),
        streaming_request: Some(StreamingRequest::StreamingConfig(streaming)),
    }
}

fn audio(bytes: &[u8]) -> StreamingRecognizeRequest {
    let audio = StreamingRequest::Audio(Bytes::copy_from_slice(bytes));
    StreamingRecognizeRequest { streaming_request: Some(audio), ..StreamingRecognizeRequest::default() }
}

async fn recognise(
    emulator: &Emulator,
    requests: Vec<StreamingRecognizeRequest>,
) -> Result<Vec<StreamingRecognizeResponse>, Status> {
    let mut client = SpeechClient::new(channel(emulator).await);
    let mut answers = client.streaming_recognize(tokio_stream::iter(requests)).await?.into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await? {
        all.push(answer);
    }
    Ok(all)
}

fn finals(answers: &[StreamingRecognizeResponse]) -> Vec<&str> {
    let results = answers.iter().flat_map(|answer| &answer.results).filter(|result| result.is_final);
    results.map(|result| result.alternatives[0].transcript.as_str()).collect()
}

#[tokio::test]
async fn google_understands_what_openai_says() {
    let emulator = start().await;
    let body =
        json!({"model": "tts-1", "voice": "alloy", "input": "Meet me at 5, in Zürich!", "response_format": "pcm"});
    let url = format!("{}/audio/speech", emulator.openai_url());
    let spoken = Client::new().post(url).bearer_auth("key").json(&body).send().await.unwrap().bytes().await.unwrap();
    let requests = std::iter::once(config(24_000)).chain(spoken.chunks(4_800).map(audio)).collect();
    let answers = recognise(&emulator, requests).await.unwrap();
    assert_eq!(finals(&answers), ["Meet me at 5, in Zürich!"]);
}

#[tokio::test]
async fn openai_understands_what_google_says() {
    let emulator = start().await;
    let voice = VoiceSelectionParams { name: "en-US-Chirp3-HD-Kore".to_owned(), ..VoiceSelectionParams::default() };
    let streaming = StreamingSynthesizeConfig { voice: Some(voice), ..StreamingSynthesizeConfig::default() };
    let input = StreamingSynthesisInput {
        input_source: Some(InputSource::Text("Hello there. How are".to_owned())),
        ..StreamingSynthesisInput::default()
    };
    let requests = [SynthesisRequest::StreamingConfig(streaming), SynthesisRequest::Input(input)]
        .map(|request| StreamingSynthesizeRequest { streaming_request: Some(request) });
    let mut client = TextToSpeechClient::new(channel(&emulator).await);
    let mut answers = client.streaming_synthesize(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let mut samples = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        let pairs = answer.audio_content.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
        samples.extend(pairs.map(|sample| f32::from(sample) / 32_768.0));
    }
    let file = reqwest::multipart::Part::bytes(audio::wav::write(&samples, 24_000).unwrap()).file_name("speech.wav");
    let form = reqwest::multipart::Form::new().text("model", "gpt-transcribe").part("file", file);
    let url = format!("{}/audio/transcriptions", emulator.openai_url());
    let answer = Client::new().post(url).bearer_auth("key").multipart(form).send().await.unwrap();
    assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["text"], "Hello there. How are");
}

#[tokio::test]
async fn limits_end_a_recognition_as_google_does() {
    let ended_by = async |limits: Limits, requests: Vec<StreamingRecognizeRequest>| {
        let emulator = Emulator::start(Script { limits, ..Script::default() }).await.expect("it starts");
        let status = recognise(&emulator, requests).await.expect_err("it is refused");
        (status.code(), status.message().split_whitespace().take(3).collect::<Vec<_>>().join(" "))
    };
    let usual = Limits::default();
    let silence = || audio(&[0; 16_000]);
    let no_config = ended_by(usual, vec![silence()]).await;
    assert_eq!(no_config, (Code::InvalidArgument, "Malordered Data Received.".to_owned()));
    let too_big = ended_by(usual, vec![config(16_000), audio(&[0; 25_602])]).await;
    assert_eq!(too_big, (Code::InvalidArgument, "Audio chunk can".to_owned()));
    let no_lead = Limits { audio_ahead: Duration::from_millis(100), ..usual };
    let too_fast = ended_by(no_lead, vec![config(16_000), silence(), silence(), silence()]).await;
    assert_eq!(too_fast, (Code::OutOfRange, "Audio data is".to_owned()));
}

#[tokio::test]
async fn time_limits_end_a_recognition_as_google_does() {
    let short = Duration::from_millis(20);
    let limits = [
        (Limits { recognition: short, ..Limits::default() }, "Max duration of 5 minutes reached for stream."),
        (
            Limits { recognition_idle: short, ..Limits::default() },
            "Stream timed out after receiving no more client requests.",
        ),
    ];
    for (limits, expected) in limits {
        let emulator = Emulator::start(Script { limits, ..Script::default() }).await.expect("it starts");
        let (sender, requests) = mpsc::channel(4);
        sender.send(config(16_000)).await.unwrap();
        let mut client = SpeechClient::new(channel(&emulator).await);
        let mut answers = client.streaming_recognize(ReceiverStream::new(requests)).await.unwrap().into_inner();
        let status = answers.message().await.expect_err("it ends");
        assert_eq!((status.code(), status.message()), (Code::Aborted, expected));
    }
}

#[tokio::test]
async fn a_recognition_that_is_dropped_with_its_sender_is_noticed() {
    let emulator = start().await;
    let (sender, requests) = mpsc::channel(4);
    sender.send(config(16_000)).await.unwrap();
    let mut client = SpeechClient::new(channel(&emulator).await);
    let answers = client.streaming_recognize(ReceiverStream::new(requests)).await.unwrap();
    drop((sender, answers));
    let log = emulator.when(|log| log[0].ended.is_some()).await;
    assert_eq!(log[0].ended.map(|(_, ending)| ending), Some(Ending::ClientLeft));
    assert_eq!(log[0].request["recognizer"], "projects/p/locations/us/recognizers/_");
}

#[tokio::test]
async fn faults_reach_grpc() {
    let emulator = start().await;
    let request = || vec![config(16_000), audio(&[0; 3_200])];
    emulator.fault(
        Route::StreamingRecognize,
        1,
        Fault::at_once(Trouble::Error(Refusal::quota(Duration::from_secs(7)))),
    );
    let status = recognise(&emulator, request()).await.expect_err("refused");
    assert_eq!(status.code(), Code::ResourceExhausted);
    let rich = <google_apis::rpc::Status as prost::Message>::decode(status.details()).expect("it has details");
    assert_eq!(rich.details[1].type_url, "type.googleapis.com/google.rpc.RetryInfo");
    emulator.fault(Route::StreamingRecognize, 1, Fault::at_once(Trouble::Reset));
    assert!(recognise(&emulator, request()).await.is_err());
    assert!(recognise(&emulator, request()).await.is_ok());
}

#[tokio::test]
async fn grpc_wants_a_token_when_the_script_names_one() {
    let script = Script { keys: vec!["right".to_owned()], ..Script::default() };
    let emulator = Emulator::start(script).await.expect("it starts");
    let mut client = SpeechClient::new(channel(&emulator).await);
    let mut code_with = async |token: Option<&str>| {
        let mut request = tonic::Request::new(tokio_stream::iter([config(16_000), audio(&[0; 3_200])]));
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
        }
        client.streaming_recognize(request).await.err().map(|status| status.code())
    };
    assert_eq!(code_with(None).await, Some(Code::Unauthenticated));
    assert_eq!(code_with(Some("wrong")).await, Some(Code::Unauthenticated));
    assert_eq!(code_with(Some("right")).await, None);
}
