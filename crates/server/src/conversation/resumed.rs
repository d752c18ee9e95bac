//! What is known of a conversation when a call joins it: words as they were heard, and between them the tools.

use bus::local::Heard;
use dialogue::{Entry, Speaker, Transcript};
use jiff::Timestamp;
use store::{ToolCall, Turn, TurnStatus};

use super::turns::blank;

/// What the model is told of a call of which no result is kept.
const NO_RESULT: &str = "There is no result: the call ended before.";

/// A conversation as it stands when a call joins it. A new one has the id of its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resumed {
    /// The conversation's id.
    pub id: String,
    /// The turns that it has already.
    pub last_turn: u32,
    /// What was said, heard and done.
    pub history: Transcript,
    /// The last turn as it must be kept, where whoever held the conversation before could not end it.
    pub amended: Option<Turn>,
}

impl Resumed {
    /// A conversation that begins.
    pub(crate) fn new(id: String) -> Self {
        Self { id, last_turn: 0, history: Transcript::default(), amended: None }
    }

    /// One that goes on. `heard` is what its caller heard last, where the orchestrator that held it may have died before it
    /// wrote that down.
    pub(crate) fn after(mut before: store::Conversation, heard: Option<Heard>) -> Self {
        let amended = heard.and_then(|heard| amend(&mut before.turns, heard));
        let mut history = Transcript::default();
        for turn in &before.turns {
            remember(&mut history, turn);
        }
        let last_turn = before.turns.last().map_or(0, |turn| turn.index);
        Self { id: before.summary.id, last_turn, history, amended }
    }
}

/// Notes what was heard of a turn that nobody ended; the turn, if that changes it.
fn amend(turns: &mut Vec<Turn>, heard: Heard) -> Option<Turn> {
    let Heard { turn: index, text } = heard;
    if turns.last().is_none_or(|last| last.index < index) {
        // What an agent says of its own accord is not kept before it is over.
        turns.push(blank(index, Timestamp::now()));
    }
    let turn = turns.iter_mut().find(|turn| turn.index == index && turn.status == TurnStatus::InProgress)?;
    turn.status = TurnStatus::Interrupted;
    // What was written beyond it died with its writer.
    turn.agent_text.clone_from(&text);
    turn.heard_text = text;
    Some(turn.clone())
}

fn remember(history: &mut Transcript, turn: &Turn) {
    history.push(Speaker::Caller, &turn.user_text);
    let heard = turn.heard_text.as_str();
    let mut said = 0;
    for call in &turn.tool_calls {
        let here = offset_of(heard, call.heard_before).max(said);
        history.push(Speaker::Agent, &heard[said..here]);
        said = here;
        for entry in entries(call) {
            history.note(entry);
        }
    }
    history.push(Speaker::Agent, &heard[said..]);
}

/// A call and its result. One that returned after its turn has its result here as well.
fn entries(call: &ToolCall) -> [Entry; 2] {
    let (id, name) = (call.id.clone(), call.name.clone());
    let output = call.result.clone().unwrap_or_else(|| NO_RESULT.to_owned());
    let called = dialogue::ToolCall { id: id.clone(), name: name.clone(), arguments: call.arguments.clone() };
    [Entry::ToolCalled(called), Entry::ToolReturned { id, name, output }]
}

/// The byte at which so many characters have passed.
fn offset_of(text: &str, chars: u32) -> usize {
    let chars = usize::try_from(chars).unwrap_or(usize::MAX);
    text.char_indices().nth(chars).map_or(text.len(), |(offset, _)| offset)
}

#[cfg(test)]
mod tests {
    use bus::local::Heard;
    use dialogue::{Entry, Speaker};
    use jiff::Timestamp;
    use store::{Conversation, Summary, ToolCall, ToolCallStatus, Turn, TurnStatus};

    use super::{NO_RESULT, Resumed};

