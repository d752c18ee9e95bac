//! Whole conversations with scripted models on a paused clock: hours pass in milliseconds, and nothing depends on speed.
// Test code may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use dialogue::{AgentState, CloseReason, Fact, TurnRecord, TurnStatus};
use session::{AgentConfig, Link, Providers, Report, Request, Session};
use testkit::leg::Caller;
use testkit::scripted::{Completeness, Listener, Loudness, Speaker, Tone};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

struct Call {
    caller: Caller,
    requests: mpsc::Sender<Request>,
    reports: mpsc::Receiver<Report>,
    model: Arc<Speaker>,
    agent: JoinHandle<()>,
}

#[allow(clippy::disallowed_methods)] // The test owns the task: each awaits it.
fn call(understood: &[&str], answers: &[Option<&str>], completeness: f32) -> Call {
    let (caller, from_caller, to_caller) = Caller::connect();
    let (requests, asked) = mpsc::channel(8);
    let (told, reports) = mpsc::channel(1_024);
    let model = Speaker::new(answers);
    let providers = Providers {
        vad: Arc::new(Loudness),
        turn: Arc::new(Completeness(completeness)),
        stt: Listener::new(understood),
        llm: Arc::clone(&model) as _,
        tts: Arc::new(Tone),
    };
    let link = Link { from_caller, to_caller };
    let agent = AgentConfig::default();
    let session = Session { id: "test".to_owned(), link, requests: asked, reports: told, agent, providers };
    let agent = tokio::spawn(async move { session.run().await.unwrap() });
    Call { caller, requests, reports, model, agent }
}

impl Call {
    /// Hangs up; gives every fact of the call.
    async fn end(mut self) -> Vec<Fact> {
        self.caller.hang_up().await;
        self.agent.await.unwrap();
        let mut facts = Vec::new();
        while let Some(report) = self.reports.recv().await {
            if let Report::Fact { fact, .. } = report {
                facts.push(fact);
            }
        }
        assert_eq!(facts.last(), Some(&Fact::Closed(CloseReason::CallerHungUp)), "the last word is that it is over");
        facts
    }
}

fn turns(facts: &[Fact]) -> Vec<TurnRecord> {
    let ended = |fact: &Fact| match fact {
        Fact::TurnEnded(record) => Some(record.clone()),
        _ => None,
    };
    facts.iter().filter_map(ended).collect()
}

#[tokio::test(start_paused = true)]
async fn a_spoken_question_is_answered_aloud() {
    let mut call = call(&["Should I get a dog?"], &[Some("Dogs are great company, but they need walks.")], 0.9);
    call.caller.silence(400).await;
    call.caller.speak(1_000).await;
    call.caller.silence(5_000).await;
    assert_eq!(call.caller.heard.len(), 8 * 15, "eight words of 300 ms in frames of 20 ms");
    let facts = call.end().await;
    let turns = turns(&facts);
    assert_eq!(turns.len(), 1);
    assert_eq!(turns[0].status, TurnStatus::Completed);
    assert_eq!(turns[0].user_text, "Should I get a dog?");
    assert_eq!(turns[0].heard_text, "Dogs are great company, but they need walks.");
    let states: Vec<_> = facts
        .iter()
        .filter_map(|fact| if let Fact::StateChanged(state) = fact { Some(*state) } else { None })
        .collect();
    assert_eq!(states, [AgentState::Thinking, AgentState::Speaking, AgentState::Listening]);
    let waited = turns[0].timings.voice_to_voice().unwrap();
    assert!(waited <= Duration::from_millis(320), "the scripted models need 200 ms of this: {waited:?}");
}

#[tokio::test(start_paused = true)]
async fn an_interruption_stops_the_voice_and_keeps_only_what_was_heard() {
    let long = "One two three four five six seven eight nine ten eleven twelve.";
    let mut call = call(&["Count.", "Stop."], &[Some(long), Some("Fine.")], 0.9);
    call.caller.speak(600).await;
    call.caller.silence(1_500).await;
    let spoke = tokio::time::Instant::now();
    call.caller.speak(600).await;
    let (last, _) =
        call.caller.heard.iter().rfind(|(at, _)| *at < spoke + Duration::from_millis(600)).copied().unwrap();
    assert!(last - spoke <= Duration::from_millis(200), "the voice went on for {:?}", last - spoke);
    call.caller.silence(3_000).await;
    let model = Arc::clone(&call.model);
    let turns = turns(&call.end().await);
    assert_eq!(turns[0].status, TurnStatus::Interrupted);
    assert!(long.starts_with(&turns[0].heard_text) && turns[0].heard_text.len() < long.len());
    assert!(!turns[0].heard_text.is_empty());
    assert_eq!((turns[1].user_text.as_str(), turns[1].heard_text.as_str()), ("Stop.", "Fine."));
    let prompts = model.requests.lock().unwrap();
    let said = &prompts.last().unwrap().messages;
    assert_eq!(said[2].text, turns[0].heard_text, "the model is told what was heard, not what it wrote");
}

#[tokio::test(start_paused = true)]
async fn a_failing_model_is_apologised_for() {
    let mut call = call(&["Hello."], &[None, None], 0.9);
    call.caller.speak(600).await;
    call.caller.silence(9_000).await;
    let turns = turns(&call.end().await);
    assert_eq!(turns[0].status, TurnStatus::Failed);
    assert!(turns[0].heard_text.starts_with("Sorry"));
}

#[tokio::test(start_paused = true)]
async fn a_microphone_that_stops_sending_ends_the_turn_too() {
    let mut call = call(&["Hello."], &[Some("Hi.")], 0.9);
    call.caller.speak(600).await;
    call.caller.send_nothing(3_000).await;
    let turns = turns(&call.end().await);
    assert_eq!(turns[0].heard_text, "Hi.");
}

#[tokio::test(start_paused = true)]
async fn a_cough_while_the_agent_speaks_changes_nothing() {
    let long = "One two three four five six seven eight nine ten.";
    let mut call = call(&["Count."], &[Some(long)], 0.9);
    call.caller.speak(600).await;
    call.caller.silence(1_000).await;
    call.caller.speak(80).await;
    call.caller.silence(6_000).await;
    let turns = turns(&call.end().await);
    assert_eq!(turns.len(), 1);
    assert_eq!(turns[0].heard_text, long);
}

#[tokio::test(start_paused = true)]
async fn typed_words_are_answered_aloud() {
    let mut call = call(&[], &[Some("Good morning.")], 0.9);
    call.requests.send(Request::Typed("Good morning".to_owned())).await.unwrap();
    call.caller.silence(3_000).await;
    let turns = turns(&call.end().await);
    assert_eq!(turns[0].heard_text, "Good morning.");
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_ends_the_conversation() {
    let Call { caller, agent, mut reports, .. } = call(&[], &[], 0.9);
    drop(caller);
    agent.await.unwrap();
    let mut last = None;
    while let Some(report) = reports.recv().await {
        last = Some(report);
    }
    assert!(matches!(last, Some(Report::Fact { fact: Fact::Closed(CloseReason::ConnectionLost), .. })));
}
