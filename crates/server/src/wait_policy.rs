//! How llama.cpp's threads wait for each other.
//!
//! They are OpenMP threads, which meet dozens of times per token and by default spin for milliseconds when one is late.
//! On a machine whose cores also run the voice, the ears and the network, the late one is then kept from its core, and
//! answers become many times slower. Without any spinning each meeting costs a trip through the kernel. A short spin is
//! the middle way: on two busy cores (0.5B, one run each) it wrote 16 to 26 tokens a second, against 11 to 14 without, and
//! 15 to 30 with a long one, whose worst first clause was the slowest of all. The OpenMP library reads its settings when the process starts, so they have to be there before.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Turns of the waiting loop of GNU OpenMP before a thread sleeps.
const SPINS: (&str, &str) = ("GOMP_SPINCOUNT", "20000");
/// Settings by which somebody decided otherwise.
const DECIDED: [&str; 2] = ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"];

/// Makes the threads spin shortly: starts this program anew, in this process, with the setting. Returns when there is
/// nothing to do, or when it cannot be done; then the model is slower beside other work.
pub fn ensure_short_spins() {
    if DECIDED.iter().any(|key| std::env::var_os(key).is_some()) {
        return;
    }
    let (key, value) = SPINS;
    if let Ok(program) = std::env::current_exe() {
        let error = Command::new(program).args(std::env::args_os().skip(1)).env(key, value).exec();
        eprintln!("antiphon: failed to set {key}: {error}; the language model will be slower beside other work");
    }
}
