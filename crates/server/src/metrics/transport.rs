//! How networks treat calls, over all calls. What a call reports is counted since its begin, what is kept here is not.

use audio::leg::{MicrophoneStats, TransportStats, VoiceStats, ticks_to_ms};
use audio::mend::Mended;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Metrics;

/// Upper bounds in seconds: from a wire to what makes a conversation hard.
const NETWORK_BUCKETS: [f64; 11] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0];

#[derive(Debug)]
pub(super) struct TransportMetrics {
    packets: Family<PacketLabels, Counter>,
    concealed: Family<ConcealedLabels, Counter<f64, std::sync::atomic::AtomicU64>>,
    jitter: Family<JitterLabels, Histogram>,
    round_trip: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PacketLabels {
    direction: Direction,
    fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JitterLabels {
    direction: Direction,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConcealedLabels {
    by: By,
}

/// Seen from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the names are the labels' values")]
enum Direction {
    inbound,
    outbound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the names are the labels' values")]
enum Fate {
    /// Heard, whether it came itself or as a copy; of the voice, all that left.
    passed,
    lost,
    late,
    duplicate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the names are the labels' values")]
enum By {
    red,
    fec,
    plc,
}

/// Remembers what of one call was counted already.
#[derive(Debug, Default)]
pub(crate) struct TransportMeter {
    transport: TransportStats,
    mended: Mended,
}

impl TransportMeter {
    /// Counts what is new.
    pub(crate) fn note(&mut self, metrics: &Metrics, transport: &TransportStats, mended: &Mended) {
        let metrics = &metrics.inner.transport;
        let (new, old) = (&transport.microphone, &self.transport.microphone);
        metrics.microphone(new, old);
        metrics.conceal(By::red, new.recovered_ms.saturating_sub(old.recovered_ms));
        metrics.conceal(By::fec, ticks_to_ms(mended.fec_ticks.saturating_sub(self.mended.fec_ticks)));
        metrics.conceal(By::plc, ticks_to_ms(mended.plc_ticks.saturating_sub(self.mended.plc_ticks)));
        if let Some(voice) = &transport.voice {
            metrics.voice(voice, &self.transport.voice.unwrap_or_default());
        }
        (self.transport, self.mended) = (*transport, *mended);
    }
}

impl TransportMetrics {
    pub(super) fn new() -> Self {
        let histogram = || Histogram::new(NETWORK_BUCKETS);
        Self {
            packets: Family::default(),
            concealed: Family::default(),
            jitter: Family::new_with_constructor(histogram),
            round_trip: histogram(),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let sub = registry.sub_registry_with_prefix("transport");
        sub.register("packets", "Audio packets of calls, by direction and what became of them", self.packets.clone());
        let help =
            "Audio whose packet did not come, by what stood in: a copy (red), a coarse copy (fec), a guess (plc)";
        sub.register_with_unit("concealed", help, Unit::Seconds, self.concealed.clone());
        let help = "Interarrival jitter, as it stood every few seconds of a call";
        sub.register_with_unit("jitter", help, Unit::Seconds, self.jitter.clone());
        let help = "Server to listener and back, as it stood every few seconds of a call";
        sub.register_with_unit("round_trip", help, Unit::Seconds, self.round_trip.clone());
    }

    fn microphone(&self, new: &MicrophoneStats, old: &MicrophoneStats) {
        let direction = Direction::inbound;
        self.count(direction, Fate::passed, new.frames.saturating_sub(old.frames));
        self.count(direction, Fate::lost, new.lost.saturating_sub(old.lost));
        self.count(direction, Fate::late, new.late.saturating_sub(old.late));
        self.count(direction, Fate::duplicate, new.duplicates.saturating_sub(old.duplicates));
        self.jitter.get_or_create(&JitterLabels { direction }).observe(new.jitter.as_secs_f64());
    }

    fn voice(&self, new: &VoiceStats, old: &VoiceStats) {
        let direction = Direction::outbound;
        self.count(direction, Fate::passed, new.sent.saturating_sub(old.sent));
        self.count(direction, Fate::lost, new.lost.saturating_sub(old.lost));
        self.jitter.get_or_create(&JitterLabels { direction }).observe(new.jitter.as_secs_f64());
        if let Some(round_trip) = new.round_trip {
            self.round_trip.observe(round_trip.as_secs_f64());
        }
    }

    fn count(&self, direction: Direction, fate: Fate, packets: u64) {
        self.packets.get_or_create(&PacketLabels { direction, fate }).inc_by(packets);
    }

    fn conceal(&self, by: By, ms: u64) {
        self.concealed.get_or_create(&ConcealedLabels { by }).inc_by(ms as f64 / 1_000.0);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::agent::Board;

    #[test]
    fn what_calls_report_is_added_up_once() {
        let metrics = Metrics::new(Board::default(), None, None);
        for call in 1..=2 {
            let mut meter = TransportMeter::default();
            for reports in 1..=2 {
                let microphone =
                    MicrophoneStats { frames: 100 * reports, lost: 3 * reports, ..MicrophoneStats::default() };
                let round_trip = Some(Duration::from_millis(40 * call));
                let voice = Some(VoiceStats { sent: 50 * reports, round_trip, ..VoiceStats::default() });
                let mended = Mended { fec_ticks: 48_000 * reports, plc_ticks: 0 };
                meter.note(&metrics, &TransportStats { microphone, voice }, &mended);
            }
        }
        let text = metrics.text();
        for line in [
            "antiphon_transport_packets_total{direction=\"inbound\",fate=\"passed\"} 400",
            "antiphon_transport_packets_total{direction=\"inbound\",fate=\"lost\"} 12",
            "antiphon_transport_packets_total{direction=\"outbound\",fate=\"passed\"} 200",
            "antiphon_transport_concealed_seconds_total{by=\"fec\"} 4.0",
            "antiphon_transport_jitter_seconds_count{direction=\"inbound\"} 4",
            "antiphon_transport_round_trip_seconds_bucket{le=\"0.05\"} 2",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
