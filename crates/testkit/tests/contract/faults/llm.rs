//! Language models in trouble.

use std::time::Duration;

use providers::llm::{Finish, LanguageModel};
use providers::{Failure, Remedy};
use testkit::emulator::{Code, Emulator, Fault, Trouble};

use super::{Case, HASTY, before, locked, refused, troubled};
use crate::llm::{Told, listen, request};
use crate::vendors::{GEMINI, OPENAI_CHAT, Reach, Vendor};

const WORDS: &str = "one two three four five";
const ANSWER: &str = "You said: one two three four five";

async fn told(vendor: Vendor<dyn LanguageModel>, emulator: &Emulator, case: &Case) -> Told {
    let reach = Reach { deadlines: case.deadlines, ..Reach::plain(emulator) };
    listen((vendor.make)(reach).reply(request("fault", WORDS))).await
}

fn failure(told: &Told) -> &Failure {
    told.failure.as_ref().unwrap_or_else(|| panic!("{told:?}"))
}

/// OpenAI's stream begins with a piece without words.
async fn every_fault_is_a_typed_failure(vendor: Vendor<dyn LanguageModel>) {
    let mid = |trouble, remedy| Case::new(Fault::after(3, trouble), remedy);
    let within = [
        Case::silence(3),
        mid(refused(Code::Unavailable), Remedy::Retry),
        mid(Trouble::Reset, Remedy::Retry),
        mid(Trouble::Cut, Remedy::Retry),
        mid(Trouble::Garbage, Remedy::Retry),
        Case::new(Fault::at_once(Trouble::Cut), Remedy::Retry),
        Case::new(Fault::at_once(Trouble::Garbage), Remedy::Retry),
    ];
    for case in before().iter().chain(&within) {
        let emulator = troubled(vendor.route, &case.fault).await;
        let told = told(vendor, &emulator, case).await;
        case.check(failure(&told), WORDS);
        let text = told.text();
        assert!(ANSWER.starts_with(&text) && text.is_empty() == (case.fault.after == 0), "{:?}: {text}", case.fault);
    }
}

async fn a_quota_in_mid_answer_says_how_long_it_lasts(vendor: Vendor<dyn LanguageModel>) {
    let case = Case::quota(3);
    let emulator = troubled(vendor.route, &case.fault).await;
    let told = told(vendor, &emulator, &case).await;
    assert_eq!(failure(&told).remedy, Remedy::Replace, "{:?}", told.failure);
}

async fn what_only_hinders_changes_no_word(vendor: Vendor<dyn LanguageModel>) {
    let soon = Duration::from_millis(1);
    for trouble in [Trouble::Stall(soon), Trouble::GoAway, Trouble::Drip(soon)] {
        for after in [0, 3] {
            let emulator = troubled(vendor.route, &Fault::after(after, trouble.clone())).await;
            let model = (vendor.make)(Reach::plain(&emulator));
            for _ in 0..2 {
                let told = listen(model.reply(request("slow", WORDS))).await;
                assert_eq!((told.text().as_str(), told.done.map(|done| done.0)), (ANSWER, Some(Finish::Stop)));
            }
        }
    }
}

async fn a_wrong_key_is_for_another_provider(vendor: Vendor<dyn LanguageModel>) {
    let emulator = locked().await;
    let told = listen((vendor.make)(Reach::plain(&emulator)).reply(request("key", WORDS))).await;
    assert_eq!(failure(&told).remedy, Remedy::Replace);
}

async fn a_black_hole_is_left(vendor: Vendor<dyn LanguageModel>) {
    let emulator = crate::emulator().await;
    emulator.hold_connections();
    let model = (vendor.make)(Reach { deadlines: HASTY, ..Reach::plain(&emulator) });
    assert_eq!(failure(&listen(model.reply(request("hole", WORDS))).await).remedy, Remedy::Retry);
    emulator.release_connections();
    assert_eq!(listen(model.reply(request("hole", WORDS))).await.text(), ANSWER);
}

macro_rules! suffers {
    ($name:ident, $vendor:expr; $($check:ident),+) => {
        mod $name {
            use super::*;
            $(
                #[tokio::test]
                async fn $check() {
                    super::$check($vendor).await;
                }
            )+
        }
    };
    ($name:ident, $vendor:expr) => {
        suffers!(
            $name, $vendor; every_fault_is_a_typed_failure, a_quota_in_mid_answer_says_how_long_it_lasts,
            what_only_hinders_changes_no_word, a_wrong_key_is_for_another_provider, a_black_hole_is_left
        );
    };
}

suffers!(openai, OPENAI_CHAT);
suffers!(gemini, GEMINI);
