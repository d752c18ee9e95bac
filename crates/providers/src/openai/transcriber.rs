//! A recogniser behind `/audio/transcriptions`: it takes whole recordings, so an utterance is uploaded at every pause
//! that may end it, and once more only if more was said. An upload is given up when the speaker goes on.
//!
//! `speaker` decides what is uploaded and when, `upload` does it.

mod speaker;
mod upload;

use std::sync::Arc;

use tokio::sync::mpsc;

use self::speaker::Speaker;
use self::upload::Uploader;
use super::config::TranscriberConfig;
use crate::remote::{Endpoint, Tasks};
use crate::stt::{SpeechToText, SttOptions, SttStream};

const PROVIDER: &str = "openai.transcription";
/// Inputs a stream may hold before its sender waits: about 3 s.
const INPUT_LIMIT: usize = 100;
/// Events that wait for a slow listener.
const EVENTS_LIMIT: usize = 64;

/// A recogniser. Its streams end with it.
#[derive(Debug)]
pub struct Transcriber {
    endpoint: Endpoint,
    config: Arc<TranscriberConfig>,
    tasks: Tasks,
}

impl Transcriber {
    /// A recogniser at an address. Reaches nobody yet.
    #[must_use]
    pub fn new(endpoint: Endpoint, config: TranscriberConfig) -> Self {
        Self { endpoint, config: Arc::new(config), tasks: Tasks::default() }
    }
}

impl SpeechToText for Transcriber {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn open(&self, options: SttOptions) -> SttStream {
        let (input, inputs) = mpsc::channel(INPUT_LIMIT);
        let (sender, events) = mpsc::channel(EVENTS_LIMIT);
        let uploader = Uploader::new(self.endpoint.clone(), Arc::clone(&self.config), options.language);
        self.tasks.spawn(Speaker::new(uploader, sender).run(inputs));
        SttStream { input, events }
    }
}
