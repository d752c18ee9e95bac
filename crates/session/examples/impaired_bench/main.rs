//! Recorded speech over bad networks: how many words are still understood.
//!
//! `cargo run --release -p session --example impaired_bench -- MODELS_DIR [SERIES]`; each network is tried with so many series of
//! chances (by default 3).
// A benchmark may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../tests/impaired/calls.rs"]
mod calls;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use audio::opus::Dtx;
use testkit::network::{Bursts, Impairment};

use calls::{Guard, Sender, Stage, Understood};

/// As many recordings as there are.
const ALL: usize = usize::MAX;
/// ± 50 ms.
const JITTER: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let models = arguments.next().expect("name the folder of the models");
    let series: u64 = arguments.next().map_or(3, |series| series.parse().expect("a number of series"));
    let stage = Arc::new(Stage::new(Path::new(&models)));
    println!(
        "{:<44} {:>6} {:>6} {:>6} {:>6} {:>6}   concealed ms: copy, coarse copy, guess",
        "network", "lost %", "words", "errors", "WER %", "ratio"
    );
    let mut clean = None;
    for (name, sender, impairment) in networks() {
        let mut all = Understood::default();
        for seed in 0..series {
            all.add(stage.speak(ALL, sender, impairment, seed).await);
        }
        let rate = all.error_rate();
        let clean = *clean.get_or_insert(rate);
        let [red, fec, plc] = all.concealed_ms;
        println!(
            "{name:<44} {:>6.1} {:>6} {:>6} {:>6.1} {:>6.2}   {red:>6} {fec:>6} {plc:>6}",
            all.lost as f64 / all.packets as f64 * 100.0,
            all.words,
            all.errors,
            rate * 100.0,
            rate / clean
        );
    }
}

/// What is compared; the first is the clean one.
fn networks() -> Vec<(&'static str, Sender, Impairment)> {
    let sender = |guard| Sender { dtx: Dtx::Off, guard };
    let (bare, fec, red) = (sender(Guard::None), sender(Guard::Fec), sender(Guard::FecAndRed));
    let quiet = Sender { dtx: Dtx::On, ..red };
    let jittery = Impairment { spread: JITTER, ..Impairment::default() };
    let lossy = |loss| Impairment { loss, ..jittery };
    let bursts = Some(Bursts { begin: 0.04, end: 0.36 });
    vec![
        ("perfect", fec, Impairment::default()),
        ("0 % loss, ±50 ms jitter; FEC", fec, jittery),
        ("5 % loss, ±50 ms jitter; FEC", fec, lossy(0.05)),
        ("5 % loss, ±50 ms jitter; FEC and RED", red, lossy(0.05)),
        ("10 % loss, ±50 ms jitter; unguarded", bare, lossy(0.10)),
        ("10 % loss, ±50 ms jitter; FEC", fec, lossy(0.10)),
        ("10 % loss, ±50 ms jitter; FEC and RED", red, lossy(0.10)),
        ("10 % loss, ±50 ms jitter; FEC, RED and DTX", quiet, lossy(0.10)),
        ("20 % loss, ±50 ms jitter; FEC", fec, lossy(0.20)),
        ("20 % loss, ±50 ms jitter; FEC and RED", red, lossy(0.20)),
        ("10 % in bursts of 3, ±50 ms jitter; FEC", fec, Impairment { bursts, ..jittery }),
        ("10 % in bursts of 3, ±50 ms jitter; FEC and RED", red, Impairment { bursts, ..jittery }),
    ]
}
