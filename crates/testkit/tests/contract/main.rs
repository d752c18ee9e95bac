//! One contract for each kind of provider, kept by every provider there is: the adapters against the emulated vendors,
//! and the local models. `llm`, `stt` and `tts` hold the checks, each takes whatever provider it is given; `vendors` and
//! `local` make the providers; `faults` is what adapters make of a vendor's troubles, `cancel`
//! how soon a vendor is rid of who does not listen any more.
//!
//! Wants the models of the profile `fast` and `speech-tests`; a test without them fails and says how to fetch them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod cancel;
mod faults;
mod llm;
mod local;
mod stt;
mod tts;
mod vendors;

use testkit::emulator::{Emulator, Script};

/// An emulator that says what it is asked to.
async fn emulator() -> Emulator {
    Emulator::start(Script::default()).await.expect("it starts")
}
