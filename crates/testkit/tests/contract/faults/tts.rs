//! Voices in trouble.

use std::time::Duration;

use providers::tts::TextToSpeech;
use providers::{Failure, Remedy};
use testkit::emulator::{Code, Fault, Trouble, tone};

use super::{Case, HASTY, always_troubled, before, locked, refused, troubled};
use crate::tts::{Spoken, listen, request};
use crate::vendors::{GOOGLE_VOICE, OPENAI_VOICE, Reach, Vendor};

/// One sentence of several pieces of 200 ms.
const SENTENCE: &str = "Several words are one sentence";

#[track_caller]
fn failure(spoken: &Spoken) -> &Failure {
    spoken.failure.as_ref().expect("it failed")
}

async fn every_fault_is_a_typed_failure(vendor: Vendor<dyn TextToSpeech>, within: Vec<Case>) {
    for case in before().iter().chain(&within) {
        let emulator = always_troubled(vendor.route, &case.fault).await;
        let voice = (vendor.make)(Reach { deadlines: case.deadlines, ..Reach::plain(&emulator) });
        let spoken = listen(voice.speak(request(SENTENCE))).await;
        let failure = spoken.failure.as_ref().unwrap_or_else(|| panic!("{:?} went unnoticed", case.fault));
        case.check(failure, SENTENCE);
        let heard = tone::understand(&spoken.samples, voice.sample_rate_hz());
        assert!(SENTENCE.starts_with(&heard), "{:?}: {heard}", case.fault);
        // A reset may take along what was on its way.
        let lost = case.fault.trouble == Trouble::Reset && spoken.samples.is_empty();
        assert_eq!(spoken.samples.is_empty(), case.fault.after == 0 || lost, "{:?}: {heard}", case.fault);
    }
}

async fn what_only_hinders_changes_no_word(vendor: Vendor<dyn TextToSpeech>) {
    for trouble in [Trouble::Stall(Duration::from_millis(1)), Trouble::GoAway] {
        for after in [0, 3] {
            let emulator = troubled(vendor.route, &Fault::after(after, trouble.clone())).await;
            let voice = (vendor.make)(Reach::plain(&emulator));
            for _ in 0..2 {
                let spoken = listen(voice.speak(request(SENTENCE))).await;
                assert!(spoken.is_done, "{trouble:?} after {after}: {:?}", spoken.failure);
                assert_eq!(tone::understand(&spoken.samples, voice.sample_rate_hz()), SENTENCE);
            }
        }
    }
}

async fn a_wrong_key_is_for_another_provider(vendor: Vendor<dyn TextToSpeech>) {
    let emulator = locked().await;
    let spoken = listen((vendor.make)(Reach::plain(&emulator)).speak(request(SENTENCE))).await;
    assert_eq!(failure(&spoken).remedy, Remedy::Replace);
}

async fn a_black_hole_is_left(vendor: Vendor<dyn TextToSpeech>) {
    let emulator = crate::emulator().await;
    emulator.hold_connections();
    let voice = (vendor.make)(Reach { deadlines: HASTY, ..Reach::plain(&emulator) });
    assert_eq!(failure(&listen(voice.speak(request(SENTENCE))).await).remedy, Remedy::Retry);
    emulator.release_connections();
    assert!(listen(voice.speak(request(SENTENCE))).await.is_done);
}

fn within(more: Vec<Case>) -> Vec<Case> {
    let mid = Case::new(Fault::after(1, Trouble::Reset), Remedy::Retry);
    [Case::silence(1), mid].into_iter().chain(more).collect()
}

macro_rules! suffers {
    ($name:ident, $vendor:expr, $more:expr) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn every_fault_is_a_typed_failure() {
                super::every_fault_is_a_typed_failure($vendor, within($more)).await;
            }

            #[tokio::test]
            async fn what_only_hinders_changes_no_word() {
                super::what_only_hinders_changes_no_word($vendor).await;
            }

            #[tokio::test]
            async fn a_wrong_key_is_for_another_provider() {
                super::a_wrong_key_is_for_another_provider($vendor).await;
            }

            #[tokio::test]
            async fn a_black_hole_is_left() {
                super::a_black_hole_is_left($vendor).await;
            }
        }
    };
}

// Raw audio has no end of its own: a clean cut of it cannot be told from its end, nor garbage from a strange sound.
suffers!(openai, OPENAI_VOICE, Vec::new());
suffers!(google, GOOGLE_VOICE, {
    let mid = |trouble, remedy| Case::new(Fault::after(1, trouble), remedy);
    vec![
        Case::quota(1),
        mid(refused(Code::Unavailable), Remedy::Retry),
        mid(Trouble::Cut, Remedy::Retry),
        mid(Trouble::Garbage, Remedy::Retry),
    ]
});
