//! How busy an orchestrator is: its share of the processors, smoothed over some seconds, as the bus tells media.

use std::time::Duration;

use bus::kafka::Load;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often it is measured.
const EVERY: Duration = Duration::from_secs(1);
/// How much the newest second counts: an answer being made must not look like a machine that is full.
const NEWEST: f64 = 0.2;
/// Clock ticks in a second, as Linux counts processor time.
const TICKS_PER_SECOND: f64 = 100.0;

/// Measures until `stop`. Where the system does not tell, an orchestrator counts as idle and is limited by its calls alone.
pub(crate) async fn measure(load: watch::Sender<Load>, stop: CancellationToken) {
    let processors = std::thread::available_parallelism().map_or(1.0, |many| many.get() as f64);
    let mut every = tokio::time::interval(EVERY);
    let (mut before, mut smooth) = (used_s(), 0.0);
    while stop.run_until_cancelled(every.tick()).await.is_some() {
        let now = used_s();
        let share = ((now - before) / EVERY.as_secs_f64() / processors).clamp(0.0, 1.0);
        before = now;
        smooth += (share - smooth) * NEWEST;
        load.send_modify(|load| load.busy_permille = (smooth * 1_000.0) as u32);
    }
}

/// Processor time that this process has used, in seconds.
fn used_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let field = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (field(11) + field(12)) / TICKS_PER_SECOND
}
