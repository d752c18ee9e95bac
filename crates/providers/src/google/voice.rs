//! Text-to-Speech: a stream for each sentence, spoken while the rest is still made.
//!
//! A stream could take a whole answer, but its audio has no marks: nobody could tell where a sentence ends, and so which
//! words were heard. Streams share a connection, so one more costs no round trip.

use futures_util::stream;
use google_apis::text_to_speech as wire;
use google_apis::text_to_speech::streaming_synthesis_input::InputSource;
use google_apis::text_to_speech::streaming_synthesize_request::StreamingRequest;
use google_apis::text_to_speech::text_to_speech_client::TextToSpeechClient;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status, Streaming};

use super::cloud::{Cloud, failure};
use super::config::{Method, VoiceConfig};
use crate::remote::{Samples, Tasks};
use crate::tts::{SpeechRequest, TextToSpeech, TtsEvent, is_speakable};
use crate::{Failure, Remedy};

const PROVIDER: &str = "google.tts";
const SAMPLE_RATE_HZ: u32 = 24_000;
/// Pieces of audio that wait for a slow listener; then the vendor's stream waits too.
const EVENTS_LIMIT: usize = 64;
/// The longest text of one message. Google takes 5,000 bytes.
const MAX_TEXT_BYTES: usize = 4_000;
/// The most audio in one message: a whole sentence where nothing is streamed, five minutes of it.
const MAX_MESSAGE_BYTES: usize = 24_000 * 2 * 300;
/// Speaking rates that Google takes.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.25..=2.0;

/// A voice. What it says ends with it.
#[derive(Debug)]
pub struct Voice {
    cloud: Cloud,
    config: VoiceConfig,
    tasks: Tasks,
}

impl Voice {
    /// A voice. Reaches nobody yet.
    #[must_use]
    pub fn new(cloud: Cloud, config: VoiceConfig) -> Self {
        Self { cloud, config, tasks: Tasks::default() }
    }
}

impl TextToSpeech for Voice {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn sample_rate_hz(&self) -> u32 {
        SAMPLE_RATE_HZ
    }

    fn speak(&self, request: SpeechRequest) -> mpsc::Receiver<TtsEvent> {
        let (sender, events) = mpsc::channel(EVENTS_LIMIT);
        let is_speakable = is_speakable(&request.text);
        let sentence = Sentence::new(self.cloud.clone(), &self.config, request);
        self.tasks.spawn(async move {
            let last = tokio::select! {
                biased;
                // Dropping both directions resets the stream.
                () = sender.closed() => return,
                () = std::future::ready(()), if !is_speakable => TtsEvent::Done,
                spoken = sentence.speak(&sender) => match spoken {
                    Ok(()) => TtsEvent::Done,
                    Err(failure) => TtsEvent::Failed(failure),
                },
            };
            // Nobody may listen any more.
            let _ = sender.send(last).await;
        });
        events
    }
}

/// One sentence on its way.
struct Sentence {
    cloud: Cloud,
    text: String,
    prompt: Option<String>,
    voice: wire::VoiceSelectionParams,
    speed: f64,
    method: Method,
}

impl Sentence {
    fn new(cloud: Cloud, config: &VoiceConfig, request: SpeechRequest) -> Self {
        let name = request.voice.unwrap_or_else(|| config.voice.clone());
        let method = match config.method {
            Method::Auto if config.model.is_empty() && !name.contains("Chirp3-HD") => Method::Whole,
            Method::Auto => Method::Streaming,
            method @ (Method::Streaming | Method::Whole) => method,
        };
        let voice = wire::VoiceSelectionParams {
            language_code: language(&name).unwrap_or(&config.language).to_owned(),
            name,
            model_name: config.model.clone(),
            ..Default::default()
        };
        let speed = f64::from(request.speed).clamp(*SPEEDS.start(), *SPEEDS.end());
        let prompt = (!config.prompt.is_empty()).then(|| config.prompt.clone());
        Self { cloud, text: request.text, prompt, voice, speed, method }
    }

    async fn speak(self, events: &mpsc::Sender<TtsEvent>) -> Result<(), Failure> {
        let within = self.cloud.deadlines().first;
        let due = Instant::now() + within;
        match self.method {
            Method::Auto | Method::Streaming => self.stream(due, events).await,
            Method::Whole => {
                let audio = timeout_at(due, self.whole()).await.map_err(|_| silent(within))?;
                tell(events, &mut Samples::default(), &audio.map_err(|status| failure(PROVIDER, &status))?).await
            }
        }
    }

    async fn stream(self, due: Instant, events: &mpsc::Sender<TtsEvent>) -> Result<(), Failure> {
        let (first, stall) = (self.cloud.deadlines().first, self.cloud.deadlines().stall);
        let failed = |status: Status| failure(PROVIDER, &status);
        let place = self.cloud.place();
        let mut client = TextToSpeechClient::new(place.channel.clone());
        let opened = timeout_at(due, self.open(&mut client)).await.map_err(|_| silent(first))?;
        let mut audio = opened.map_err(failed)?;
        let (mut samples, mut patience) = (Samples::default(), (due, first));
        let mut is_silent = true;
        loop {
            let (due, within) = patience;
            let Some(piece) = timeout_at(due, audio.message()).await.map_err(|_| silent(within))?.map_err(failed)?
            else {
                break;
            };
            if !piece.audio_content.is_empty() {
                is_silent = false;
                tell(events, &mut samples, &piece.audio_content).await?;
                patience = (Instant::now() + stall, stall);
            }
        }
        if is_silent { Err(Failure::new(PROVIDER, Remedy::Retry, "it sent no audio")) } else { Ok(()) }
    }

