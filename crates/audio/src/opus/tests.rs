use super::*;
use crate::energy::rms;

fn tone(rate_hz: u32, hz: f32, samples: usize) -> Vec<f32> {
    (0..samples).map(|i| 0.4 * (i as f32 * hz * std::f32::consts::TAU / rate_hz as f32).sin()).collect()
}

fn encode_tone(seconds: usize) -> (Vec<f32>, Vec<bytes::Bytes>) {
    let mut encoder = Encoder::new(&EncoderConfig::default()).expect("the default is valid");
    let samples = tone(24_000, 300.0, 24_000 * seconds);
    let packets = samples.chunks_exact(encoder.frame_samples()).map(|f| encoder.encode(f).expect("20 ms")).collect();
    (samples, packets)
}

/// The best normalized correlation over the codec's possible delays.
fn best_correlation(a: &[f32], b: &[f32], max_delay: usize) -> f32 {
    let window = a.len().min(b.len()) - max_delay;
    (0..max_delay)
        .map(|delay| {
            let dot: f32 = a[..window].iter().zip(&b[delay..]).map(|(x, y)| x * y).sum();
            dot / (rms(&a[..window]) * rms(&b[delay..delay + window]) * window as f32)
        })
        .fold(-1.0, f32::max)
}

#[test]
fn a_round_trip_keeps_energy_and_waveform() {
    let (samples, packets) = encode_tone(1);
    let mut decoder = Decoder::new(24_000).expect("24 kHz is valid");
    let mut heard = Vec::new();
    for packet in &packets {
        assert_eq!(decoder.decode(packet, &mut heard), Ok(480));
    }
    let (sent, got) = (rms(&samples[4_800..]), rms(&heard[4_800..]));
    assert!((got / sent - 1.0).abs() < 0.1, "energy {sent} became {got}");
    let correlation = best_correlation(&samples[4_800..], &heard[4_800..], 400);
    assert!(correlation > 0.98, "correlation {correlation}");
}

#[test]
fn decoding_straight_to_16_khz_keeps_the_duration() {
    let (_, packets) = encode_tone(1);
    let mut decoder = Decoder::new(16_000).expect("16 kHz is valid");
    let mut heard = Vec::new();
    for packet in &packets {
        assert_eq!(packet_samples(packet, 16_000), Ok(320));
        assert_eq!(decoder.decode(packet, &mut heard), Ok(320));
    }
    assert_eq!(heard.len(), 16_000);
}

#[test]
fn a_lost_packet_is_concealed_or_recovered() {
    let (_, packets) = encode_tone(1);
    let mut decoder = Decoder::new(16_000).expect("16 kHz is valid");
    let mut heard = Vec::new();
    for packet in &packets[..20] {
        decoder.decode(packet, &mut heard).expect("our own packet");
    }
    let mut stand_in = Vec::new();
    assert_eq!(decoder.conceal(320, &mut stand_in), Ok(320));
    assert!(rms(&stand_in) > 0.05, "a steady tone goes on");
    assert_eq!(decoder.decode_fec(&packets[22], 320, &mut heard), Ok(320));
    assert_eq!(decoder.decode(&packets[22], &mut heard), Ok(320));
}

#[test]
fn frames_of_10_to_60_ms_are_accepted_and_others_refused() {
    let mut encoder = Encoder::new(&EncoderConfig::default()).expect("the default is valid");
    for ms in [10, 20, 40, 60] {
        let packet = encoder.encode(&tone(24_000, 200.0, 24 * ms)).expect("a legal duration");
        assert_eq!(packet_samples(&packet, 48_000), Ok(48 * ms));
    }
    assert_eq!(encoder.encode(&[0.0; 100]), Err(OpusError::FrameLength(100)));
    assert_eq!(encoder.encode(&[]), Err(OpusError::FrameLength(0)));
}

#[test]
fn wrong_rates_and_durations_are_errors() {
    assert_eq!(Decoder::new(44_100).err(), Some(OpusError::Rate(44_100)));
    let mut decoder = Decoder::new(16_000).expect("16 kHz is valid");
    let mut out = Vec::new();
    assert_eq!(decoder.conceal(0, &mut out), Err(OpusError::FrameLength(0)));
    assert_eq!(decoder.conceal(321, &mut out), Err(OpusError::FrameLength(321)));
    assert_eq!(decoder.conceal(16_000, &mut out), Err(OpusError::FrameLength(16_000)));
    assert_eq!(decoder.decode(&[], &mut out), Err(OpusError::InvalidPacket));
    assert_eq!(decoder.decode(&[0; MAX_PACKET_BYTES + 1], &mut out), Err(OpusError::InvalidPacket));
    assert!(out.is_empty());
}

#[test]
fn garbage_is_decoded_or_refused_but_never_panics() {
    let mut decoder = Decoder::new(16_000).expect("16 kHz is valid");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut out = Vec::new();
    for _ in 0..5_000 {
        let packet: Vec<u8> = (0..random() % 200).map(|_| random() as u8).collect();
        out.clear();
        if let Ok(samples) = decoder.decode(&packet, &mut out) {
            assert_eq!(samples, out.len());
            assert_eq!(packet_samples(&packet, 16_000), Ok(samples));
        } else {
            assert!(out.is_empty());
        }
        let _ = decoder.decode_fec(&packet, 320, &mut out);
    }
}

#[test]
fn silence_shrinks_with_dtx() {
    let config = EncoderConfig { dtx: Dtx::On, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(&config).expect("valid");
    let tiny = (0..100).filter(|_| encoder.encode(&[0.0; 480]).expect("20 ms").len() <= 2).count();
    assert!(tiny > 50, "{tiny} of 100 silent packets were tiny");
    encoder.reset();
    assert!(encoder.encode(&tone(24_000, 300.0, 480)).expect("20 ms").len() > 10);
}
