//! The task of one speaker: hands audio over, rotates streams, and tells what was understood.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use google_apis::speech::StreamingRecognizeResponse;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::PROVIDER;
use super::connection::{Connection, Stuck};
use super::hearing::{Hearing, Waits};
use super::request::Recognition;
use super::tape::{PIECE_BYTES, Tape};
use crate::google::SpeechConfig;
use crate::google::cloud::{Cloud, failure};
use crate::remote;
use crate::stt::{FailureEvent, SAMPLE_RATE_HZ, SttEvent, SttInput};
use crate::{Failure, Remedy};

/// Google decides on the silence that it hears, so it hears some: one piece in the time that it lasts.
const SILENCE: Duration = Duration::from_millis(100);
/// After a failure no stream is opened for this long: audio comes 30 times a second.
const REST: Duration = Duration::from_secs(1);

pub(super) struct Listener {
    cloud: Cloud,
    recognition: Recognition,
    config: Arc<SpeechConfig>,
    events: mpsc::Sender<SttEvent>,
    hearing: Hearing,
    tape: Tape,
    connection: Option<Connection>,
    /// Whether the stream was opened anew for this utterance already.
    has_reopened: bool,
    silence_at: Option<Instant>,
    last_audio: Instant,
    rests_until: Option<Instant>,
}

impl Listener {
    pub(super) fn new(
        cloud: Cloud,
        recognition: Recognition,
        config: Arc<SpeechConfig>,
        events: mpsc::Sender<SttEvent>,
    ) -> Self {
        Self {
            cloud,
            recognition,
            events,
            hearing: Hearing::new(Waits { settle: config.settle, give_up: config.give_up }),
            tape: Tape::default(),
            connection: None,
            has_reopened: false,
            silence_at: None,
            last_audio: Instant::now(),
            rests_until: None,
            config,
        }
    }

    /// Serves until the speaker is gone or nobody listens.
    pub(super) async fn run(mut self, mut inputs: mpsc::Receiver<SttInput>) {
        let mut out = Vec::new();
        loop {
            let wake = self.wake_at();
            tokio::select! {
                biased;
                () = self.events.closed() => return,
                // One utterance after the other: words of the next would be taken for words of this one.
                input = inputs.recv(), if !self.hearing.is_owed() => match input {
                    Some(input) => self.take(input, &mut out),
                    None => return,
                },
                response = next_response(&mut self.connection) => self.response(response, &mut out),
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.tick(&mut out),
            }
            self.leave_if_unfinished();
            for event in out.drain(..) {
                // Nobody may listen any more, which ends the loop.
                let _ = self.events.send(event).await;
            }
        }
    }

    fn take(&mut self, input: SttInput, out: &mut Vec<SttEvent>) {
        let now = Instant::now();
        match input {
            SttInput::Audio(samples) => self.audio(&samples, now, out),
            SttInput::Pause(mark) => {
                self.hearing.pause(mark, now, out);
                self.silence_at = Some(now + SILENCE);
                if !self.hearing.is_final() {
                    self.reopen_if_needed();
                }
                self.wait_for_backlog(now);
            }
            SttInput::Commit => {
                self.hearing.commit(now, out);
                self.silence_at.get_or_insert(now + SILENCE);
                self.wait_for_backlog(now);
            }
            SttInput::Reset => self.hearing.reset(),
        }
    }

    fn audio(&mut self, samples: &[f32], now: Instant, out: &mut Vec<SttEvent>) {
        let was_paused = self.hearing.paused_since().is_some();
        self.last_audio = now;
        self.silence_at = None;
        let bytes = remote::bytes(samples);
        let begins = self.tape.end();
        if self.hearing.audio(begins, begins + samples.len() as u64) {
            self.has_reopened = false;
            self.tape.forget_before(begins);
        }
        let age = self.connection.as_ref().map_or(Duration::ZERO, Connection::age);
        if self.connection.is_some()
            && (age >= self.config.rotate_at || (was_paused && age >= self.config.rotate_after))
        {
            tracing::debug!(provider = PROVIDER, age_s = age.as_secs(), "the stream gives way to a new one");
            self.connection = None;
        }
        self.reopen_if_needed();
        for piece in bytes.chunks(PIECE_BYTES) {
            self.feed(piece, out);
        }
    }

