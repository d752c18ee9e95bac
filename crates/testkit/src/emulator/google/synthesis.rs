//! A streaming synthesis: sentences in, their audio out, until a limit is met.

use google_apis::text_to_speech::streaming_synthesis_input::InputSource;
use google_apis::text_to_speech::streaming_synthesize_request::StreamingRequest;
use google_apis::text_to_speech::{
    AudioEncoding, StreamingSynthesisInput, StreamingSynthesizeConfig, StreamingSynthesizeRequest,
    StreamingSynthesizeResponse,
};
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::voices::{encode, rate};
use crate::emulator::log::Exchange;
use crate::emulator::produce::Outlet;
use crate::emulator::script::{Limits, Pace};
use crate::emulator::{Shared, pause, voice};

type Answers = Outlet<Result<StreamingSynthesizeResponse, Status>>;

/// How much audio a response holds.
const PIECE_MS: u32 = 200;

/// Runs one to its end.
///
/// # Errors
/// As Google would end it.
pub(super) async fn run(
    shared: &Shared,
    exchange: &Exchange,
    mut requests: Streaming<StreamingSynthesizeRequest>,
    out: &Answers,
) -> Result<(), Status> {
    let first = next(&mut requests, shared.limits).await?.and_then(|request| request.streaming_request);
    let Some(StreamingRequest::StreamingConfig(config)) = first else {
        return Err(Status::invalid_argument("The first message must contain a streaming_config."));
    };
    let mut speaker = Speaker::new(&config, shared.pace, out)?;
    exchange.note("voice", config.voice.unwrap_or_default().name);
    let mut text = String::new();
    let mut buffer = String::new();
    while let Some(request) = next(&mut requests, shared.limits).await? {
        let Some(StreamingRequest::Input(input)) = request.streaming_request else {
            return Err(Status::invalid_argument("Only the first message may contain streaming_config."));
        };
        let piece = text_of(input)?;
        check_length(&piece, shared.limits)?;
        text.push_str(&piece);
        exchange.note("text", text.as_str());
        buffer.push_str(&piece);
        while let Some(sentence) = take_sentence(&mut buffer) {
            speaker.speak(&sentence).await?;
        }
    }
    exchange.note("half_closed", true);
    if buffer.trim().is_empty() { Ok(()) } else { speaker.speak(&buffer).await }
}

pub(super) fn check_length(text: &str, limits: Limits) -> Result<(), Status> {
    let most = limits.speech_text_bytes;
    if text.len() <= most {
        return Ok(());
    }
    Err(Status::invalid_argument(format!(
        "Either `input.text` or `input.ssml` is longer than the limit of {most} bytes. This limit is different from quotas."
    )))
}

async fn next(
    requests: &mut Streaming<StreamingSynthesizeRequest>,
    limits: Limits,
) -> Result<Option<StreamingSynthesizeRequest>, Status> {
    timeout(limits.synthesis_idle, requests.message()).await.map_err(|_| {
        Status::aborted(
            "Stream aborted due to long duration elapsed without input sent. Input must be sent continuously, at \
             least every 5s seconds.",
        )
    })?
}

fn text_of(input: StreamingSynthesisInput) -> Result<String, Status> {
    match input.input_source {
        Some(InputSource::Text(text) | InputSource::Markup(text)) => Ok(text),
        Some(_) | None => Err(Status::invalid_argument("The emulator speaks `text` and `markup` only.")),
    }
}

/// The text up to the end of its first sentence.
fn take_sentence(buffer: &mut String) -> Option<String> {
    let end = buffer.find(['.', '!', '?', '\n'])? + 1;
    Some(buffer.drain(..end).collect())
}

struct Speaker<'a> {
    encoding: AudioEncoding,
    rate_hz: u32,
    pace: Pace,
    out: &'a Answers,
}

impl<'a> Speaker<'a> {
    fn new(config: &StreamingSynthesizeConfig, pace: Pace, out: &'a Answers) -> Result<Self, Status> {
        let audio = config.streaming_audio_config.unwrap_or_default();
        let encoding = audio.audio_encoding();
        match encoding {
            AudioEncoding::Unspecified | AudioEncoding::Pcm | AudioEncoding::Mulaw | AudioEncoding::Alaw => {}
            AudioEncoding::OggOpus => return Err(Status::invalid_argument("The emulator does not make OGG_OPUS.")),
            AudioEncoding::Linear16 | AudioEncoding::Mp3 | AudioEncoding::M4a => {
                return Err(Status::invalid_argument(
                    "Unsupported audio encoding. Streaming supports PCM, ALAW, MULAW and OGG_OPUS.",
                ));
            }
        }
        let voice = config.voice.as_ref();
        let can_stream = voice.is_some_and(|voice| {
            voice.name.contains("Chirp3-HD") || !voice.model_name.is_empty() || voice.voice_clone.is_some()
        });
        if !can_stream {
            return Err(Status::invalid_argument(
                "Currently, only Chirp 3: HD voices are supported for streaming synthesis.",
            ));
        }
        Ok(Self { encoding, rate_hz: rate(audio.sample_rate_hertz)?, pace, out })
    }

    async fn speak(&mut self, sentence: &str) -> Result<(), Status> {
        if sentence.trim().is_empty() {
            return Ok(());
        }
        pause(self.pace.first_audio).await;
        let samples = voice::speak(sentence, self.rate_hz);
        for piece in samples.chunks((self.rate_hz / 1_000 * PIECE_MS) as usize) {
            let audio_content = encode(piece, self.encoding)?.into();
            self.out.send(Ok(StreamingSynthesizeResponse { audio_content })).await;
            pause(self.pace.audio_piece).await;
        }
        Ok(())
    }
}
