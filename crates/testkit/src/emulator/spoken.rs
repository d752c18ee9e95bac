//! How a speech-native model speaks: word by word, each with its sound.

use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use futures_util::{Stream, StreamExt as _, future};
use serde_json::Value;

use super::voice;

/// What a speech-native model speaks at.
pub(super) const RATE_HZ: u32 = 24_000;

/// An answer on its way: messages until it is complete. Dropping it interrupts it.
pub(super) type Speaking = Pin<Box<dyn Stream<Item = Value> + Send>>;

/// How long it pauses behind a mark, as people do.
const PAUSE_MS: u32 = 160;

/// A word as signed 16-bit samples in base64; nothing where there is nothing to hear.
pub(super) fn sound(word: &str) -> Option<String> {
    let word = word.trim();
    let mut samples = voice::speak(word, RATE_HZ);
    if word.ends_with([',', ';', ':', '.', '!', '?']) {
        samples.resize(samples.len() + (RATE_HZ / 1_000 * PAUSE_MS) as usize, 0.0);
    }
    (!word.is_empty()).then(|| STANDARD.encode(voice::pcm(&samples)))
}

/// Samples from signed 16-bit numbers in base64, in whichever alphabet; none if it is something else.
pub(super) fn samples(encoded: &str) -> Option<Vec<f32>> {
    let bytes = STANDARD.decode(encoded).or_else(|_| URL_SAFE.decode(encoded)).ok()?;
    Some(voice::samples(&bytes))
}

/// The next message of the answer under way; waits for ever when there is none. Cancel safe.
pub(super) async fn next(speaking: &mut Option<Speaking>) -> Option<Value> {
    match speaking {
        Some(stream) => {
            let message = stream.next().await;
            if message.is_none() {
                *speaking = None;
            }
            message
        }
        None => future::pending().await,
    }
}
