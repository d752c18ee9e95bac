//! Whatever happens, in whatever order, the engine keeps its promises. Histories are drawn at random, stale and absurd
//! events among them; failing ones are kept by proptest beside this file.
// Test code may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use dialogue::{
    Action, Attempt, CloseReason, Dialogue, Event, Fact, PauseId, PlayoutEvent, Policy, ReplyEvent, SentenceId,
    Timestamp, Transcript, TurnId, VoiceEvent,
};
use proptest::prelude::*;

/// What may happen next; ids are drawn near the ones that live.
#[derive(Debug, Clone)]
struct Step {
    after_ms: u64,
    event: Event,
}

fn sentence() -> impl Strategy<Value = SentenceId> {
    (1..4_u32, 1..4_u32, 0..3_u32).prop_map(|(turn, attempt, index)| SentenceId {
        turn: TurnId(turn),
        attempt: Attempt(attempt),
        index,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let words = prop_oneof![Just(String::new()), Just("Hello there.".to_owned()), Just("And then".to_owned())];
    let text =
        prop_oneof![Just("Yes. ".to_owned()), Just("Well, that is so, and more. ".to_owned()), Just("a".to_owned())];
    let reply = prop_oneof![
        4 => text.prop_map(ReplyEvent::Text),
        2 => Just(ReplyEvent::Done),
        1 => Just(ReplyEvent::Failed),
        1 => Just(ReplyEvent::FailedRetryable),
    ];
    let voice = prop_oneof![
        Just(VoiceEvent::FirstAudio),
        (0..2_000_u32).prop_map(|duration_ms| VoiceEvent::Done { duration_ms }),
        Just(VoiceEvent::Failed),
    ];
    let playout = prop_oneof![
        sentence().prop_map(PlayoutEvent::Started),
        (sentence(), 0..3_000_u32).prop_map(|(sentence, heard_ms)| PlayoutEvent::Reached { sentence, heard_ms }),
        sentence().prop_map(PlayoutEvent::Finished),
        Just(PlayoutEvent::Flushed { cut: None }),
        (sentence(), 0..3_000_u32).prop_map(|cut| PlayoutEvent::Flushed { cut: Some(cut) }),
    ];
    prop_oneof![
        4 => Just(Event::SpeechStarted { onset: Timestamp::ZERO }),
        4 => (0..400_u64).prop_map(|ms| Event::SpeechGoesOn { spoken: Duration::from_millis(ms) }),
        4 => Just(Event::SpeechPaused { ended: Timestamp::ZERO }),
        4 => (words.clone(), prop::option::of(1..6_u32))
            .prop_map(|(text, pause)| Event::Words { text, settled: pause.map(PauseId) }),
        1 => Just(Event::WordsFailed),
        4 => (1..6_u32, 0.0..1.0_f32)
            .prop_map(|(pause, completeness)| Event::PauseScored { pause: PauseId(pause), completeness }),
        1 => words.prop_map(|text| Event::Typed { text }),
        1 => Just(Event::StopSpeaking),
        8 => (1..4_u32, 1..4_u32, reply).prop_map(|(turn, attempt, event)| Event::Reply {
            turn: TurnId(turn),
            attempt: Attempt(attempt),
            event,
        }),
        6 => (sentence(), voice).prop_map(|(sentence, event)| Event::Voice { sentence, event }),
        8 => playout.prop_map(Event::Playout),
    ]
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..700_u64, event()).prop_map(|(after_ms, event)| Step { after_ms, event }), 1..80)
}

/// Speech events tell a moment near now.
fn at_time(event: Event, now: Timestamp) -> Event {
    match event {
        Event::SpeechStarted { .. } => Event::SpeechStarted { onset: now - Duration::from_millis(64) },
        Event::SpeechPaused { .. } => Event::SpeechPaused { ended: now - Duration::from_millis(96) },
        other => other,
    }
}

/// Plays a history with all deadlines in order, then hangs up; gives every action with its time.
fn play(history: &[Step]) -> Vec<(Timestamp, Action)> {
    let mut dialogue = Dialogue::new(Policy::default(), Transcript::default());
    let mut trace = Vec::new();
    let mut open_turns = HashSet::new();
    let mut now = Timestamp::ZERO;
    for step in history {
        let until = now + Duration::from_millis(step.after_ms);
        while let Some((at, timer)) = dialogue.next_deadline()
            && at <= until
        {
            now = now.max(at);
            dialogue.handle(now, Event::Deadline(timer));
            drain(&mut dialogue, now, &mut trace, &mut open_turns);
        }
        now = until;
        dialogue.handle(now, at_time(step.event.clone(), now));
        drain(&mut dialogue, now, &mut trace, &mut open_turns);
    }
    dialogue.handle(now, Event::HangUp(CloseReason::CallerHungUp));
    drain(&mut dialogue, now, &mut trace, &mut open_turns);
    assert!(dialogue.is_closed() && dialogue.next_deadline().is_none(), "after the end nothing is waited for");
    for step in history {
        dialogue.handle(now, at_time(step.event.clone(), now));
    }
    assert_eq!(dialogue.poll_action(), None, "after the end there is silence");
    trace
}

fn drain(
    dialogue: &mut Dialogue,
    now: Timestamp,
    trace: &mut Vec<(Timestamp, Action)>,
    open_turns: &mut HashSet<TurnId>,
) {
    while let Some(action) = dialogue.poll_action() {
        match &action {
            Action::Announce(Fact::TurnCommitted { turn, .. }) => assert!(open_turns.insert(*turn)),
            Action::Announce(Fact::TurnEnded(record)) => assert!(open_turns.remove(&record.turn)),
            _ => {}
        }
        trace.push((now, action));
    }
    assert!(open_turns.len() <= 1, "two turns are open at once");
    if !open_turns.is_empty() {
        assert!(dialogue.next_deadline().is_some(), "an open turn waits without a deadline");
    }
}

/// The reference: what must hold of any trace, told without the engine's states.
fn check(trace: &[(Timestamp, Action)]) {
    let mut live: Option<(TurnId, Attempt)> = None;
    let mut dead = HashSet::new();
    let mut spoken: HashMap<TurnId, Vec<String>> = HashMap::new();
    for (_, action) in trace {
        match action {
            Action::StartReply { turn, attempt, .. } => {
                assert_eq!(live, None, "an answer starts while another is alive");
                assert!(!dead.contains(&(*turn, *attempt)), "an attempt is used twice");
                live = Some((*turn, *attempt));
            }
            Action::CancelReply { turn, attempt } => {
                live.take_if(|alive| *alive == (*turn, *attempt));
                dead.insert((*turn, *attempt));
            }
            Action::Speak { sentence, text } => {
                assert!(!dead.contains(&(sentence.turn, sentence.attempt)), "a cancelled attempt speaks");
                spoken.entry(sentence.turn).or_default().push(text.clone());
            }
            Action::Release { turn, attempt } => assert!(!dead.contains(&(*turn, *attempt))),
            Action::Announce(Fact::TurnEnded(record)) => {
                live.take_if(|(turn, _)| *turn == record.turn);
                let spoken = spoken.remove(&record.turn).unwrap_or_default().join(" ");
                for word in record.heard_text.split_whitespace() {
                    assert!(spoken.contains(word), "heard a word that was never spoken");
                }
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold_for_any_history(history in history()) {
        let trace = play(&history);
        check(&trace);
        prop_assert_eq!(&trace, &play(&history), "the same history must cause the same actions");
    }
}
