//! How providers fare and what they cost, read from the board whenever Prometheus asks.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use providers::resilience::{BreakerState, HealthReport};

use crate::agent::{Board, Entry};

/// Writes the board as metrics.
#[derive(Debug)]
pub(super) struct ProviderMetrics(pub(super) Board);

/// Names of providers are the operator's, but no more than stand in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    provider: String,
    stage: &'static str,
}

impl Collector for ProviderMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let entries = self.0.entries();
        if entries.is_empty() {
            return Ok(());
        }
        for (name, help, of) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for Entry { report, .. } in &entries {
                ConstCounter::new(of(report)).encode(family.encode_family(&labels(report))?)?;
            }
        }
        let help = "Audio listened to";
        let mut family =
            encoder.encode_descriptor("providers_heard", help, Some(&Unit::Seconds), MetricType::Counter)?;
        for Entry { report, .. } in &entries {
            let heard = report.consumed.heard.as_secs_f64();
            ConstCounter::new(heard).encode(family.encode_family(&labels(report))?)?;
        }
        let help = "What its work cost, in the currency of the configured prices";
        let mut family = encoder.encode_descriptor("providers_cost", help, None, MetricType::Counter)?;
        for Entry { report, cost } in &entries {
            if let Some(cost) = *cost {
                ConstCounter::new(cost).encode(family.encode_family(&labels(report))?)?;
            }
        }
        let help = "Whether it is asked: 1 yes, 0 no, since it failed or was slow too often";
        let mut family = encoder.encode_descriptor("providers_available", help, None, MetricType::Gauge)?;
        for Entry { report, .. } in &entries {
            let is_available = i64::from(report.state != BreakerState::Open);
            ConstGauge::new(is_available).encode(family.encode_family(&labels(report))?)?;
        }
        let help = "Request to first word or sound: a running mean";
        let unit = Unit::Seconds;
        let mut family = encoder.encode_descriptor("providers_first", help, Some(&unit), MetricType::Gauge)?;
        for Entry { report, .. } in &entries {
            if let Some(first) = report.first.map(|first: Duration| first.as_secs_f64()) {
                ConstGauge::new(first).encode(family.encode_family(&labels(report))?)?;
            }
        }
        Ok(())
    }
}

type Counter = (&'static str, &'static str, fn(&HealthReport) -> u64);

const COUNTERS: [Counter; 8] = [
    ("providers_requests", "Requests sent to a provider", |report| report.requests),
    ("providers_failures", "Requests that failed", |report| report.failures),
    ("providers_slow", "Requests whose first word or sound came too late", |report| report.slow),
    ("providers_taken_over", "Requests that it finished where another one had failed", |report| report.taken_over),
    ("providers_prompt_tokens", "Tokens read", |report| report.consumed.prompt_tokens),
    ("providers_cached_tokens", "Tokens read from the vendor's cache", |report| report.consumed.cached_tokens),
    ("providers_completion_tokens", "Tokens written", |report| report.consumed.completion_tokens),
    ("providers_characters", "Characters of the texts to be spoken", |report| report.consumed.characters),
];

fn labels(report: &HealthReport) -> Labels {
    Labels { provider: report.name.clone(), stage: report.stage.as_str() }
}
