//! Latencies, and what they cost of the processors.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Not measured: connections, first pages, the compiler of the broker's Java.
pub(crate) const WARM_UP: Duration = Duration::from_secs(4);
/// Measured.
pub(crate) const MEASURED: Duration = Duration::from_secs(10);
/// Between two packets of a session.
pub(crate) const PACKET: Duration = Duration::from_millis(20);
/// A packet of speech at 32 kbit/s.
pub(crate) const PACKET_BYTES: usize = 80;
/// Clock ticks in a second, as Linux counts processor time.
const TICKS_PER_SECOND: f64 = 100.0;

/// Microseconds since the program's first measurement.
pub(crate) fn now_us() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_micros()).unwrap()
}

/// A packet that carries when it was sent.
pub(crate) fn packet() -> Vec<u8> {
    let mut packet = vec![0_u8; PACKET_BYTES];
    packet[..8].copy_from_slice(&now_us().to_be_bytes());
    packet
}

/// When a packet was sent.
pub(crate) fn sent_us(packet: &[u8]) -> u64 {
    u64::from_be_bytes(packet[..8].try_into().unwrap())
}

/// Processor time used by processes, in seconds.
pub(crate) struct Processors {
    broker: Option<u32>,
    own_before: f64,
    broker_before: f64,
    since: Instant,
}

impl Processors {
    pub(crate) fn start(broker: Option<u32>) -> Self {
        let broker_before = broker.map_or(0.0, |pid| used(&pid.to_string()));
        Self { broker, own_before: used("self"), broker_before, since: Instant::now() }
    }

    /// Percent of one processor that this process used, and the broker.
    pub(crate) fn percent(&self) -> (f64, f64) {
        let seconds = self.since.elapsed().as_secs_f64() / 100.0;
        let broker = self.broker.map_or(0.0, |pid| used(&pid.to_string()));
        ((used("self") - self.own_before) / seconds, (broker - self.broker_before) / seconds)
    }
}

fn used(pid: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let field = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (field(11) + field(12)) / TICKS_PER_SECOND
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) bus: &'static str,
    pub(crate) sessions: u32,
    pub(crate) latencies_us: Vec<u64>,
    pub(crate) expected: u64,
    pub(crate) own_percent: f64,
    pub(crate) broker_percent: f64,
}

impl Row {
    pub(crate) fn print_head() {
        println!(
            "bus      sessions   p50 ms   p99 ms p99.9 ms   max ms  arrived  CPU here  CPU broker (% of one core)"
        );
    }

    pub(crate) fn print(mut self) {
        self.latencies_us.sort_unstable();
        let all = &self.latencies_us;
        let at = |share: f64| {
            let index = ((all.len() as f64 * share) as usize).min(all.len().saturating_sub(1));
            all.get(index).map_or(f64::NAN, |us| *us as f64 / 1_000.0)
        };
        let arrived = all.len() as f64 * 100.0 / self.expected.max(1) as f64;
        println!(
            "{:<8} {:>8} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>7.2}% {:>8.0}% {:>11.0}%",
            self.bus,
            self.sessions,
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0),
            arrived,
            self.own_percent,
            self.broker_percent
        );
    }
}
