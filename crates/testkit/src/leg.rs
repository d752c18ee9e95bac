//! The far end of a call in virtual time: a caller who speaks tones, and the pacing that a media server does.

use std::collections::VecDeque;
use std::time::Duration;

use audio::leg::{Clip, FRAME_MS, FromCaller, OpusFrame, PlayoutMark, RTP_CLOCK_HZ, ToCaller};
use audio::opus::{Decoder, Encoder, EncoderConfig};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::room::Room;
use crate::scripted::tone;

const RATE_HZ: u32 = 16_000;
const FRAME_TICKS: u64 = (RTP_CLOCK_HZ / 1_000 * FRAME_MS) as u64;
const MARK_EVERY_FRAMES: u32 = 5;
/// A shorter pause (400 ms) is a busy machine's stutter and is not recorded, so that words stay whole.
const STUTTER_FRAMES: u32 = 20;
/// So much of any other one is: enough to tell the words before it from those after.
const PAUSE_MS: u32 = 100;

/// A caller whose every frame the test decides.
pub struct Caller {
    to_agent: mpsc::Sender<FromCaller>,
    from_agent: mpsc::Receiver<ToCaller>,
    encoder: Encoder,
    sequence: u64,
    rtp_time: u64,
    queue: VecDeque<ToCaller>,
    played: Option<(Clip, u32)>,
    held: bool,
    recorder: Option<Decoder>,
    pause_frames: u32,
    /// What was heard, at 16 kHz with its pauses cut short, since [`Self::record`].
    pub recording: Vec<f32>,
    /// Frames of the agent's voice that were heard, with when.
    pub heard: Vec<(Instant, Clip)>,
    /// The packets of these frames.
    pub packets: Vec<Vec<u8>>,
    /// Text messages from the agent.
    pub messages: Vec<String>,
}

impl Caller {
    /// A caller and the two ends of the link that the agent gets.
    pub fn connect() -> (Self, mpsc::Receiver<FromCaller>, mpsc::Sender<ToCaller>) {
        let (to_agent, from_caller) = mpsc::channel(512);
        let (to_caller, from_agent) = mpsc::channel(512);
        let encoder = Encoder::new(&EncoderConfig { rate_hz: RATE_HZ, ..EncoderConfig::default() }).unwrap();
        let caller = Self {
            to_agent,
            from_agent,
            encoder,
            sequence: 0,
            rtp_time: 0,
            queue: VecDeque::new(),
            played: None,
            held: false,
            recorder: None,
            pause_frames: 0,
            recording: Vec::new(),
            heard: Vec::new(),
            packets: Vec::new(),
            messages: Vec::new(),
        };
        (caller, from_caller, to_caller)
    }

    /// Records from here on what is heard.
    pub fn record(&mut self) {
        self.recorder = Some(Decoder::new(RATE_HZ).unwrap());
    }

    /// Tells the agent that audio flows.
    pub async fn connected(&mut self) {
        self.tell(FromCaller::Connected).await;
    }

    /// Speaks for this long, in real (virtual) time.
    pub async fn speak(&mut self, ms: u32) {
        self.send_for(ms, Some(0.5)).await;
    }

