//! What the media role counts, read when somebody asks.

use std::fmt;

use ::media::{Media, MediaStats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

#[derive(Debug)]
struct MediaCollector(Media);

/// Adds the media role's counts to a registry.
pub(super) fn register(registry: &mut Registry, media: Media) {
    registry.sub_registry_with_prefix("media").register_collector(Box::new(MediaCollector(media)));
}

impl Collector for MediaCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let stats = self.0.stats();
        for (name, help, now) in gauges(&stats) {
            let gauge = ConstGauge::new(i64::try_from(now).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        for (name, help, count) in counters(&stats) {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

fn gauges(stats: &MediaStats) -> [(&'static str, &'static str, u64); 2] {
    [("calls", "Calls now", stats.calls), ("listeners", "WHEP listeners now", stats.listeners)]
}

fn counters(stats: &MediaStats) -> [(&'static str, &'static str, u64); 16] {
    [
        ("connected", "Peers that came to be connected", stats.connected),
        ("packets_in", "UDP packets received", stats.packets_in),
        ("packets_out", "UDP packets sent", stats.packets_out),
        ("packets_unknown", "Packets that belong to no call", stats.packets_unknown),
        (
            "packets_limited",
            "Packets not looked at, since too many from there belonged to no call",
            stats.packets_limited,
        ),
        ("packets_refused", "Packets for a call that were not of its peer", stats.packets_refused),
        ("packets_unsent", "Packets that the kernel would not send", stats.packets_unsent),
        ("frames_in", "Microphone frames handed to agents", stats.frames_in),
        ("frames_lost", "Microphone packets that never came", stats.frames_lost),
        ("frames_late", "Microphone packets that came too late", stats.frames_late),
        ("frames_duplicate", "Microphone packets that came twice", stats.frames_duplicate),
        ("frames_dropped", "Microphone frames dropped because the agent lagged", stats.frames_dropped),
        ("voice_out", "Voice frames that left", stats.voice_out),
        ("voice_dropped", "Voice frames dropped because a queue was full", stats.voice_dropped),
        ("texts_dropped", "Text messages dropped", stats.texts_dropped),
        ("events_dropped", "Events dropped because the agent was stuck", stats.events_dropped),
    ]
}
