//! Whole conversations with scripted models on a paused clock: hours pass in milliseconds, and nothing depends on speed.
// Test code may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "conversation/echo.rs"]
mod echo;
#[path = "conversation/tools.rs"]
mod tools;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dialogue::{AgentState, CloseReason, Fact, Transcript, TurnRecord, TurnStatus};
use providers::llm::{Message, ToolCall, ToolSpec};
use providers::tools::{CallContext, Manner, Tool, ToolFailure, ToolSource, Toolbox};
use session::trace::{self, Tape};
use session::{AgentConfig, Agents, IdleConfig, Link, Providers, Report, Request, Session};
use testkit::leg::Caller;
use testkit::scripted::{Completeness, Listener, Loudness, Murmur, Speaker};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

struct Call {
    caller: Caller,
    requests: mpsc::Sender<Request>,
    reports: mpsc::Receiver<Report>,
    model: Arc<Speaker>,
    agent: JoinHandle<()>,
    tape: mpsc::Receiver<String>,
}

fn call(understood: &[&str], answers: &[Option<&str>], completeness: f32) -> Call {
    call_agent(AgentConfig::default(), Toolbox::default(), understood, answers, completeness)
}

#[allow(clippy::disallowed_methods)] // The test owns the task: each awaits it.
fn call_agent(
    agent: AgentConfig,
    tools: Toolbox,
    understood: &[&str],
    answers: &[Option<&str>],
    completeness: f32,
) -> Call {
    let (caller, from_caller, to_caller) = Caller::connect();
    let (requests, asked) = mpsc::channel(8);
    let (told, reports) = mpsc::channel(1_024);
    let (tape, taped) = mpsc::channel(65_536);
    let model = Speaker::new(answers);
    let providers = Providers {
        vad: Arc::new(Loudness),
        turn: Arc::new(Completeness(completeness)),
        stt: Listener::new(understood),
        llm: Arc::clone(&model) as _,
        tts: Arc::new(Murmur),
        tools: Arc::new(tools),
        live: None,
    };
    let link = Link { from_caller, to_caller };
    let billing = AgentConfig { instructions: Some("You do the billing.".to_owned()), ..AgentConfig::default() };
    let agents = Agents::new(agent.clone(), BTreeMap::from([("billing".to_owned(), billing)])).unwrap();
    let session = Session {
        id: "test".to_owned(),
        link,
        requests: asked,
        reports: told,
        agent,
        agents: Arc::new(agents),
        history: Transcript::default(),
        turns_before: 0,
        providers,
        tape: Some(Tape::new(tape)),
    };
    let agent = tokio::spawn(async move { session.run().await.unwrap() });
    Call { caller, requests, reports, model, agent, tape: taped }
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
        plays_again(&mut self.tape);
        facts
    }
}