    /// Opens the stream. A connection that has just died may be met once; the next one is new.
    async fn open(
        &self,
        client: &mut TextToSpeechClient<tonic::transport::Channel>,
    ) -> Result<Streaming<wire::StreamingSynthesizeResponse>, Status> {
        let mut opened = client.streaming_synthesize(self.cloud.request(stream::iter(self.messages())).await?).await;
        if opened.as_ref().is_err_and(|status| status.code() == Code::Unavailable) {
            opened = client.streaming_synthesize(self.cloud.request(stream::iter(self.messages())).await?).await;
        }
        opened.map(tonic::Response::into_inner)
    }

    fn messages(&self) -> Vec<wire::StreamingSynthesizeRequest> {
        let config = wire::StreamingSynthesizeConfig {
            voice: Some(self.voice.clone()),
            streaming_audio_config: Some(wire::StreamingAudioConfig {
                audio_encoding: wire::AudioEncoding::Pcm.into(),
                sample_rate_hertz: SAMPLE_RATE_HZ.cast_signed(),
                speaking_rate: self.speed,
            }),
            ..Default::default()
        };
        let mut requests = vec![StreamingRequest::StreamingConfig(config)];
        for (position, text) in pieces(&self.text).into_iter().enumerate() {
            let prompt = self.prompt.clone().filter(|_| position == 0);
            let input =
                wire::StreamingSynthesisInput { input_source: Some(InputSource::Text(text.to_owned())), prompt };
            requests.push(StreamingRequest::Input(input));
        }
        let message = |request| wire::StreamingSynthesizeRequest { streaming_request: Some(request) };
        requests.into_iter().map(message).collect()
    }

    /// The audio of voices that cannot stream.
    async fn whole(&self) -> Result<bytes::Bytes, Status> {
        let place = self.cloud.place();
        let mut client = TextToSpeechClient::new(place.channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let message = wire::SynthesizeSpeechRequest {
            input: Some(wire::SynthesisInput {
                input_source: Some(wire::synthesis_input::InputSource::Text(self.text.clone())),
                prompt: self.prompt.clone(),
                ..Default::default()
            }),
            voice: Some(self.voice.clone()),
            audio_config: Some(wire::AudioConfig {
                audio_encoding: wire::AudioEncoding::Pcm.into(),
                sample_rate_hertz: SAMPLE_RATE_HZ.cast_signed(),
                speaking_rate: self.speed,
                ..Default::default()
            }),
            ..Default::default()
        };
        let request = self.cloud.request(message).await?;
        Ok(client.synthesize_speech(request).await?.into_inner().audio_content)
    }
}

async fn tell(events: &mpsc::Sender<TtsEvent>, samples: &mut Samples, bytes: &[u8]) -> Result<(), Failure> {
    let Some(audio) = samples.push(bytes) else { return Ok(()) };
    let unheard = |_| Failure::new(PROVIDER, Remedy::GiveUp, "nobody listens");
    events.send(TtsEvent::Audio(audio)).await.map_err(unheard)
}

fn silent(within: std::time::Duration) -> Failure {
    Failure::new(PROVIDER, Remedy::Retry, format!("nothing came within {} ms", within.as_millis()))
}

/// The language of a voice such as `en-US-Chirp3-HD-Kore`; other names say nothing of it.
fn language(voice: &str) -> Option<&str> {
    let (first, rest) = voice.split_once('-')?;
    let (second, _) = rest.split_once('-')?;
    voice.get(..first.len() + 1 + second.len())
}

/// A text in pieces that Google takes, cut between words where there are any.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while rest.len() > MAX_TEXT_BYTES {
        let most = rest.floor_char_boundary(MAX_TEXT_BYTES);
        let cut = rest[..most].rfind(' ').map_or(most, |space| space + 1);
        let (piece, others) = rest.split_at(cut);
        pieces.push(piece);
        rest = others;
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use super::{MAX_TEXT_BYTES, language, pieces};

    #[test]
    fn a_voice_names_its_language() {
        assert_eq!(language("en-US-Chirp3-HD-Kore"), Some("en-US"));
        assert_eq!(language("cmn-CN-Chirp3-HD-Kore"), Some("cmn-CN"));
        assert_eq!(language("Kore"), None);
    }

    #[test]
    fn a_long_text_is_cut_between_words() {
        assert_eq!(pieces("Hello there."), ["Hello there."]);
        let long = "wörter ".repeat(1_000);
        let cut = pieces(&long);
        assert!(cut.len() > 1 && cut.iter().all(|piece| piece.len() <= MAX_TEXT_BYTES));
        assert!(cut.iter().all(|piece| piece.starts_with("wörter")));
        assert_eq!(cut.concat(), long);
        let endless = "ß".repeat(5_000);
        assert_eq!(pieces(&endless).concat(), endless);
    }
}
