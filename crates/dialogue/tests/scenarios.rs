//! Every file in `scenarios/` is a conversation with the actions it must cause. To accept a changed one after reading
//! the difference, run with `UPDATE_SCENARIOS=1`.
// Test code may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language;
mod settings;

use std::fs;
use std::path::Path;

#[test]
fn scenarios_play_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut played = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let written = fs::read_to_string(&path).unwrap();
        let rendered = language::play(&written);
        if option_env!("UPDATE_SCENARIOS").is_some() {
            fs::write(&path, &rendered).unwrap();
        } else {
            assert_eq!(rendered, written, "{} plays otherwise than written", path.display());
        }
        played += 1;
    }
    assert!(played >= 12, "only {played} scenarios were found");
}

/// What every kind of event, action, fact and deadline looks like in a scenario.
const VOCABULARY: [&str; 57] = [
    // Events.
    " connected\n",
    " speech starts ",
    " speech goes on ",
    " speech pauses ",
    " words \"",
    " words settled ",
    " words failed\n",
    " score ",
    " typed \"",
    " digit ",
    " commit\n",
    " say \"",
    " stop speaking\n",
    " hang up\n",
    " reply 1.1 \"",
    " calls ",
    " done\n",
    " fails\n",
    " fails retryable\n",
    " first audio\n",
    " breaks off ",
    " words end ",
    " playout started ",
    " playout reached ",
    " playout finished ",
    " playout held ",
    " playout flushed",
    " gives \"",
    " hangs up \"",
    " summarised \"",
    " not summarised\n",
    // Actions.
    "> judge pause ",
    "> end utterance\n",
    "> discard utterance\n",
    "> prepare [",
    "> start reply ",
    "> cancel reply ",
    "> speak ",
    "> release ",
    "> flush playout\n",
    "> hold playout\n",
    "> resume playout\n",
    "> run tool ",
    "> cancel tool ",
    "> summarise [",
    "> close: ",
    // Deadlines.
    "(Endpoint)",
    "(Words)",
    "(Reply)",
    "(Flush)",
    "(Playout)",
    "(Overlap)",
    "(Filler)",
    "(Tools)",
    "(Idle)",
    "(Limit)",
    "(Digits)",
];

#[test]
fn every_kind_of_event_action_and_deadline_is_played() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let all: String =
        fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let missing: Vec<&str> = VOCABULARY.into_iter().filter(|word| !all.contains(word)).collect();
    assert!(missing.is_empty(), "no scenario shows {missing:?}");
}

#[test]
fn every_pain_of_turn_taking_has_a_scenario() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let heads: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .filter_map(|text| text.lines().find(|line| line.starts_with("# Pain")).map(str::to_owned))
        .collect();
    // The field's recurring pains that an engine can have; the others concern capacity, transport and deployment.
    for pain in [4, 5, 6, 7, 9, 10, 11, 12, 16, 17, 18, 19, 21, 22] {
        let named = |head: &String| {
            let numbers = head.split(':').next().unwrap_or_default();
            numbers.split(|c: char| !c.is_ascii_digit()).any(|number| number == pain.to_string())
        };
        assert!(heads.iter().any(named), "no scenario shows pain {pain}");
    }
}
