//! Speech-to-Text v2: one stream serves utterance after utterance for as long as Google allows.
//!
//! `hearing` (pure) knows which words belong to which utterance, by the offsets at which Google says that they end;
//! `tape` keeps the audio that has no final words yet, to be sent again on a new stream; `connection` is one stream;
//! `listener` is the task that joins them; `request` holds what travels.

mod connection;
mod hearing;
mod listener;
mod request;
mod tape;

use std::sync::Arc;

use tokio::sync::mpsc;

use self::listener::Listener;
use self::request::Recognition;
use super::cloud::Cloud;
use super::config::SpeechConfig;
use crate::remote::Tasks;
use crate::stt::{SpeechToText, SttOptions, SttStream};

const PROVIDER: &str = "google.stt";
/// Inputs a stream may hold before its sender waits: about 3 s.
const INPUT_LIMIT: usize = 100;
/// Events that wait for a slow listener.
const EVENTS_LIMIT: usize = 64;

/// A recogniser. Its streams end with it.
#[derive(Debug)]
pub struct Speech {
    cloud: Cloud,
    project: String,
    config: Arc<SpeechConfig>,
    tasks: Tasks,
}

impl Speech {
    /// The recogniser of a project. Reaches nobody yet.
    #[must_use]
    pub fn new(cloud: Cloud, project: String, config: SpeechConfig) -> Self {
        Self { cloud, project, config: Arc::new(config), tasks: Tasks::default() }
    }
}

impl SpeechToText for Speech {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn open(&self, options: SttOptions) -> SttStream {
        let (input, inputs) = mpsc::channel(INPUT_LIMIT);
        let (sender, events) = mpsc::channel(EVENTS_LIMIT);
        let recognition = Recognition::new(&self.project, &self.config, options.language);
        let listener = Listener::new(self.cloud.clone(), recognition, Arc::clone(&self.config), sender);
        self.tasks.spawn(listener.run(inputs));
        SttStream { input, events }
    }
}