    /// Speaks these samples at 16 kHz, in real (virtual) time.
    pub async fn say(&mut self, samples: &[f32]) {
        let mut ticks = interval(Duration::from_millis(u64::from(FRAME_MS)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        for frame in samples.chunks_exact((RATE_HZ / 1_000 * FRAME_MS) as usize) {
            ticks.tick().await;
            self.send(frame).await;
            self.play().await;
        }
    }

    /// Speaks these samples at 16 kHz in a `room` in which a loudspeaker plays what the agent says.
    pub async fn say_in(&mut self, room: &mut Room, samples: &[f32]) {
        let frame_samples = (RATE_HZ / 1_000 * FRAME_MS) as usize;
        let mut loudspeaker = Decoder::new(RATE_HZ).unwrap();
        let mut echo = vec![0.0; frame_samples];
        let mut ticks = interval(Duration::from_millis(u64::from(FRAME_MS)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        for frame in samples.chunks_exact(frame_samples) {
            ticks.tick().await;
            let heard: Vec<f32> = frame.iter().zip(&echo).map(|(own, echo)| own + echo).collect();
            self.send(&heard).await;
            let mut played = Vec::new();
            match self.play().await {
                Some(payload) => loudspeaker.decode(&payload, &mut played).map(drop).unwrap(),
                None => played.resize(frame_samples, 0.0),
            }
            echo = room.hear(&played);
        }
    }

    /// Sends silence for this long.
    pub async fn silence(&mut self, ms: u32) {
        self.send_for(ms, Some(0.0)).await;
    }

    /// Sends no packet for this long, as a muted microphone with silence suppression does.
    pub async fn send_nothing(&mut self, ms: u32) {
        self.send_for(ms, None).await;
    }

    /// Hangs up.
    pub async fn hang_up(self) {
        self.to_agent.send(FromCaller::Ended(audio::leg::EndReason::Hangup)).await.unwrap();
    }

    async fn send_for(&mut self, ms: u32, amplitude: Option<f32>) {
        let mut ticks = interval(Duration::from_millis(u64::from(FRAME_MS)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        for _ in 0..ms / FRAME_MS {
            ticks.tick().await;
            match amplitude {
                Some(amplitude) => {
                    let frame: Vec<f32> = tone(RATE_HZ, FRAME_MS).iter().map(|s| s * amplitude * 2.0).collect();
                    self.send(&frame).await;
                }
                None => self.rtp_time += FRAME_TICKS,
            }
            self.play().await;
        }
    }

    async fn send(&mut self, samples: &[f32]) {
        let payload = self.encoder.encode(samples).unwrap();
        self.sequence += 1;
        let frame = OpusFrame { sequence: self.sequence, rtp_time: self.rtp_time, payload };
        self.rtp_time += FRAME_TICKS;
        self.tell(FromCaller::Frame(frame)).await;
    }

    /// Plays at most one frame, as a media server does every 20 ms; gives its packet.
    async fn play(&mut self) -> Option<Vec<u8>> {
        let packet = self.next_packet().await;
        if let Some(decoder) = &mut self.recorder {
            match &packet {
                Some(payload) => decoder.decode(payload, &mut self.recording).map(drop).unwrap(),
                None if self.pause_frames == STUTTER_FRAMES => {
                    self.recording.resize(self.recording.len() + (RATE_HZ / 1_000 * PAUSE_MS) as usize, 0.0);
                }
                None => {}
            }
            self.pause_frames = if packet.is_some() { 0 } else { self.pause_frames.saturating_add(1) };
        }
        packet
    }

    async fn next_packet(&mut self) -> Option<Vec<u8>> {
        while let Ok(message) = self.from_agent.try_recv() {
            match message {
                ToCaller::Hold => {
                    self.held = true;
                    let at = self.played.map(|(clip, frames)| (clip, frames * FRAME_MS));
                    self.tell(FromCaller::Playout(PlayoutMark::Held { at })).await;
                }
                ToCaller::Resume => self.held = false,
                ToCaller::Flush => {
                    self.queue.clear();
                    self.held = false;
                    let cut = self.played.take().map(|(clip, frames)| (clip, frames * FRAME_MS));
                    self.tell(FromCaller::Playout(PlayoutMark::Flushed { cut })).await;
                }
                ToCaller::Message(text) => self.messages.push(text),
                voice @ (ToCaller::Voice { .. } | ToCaller::EndOfClip(_)) => self.queue.push_back(voice),
                ToCaller::Hangup | ToCaller::Keep(_) => {}
            }
        }
        while !self.held
            && let Some(message) = self.queue.pop_front()
        {
            match message {
                ToCaller::EndOfClip(clip) => {
                    self.played = None;
                    self.tell(FromCaller::Playout(PlayoutMark::Finished(clip))).await;
                }
                ToCaller::Voice { clip, payload } => {
                    self.play_frame(clip).await;
                    self.packets.push(payload.to_vec());
                    return Some(payload.to_vec());
                }
                ToCaller::Flush
                | ToCaller::Hold
                | ToCaller::Resume
                | ToCaller::Message(_)
                | ToCaller::Hangup
                | ToCaller::Keep(_) => {}
            }
        }
        None
    }

    async fn play_frame(&mut self, clip: Clip) {
        self.heard.push((Instant::now(), clip));
        let frames = match self.played {
            Some((playing, frames)) if playing == clip => frames + 1,
            Some(_) | None => {
                self.tell(FromCaller::Playout(PlayoutMark::Started(clip))).await;
                1
            }
        };
        self.played = Some((clip, frames));
        if frames.is_multiple_of(MARK_EVERY_FRAMES) {
            let heard_ms = frames * FRAME_MS;
            self.tell(FromCaller::Playout(PlayoutMark::Reached { clip, heard_ms })).await;
        }
    }

    async fn tell(&self, message: FromCaller) {
        // The agent may be gone already; what the test asserts then is why.
        drop(self.to_agent.send(message).await);
    }
}
