//! How the network treats a call.

use std::time::Duration;

use audio::leg::{MicrophoneStats, TransportStats, VoiceStats};

use super::proto::{self, transport};

pub(super) fn out(stats: &TransportStats) -> proto::Transport {
    let TransportStats { microphone, voice } = stats;
    proto::Transport {
        microphone: Some(transport::Microphone {
            frames: microphone.frames,
            lost: microphone.lost,
            late: microphone.late,
            duplicates: microphone.duplicates,
            recovered_ms: microphone.recovered_ms,
            jitter_us: micros(microphone.jitter),
        }),
        voice: voice.as_ref().map(|voice| transport::VoiceReport {
            sent: voice.sent,
            lost: voice.lost,
            loss_percent: voice.loss_percent.into(),
            jitter_us: micros(voice.jitter),
            round_trip_us: voice.round_trip.map(micros),
        }),
    }
}

/// What an older writer did not know is nothing.
pub(super) fn read(stats: proto::Transport) -> TransportStats {
    let microphone = stats.microphone.unwrap_or_default();
    TransportStats {
        microphone: MicrophoneStats {
            frames: microphone.frames,
            lost: microphone.lost,
            late: microphone.late,
            duplicates: microphone.duplicates,
            recovered_ms: microphone.recovered_ms,
            jitter: Duration::from_micros(microphone.jitter_us),
        },
        voice: stats.voice.map(|voice| VoiceStats {
            sent: voice.sent,
            lost: voice.lost,
            loss_percent: u8::try_from(voice.loss_percent.min(100)).unwrap_or(100),
            jitter: Duration::from_micros(voice.jitter_us),
            round_trip: voice.round_trip_us.map(Duration::from_micros),
        }),
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
