use super::*;
use crate::energy::rms;
use crate::opus::{Dtx, Encoder, EncoderConfig, Fec};

const RATE_HZ: u32 = 16_000;
/// Samples of 20 ms.
const FRAME: usize = 320;

/// Something like vowels that glide, four a second, so that a copy and what is made up differ. Packets carry copies of what
/// the encoder takes for speech only, and a steady hum is none.
fn voice(frames: usize) -> Vec<f32> {
    let mut phase = 0.0_f32;
    (0..frames * FRAME)
        .map(|at| {
            let seconds = at as f32 / RATE_HZ as f32;
            let hz = 140.0 + 60.0 * (seconds * 9.0).sin();
            let loudness = (seconds * 4.0 * std::f32::consts::PI).sin().abs();
            phase += hz * std::f32::consts::TAU / RATE_HZ as f32;
            let sum: f32 = (1..12).map(|harmonic| (phase * harmonic as f32).sin() / harmonic as f32).sum();
            sum * loudness * 0.25
        })
        .collect()
}

/// The places of frames of which the next one carries a copy, far from each other.
fn copied(frames: &[OpusFrame]) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::new();
    for place in 10..frames.len() - 1 {
        let is_copied = opus::has_copy(&frames[place + 1].payload);
        if is_copied && places.last().is_none_or(|last| place > last + 5) {
            places.push(place);
        }
    }
    assert!(places.len() > 1, "a voice is worth a copy");
    places
}

fn encode(samples: &[f32], frame_ms: usize, config: &EncoderConfig) -> Vec<OpusFrame> {
    let mut encoder = Encoder::new(&EncoderConfig { rate_hz: RATE_HZ, ..config.clone() }).expect("valid");
    let frames = samples.chunks_exact(16 * frame_ms).zip(1_u64..);
    frames
        .map(|(frame, sequence)| OpusFrame {
            sequence,
            rtp_time: sequence * frame_ms as u64 * TICKS_PER_MS,
            payload: encoder.encode(frame).expect("a legal duration"),
        })
        .collect()
}

fn protected() -> EncoderConfig {
    EncoderConfig { expected_loss_percent: 20, ..EncoderConfig::default() }
}

fn hole(frame: &OpusFrame) -> OpusFrame {
    OpusFrame { payload: Bytes::new(), ..frame.clone() }
}

fn mend<'a>(frames: impl IntoIterator<Item = &'a OpusFrame>) -> (Vec<f32>, Mended) {
    let mut mender = Mender::new(RATE_HZ).expect("16 kHz is valid");
    let mut out = Vec::new();
    for frame in frames {
        hear(&mut mender, frame, &mut out);
    }
    (out, mender.mended())
}

fn hear(mender: &mut Mender, frame: &OpusFrame, out: &mut Vec<f32>) {
    let mut heard = Vec::new();
    let pause = mender.frame(frame, &mut heard);
    out.resize(out.len() + pause, 0.0);
    out.extend(heard);
}

/// All frames, those of `lost` as holes.
fn with_holes(frames: &[OpusFrame], lost: &[usize]) -> Vec<OpusFrame> {
    let or_hole = |(index, frame): (usize, &OpusFrame)| if lost.contains(&index) { hole(frame) } else { frame.clone() };
    frames.iter().enumerate().map(or_hole).collect()
}

fn error(whole: &[f32], mended: &[f32], frame: usize) -> f32 {
    let span = frame * FRAME..(frame + 1) * FRAME;
    let difference: Vec<f32> = whole[span.clone()].iter().zip(&mended[span.clone()]).map(|(a, b)| a - b).collect();
    rms(&difference) / rms(&whole[span])
}

#[test]
fn a_hole_is_filled_from_the_packet_behind_it() {
    let frames = encode(&voice(100), 20, &protected());
    let lost = copied(&frames);
    let (whole, nothing) = mend(&frames);
    assert_eq!(nothing, Mended::default());
    let (mended, counted) = mend(&with_holes(&frames, &lost));
    assert_eq!(mended.len(), whole.len());
    assert_eq!(counted, Mended { fec_ticks: 960 * lost.len() as u64, plc_ticks: 0 });

    let bare = encode(&voice(100), 20, &EncoderConfig { fec: Fec::Off, ..EncoderConfig::default() });
    let (bare_whole, _) = mend(&bare);
    let (made_up, counted) = mend(&with_holes(&bare, &lost));
    assert_eq!(counted, Mended { fec_ticks: 0, plc_ticks: 960 * lost.len() as u64 });
    let total = |whole: &[f32], mended: &[f32]| lost.iter().map(|frame| error(whole, mended, *frame)).sum::<f32>();
    let (copied, concealed) = (total(&whole, &mended), total(&bare_whole, &made_up));
    assert!(copied < concealed * 0.7, "copies are off by {copied}, what was made up by {concealed}");
}

