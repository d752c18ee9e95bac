//! Every stage of a conversation meets every fault of a vendor, before its first word or sound and after it. Each cell is
//! a whole call: the vendor's adapter against the emulator, and a scripted provider of our own as the next in its row.
//!
//! `cargo test --release -p testkit --test matrix -- --nocapture` prints how long each recovery took.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod call;
mod cell;
mod fallback;
#[path = "../contract/vendors.rs"]
mod vendors;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use cell::{Cell, Outcome, Place, Row, Trial};

/// So many calls at a time: more would make the machine, not the vendors, late.
const CALLS: usize = 16;

#[tokio::test]
async fn a_conversation_survives_each_fault_of_each_vendor_in_each_place() {
    let outcomes: Vec<(Cell, Outcome)> =
        stream::iter(cell::all()).map(|cell| async move { (cell, cell.run().await) }).buffered(CALLS).collect().await;
    println!("{}", table(&outcomes));
    let complaints: Vec<String> = outcomes
        .iter()
        .flat_map(|(cell, outcome)| outcome.complaints.iter().map(move |what| format!("{cell:?}: {what}")))
        .collect();
    assert!(complaints.is_empty(), "{} of {} cells:\n{}", complaints.len(), outcomes.len(), complaints.join("\n"));
}

/// How much longer the caller heard silence than in the same call without a fault, in milliseconds.
fn table(outcomes: &[(Cell, Outcome)]) -> String {
    let calm: BTreeMap<Row, Duration> = outcomes
        .iter()
        .filter(|(cell, _)| cell.trial == Trial::None)
        .map(|(cell, outcome)| (cell.row, outcome.silence))
        .collect();
    let mut lines = vec!["| fault | ".to_owned() + &Row::ALL.map(|row| format!("{row:?}")).join(" | ") + " |"];
    lines.push(format!("|---|{}", "---|".repeat(Row::ALL.len())));
    for trial in Trial::ALL {
        let figures = Row::ALL.map(|row| {
            let figure = |place| {
                let (_, outcome) =
                    outcomes.iter().find(|(cell, _)| (cell.row, cell.trial, cell.place) == (row, trial, place))?;
                Some(outcome.silence.saturating_sub(calm[&row]).as_millis().to_string())
            };
            let [before, after] = [Place::Before, Place::After].map(|place| figure(place).unwrap_or("–".to_owned()));
            format!("{before} / {after}")
        });
        lines.push(format!("| {trial:?} | {} |", figures.join(" | ")));
    }
    lines.join("\n")
}
