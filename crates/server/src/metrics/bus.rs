//! What the bus between machines counts, read when somebody asks.

use std::fmt;

use ::bus::kafka::{BusCounts, BusStats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Registry;

#[derive(Debug)]
struct BusCollector(BusStats);

/// Adds the bus's counts to a registry.
pub(super) fn register(registry: &mut Registry, stats: BusStats) {
    registry.sub_registry_with_prefix("bus").register_collector(Box::new(BusCollector(stats)));
}

impl Collector for BusCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, help, count) in named(self.0.read()) {
            let counter = ConstCounter::new(count);
            let metric = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(metric)?;
        }
        Ok(())
    }
}

fn named(counts: BusCounts) -> [(&'static str, &'static str, u64); 13] {
    [
        ("sent", "Records given to the Kafka client", counts.sent),
        ("failed", "Records that the broker did not take", counts.failed),
        ("received", "Records read", counts.received),
        ("poison", "Records that cannot be used", counts.poison),
        ("duplicates", "Records that came twice, or too late for their place", counts.duplicates),
        ("missing", "Records that never came", counts.missing),
        ("stale", "Microphone packets that came too late to be of use", counts.stale),
        ("overflowed", "Audio dropped because its reader or the broker is slow", counts.overflowed),
        ("strangers", "Records for calls or nodes that are not here", counts.strangers),
        ("superseded", "Records of an orchestrator that no longer holds the call", counts.superseded),
        ("handed_over", "Calls given to another orchestrator", counts.handed_over),
        ("refused", "Calls that nobody took", counts.refused),
        ("replaced", "Kafka clients replaced because they did not find back to the broker", counts.replaced),
    ]
}