#[test]
fn of_a_longer_hole_the_last_frame_is_copied_and_the_others_are_made_up() {
    let frames = encode(&voice(100), 20, &protected());
    let last = copied(&frames)[0];
    let (mended, counted) = mend(&with_holes(&frames, &[last - 2, last - 1, last]));
    assert_eq!(mended.len(), 100 * FRAME);
    assert_eq!(counted, Mended { fec_ticks: 960, plc_ticks: 2 * 960 });
}

#[test]
fn frames_of_40_and_60_ms_leave_holes_of_their_length() {
    for ms in [40, 60] {
        let frames = encode(&voice(300), ms, &protected());
        let place = copied(&frames)[0];
        let ticks = ms as u64 * TICKS_PER_MS;
        let (mended, counted) = mend(&with_holes(&frames, &[place - 1, place]));
        assert_eq!(mended.len(), 300 * FRAME, "{ms} ms");
        assert_eq!(counted, Mended { fec_ticks: ticks, plc_ticks: ticks }, "{ms} ms");
    }
}

#[test]
fn silence_that_was_left_out_is_silence_of_the_right_length_and_no_loss() {
    let mut samples = voice(20);
    samples.resize(40 * FRAME, 0.0);
    samples.extend(voice(20));
    let frames = encode(&samples, 20, &EncoderConfig { dtx: Dtx::On, ..EncoderConfig::default() });
    // Of what is left out at most 240 ms are given back, and the sender refreshes its silence after 400 ms at the latest.
    let sent: Vec<_> = frames.iter().filter(|frame| frame.payload.len() > 2).cloned().collect();
    let left_out = frames.len() - sent.len();
    assert!((5..=12).contains(&left_out), "{left_out} frames were left out");
    let (heard, counted) = mend(&sent);
    assert_eq!((heard.len(), counted), (samples.len(), Mended::default()));
    let quietest = heard.chunks(FRAME).map(rms).fold(1.0, f32::min);
    assert!(quietest < 1e-3, "{quietest}");
}

#[test]
fn a_pause_is_not_longer_for_the_silence_that_stood_in() {
    let frames = encode(&voice(40), 20, &protected());
    let mut mender = Mender::new(RATE_HZ).expect("16 kHz is valid");
    let mut out = Vec::new();
    hear(&mut mender, &frames[0], &mut out);
    for _ in 0..3 {
        mender.silence_stood_in();
    }
    let later = OpusFrame { sequence: 2, ..frames[10].clone() };
    hear(&mut mender, &later, &mut out);
    assert_eq!(out.len(), (11 - 3) * FRAME);
    // A minute is no different from a quarter of a second.
    let much_later = OpusFrame { sequence: 3, rtp_time: later.rtp_time + 2_880_000, ..frames[11].clone() };
    hear(&mut mender, &much_later, &mut out);
    assert_eq!(out.len(), (11 - 3 + 12 + 1) * FRAME);
}

#[test]
fn a_damaged_packet_is_made_up_for() {
    let frames = encode(&voice(10), 20, &protected());
    // Code 3 with a count of zero frames (RFC 6716, section 3.2.5, R5).
    let damaged = OpusFrame { payload: Bytes::from_static(&[0x4b, 0x00]), ..frames[5].clone() };
    let mut spoilt = frames;
    spoilt[5] = damaged;
    let (mended, counted) = mend(&spoilt);
    assert_eq!((mended.len(), counted.plc_ticks), (10 * FRAME, 960));
}

#[test]
fn times_that_make_no_sense_are_borne() {
    let frames = encode(&voice(10), 20, &protected());
    let times = [0, u64::MAX, 5, 5, u64::MAX - 1, 1 << 40, 961, 962];
    let mut strange = Vec::new();
    for (index, time) in times.into_iter().enumerate() {
        strange.push(OpusFrame { rtp_time: time, ..hole(&frames[index]) });
        strange.push(OpusFrame { rtp_time: time, ..frames[index].clone() });
    }
    let (heard, _) = mend(&strange);
    assert!(heard.len() < (times.len() + 1) * (FRAME * 2 + 16 * MAX_PAUSE_MS as usize));
}
