//! How llama.cpp's threads wait for each other.
//!
//! They are OpenMP threads, which by default spin at the end of every step of the network. On a machine whose cores also
//! run the voice, the ears and the network, that costs most of their speed (measured: 20 times slower on two busy
//! cores). The OpenMP library reads its policy when the process starts, so it has to be there before.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

const KEY: &str = "OMP_WAIT_POLICY";

/// Makes the threads wait without spinning: starts this program anew, in this process, with the policy set. Returns when
/// there is nothing to do, or when it cannot be done; then the model is slower beside other work.
pub fn ensure_passive() {
    if std::env::var_os(KEY).is_some() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let error = Command::new(program).args(std::env::args_os().skip(1)).env(KEY, "PASSIVE").exec();
        eprintln!("antiphon: failed to set {KEY}: {error}; the language model will be slower beside other work");
    }
}
