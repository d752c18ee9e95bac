//! Whatever happens, in whatever order, the engine keeps its promises: simulated worlds play with it, and a reference
//! model that knows nothing of its states watches. A history follows from its seed: `HISTORY=1234 cargo test` plays one.
// Test code may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

mod reference;
mod world;

use std::time::Duration;

use dialogue::{
    Action, BargeIn, Dialogue, Endpointing, Event, IdlePrompt, Initiative, Limit, Line, Policy, Timestamp, Transcript,
};
use reference::Reference;
use world::{Dice, World};

/// Histories of each of the tests below; they run side by side.
const HISTORIES: u64 = 30_000;
const STEPS: usize = 120;

/// Plays the history of a seed; gives every action with its time.
fn play(seed: u64) -> Vec<(Timestamp, Action)> {
    let mut dice = Dice::new(seed ^ 0x5eed);
    let mut dialogue = Dialogue::new(policy(&mut dice), Transcript::default());
    let mut world = World::new(seed);
    let mut reference = Reference::default();
    let mut trace = Vec::new();
    for _ in 0..STEPS {
        let deadline = dialogue.next_deadline();
        let (now, event) = match world.next(deadline.map(|(at, _)| at)) {
            Some(next) => next,
            None => (world.now(), Event::Deadline(deadline.unwrap().1)),
        };
        step(now, event, &mut dialogue, &mut world, &mut reference, &mut trace);
        if reference.has_open_turn() {
            assert!(dialogue.next_deadline().is_some(), "1: an open turn waits without a deadline");
        }
    }
    let now = world.now();
    step(now, world::hang_up(), &mut dialogue, &mut world, &mut reference, &mut trace);
    assert!(dialogue.is_closed() && dialogue.next_deadline().is_none(), "1: after the end nothing is waited for");
    trace
}

fn step(
    now: Timestamp,
    event: Event,
    dialogue: &mut Dialogue,
    world: &mut World,
    reference: &mut Reference,
    trace: &mut Vec<(Timestamp, Action)>,
) {
    if !dialogue.is_closed() {
        reference.event(&event);
    }
    let shown = std::env::var_os("HISTORY").is_some();
    if shown {
        println!("{} {event:?}", now.as_millis());
    }
    dialogue.handle(now, event);
    while let Some(action) = dialogue.poll_action() {
        if shown {
            println!("    > {action:?}");
        }
        reference.action(&action);
        world.perform(&action);
        trace.push((now, action));
    }
    reference.settled();
}

fn policy(dice: &mut Dice) -> Policy {
    let endpointing = match dice.below(4) {
        0 => Endpointing::Silence(Duration::from_millis(300)),
        1 => Endpointing::Manual,
        _ => Endpointing::default(),
    };
    let idle = dice.percent(20).then(|| IdlePrompt {
        after: Duration::from_secs(2),
        text: "Are you still there?".to_owned(),
        times: 1,
        farewell: if dice.percent(50) { "Goodbye.".to_owned() } else { String::new() },
    });
    let limit = dice
        .percent(20)
        .then(|| Limit { after: Duration::from_secs(8), farewell: "Our time is up, goodbye.".to_owned() });
    let greeting = dice.percent(20).then(|| Line { text: "Hello, how can I help?".to_owned(), interruptible: false });
    Policy {
        endpointing,
        barge_in: BargeIn { enabled: dice.percent(90), ..BargeIn::default() },
        start_ahead: dice.percent(80),
        initiative: Initiative { greeting: greeting.clone(), welcome_back: greeting, idle, limit },
        memory_chars: if dice.percent(20) { 60 } else { 4_000 },
        ..Policy::default()
    }
}

fn promises_hold(seeds: std::ops::Range<u64>) {
    let only = std::env::var_os("HISTORY").map(|seed| seed.to_str().unwrap().parse::<u64>().unwrap());
    for seed in seeds.filter(|seed| only.is_none_or(|only| only == *seed)) {
        let played = std::panic::catch_unwind(|| play(seed));
        let trace = played.unwrap_or_else(|_| panic!("history {seed} breaks a promise (above)"));
        if seed % 10 == 0 {
            assert_eq!(trace, play(seed), "6: the same history must cause the same actions");
        }
    }
}

#[test]
fn promises_hold_for_any_history_1() {
    promises_hold(0..HISTORIES);
}

#[test]
fn promises_hold_for_any_history_2() {
    promises_hold(HISTORIES..2 * HISTORIES);
}

#[test]
fn promises_hold_for_any_history_3() {
    promises_hold(2 * HISTORIES..3 * HISTORIES);
}

#[test]
fn promises_hold_for_any_history_4() {
    promises_hold(3 * HISTORIES..4 * HISTORIES);
}
