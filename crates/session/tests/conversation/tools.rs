//! Tools in a whole conversation: several at once, one that is given up, one that nobody waits for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dialogue::{Fact, TurnStatus};
use providers::llm::{Message, ToolCall, ToolSpec};
use providers::tools::{CallContext, Manner, OnInterrupt, Tool, ToolFailure, ToolSource, Toolbox};
use session::AgentConfig;

use crate::{Call, call_agent, turns};

/// Tools of one manner that all take their time.
struct Desk {
    names: &'static [&'static str],
    takes: Duration,
    manner: Manner,
    /// Calls that came to their end.
    finished: Arc<AtomicUsize>,
}

#[async_trait]
impl ToolSource for Desk {
    fn tools(&self) -> Vec<Tool> {
        let tool = |name: &&str| {
            let spec = ToolSpec {
                name: (*name).to_owned(),
                description: "Looks something up.".to_owned(),
                parameters: serde_json::json!({"type": "object"}),
            };
            Tool { spec, manner: self.manner }
        };
        self.names.iter().map(tool).collect()
    }

    async fn call(&self, call: &ToolCall, _context: &CallContext) -> Result<String, ToolFailure> {
        tokio::time::sleep(self.takes).await;
        self.finished.fetch_add(1, Ordering::Relaxed);
        Ok(format!("{} is done", call.name))
    }
}

fn ask(desk: Desk, understood: &[&str], answers: &[Option<&str>]) -> Call {
    let tools = desk.names.iter().map(ToString::to_string).collect();
    let agent = AgentConfig { tools, ..AgentConfig::default() };
    let toolbox = Toolbox::new(vec![Arc::new(desk)]).unwrap();
    call_agent(agent, toolbox, understood, answers, 0.9)
}

/// What tools gave back, in order.
fn outputs(facts: &[Fact]) -> Vec<&str> {
    let output = tool_output;
    facts.iter().filter_map(output).collect()
}

#[tokio::test(start_paused = true)]
async fn several_tools_of_one_turn_run_side_by_side() {
    let finished = Arc::new(AtomicUsize::new(0));
    let desk = Desk {
        names: &["weather", "traffic"],
        takes: Duration::from_millis(1_000),
        manner: Manner::default(),
        finished: Arc::clone(&finished),
    };
    let answers = [Some("! weather({})\n! traffic({})"), Some("Sunny, and the roads are free.")];
    let mut call = ask(desk, &["How is my way to work?"], &answers);
    call.caller.speak(600).await;
    call.caller.silence(5_000).await;
    let model = Arc::clone(&call.model);
    let facts = call.end().await;
    assert_eq!(outputs(&facts), ["weather is done", "traffic is done"]);
    let turns = turns(&facts);
    assert_eq!(
        turns[0].heard_text, "Sunny, and the roads are free.",
        "no filler: they took a second together, not two"
    );
    let requests = model.requests.lock().unwrap();
    let results = requests[1].messages.iter().filter(|message| matches!(message, Message::ToolResult { .. }));
    assert_eq!((requests.len(), results.count()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_look_up_is_given_up_and_the_next_answer_knows() {
    let finished = Arc::new(AtomicUsize::new(0));
    let manner = Manner { on_interrupt: OnInterrupt::Cancel, ..Manner::default() };
    let desk =
        Desk { names: &["look_up"], takes: Duration::from_millis(9_000), manner, finished: Arc::clone(&finished) };
    let answers = [Some("! look_up({})"), Some("All right.")];
    let mut call = ask(desk, &["Look it up.", "No, leave it please."], &answers);
    call.caller.speak(600).await;
    call.caller.silence(1_900).await;
    call.caller.speak(800).await;
    call.caller.silence(12_000).await;
    let model = Arc::clone(&call.model);
    let facts = call.end().await;
    assert_eq!(outputs(&facts), ["Cancelled, since the caller interrupted."]);
    assert_eq!(finished.load(Ordering::Relaxed), 0, "the call was dropped");
    let turns = turns(&facts);
    assert_eq!(turns[0].status, TurnStatus::Interrupted);
    assert_eq!(turns[1].heard_text, "All right.");
    let requests = model.requests.lock().unwrap();
    let told =
        |message: &Message| matches!(message, Message::ToolResult { output, .. } if output.starts_with("Cancelled"));
    assert!(requests[1].messages.iter().any(told), "{:?}", requests[1].messages);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_order_is_kept_and_its_result_is_in_the_next_prompt() {
    let finished = Arc::new(AtomicUsize::new(0));
    let desk = Desk {
        names: &["order"],
        takes: Duration::from_millis(3_000),
        manner: Manner::default(),
        finished: Arc::clone(&finished),
    };
    let answers = [Some("! order({})"), Some("It is on its way."), Some("Yes, it is done.")];
    let mut call = ask(desk, &["Order it.", "How long does it take?", "Is it done?"], &answers);
    call.caller.speak(600).await;
    call.caller.silence(1_900).await;
    call.caller.speak(800).await;
    call.caller.silence(6_000).await;
    call.caller.speak(600).await;
    call.caller.silence(4_000).await;
    let model = Arc::clone(&call.model);
    let facts = call.end().await;
    assert_eq!(outputs(&facts), ["order is done"]);
    assert_eq!(finished.load(Ordering::Relaxed), 1, "once, though the caller interrupted");
    let requests = model.requests.lock().unwrap();
    let last = format!("{:?}", requests.last().unwrap().messages);
    assert!(last.contains("order is done"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn a_background_result_is_told_when_the_floor_is_free() {
    let finished = Arc::new(AtomicUsize::new(0));
    let manner = Manner { background: true, ..Manner::default() };
    let desk =
        Desk { names: &["report"], takes: Duration::from_millis(5_000), manner, finished: Arc::clone(&finished) };
    let answers = [Some("! report({})"), Some("I am on it."), Some("Your report is there.")];
    let mut call = ask(desk, &["Make the report."], &answers);
    call.caller.speak(600).await;
    call.caller.silence(12_000).await;
    let model = Arc::clone(&call.model);
    let facts = call.end().await;
    assert_eq!(outputs(&facts), ["report is done"]);
    let heard: Vec<String> = turns(&facts).into_iter().map(|turn| turn.heard_text).collect();
    assert_eq!(heard, ["I am on it.", "Your report is there."]);
    let requests = model.requests.lock().unwrap();
    let started =
        |message: &Message| matches!(message, Message::ToolResult { output, .. } if output.starts_with("Started"));
    assert!(requests[1].messages.iter().any(started), "{:?}", requests[1].messages);
    assert!(format!("{:?}", requests[2].messages).contains("report is done"));
}

fn tool_output(fact: &Fact) -> Option<&str> {
    if let Fact::ToolReturned { output, .. } = fact { Some(output.as_str()) } else { None }
}
