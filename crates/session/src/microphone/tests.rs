use std::sync::{Arc, Mutex};
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

/// Fails at its third window, as often as it may, and is [`Strict`] then.
struct Fragile {
    failures: Mutex<u32>,
}

impl VoiceActivity for Fragile {
    #[allow(clippy::disallowed_methods, reason = "it ends with its stream")]
    fn open(&self) -> VadStream {
        let mut failures = self.failures.lock().expect("no panic");
        let Some(left) = failures.checked_sub(1) else { return Strict.open() };
        *failures = left;
        let (windows, mut input) = mpsc::channel::<Box<[f32; WINDOW_SAMPLES]>>(UNREAD_LIMIT);
        let (answers, probabilities) = mpsc::channel(UNREAD_LIMIT);
        tokio::spawn(async move {
            for _ in 0..2 {
                if input.recv().await.is_none() || answers.send(0.0).await.is_err() {
                    return;
                }
            }
        });
        VadStream { windows, probabilities }
    }
}

/// The packets of a caller, 20 ms each.
struct Line {
    encoder: Encoder,
    loudspeaker: Loudspeaker,
    sequence: u64,
}

impl Line {
    fn new() -> Self {
        let config = EncoderConfig { rate_hz: SAMPLE_RATE_HZ, ..EncoderConfig::default() };
        Self { encoder: Encoder::new(&config).expect("an encoder"), loudspeaker: Loudspeaker::default(), sequence: 0 }
    }

    /// A packet of a tone; its samples reach up to `loudness`.
    fn hear(&mut self, microphone: &mut Microphone, loudness: f32) {
        let samples: Vec<f32> = (0..320).map(|at| loudness * (at as f32 * 0.2).sin()).collect();
        let payload = self.encoder.encode(&samples).expect("a packet");
        self.sequence += 1;
        let frame = OpusFrame { sequence: self.sequence, rtp_time: self.sequence * 960, payload };
        microphone.packet(Timestamp::from_millis(self.sequence * 20), &frame, &mut self.loudspeaker);
    }
}

#[tokio::test(start_paused = true)]
async fn a_detector_that_fails_leaves_nobody_deaf() {
    let detector = Arc::new(Fragile { failures: Mutex::new(2) });
    let mut microphone = Microphone::new(detector, Listener::new(&["hello"]), None, None).expect("Opus");
    let mut line = Line::new();
    for _ in 0..50 {
        line.hear(&mut microphone, 0.5);
        let news = tokio::time::timeout(Duration::from_millis(20), microphone.news()).await;
        if matches!(news, Ok(Heard::Speech(Change::Started { .. }))) {
            return;
        }
    }
    unreachable!("nobody was heard in a second");
}

/// What media kept while nobody listened comes at once, and silence behind it in its time.
#[tokio::test(start_paused = true)]
async fn a_burst_of_packets_is_heard_to_its_end_and_leaves_nobody_deaf() {
    let mut microphone = Microphone::new(Arc::new(Strict), Listener::new(&["hello"]), None, None).expect("Opus");
    let mut line = Line::new();
    for _ in 0..100 {
        line.hear(&mut microphone, 0.5);
        // The worker runs, and nobody reads what it answers.
        tokio::task::yield_now().await;
    }
    let mut spoken = Duration::ZERO;
    for _ in 0..20 {
        line.hear(&mut microphone, 0.0);
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

/// How long a speaker may be silent after these arrivals, each behind the one before by so many milliseconds, before it
/// counts.
async fn patience(gaps_ms: &[u64]) -> Duration {
    let mut microphone = Microphone::new(Arc::new(Strict), Listener::new(&["hello"]), None, None).expect("Opus");
    let mut encoder =
        Encoder::new(&EncoderConfig { rate_hz: SAMPLE_RATE_HZ, ..EncoderConfig::default() }).expect("an encoder");
    let mut now = Timestamp::ZERO;
    for (sequence, gap_ms) in (1..).zip(gaps_ms) {
        now = now + Duration::from_millis(*gap_ms);
        let samples: Vec<f32> = (0..320).map(|at| 0.5 * (at as f32 * 0.2).sin()).collect();
        let payload = encoder.encode(&samples).expect("a packet");
        let frame = OpusFrame { sequence, rtp_time: sequence * 960, payload };
        microphone.packet(now, &frame, &mut Loudspeaker::default());
        while tokio::time::timeout(Duration::from_millis(1), microphone.news()).await.is_ok() {}
    }
    microphone.starved_at().expect("somebody speaks").since(now)
}

#[tokio::test(start_paused = true)]
async fn on_a_network_that_jitters_a_late_packet_is_not_taken_for_silence() {
    let steady = patience(&[20; 20]).await;
    assert_eq!(steady, Duration::from_millis(80));
    // Five at once every 100 ms: the first of them is 80 ms late.
    let bursts: Vec<u64> = (0..20).map(|n| if n % 5 == 0 { 100 } else { 0 }).collect();
    assert_eq!(patience(&bursts).await, Duration::from_millis(160));
}
