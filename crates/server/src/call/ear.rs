//! What the caller hears.

use std::time::Duration;

use audio::energy;
use audio::opus::{Decoder, OpusError};
use tokio::time::Instant;

/// The rate of the saved reply.
pub(super) const RATE_HZ: u32 = 24_000;
/// From here on a packet is a voice and not the codec's silence.
const AUDIBLE_DBFS: f32 = -50.0;
/// When nothing comes for this long, what comes next is a new voice to a decoder: it conceals the pause first, as browsers do.
const PAUSE: Duration = Duration::from_millis(60);
/// How much of a pause is concealed: by then the old voice has faded.
const CONCEALED: usize = RATE_HZ as usize / 10;
/// A voice that was heard so shortly before is still the last answer, not the next.
const NEW_VOICE_AFTER: Duration = Duration::from_millis(100);

/// Decodes the reply and notes when there was something to hear.
pub(super) struct Ear {
    decoder: Decoder,
    /// All that was heard, without the pauses in which nothing was sent.
    heard: Vec<f32>,
    /// Arrival of the last packet.
    arrived: Option<Instant>,
    /// Arrival of the first audible packet since [`Ear::listen`].
    first: Option<Instant>,
    /// Arrival of the last audible packet.
    last: Option<Instant>,
}

impl Ear {
    pub(super) fn new() -> Result<Self, OpusError> {
        Ok(Self { decoder: Decoder::new(RATE_HZ)?, heard: Vec::new(), arrived: None, first: None, last: None })
    }

    /// Waits for the next answer from here on.
    pub(super) fn listen(&mut self) {
        self.first = None;
    }

    /// Takes a packet that has just arrived. One that breaks the format counts as lost.
    pub(super) fn hear(&mut self, packet: &[u8], arrived: Instant) {
        self.bridge(arrived);
        let before = self.heard.len();
        if self.decoder.decode(packet, &mut self.heard).is_err() {
            return;
        }
        if energy::dbfs(&self.heard[before..]) > AUDIBLE_DBFS {
            if self.first.is_none() && self.silent_for(arrived, NEW_VOICE_AFTER) {
                self.first = Some(arrived);
            }
            self.last = Some(arrived);
        }
    }

    /// Lets the decoder forget what came before a pause.
    fn bridge(&mut self, arrived: Instant) {
        if self.arrived.replace(arrived).is_some_and(|last| arrived.duration_since(last) > PAUSE) {
            // Pauses are not kept, and neither is what stands in for them; a decoder that cannot conceal starts as it is.
            let _ = self.decoder.conceal(CONCEALED, &mut Vec::new());
        }
    }

    /// When the answer began to be heard.
    pub(super) fn first_heard(&self) -> Option<Instant> {
        self.first
    }

    /// Whether nothing was heard for this long.
    pub(super) fn silent_for(&self, now: Instant, span: Duration) -> bool {
        self.last.is_none_or(|last| now.duration_since(last) >= span)
    }

    /// Whether nothing audible has arrived since the call began.
    pub(super) fn has_heard_nothing(&self) -> bool {
        self.last.is_none()
    }

    pub(super) fn into_heard(self) -> Vec<f32> {
        self.heard
    }
}
