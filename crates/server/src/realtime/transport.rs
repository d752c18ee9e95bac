//! How the network treats a call, as JSON. Counts are since the call began.

use std::time::Duration;

use audio::leg::{MicrophoneStats, TransportStats, VoiceStats, ticks_to_ms};
use audio::mend::Mended;
use serde::Serialize;

/// Both directions, as the server sees them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Transport {
    /// The microphone.
    input_audio: Input,
    /// The agent's voice; none before its listener has reported.
    output_audio: Option<Output>,
}

#[derive(Debug, Clone, Serialize)]
struct Input {
    frames: u64,
    lost: u64,
    late: u64,
    duplicates: u64,
    jitter_ms: f64,
    concealed_ms: Concealed,
}

/// Audio whose packet did not come, by what stands there instead.
#[derive(Debug, Clone, Serialize)]
struct Concealed {
    /// A whole copy, from a later packet (RFC 2198).
    red: u64,
    /// A coarse copy, from the packet behind it.
    fec: u64,
    /// What the decoder made up.
    plc: u64,
}

#[derive(Debug, Clone, Serialize)]
struct Output {
    packets: u64,
    lost: u64,
    loss_percent: u8,
    jitter_ms: f64,
    round_trip_ms: Option<f64>,
}

impl Transport {
    pub(super) fn new(transport: &TransportStats, mended: &Mended) -> Self {
        let MicrophoneStats { frames, lost, late, duplicates, recovered_ms, jitter } = transport.microphone;
        let concealed_ms =
            Concealed { red: recovered_ms, fec: ticks_to_ms(mended.fec_ticks), plc: ticks_to_ms(mended.plc_ticks) };
        let input_audio = Input { frames, lost, late, duplicates, jitter_ms: ms(jitter), concealed_ms };
        let output_audio = transport.voice.map(|VoiceStats { sent, lost, loss_percent, jitter, round_trip }| Output {
            packets: sent,
            lost,
            loss_percent,
            jitter_ms: ms(jitter),
            round_trip_ms: round_trip.map(ms),
        });
        Self { input_audio, output_audio }
    }
}

/// With one decimal.
fn ms(span: Duration) -> f64 {
    (span.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_are_told_in_milliseconds() {
        let microphone = MicrophoneStats {
            frames: 480,
            lost: 12,
            late: 1,
            duplicates: 2,
            recovered_ms: 340,
            jitter: Duration::from_micros(4_160),
        };
        let voice = VoiceStats {
            sent: 200,
            lost: 20,
            loss_percent: 10,
            jitter: Duration::from_millis(3),
            round_trip: Some(Duration::from_micros(41_230)),
        };
        let mended = Mended { fec_ticks: 9_600, plc_ticks: 1_920 };
        let told = |voice| {
            let transport = Transport::new(&TransportStats { microphone, voice }, &mended);
            serde_json::to_string(&transport).expect("plain data")
        };
        let input = "{\"input_audio\":{\"frames\":480,\"lost\":12,\"late\":1,\"duplicates\":2,\"jitter_ms\":4.2,\
            \"concealed_ms\":{\"red\":340,\"fec\":200,\"plc\":40}},";
        let output = "\"output_audio\":{\"packets\":200,\"lost\":20,\"loss_percent\":10,\"jitter_ms\":3.0,\
            \"round_trip_ms\":41.2}}";
        assert_eq!(told(Some(voice)), format!("{input}{output}"));
        assert_eq!(told(None), format!("{input}\"output_audio\":null}}"));
    }
}
