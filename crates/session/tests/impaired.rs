//! Real speech over a bad network, through the real media server, understood by the real recogniser.
//!
//! Wants the packs `stt`, `vad`, `runtime` and `speech-tests`; a test without them fails. `benches/run impaired` gives the whole
//! table.

#[path = "impaired/calls.rs"]
mod calls;

use std::sync::Arc;
use std::time::Duration;

use audio::opus::Dtx;
use testkit::installed;
use testkit::network::Impairment;

use calls::{Guard, Sender, Stage};

/// Recordings spoken at once: as many as two busy cores transcribe without falling behind.
const RECORDINGS: usize = 5;
/// Words that may go wrong: 2 % do on a perfect network, and did at this loss too (`benches/run impaired`); before copies were
/// used, 13 % did. The rest is for machines that are so busy that they lose packets of their own.
const BOUND: f64 = 0.1;

#[tokio::test(flavor = "multi_thread")]
async fn speech_is_understood_at_10_percent_loss_and_50_ms_jitter() {
    let stage = Arc::new(Stage::new(&installed::models()));
    let network = Impairment { loss: 0.10, spread: Duration::from_millis(100), ..Impairment::default() };
    for guard in [Guard::Fec, Guard::FecAndRed] {
        let understood = stage.speak(RECORDINGS, Sender { dtx: Dtx::Off, guard }, network, 1).await;
        let lost = understood.lost as f64 / understood.packets as f64;
        assert!((0.05..0.15).contains(&lost), "the network was not as bad as it should be: {understood:?}");
        assert!(understood.error_rate() <= BOUND, "{understood:?}");
        let [red, fec, _] = understood.concealed_ms;
        assert!(fec > 0 && (red > 0) == (guard == Guard::FecAndRed), "copies filled holes: {understood:?}");
    }
}
