//! Recognisers in trouble.

use std::sync::Arc;
use std::time::Duration;

use providers::stt::{SAMPLE_RATE_HZ, SpeechToText, SttEvent, SttInput, SttOptions, SttStream};
use providers::{Failure, Remedy};
use testkit::emulator::{Code, Fault, Trouble, tone};

use super::{Case, HASTY, always_troubled, before, locked, refused, troubled};
use crate::vendors::{GOOGLE_SPEECH, OPENAI_TRANSCRIBER, Reach, Vendor};

const WORDS: &str = "book a table in Zürich for two";

/// Says the words and waits for what is understood.
async fn said(stream: &mut SttStream) -> Result<String, Failure> {
    let samples = [vec![0.0; 3_072], tone::speak(WORDS, SAMPLE_RATE_HZ)].concat();
    for window in samples.chunks(512) {
        stream.input.send(SttInput::Audio(Arc::from(window))).await.expect("the stream is open");
    }
    stream.input.send(SttInput::Commit).await.expect("the stream is open");
    loop {
        match stream.events.recv().await.expect("the stream goes on") {
            SttEvent::Partial { .. } => {}
            SttEvent::Final { text } => return Ok(text),
            SttEvent::Failed(failure) => return Err(failure.0),
        }
    }
}

async fn every_fault_is_a_typed_failure(vendor: Vendor<dyn SpeechToText>, cases: Vec<Case>) {
    for case in cases {
        let emulator = always_troubled(vendor.route, &case.fault).await;
        let ear = (vendor.make)(Reach { deadlines: case.deadlines, ..Reach::plain(&emulator) });
        let mut stream = ear.open(SttOptions::default());
        let failure = said(&mut stream).await.expect_err(&format!("{:?}", case.fault));
        case.check(&failure, WORDS);
    }
}

/// The stream goes on with the next utterance, as the trait says.
async fn the_next_utterance_is_understood(vendor: Vendor<dyn SpeechToText>) {
    let emulator = troubled(vendor.route, &Fault::at_once(refused(Code::PermissionDenied))).await;
    let ear = (vendor.make)(Reach::plain(&emulator));
    let mut stream = ear.open(SttOptions::default());
    assert_eq!(said(&mut stream).await.expect_err("refused").remedy, Remedy::Replace);
    // Google is left alone for a second after that.
    let mut tries = 0;
    while said(&mut stream).await.as_deref().ok() != Some(WORDS) {
        tries += 1;
        assert!(tries < 10, "it recovers");
    }
}

async fn what_only_hinders_changes_no_word(vendor: Vendor<dyn SpeechToText>) {
    for trouble in [Trouble::Stall(Duration::from_millis(1)), Trouble::GoAway] {
        for after in [0, 2] {
            let emulator = troubled(vendor.route, &Fault::after(after, trouble.clone())).await;
            let ear = (vendor.make)(Reach::plain(&emulator));
            let mut stream = ear.open(SttOptions::default());
            for _ in 0..2 {
                assert_eq!(said(&mut stream).await.expect("understood"), WORDS, "{trouble:?} after {after}");
            }
        }
    }
}

async fn a_wrong_key_is_for_another_provider(vendor: Vendor<dyn SpeechToText>) {
    let emulator = locked().await;
    let ear = (vendor.make)(Reach::plain(&emulator));
    let mut stream = ear.open(SttOptions::default());
    assert_eq!(said(&mut stream).await.expect_err("refused").remedy, Remedy::Replace);
}

fn with(more: Vec<Case>) -> Vec<Case> {
    before().into_iter().chain(more).collect()
}

macro_rules! suffers {
    ($name:ident, $vendor:expr, $cases:expr) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn every_fault_is_a_typed_failure() {
                super::every_fault_is_a_typed_failure($vendor, $cases).await;
            }

            #[tokio::test]
            async fn the_next_utterance_is_understood() {
                super::the_next_utterance_is_understood($vendor).await;
            }

            #[tokio::test]
            async fn what_only_hinders_changes_no_word() {
                super::what_only_hinders_changes_no_word($vendor).await;
            }

            #[tokio::test]
            async fn a_wrong_key_is_for_another_provider() {
                super::a_wrong_key_is_for_another_provider($vendor).await;
            }
        }
    };
}

suffers!(openai, OPENAI_TRANSCRIBER, {
    let mid = |trouble| Case::new(Fault::after(2, trouble), Remedy::Retry);
    with(vec![Case::silence(2), mid(Trouble::Reset), mid(Trouble::Cut), mid(Trouble::Garbage)])
});
// Google that says nothing is no failure of its adapter: nothing was said, for all that it knows. A chain asks another
// recogniser before that.
suffers!(google, GOOGLE_SPEECH, {
    let mid = |trouble| Case::new(Fault::after(2, trouble), Remedy::Retry);
    let loud = before().into_iter().filter(|case| case.fault.trouble != Trouble::Silence);
    let within = vec![Case::quota(2), mid(Trouble::Reset), mid(Trouble::Cut), mid(Trouble::Garbage)];
    loud.chain(within).collect::<Vec<_>>()
});

#[tokio::test]
async fn an_upload_into_a_black_hole_fails_in_time() {
    let emulator = crate::emulator().await;
    emulator.hold_connections();
    let ear = (OPENAI_TRANSCRIBER.make)(Reach { deadlines: HASTY, ..Reach::plain(&emulator) });
    let mut stream = ear.open(SttOptions::default());
    assert_eq!(said(&mut stream).await.expect_err("nobody answers").remedy, Remedy::Retry);
    emulator.release_connections();
    assert_eq!(said(&mut stream).await.expect("it is back"), WORDS);
}
