//! What is measured, as Prometheus reads it at `/metrics` (OpenMetrics text). One struct, no globals.

mod bus;
mod media;
mod providers;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use ::bus::kafka::BusStats;
use ::media::Media;
use dialogue::{Counters, Fact, ToolOutcome, TurnRecord, TurnStatus};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::watch;

use crate::agent::Board;
use providers::ProviderMetrics;
pub(crate) use transport::TransportMeter;
use transport::TransportMetrics;

/// Upper bounds of latency buckets, in seconds: fine around what people notice, 0.2 to 2 s.
const LATENCY_BUCKETS: [f64; 15] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0, 10.0];

/// All metrics, shared by all conversations.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    inner: Arc<Inner>,
    /// Conversations under way, for whoever waits for their end.
    conversations: watch::Sender<usize>,
}

#[derive(Debug)]
struct Inner {
    registry: Registry,
    active: Gauge,
    turns: Family<TurnLabels, Counter>,
    voice_to_voice: Histogram,
    stages: Family<StageLabels, Histogram>,
    heard: Histogram,
    tool_calls: Family<ToolLabels, Counter>,
    tools: Family<ToolKindLabels, Histogram>,
    ahead: Family<AheadLabels, Counter>,
    ahead_saved_seconds: Counter<f64, std::sync::atomic::AtomicU64>,
    interruptions: Family<InterruptionLabels, Counter>,
    stale_results: Counter,
    transport: TransportMetrics,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TurnLabels {
    status: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the names are the labels' values")]
enum Outcome {
    completed,
    interrupted,
    failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AheadLabels {
    result: &'static str,
}

/// Names of tools are the operator's to choose, so they are no labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolLabels {
    tool: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToolKindLabels {
    tool: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InterruptionLabels {
    kind: &'static str,
}

impl Metrics {
    /// Nothing measured yet. How providers fare is read from their board, what the bus between machines and the media role
    /// count from there, where there are such.
    pub(crate) fn new(board: Board, bus: Option<BusStats>, media: Option<Media>) -> Self {
        let mut inner = Inner::new();
        inner.registry.register_collector(Box::new(ProviderMetrics(board)));
        if let Some(stats) = bus {
            bus::register(&mut inner.registry, stats);
        }
        if let Some(media) = media {
            media::register(&mut inner.registry, media);
        }
        let (conversations, _) = watch::channel(0);
        Self { inner: Arc::new(inner), conversations }
    }

    /// Ends when no conversation is under way.
    pub(crate) async fn no_conversation(&self) {
        // An error says that the sender is gone, and it is here.
        let _ = self.conversations.subscribe().wait_for(|many| *many == 0).await;
    }

    /// Takes a fact of some conversation into account.
    pub(crate) fn note(&self, fact: &Fact) {
        match fact {
            Fact::TurnEnded(record) => self.inner.turn_ended(record),
            Fact::StateChanged(_)
            | Fact::SpeechStarted { .. }
            | Fact::PartialTranscript { .. }
            | Fact::TurnCommitted { .. }
            | Fact::SpeechDiscarded { .. }
            | Fact::ReplyStarted { .. }
            | Fact::SentenceStarted { .. }
            | Fact::ReplyHeld { .. }
            | Fact::ReplyResumed { .. }
            | Fact::ToolCalled { .. }
            | Fact::ToolReturned { .. }
            | Fact::Idle
            | Fact::Closed(_) => {}
        }
    }

    /// A tool came back or was given up after so long.
    pub(crate) fn tool_ended(&self, name: &str, outcome: ToolOutcome, took: Duration) {
        let tool = if session::is_built_in(name) { "built_in" } else { "added" };
        let outcome = match outcome {
            ToolOutcome::Done => "done",
            ToolOutcome::Failed => "failed",
            ToolOutcome::Overdue => "overdue",
            ToolOutcome::Cancelled => "cancelled",
        };
        self.inner.tool_calls.get_or_create(&ToolLabels { tool, outcome }).inc();
        self.inner.tools.get_or_create(&ToolKindLabels { tool }).observe(took.as_secs_f64());
    }

    /// A conversation is under way until what this gives is dropped.
    pub(crate) fn conversation(&self) -> ActiveConversation {
        self.inner.active.inc();
        self.conversations.send_modify(|many| *many += 1);
        ActiveConversation(self.clone())
    }

    /// Adds what the engine of a conversation counted in all.
    pub(crate) fn counted(&self, counters: &Counters) {
        let Inner { ahead, interruptions, .. } = &*self.inner;
        ahead.get_or_create(&AheadLabels { result: "hit" }).inc_by(counters.ahead_hits);
        ahead.get_or_create(&AheadLabels { result: "miss" }).inc_by(counters.ahead_misses);
        self.inner.ahead_saved_seconds.inc_by(counters.ahead_saved.as_secs_f64());
        interruptions.get_or_create(&InterruptionLabels { kind: "real" }).inc_by(counters.interruptions);
        interruptions.get_or_create(&InterruptionLabels { kind: "false" }).inc_by(counters.false_interruptions);
        interruptions.get_or_create(&InterruptionLabels { kind: "echo" }).inc_by(counters.echoes);
        self.inner.stale_results.inc_by(counters.stale_results);
    }

    /// All metrics as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if let Err(cause) = prometheus_client::encoding::text::encode(&mut text, &self.inner.registry) {
            tracing::error!(%cause, "the metrics could not be written");
        }
        text
    }
}

/// Counts a conversation as active while it lives.
#[derive(Debug)]
pub(crate) struct ActiveConversation(Metrics);

impl Drop for ActiveConversation {
    fn drop(&mut self) {
        self.0.inner.active.dec();
        self.0.conversations.send_modify(|many| *many -= 1);
    }
}

impl Inner {
    fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("antiphon"),
            active: Gauge::default(),
            turns: Family::default(),
            voice_to_voice: histogram(),
            stages: Family::new_with_constructor(histogram),
            heard: Histogram::new([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]),
            tool_calls: Family::default(),
            tools: Family::new_with_constructor(histogram),
            ahead: Family::default(),
            ahead_saved_seconds: Counter::default(),
            interruptions: Family::default(),
            stale_results: Counter::default(),
            transport: TransportMetrics::new(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let Self { registry, .. } = self;
        self.transport.register(registry);
        registry.register("session_active", "Conversations under way", self.active.clone());
        let sub = registry.sub_registry_with_prefix("dialogue");
        sub.register("turns", "Turns that ended, by outcome", self.turns.clone());
        let unit = || Unit::Seconds;
        let help = "End of speech to the first frame of the answer";
        sub.register_with_unit("voice_to_voice", help, unit(), self.voice_to_voice.clone());
        sub.register_with_unit("stage", "Parts of voice to voice, by stage", unit(), self.stages.clone());
        let help = "First frame of an answer to the last moment it was heard; no part of voice to voice";
        sub.register_with_unit("heard", help, unit(), self.heard.clone());
        sub.register(
            "tool_calls",
            "Tools that were run, by whose they are and how they came out",
            self.tool_calls.clone(),
        );
        sub.register_with_unit("tool", "Call of a tool to its result, by whose it is", unit(), self.tools.clone());
        sub.register("answers_ahead", "Answers started before the turn was decided", self.ahead.clone());
        let help = "By how much used answers began before the decision, in all";
        sub.register_with_unit("answers_ahead_saved", help, unit(), self.ahead_saved_seconds.clone());
        sub.register("interruptions", "Answers that speech silenced: real or false", self.interruptions.clone());
        sub.register("stale_results", "Results that came too late to count", self.stale_results.clone());
    }

    fn turn_ended(&self, record: &TurnRecord) {
        let status = match record.status {
            TurnStatus::Completed => Outcome::completed,
            TurnStatus::Interrupted => Outcome::interrupted,
            TurnStatus::Failed => Outcome::failed,
        };
        self.turns.get_or_create(&TurnLabels { status }).inc();
        if let (Some(whole), Some(stages)) = (record.timings.voice_to_voice(), record.timings.stages()) {
            self.voice_to_voice.observe(whole.as_secs_f64());
            for (stage, span) in stages.named() {
                self.stages.get_or_create(&StageLabels { stage }).observe(span.as_secs_f64());
            }
        }
        if let Some(heard) = record.timings.heard() {
            self.heard.observe(heard.as_secs_f64());
        }
    }
}

fn histogram() -> Histogram {
    Histogram::new(LATENCY_BUCKETS)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dialogue::{Counters, Fact, Timestamp, ToolOutcome, TurnId, TurnRecord, TurnStatus, TurnTimings};

    use super::Metrics;
    use crate::agent::Board;

    #[test]
    fn turns_and_counts_are_read_by_prometheus() {
        let metrics = Metrics::new(Board::default(), None, None);
        let timings = TurnTimings {
            speech_ended: Some(Timestamp::from_millis(1_000)),
            decided: Some(Timestamp::from_millis(1_200)),
            first_played: Some(Timestamp::from_millis(1_700)),
            last_heard: Some(Timestamp::from_millis(2_600)),
            ..TurnTimings::default()
        };
        metrics.note(&Fact::TurnEnded(TurnRecord {
            turn: TurnId(1),
            status: TurnStatus::Completed,
            user_text: String::new(),
            agent_text: String::new(),
            heard_text: String::new(),
            heard_ms: 900,
            timings,
            tools: Vec::new(),
        }));
        metrics.counted(&Counters {
            ahead_hits: 2,
            ahead_saved: Duration::from_millis(250),
            false_interruptions: 1,
            ..Counters::default()
        });
        metrics.tool_ended("hand_off", ToolOutcome::Done, Duration::from_millis(1));
        metrics.tool_ended("weather", ToolOutcome::Overdue, Duration::from_millis(2_500));
        let active = metrics.conversation();
        let text = metrics.text();
        for line in [
            "antiphon_session_active 1",
            "antiphon_dialogue_turns_total{status=\"completed\"} 1",
            "antiphon_dialogue_voice_to_voice_seconds_sum 0.7",
            "antiphon_dialogue_stage_seconds_bucket{le=\"0.2\",stage=\"endpoint\"} 1",
            "antiphon_dialogue_heard_seconds_sum 0.9",
            "antiphon_dialogue_answers_ahead_total{result=\"hit\"} 2",
            "antiphon_dialogue_answers_ahead_saved_seconds_total 0.25",
            "antiphon_dialogue_tool_calls_total{tool=\"built_in\",outcome=\"done\"} 1",
            "antiphon_dialogue_tool_calls_total{tool=\"added\",outcome=\"overdue\"} 1",
            "antiphon_dialogue_tool_seconds_sum{tool=\"added\"} 2.5",
            "antiphon_dialogue_interruptions_total{kind=\"false\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        drop(active);
        assert!(metrics.text().contains("antiphon_session_active 0"));
    }
}
