use std::sync::Arc;
use std::time::Duration;

use audio::leg::OpusFrame;
use audio::opus::{Encoder, EncoderConfig};
use dialogue::Timestamp;
use providers::vad::{UNREAD_LIMIT, VadStream, VoiceActivity, WINDOW_SAMPLES};
use testkit::scripted::Listener;
use tokio::sync::mpsc;

use super::{Heard, Microphone, SAMPLE_RATE_HZ, WINDOW};
use crate::loudspeaker::Loudspeaker;
use crate::speech::Change;

/// Takes loud windows for speech, and ends the stream of whoever does not read its answers, as Silero does.
struct Strict;

impl VoiceActivity for Strict {
    #[allow(clippy::disallowed_methods, reason = "it ends with its stream")]
    fn open(&self) -> VadStream {
        let (windows, mut input) = mpsc::channel::<Box<[f32; WINDOW_SAMPLES]>>(UNREAD_LIMIT);
        let (answers, probabilities) = mpsc::channel(UNREAD_LIMIT);
        tokio::spawn(async move {
            while let Some(window) = input.recv().await {
                let is_loud = audio::energy::dbfs(&window[..]) > -40.0;
                if answers.try_send(f32::from(u8::from(is_loud))).is_err() {
                    return;
                }
            }
        });
        VadStream { windows, probabilities }
    }
}

/// What media kept while nobody listened comes at once, and silence behind it in its time.
#[tokio::test(start_paused = true)]
async fn a_burst_of_packets_is_heard_to_its_end_and_leaves_nobody_deaf() {
    let mut microphone = Microphone::new(Arc::new(Strict), Listener::new(&["hello"]), None, None).expect("Opus");
    let mut loudspeaker = Loudspeaker::default();
    let mut encoder =
        Encoder::new(&EncoderConfig { rate_hz: SAMPLE_RATE_HZ, ..EncoderConfig::default() }).expect("an encoder");
    let mut sequence = 0;
    let mut hear = |microphone: &mut Microphone, loudness: f32| {
        let samples: Vec<f32> = (0..320).map(|at| loudness * (at as f32 * 0.2).sin()).collect();
        let payload = encoder.encode(&samples).expect("a packet");
        sequence += 1;
        let frame = OpusFrame { sequence, rtp_time: sequence * 960, payload };
        microphone.packet(Timestamp::from_millis(sequence * 20), &frame, &mut loudspeaker);
    };
    for _ in 0..100 {
        hear(&mut microphone, 0.5);
        // The worker runs, and nobody reads what it answers.
        tokio::task::yield_now().await;
    }
    let mut spoken = Duration::ZERO;
    for _ in 0..20 {
        hear(&mut microphone, 0.0);
        while let Ok(heard) = tokio::time::timeout(Duration::from_millis(20), microphone.news()).await {
            match heard {
                Heard::Speech(Change::GoesOn { spoken: so_far }) => spoken = so_far,
                Heard::Speech(Change::Paused { .. }) => {
                    assert!(spoken + 4 * WINDOW > Duration::from_secs(2), "only {spoken:?} were heard");
                    return;
                }
                Heard::Speech(Change::Started { .. }) | Heard::Words { .. } | Heard::WordsFailed => {}
            }
        }
    }
    unreachable!("the pause was not heard");
}