    fn call(name: &str, result: Option<&str>, heard_before: usize) -> ToolCall {
        ToolCall {
            id: format!("call_{name}"),
            name: name.to_owned(),
            arguments: "{}".to_owned(),
            status: ToolCallStatus::Completed,
            result: result.map(str::to_owned),
            heard_before: u32::try_from(heard_before).expect("a few words"),
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: None,
        }
    }

    fn conversation(heard_text: &str, tool_calls: Vec<ToolCall>) -> Conversation {
        let turn = Turn {
            index: 7,
            status: TurnStatus::Completed,
            started_at: Timestamp::UNIX_EPOCH,
            user_text: "Ist es warm?".to_owned(),
            agent_text: String::new(),
            heard_text: heard_text.to_owned(),
            latency: None,
            heard: None,
            tool_calls,
        };
        let summary = Summary {
            id: "0199".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            ending: None,
            turn_count: 1,
            preview: None,
        };
        Conversation { summary, turns: vec![turn] }
    }

    fn lines(resumed: &Resumed) -> Vec<String> {
        let line = |entry: &Entry| match entry {
            Entry::Said { speaker: Speaker::Caller, text } => format!("caller: {text}"),
            Entry::Said { speaker: Speaker::Agent, text } => format!("agent: {text}"),
            Entry::ToolCalled(call) => format!("{}({})", call.name, call.arguments),
            Entry::ToolReturned { id, output, .. } => format!("{id} = {output}"),
            Entry::ToolNews { .. } | Entry::Summary(_) => panic!("never made of what is stored: {entry:?}"),
        };
        resumed.history.entries().iter().map(line).collect()
    }

    #[test]
    fn tools_stand_between_the_words_around_them() {
        let first = "Schöne Frage.";
        let calls =
            vec![call("weather", Some("21 °C"), first.chars().count()), call("taxi", None, first.chars().count())];
        let resumed = Resumed::after(conversation("Schöne Frage. Ja, ist es.", calls), None);
        assert_eq!(resumed.last_turn, 7);
        let no_result = format!("call_taxi = {NO_RESULT}");
        let expected = [
            "caller: Ist es warm?",
            "agent: Schöne Frage.",
            "weather({})",
            "call_weather = 21 °C",
            "taxi({})",
            &no_result,
            "agent: Ja, ist es.",
        ];
        assert_eq!(lines(&resumed), expected);
    }

    #[test]
    fn places_beyond_what_was_heard_lose_no_word() {
        let calls = vec![call("late", Some("x"), 99), call("early", Some("y"), 0)];
        let resumed = Resumed::after(conversation("Ja.", calls), None);
        let expected =
            ["caller: Ist es warm?", "agent: Ja.", "late({})", "call_late = x", "early({})", "call_early = y"];
        assert_eq!(lines(&resumed), expected);
    }

    #[test]
    fn a_turn_that_nobody_ended_holds_what_was_heard() {
        let heard = |turn, text: &str| Some(Heard { turn, text: text.to_owned() });
        let mut cut_off = conversation("Ja.", Vec::new());
        assert_eq!(Resumed::after(cut_off.clone(), heard(7, "Ja, ist")).amended, None, "it ended, and holds more");
        cut_off.turns[0].status = TurnStatus::InProgress;
        let resumed = Resumed::after(cut_off.clone(), heard(7, "Ja. Sehr warm"));
        assert_eq!(lines(&resumed), ["caller: Ist es warm?", "agent: Ja. Sehr warm"]);
        let amended = resumed.amended.expect("it was in progress");
        assert_eq!(
            (amended.index, amended.status, amended.heard_text.as_str()),
            (7, TurnStatus::Interrupted, "Ja. Sehr warm")
        );

        let greeted = Resumed::after(cut_off.clone(), heard(8, "Sorry, I"));
        assert_eq!((greeted.last_turn, greeted.amended.map(|turn| turn.index)), (8, Some(8)));
        assert_eq!(Resumed::after(cut_off, heard(6, "Nein.")).amended, None, "a turn that is over");
    }
}
