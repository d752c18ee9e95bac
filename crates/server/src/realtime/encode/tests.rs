//! Whole conversations of facts against committed snapshots of what a client sees.

use std::fmt::Write as _;

use dialogue::{AgentState, CloseReason, Fact, Timestamp, TurnId, TurnRecord, TurnStatus, TurnTimings};

use super::super::{Decoder, Envelope, SessionInfo};
use super::Encoder;

const CONVERSATION: &str = "01930000-0000-7000-8000-0000000000ab";
const TURN: TurnId = TurnId(1);

fn encoder() -> Encoder {
    let info = SessionInfo {
        model: "antiphon-local",
        instructions: "Be brief.".to_owned(),
        voice: None,
        max_output_tokens: 160,
    };
    Encoder::new(CONVERSATION, info)
}

fn lines(events: &[Envelope]) -> String {
    events.iter().fold(String::new(), |mut lines, event| {
        let json = serde_json::to_string(event).expect("plain data");
        writeln!(lines, "{json}").expect("strings take writes");
        lines
    })
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn spoken_turn() -> Vec<(u64, Fact)> {
    vec![
        (1_090, Fact::SpeechStarted { turn: TURN, at: at(1_000) }),
        (1_500, Fact::PartialTranscript { turn: TURN, text: "should I get".to_owned() }),
        (
            2_260,
            Fact::TurnCommitted { turn: TURN, speech_ended: at(2_000), user_text: "Should I get a dog?".to_owned() },
        ),
        (2_260, Fact::StateChanged(AgentState::Thinking)),
        (2_260, Fact::ReplyStarted { turn: TURN }),
        (2_700, Fact::StateChanged(AgentState::Speaking)),
        (2_700, Fact::SentenceStarted { turn: TURN, text: "Yes.".to_owned() }),
        (3_500, Fact::SentenceStarted { turn: TURN, text: " A small one.".to_owned() }),
    ]
}

fn ended(status: TurnStatus, heard: &str) -> Fact {
    Fact::TurnEnded(TurnRecord {
        turn: TURN,
        status,
        user_text: "Should I get a dog?".to_owned(),
        agent_text: "Yes. A small one.".to_owned(),
        heard_text: heard.to_owned(),
        heard_ms: 1_240,
        timings: TurnTimings::default(),
        tools: Vec::new(),
    })
}

fn play(facts: &[(u64, Fact)]) -> String {
    let mut encoder = encoder();
    let mut seen = lines(&encoder.opened());
    for (ms, fact) in facts {
        seen += &lines(&encoder.fact(at(*ms), fact));
    }
    seen
}

#[test]
fn a_turn_heard_to_its_end() {
    let mut facts = spoken_turn();
    facts.push((4_900, ended(TurnStatus::Completed, "Yes. A small one.")));
    facts.push((4_900, Fact::StateChanged(AgentState::Listening)));
    facts.push((9_000, Fact::Closed(CloseReason::CallerHungUp)));
    assert_eq!(play(&facts), include_str!("snapshots/completed.jsonl"));
}

#[test]
fn an_interrupted_turn_keeps_only_what_was_heard() {
    let mut facts = spoken_turn();
    facts.push((3_800, ended(TurnStatus::Interrupted, "Yes. A")));
    assert_eq!(play(&facts), include_str!("snapshots/interrupted.jsonl"));
}

#[test]
fn a_typed_turn_has_no_audio_and_a_failed_one_no_voice() {
    let facts = [
        (500, Fact::TurnCommitted { turn: TURN, speech_ended: at(500), user_text: "A dog?".to_owned() }),
        (500, Fact::ReplyStarted { turn: TURN }),
        (9_500, Fact::TurnEnded(TurnRecord { agent_text: String::new(), ..failed_record() })),
    ];
    assert_eq!(play(&facts), include_str!("snapshots/typed_and_failed.jsonl"));
}

fn failed_record() -> TurnRecord {
    match ended(TurnStatus::Failed, "") {
        Fact::TurnEnded(record) => TurnRecord { heard_ms: 0, ..record },
        other => panic!("not a turn's end: {other:?}"),
    }
}

#[test]
fn discarded_speech_takes_its_caption_back() {
    let facts = [
        (1_090, Fact::SpeechStarted { turn: TURN, at: at(1_000) }),
        (1_500, Fact::PartialTranscript { turn: TURN, text: "hm".to_owned() }),
        (1_900, Fact::SpeechDiscarded { turn: TURN }),
    ];
    assert_eq!(play(&facts), include_str!("snapshots/discarded.jsonl"));
}

#[test]
fn a_channel_that_opens_late_is_told_the_state() {
    let mut encoder = encoder();
    for (ms, fact) in spoken_turn() {
        let _ = encoder.fact(at(ms), &fact);
    }
    assert!(lines(&encoder.opened()).ends_with("\"type\":\"antiphon.state\",\"state\":\"speaking\"}\n"));
}

#[test]
fn a_refused_event_is_answered_by_an_error_that_names_it() {
    let error = Decoder::default().decode(r#"{"type":"response.dance","event_id":"mine"}"#).expect_err("unknown");
    assert_eq!(lines(&encoder().refused(error)), include_str!("snapshots/refused.jsonl"));
}
