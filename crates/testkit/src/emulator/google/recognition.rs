//! A streaming recognition: audio in, activity, interim and final results out, until a limit is met.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use google_apis::speech::streaming_recognize_request::StreamingRequest;
use google_apis::speech::streaming_recognize_response::SpeechEventType;
use google_apis::speech::{StreamingRecognizeRequest, StreamingRecognizeResponse};
use tokio::time::{Instant, timeout_at};
use tonic::{Status, Streaming};

use super::decoding::Decoder;
use super::messages;
use super::setup::{Setup, Wants};
use crate::emulator::ear::{Ear, Heard};
use crate::emulator::log::Exchange;
use crate::emulator::produce::Outlet;
use crate::emulator::script::Limits;
use crate::emulator::{Shared, pause};

type Answers = Outlet<Result<StreamingRecognizeResponse, Status>>;

/// Runs one to its end.
///
/// # Errors
/// As Google would end it.
pub(super) async fn run(
    shared: Arc<Shared>,
    exchange: Exchange,
    requests: Streaming<StreamingRecognizeRequest>,
    out: &Answers,
) -> Result<(), Status> {
    let mut audio = AudioIn { requests, limits: shared.limits, began: Instant::now() };
    let first = audio.next().await?.ok_or_else(|| Status::invalid_argument("The stream ended before its config."))?;
    let setup = Setup::new(first, &exchange)?;
    let Some(first) = audio.next_piece().await? else { return Ok(()) };
    let (mut decoder, rest) = setup.decoding.decoder(&first)?;
    let script = Arc::clone(&shared);
    let ear = Ear::new(decoder.rate_hz, setup.wants.endpoint_ms, move || script.next_transcript());
    let mut recogniser = Recogniser { wants: setup.wants, shared, ear, out, quiet_since_ms: None, words: 0 };
    let mut next = Some(Bytes::copy_from_slice(rest));
    let mut pieces = 0;
    while let Some(piece) = next {
        pieces += 1;
        exchange.note("audio_messages", pieces);
        if let Progress::Over = recogniser.take(&piece, &mut decoder).await {
            return Ok(());
        }
        audio.check_speed(recogniser.ear.at_ms())?;
        next = audio.next_piece().await?;
    }
    exchange.note("half_closed", true);
    recogniser.finish().await;
    Ok(())
}

/// The client's messages, within the limits.
struct AudioIn {
    requests: Streaming<StreamingRecognizeRequest>,
    limits: Limits,
    began: Instant,
}

impl AudioIn {
    async fn next(&mut self) -> Result<Option<StreamingRecognizeRequest>, Status> {
        let end = self.began + self.limits.recognition;
        let idle = Instant::now() + self.limits.recognition_idle;
        match timeout_at(end.min(idle), self.requests.message()).await {
            Ok(message) if Instant::now() < end => message,
            Ok(_) => Err(Status::aborted("Max duration of 5 minutes reached for stream.")),
            Err(_) if end <= idle => Err(Status::aborted("Max duration of 5 minutes reached for stream.")),
            Err(_) => Err(Status::aborted("Stream timed out after receiving no more client requests.")),
        }
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, Status> {
        let Some(message) = self.next().await? else { return Ok(None) };
        let Some(StreamingRequest::Audio(audio)) = message.streaming_request else {
            return Err(Status::invalid_argument("Malordered Data Received. Expected audio after the first request."));
        };
        let most = self.limits.audio_message_bytes;
        if audio.len() > most {
            let message = format!(
                "Audio chunk can be of a maximum of {most} bytes. Received audio of {} bytes instead.",
                audio.len()
            );
            return Err(Status::invalid_argument(message));
        }
        Ok(Some(audio))
    }

    fn check_speed(&self, heard_ms: u32) -> Result<(), Status> {
        if Duration::from_millis(u64::from(heard_ms)) <= self.began.elapsed() + self.limits.audio_ahead {
            return Ok(());
        }
        Err(Status::out_of_range(
            "Audio data is being streamed too fast. Please stream audio data approximately at real time.",
        ))
    }
}

/// Whether a recognition goes on.
enum Progress {
    On,
    Over,
}

struct Recogniser<'a, S> {
    wants: Wants,
    shared: Arc<Shared>,
    ear: Ear<S>,
    out: &'a Answers,
    /// When the last utterance ended; none while someone speaks or before anyone did.
    quiet_since_ms: Option<u32>,
    /// Words of the utterance so far, as interim results told them.
    words: usize,
}

impl<S: FnMut() -> String> Recogniser<'_, S> {
    async fn take(&mut self, piece: &[u8], decoder: &mut Decoder) -> Progress {
        for heard in self.ear.listen(&decoder.decode(piece)) {
            if let Progress::Over = self.tell(heard).await {
                return Progress::Over;
            }
        }
        if self.timed_out() { Progress::Over } else { Progress::On }
    }

    /// The client has no more audio: what is known so far is final.
    async fn finish(&mut self) {
        if let Some(Heard::Ended { utterance }) = self.ear.finish() {
            pause(self.shared.pace.transcript).await;
            self.send(messages::last(&utterance, self.ear.at_ms(), &self.wants)).await;
        }
    }

    async fn tell(&mut self, heard: Heard) -> Progress {
        match heard {
            Heard::Began { at_ms } => {
                // From here on only an end counts.
                self.wants.start_timeout = None;
                self.quiet_since_ms = None;
                self.words = 0;
                if self.wants.activity {
                    self.send(messages::activity(SpeechEventType::SpeechActivityBegin, at_ms)).await;
                }
                Progress::On
            }
            Heard::Words { text, at_ms } => {
                self.words += 1;
                if self.wants.interim && self.words.is_multiple_of(self.wants.words_per_interim) {
                    self.send(messages::interim(&text, at_ms, &self.wants)).await;
                }
                Progress::On
            }
            Heard::Ended { utterance } => {
                self.quiet_since_ms = Some(utterance.ended_ms);
                if self.wants.activity {
                    self.send(messages::activity(SpeechEventType::SpeechActivityEnd, utterance.ended_ms)).await;
                }
                if self.wants.single_utterance {
                    self.send(messages::activity(SpeechEventType::EndOfSingleUtterance, utterance.ended_ms)).await;
                }
                pause(self.shared.pace.transcript).await;
                self.send(messages::last(&utterance, self.ear.at_ms(), &self.wants)).await;
                if self.wants.single_utterance { Progress::Over } else { Progress::On }
            }
        }
    }

    /// Activity timeouts count audio, not the clock.
    fn timed_out(&self) -> bool {
        let passed = |timeout: Option<Duration>, since_ms: u32| {
            timeout.is_some_and(|timeout| u128::from(self.ear.at_ms().saturating_sub(since_ms)) >= timeout.as_millis())
        };
        passed(self.wants.start_timeout, 0)
            || self.quiet_since_ms.is_some_and(|since| passed(self.wants.end_timeout, since))
    }

    async fn send(&self, response: StreamingRecognizeResponse) {
        self.out.send(Ok(response)).await;
    }
}