    /// Hands a piece of audio over, and keeps it for another stream.
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<SttEvent>) {
        self.tape.record(bytes);
        if let Some(connection) = &mut self.connection
            && let Err(Stuck) = connection.send(Bytes::copy_from_slice(bytes))
        {
            self.fail(Failure::new(PROVIDER, Remedy::Replace, "it does not read what it is sent"), out);
        }
    }

    /// Opens a stream when there is none, with all audio that has no final words.
    fn reopen_if_needed(&mut self) {
        if self.connection.is_some() || self.rests_until.is_some_and(|until| until > Instant::now()) {
            return;
        }
        let (begins, audio) = self.tape.from(self.hearing.unheard_from());
        if !audio.is_empty() {
            self.hearing.starts_again();
        }
        self.connection = Some(Connection::open(&self.cloud, &self.recognition, begins, audio));
        self.wait_for_backlog(Instant::now());
    }

    /// Words are overdue only some time after their audio has left.
    fn wait_for_backlog(&mut self, now: Instant) {
        if let Some(connection) = &self.connection {
            self.hearing.waits_from(now + connection.backlog_lasts());
        }
    }

    /// A stream that may still speak of the last utterance would mix its words with those of the next.
    fn leave_if_unfinished(&mut self) {
        if self.hearing.take_left_unfinished() {
            self.connection = None;
        }
    }

    fn response(&mut self, response: Option<Result<StreamingRecognizeResponse, Status>>, out: &mut Vec<SttEvent>) {
        match response {
            Some(Ok(response)) => self.hear(response, out),
            Some(Err(status)) => self.broken(failure(PROVIDER, &status), out),
            None => self.broken(Failure::new(PROVIDER, Remedy::Retry, "the stream ended"), out),
        }
    }

    /// A response holds final words or none, and then the running ones in several parts.
    fn hear(&mut self, response: StreamingRecognizeResponse, out: &mut Vec<SttEvent>) {
        let begins = self.connection.as_ref().map_or(0, Connection::begins);
        let end = self.tape.end();
        let (mut running, mut running_until) = (String::new(), None);
        for result in response.results {
            let words = result.alternatives.into_iter().next().map(|best| best.transcript).unwrap_or_default();
            let until = result.result_end_offset.map_or(end, |offset| begins + samples(&offset));
            if result.is_final {
                self.hearing.finals(&words, until, out);
                self.tape.forget_before(self.hearing.unheard_from());
                self.has_reopened = false;
            } else {
                running.push_str(&words);
                running_until = Some(until);
            }
        }
        if let Some(until) = running_until {
            self.hearing.running(&running, until, out);
        }
    }

    /// The stream is gone. Between utterances that is how Google ends it; within one it is tried again once.
    fn broken(&mut self, failure: Failure, out: &mut Vec<SttEvent>) {
        self.connection = None;
        if self.hearing.is_final() {
            tracing::debug!(provider = PROVIDER, cause = %failure.message, "the stream was closed between utterances");
            return;
        }
        if failure.remedy == Remedy::Retry && !self.has_reopened {
            tracing::info!(provider = PROVIDER, cause = %failure.message, "the stream broke and is opened again");
            self.has_reopened = true;
            self.reopen_if_needed();
            return;
        }
        self.fail(failure, out);
    }

    fn fail(&mut self, failure: Failure, out: &mut Vec<SttEvent>) {
        self.connection = None;
        self.rests_until = Some(Instant::now() + failure.retry_after.unwrap_or(REST).max(REST));
        self.has_reopened = false;
        self.hearing.failed();
        out.push(SttEvent::Failed(FailureEvent(failure)));
    }

    /// When something is to be done without anybody asking.
    fn wake_at(&self) -> Option<Instant> {
        let connection = self.connection.as_ref();
        let idle = connection.map(|_| self.last_audio + self.config.idle);
        let pump = connection.and_then(Connection::pump_at);
        [self.hearing.deadline(), self.silence_at, idle, pump].into_iter().flatten().min()
    }

    fn tick(&mut self, out: &mut Vec<SttEvent>) {
        let now = Instant::now();
        self.hearing.due(now, out);
        if let Some(connection) = &mut self.connection {
            connection.pump(now);
        }
        if self.connection.is_some() && self.last_audio + self.config.idle <= now {
            self.connection = None;
        }
        if self.silence_at.is_some_and(|at| at <= now) {
            self.silence(now, out);
        }
    }

    /// Lets Google hear the pause until it has said its last word about what was said.
    fn silence(&mut self, now: Instant, out: &mut Vec<SttEvent>) {
        let is_awaited = self.hearing.paused_since().is_some_and(|since| now < since + self.config.give_up);
        if self.hearing.is_final() || !is_awaited {
            self.silence_at = None;
            return;
        }
        self.silence_at = Some(now + SILENCE);
        self.feed(&[0; PIECE_BYTES], out);
    }
}

/// Waits for ever while there is no stream. Cancel safe.
async fn next_response(connection: &mut Option<Connection>) -> Option<Result<StreamingRecognizeResponse, Status>> {
    match connection {
        Some(connection) => connection.response().await,
        None => std::future::pending().await,
    }
}

/// A time in samples; one before the beginning is the beginning.
fn samples(offset: &google_apis::Duration) -> u64 {
    let seconds = u64::try_from(offset.seconds).unwrap_or(0);
    let rest = u64::try_from(offset.nanos).unwrap_or(0) * u64::from(SAMPLE_RATE_HZ) / 1_000_000_000;
    seconds.saturating_mul(u64::from(SAMPLE_RATE_HZ)).saturating_add(rest)
}
