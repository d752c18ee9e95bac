//! OpenAI's speech-native model: a WebSocket `/realtime` for each conversation.
//!
//! `session` holds the conversation, `wire` writes what is sent, `answer` keeps what an answer was made of, so that what was
//! not heard of it can be taken back.

mod answer;
mod session;
mod wire;

use tokio::sync::mpsc;

use self::session::Session;
use super::config::RealtimeConfig;
use crate::live::{LiveEvent, LiveModel, LiveRequest, LiveStream};
use crate::remote::{Endpoint, Tasks};

const PROVIDER: &str = "openai.realtime";
/// What both sides of it hear and speak at.
const RATE_HZ: u32 = 24_000;
/// Inputs that wait for the connection: half a minute of speech in pieces of 32 ms.
const INPUTS: usize = 1_024;
/// Events that wait for a slow listener; then the vendor's stream waits too.
const EVENTS: usize = 256;

/// A speech-native model. Its conversations end with it.
#[derive(Debug)]
pub struct Realtime {
    endpoint: Endpoint,
    config: RealtimeConfig,
    tasks: Tasks,
}

impl Realtime {
    /// A model at an address. Reaches nobody yet.
    #[must_use]
    pub fn new(endpoint: Endpoint, config: RealtimeConfig) -> Self {
        Self { endpoint, config, tasks: Tasks::default() }
    }
}

impl LiveModel for Realtime {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn sample_rate_hz(&self) -> u32 {
        RATE_HZ
    }

    fn can_forget(&self) -> bool {
        true
    }

    fn open(&self, request: LiveRequest) -> LiveStream {
        let (input, inputs) = mpsc::channel(INPUTS);
        let (listener, events) = mpsc::channel(EVENTS);
        let (endpoint, config) = (self.endpoint.clone(), self.config.clone());
        self.tasks.spawn(async move {
            if let Err(failure) = Session::hold(endpoint, config, request, inputs, listener.clone()).await {
                // Who does not listen needs no reason.
                drop(listener.send(LiveEvent::Failed(failure)).await);
            }
        });
        LiveStream { input, events }
    }
}