/// Whatever happened in a call, its tape gives the same actions once more.
fn plays_again(tape: &mut mpsc::Receiver<String>) {
    let tape: String = std::iter::from_fn(|| tape.try_recv().ok()).map(|line| line + "\n").collect();
    let played = trace::replay(&tape).unwrap();
    assert!(played.events > 2 && played.actions > 2, "{played:?}");
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
    let silence = dialogue::Fused::default().min_silence;
    assert!(waited <= silence + Duration::from_millis(150), "the models' 200 ms pass in the silence: {waited:?}");
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
    let heard = Message::Assistant { text: turns[0].heard_text.clone(), calls: Vec::new() };
    assert_eq!(said[2], heard, "the model is told what was heard, not what it wrote");
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

#[tokio::test(start_paused = true)]
async fn an_assent_lets_the_agent_go_on_where_it_stopped() {
    let long = "One two three four five six seven eight nine ten.";
    let mut call = call(&["Count.", "Uh-huh."], &[Some(long)], 0.9);
    call.caller.speak(600).await;
    call.caller.silence(1_500).await;
    call.caller.speak(400).await;
    call.caller.silence(6_000).await;
    assert_eq!(call.caller.heard.len(), 10 * 15, "every frame is heard once");
    let facts = call.end().await;
    assert!(facts.iter().any(|fact| matches!(fact, Fact::ReplyHeld { .. })));
    assert!(facts.iter().any(|fact| matches!(fact, Fact::ReplyResumed { .. })));
    let turns = turns(&facts);
    assert_eq!(turns.len(), 1, "an assent is no turn");
    assert_eq!((turns[0].status, turns[0].heard_text.as_str()), (TurnStatus::Completed, long));
}

/// Knows the weather, slowly.
struct Weather;

#[async_trait]
impl ToolSource for Weather {
    fn tools(&self) -> Vec<Tool> {
        let parameters = serde_json::json!({"type": "object", "properties": {"city": {"type": "string"}},
                                            "required": ["city"]});
        let spec = ToolSpec { name: "weather".to_owned(), description: "Tells the weather.".to_owned(), parameters };
        vec![Tool { spec, manner: Manner::default() }]
    }

    async fn call(&self, call: &ToolCall, _context: &CallContext) -> Result<String, ToolFailure> {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        Ok(format!("Sunny, asked with {}", call.arguments))
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_tool_is_bridged_and_its_result_is_told() {
    let agent = AgentConfig { tools: vec!["weather".to_owned()], ..AgentConfig::default() };
    let tools = Toolbox::new(vec![Arc::new(Weather)]).unwrap();
    let answers = [Some("! weather({\"city\": \"Paris\"})"), Some("It is sunny in Paris.")];
    let mut call = call_agent(agent, tools, &["Weather in Paris?"], &answers, 0.9);
    call.caller.speak(600).await;
    call.caller.silence(8_000).await;
    let model = Arc::clone(&call.model);
    let turns = turns(&call.end().await);
    assert_eq!(turns[0].heard_text, "One moment, please. It is sunny in Paris.");
    let requests = model.requests.lock().unwrap();
    assert_eq!(requests[0].tools[0].name, "weather");
    let last = requests[1].messages.last().unwrap();
    assert!(matches!(last, Message::ToolResult { output, .. } if output.starts_with("Sunny")), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn wrong_arguments_are_told_to_the_model() {
    let agent = AgentConfig { tools: vec!["weather".to_owned()], ..AgentConfig::default() };
    let tools = Toolbox::new(vec![Arc::new(Weather)]).unwrap();
    let mut call = call_agent(agent, tools, &["Weather?"], &[Some("! weather({})"), Some("Where are you?")], 0.9);
    call.caller.speak(600).await;
    call.caller.silence(4_000).await;
    let model = Arc::clone(&call.model);
    assert_eq!(turns(&call.end().await)[0].heard_text, "Where are you?");
    let requests = model.requests.lock().unwrap();
    let last = requests[1].messages.last().unwrap();
    assert!(matches!(last, Message::ToolResult { output, .. } if output.contains("city")), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_handed_over_with_all_that_was_said() {
    let agent = AgentConfig { hand_off: vec!["billing".to_owned()], ..AgentConfig::default() };
    let answers = [Some("! hand_off({\"agent\": \"billing\"})"), Some("Which invoice?")];
    let mut call = call_agent(agent, Toolbox::default(), &["My invoice is wrong."], &answers, 0.9);
    call.caller.speak(600).await;
    call.caller.silence(4_000).await;
    let model = Arc::clone(&call.model);
    assert_eq!(turns(&call.end().await)[0].heard_text, "Which invoice?");
    let requests = model.requests.lock().unwrap();
    assert_eq!(requests[1].messages[0], Message::System("You do the billing.".to_owned()));
    assert_eq!(requests[1].messages[1], Message::User("My invoice is wrong.".to_owned()));
    assert!(requests[1].tools.is_empty(), "the other agent has its own tools");
}

#[tokio::test(start_paused = true)]
async fn the_agent_hangs_up_after_its_goodbye() {
    let agent = AgentConfig { tools: vec!["end_call".to_owned()], ..AgentConfig::default() };
    let mut call = call_agent(agent, Toolbox::default(), &["Bye."], &[Some("! end_call({})")], 0.9);
    call.caller.speak(600).await;
    call.caller.silence(3_000).await;
    call.agent.await.unwrap();
    let mut last = None;
    while let Some(report) = call.reports.recv().await {
        last = Some(report);
    }
    assert!(matches!(last, Some(Report::Fact { fact: Fact::Closed(CloseReason::AgentHungUp), .. })));
}

#[tokio::test(start_paused = true)]
async fn a_greeting_begins_and_silence_is_asked_about() {
    let agent = AgentConfig {
        greeting: Some("Hello, this is Antiphon.".to_owned()),
        idle: Some(IdleConfig { after_ms: 5_000, ..IdleConfig::default() }),
        ..AgentConfig::default()
    };
    let mut call = call_agent(agent, Toolbox::default(), &[], &[], 0.9);
    call.caller.connected().await;
    call.caller.silence(9_000).await;
    let turns = turns(&call.end().await);
    assert_eq!(turns[0].heard_text, "Hello, this is Antiphon.");
    assert_eq!(turns[1].heard_text, "Are you still there?");
    assert!(turns.iter().all(|turn| turn.user_text.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn keys_count_as_words_and_a_commit_ends_a_turn_at_once() {
    let mut call = call(&["Hello."], &[Some("Thank you."), Some("Hi.")], 0.1);
    for digit in "42#".chars() {
        call.requests.send(Request::Digit(digit)).await.unwrap();
    }
    call.caller.silence(2_000).await;
    call.caller.speak(600).await;
    call.requests.send(Request::Commit).await.unwrap();
    call.caller.silence(500).await;
    let model = Arc::clone(&call.model);
    call.caller.silence(1_000).await;
    let turns = turns(&call.end().await);
    assert_eq!(turns[0].user_text, "[keys pressed: 4 2]");
    assert_eq!((turns[1].user_text.as_str(), turns[1].heard_text.as_str()), ("Hello.", "Hi."));
    assert_eq!(model.requests.lock().unwrap().len(), 2);
    let waited = turns[1].timings.voice_to_voice().unwrap();
    assert!(waited < Duration::from_millis(300), "an unfinished sound is not waited for: {waited:?}");
}
