//! The scenario language: timed events in, timed actions out, as one text that can be read aloud.
//!
//! `policy patient` chooses figures by name (see `settings`); `1000 speech starts` is an event at 1,000 ms; `> …` lines below it are the actions it caused; `1200 (endpoint)` is a
//! deadline that the engine had asked for. Playing a scenario renders it anew from its events alone.

use std::fmt::Write as _;
use std::time::Duration;

use dialogue::{
    Action, AfterTool, Attempt, CloseReason, Dialogue, Entry, Event, Fact, Line, PauseId, PlayoutEvent, ReplyEvent,
    SentenceId, Speaker, Timestamp, ToolCall, ToolManner, ToolOutcome, ToolOutput, ToolPlace, ToolRunId, Transcript,
    TurnId, VoiceEvent,
};

use crate::settings;

/// Plays the events of `scenario`; gives the whole scenario as it then reads.
pub(crate) fn play(scenario: &str) -> String {
    let policy =
        scenario.lines().find_map(|line| line.strip_prefix("policy ")).map_or_else(settings::usual, settings::named);
    let mut dialogue = Dialogue::new(policy, Transcript::default());
    let mut text = String::new();
    for line in scenario.lines() {
        if line.starts_with('#') || line.is_empty() || line.starts_with("policy ") {
            writeln!(text, "{line}").unwrap();
        } else if let Some((at, event)) = parse(line) {
            pass_time(&mut dialogue, at, &mut text);
            writeln!(text, "{line}").unwrap();
            dialogue.handle(at, event);
            render_actions(&mut dialogue, &mut text);
        }
    }
    text
}

/// Lets every deadline up to `until` pass, in order.
fn pass_time(dialogue: &mut Dialogue, until: Timestamp, text: &mut String) {
    while let Some((at, timer)) = dialogue.next_deadline()
        && at <= until
    {
        writeln!(text, "{} ({timer:?})", at.as_millis()).unwrap();
        dialogue.handle(at, Event::Deadline(timer));
        render_actions(dialogue, text);
    }
}

fn render_actions(dialogue: &mut Dialogue, text: &mut String) {
    while let Some(action) = dialogue.poll_action() {
        writeln!(text, "    > {}", render(&action)).unwrap();
    }
}

fn render(action: &Action) -> String {
    match action {
        Action::JudgePause(PauseId(pause)) => format!("judge pause {pause}"),
        Action::EndUtterance => "end utterance".to_owned(),
        Action::DiscardUtterance => "discard utterance".to_owned(),
        Action::Prepare { prompt } => format!("prepare [{}]", entries(prompt)),
        Action::StartReply { turn, attempt, prompt } => {
            format!("start reply {}.{} to [{}]", turn.0, attempt.0, entries(prompt))
        }
        Action::CancelReply { turn, attempt } => format!("cancel reply {}.{}", turn.0, attempt.0),
        Action::Speak { sentence, text } => format!("speak {} \"{text}\"", name(*sentence)),
        Action::Release { turn, attempt } => format!("release {}.{}", turn.0, attempt.0),
        Action::FlushPlayout => "flush playout".to_owned(),
        Action::HoldPlayout => "hold playout".to_owned(),
        Action::ResumePlayout => "resume playout".to_owned(),
        Action::RunTool { run, call, .. } => format!("run tool {}: {}({})", run.0, call.name, call.arguments),
        Action::CancelTool(run) => format!("cancel tool {}", run.0),
        Action::Summarise { entries: oldest } => format!("summarise [{}]", entries(oldest)),
        Action::Announce(fact) => render_fact(fact),
        Action::Close(reason) => format!("close: {reason:?}"),
    }
}

fn entries(entries: &[Entry]) -> String {
    let render = |entry: &Entry| match entry {
        Entry::Said { speaker: Speaker::Caller, text } => format!("Caller: {text}"),
        Entry::Said { speaker: Speaker::Agent, text } => format!("Agent: {text}"),
        Entry::ToolCalled(call) => format!("called {}({})", call.name, call.arguments),
        Entry::ToolReturned { name, output, .. } => format!("{name} gave: {output}"),
        Entry::ToolNews { name, output } => format!("news of {name}: {output}"),
        Entry::Summary(text) => format!("in short: {text}"),
    };
    entries.iter().map(render).collect::<Vec<_>>().join(" | ")
}

fn render_fact(fact: &Fact) -> String {
    match fact {
        Fact::StateChanged(state) => format!("now {state:?}"),
        Fact::SpeechStarted { turn, at } => format!("speech of turn {} since {}", turn.0, at.as_millis()),
        Fact::PartialTranscript { turn, text } => format!("turn {} so far \"{text}\"", turn.0),
        Fact::TurnCommitted { turn, user_text, .. } => format!("turn {} is \"{user_text}\"", turn.0),
        Fact::SpeechDiscarded { turn } => format!("no turn {} after all", turn.0),
        Fact::ReplyStarted { turn } => format!("answer to turn {} begins", turn.0),
        Fact::SentenceStarted { text, .. } => format!("heard from here: \"{text}\""),
        Fact::ReplyHeld { turn } => format!("answer to turn {} is held", turn.0),
        Fact::ReplyResumed { turn } => format!("answer to turn {} goes on", turn.0),
        Fact::ToolCalled { run, call, .. } => format!("tool {} is {}", run.0, call.name),
        Fact::ToolReturned { run, output, outcome: ToolOutcome::Done, .. } => {
            format!("tool {} gave \"{output}\"", run.0)
        }
        Fact::ToolReturned { run, output, outcome, .. } => format!("tool {} {outcome:?}: \"{output}\"", run.0),
        Fact::Idle => "nobody speaks".to_owned(),
        Fact::TurnEnded(record) => {
            let latency = record.timings.voice_to_voice().map(|span| span.as_millis());
            let tool = |place: &ToolPlace| format!("; tool {} after {} characters", place.run.0, place.heard_before);
            let tools: String = record.tools.iter().map(tool).collect();
            format!(
                "turn {} {:?}: heard \"{}\" ({} ms) of \"{}\"; voice to voice {latency:?}{tools}",
                record.turn.0, record.status, record.heard_text, record.heard_ms, record.agent_text
            )
        }
        Fact::Closed(reason) => format!("closed: {reason:?}"),
    }
}

fn name(sentence: SentenceId) -> String {
    format!("{}.{}.{}", sentence.turn.0, sentence.attempt.0, sentence.index)
}

/// Reads an event; none for a line that tells an action or a deadline.
fn parse(line: &str) -> Option<(Timestamp, Event)> {
    let (at, event) = line.split_once(' ')?;
    let at = Timestamp::from_millis(at.parse().ok()?);
    if event.starts_with('(') {
        return None;
    }
    Some((at, parse_event(event).unwrap_or_else(|| panic!("not an event: {line}"))))
}

fn parse_event(event: &str) -> Option<Event> {
    let (head, quoted) = event.split_once('"').map_or((event, ""), |(head, rest)| (head, rest.trim_end_matches('"')));
    let words: Vec<&str> = head.split_whitespace().collect();
    let text = quoted.to_owned();
    Some(match words.as_slice() {
        ["speech", "starts", onset] => Event::SpeechStarted { onset: millis(onset)? },
        ["speech", "goes", "on", spoken] => Event::SpeechGoesOn { spoken: Duration::from_millis(spoken.parse().ok()?) },
        ["speech", "pauses", ended] => Event::SpeechPaused { ended: millis(ended)? },
        ["words"] => Event::Words { text, settled: None },
        ["words", "settled", pause] => Event::Words { text, settled: Some(PauseId(pause.parse().ok()?)) },
        ["words", "failed"] => Event::WordsFailed,
        ["score", pause, score] => {
            Event::PauseScored { pause: PauseId(pause.parse().ok()?), completeness: score.parse().ok()? }
        }
        ["typed"] => Event::Typed { text },
        ["connected"] => Event::Connected,
        ["commit"] => Event::Commit,
        ["digit", digit] => Event::Digit(digit.chars().next()?),
        ["say"] => Event::Say(Line { text, interruptible: true }),
        ["tool", run, "gives"] => tool_returned(run, text, ToolOutcome::Done, AfterTool::GoOn)?,
        ["tool", run, "fails"] => tool_returned(run, text, ToolOutcome::Failed, AfterTool::GoOn)?,
        ["tool", run, "hangs", "up"] => tool_returned(run, text, ToolOutcome::Done, AfterTool::HangUp)?,
        ["summarised"] => Event::Summarised(Some(text)),
        ["not", "summarised"] => Event::Summarised(None),
        ["stop", "speaking"] => Event::StopSpeaking,
        ["hang", "up"] => Event::HangUp(CloseReason::CallerHungUp),
        ["reply", attempt, rest @ ..] => parse_reply(attempt, rest, text)?,
        ["voice", sentence, rest @ ..] => Event::Voice { sentence: sentence_id(sentence)?, event: parse_voice(rest)? },
        ["playout", rest @ ..] => Event::Playout(parse_playout(rest)?),
        _ => return None,
    })
}

fn parse_reply(attempt: &str, rest: &[&str], text: String) -> Option<Event> {
    let (turn, attempt) = attempt.split_once('.')?;
    let event = match rest {
        [] => ReplyEvent::Text(text),
        ["calls", name, rest @ ..] => ReplyEvent::ToolCall {
            call: ToolCall { id: format!("call_{name}"), name: (*name).to_owned(), arguments: text },
            manner: ToolManner {
                background: rest.contains(&"background"),
                cancel_on_interrupt: rest.contains(&"cancellable"),
            },
        },
        ["done"] => ReplyEvent::Done,
        ["fails"] => ReplyEvent::Failed,
        ["fails", "retryable"] => ReplyEvent::FailedRetryable,
        _ => return None,
    };
    Some(Event::Reply { turn: TurnId(turn.parse().ok()?), attempt: Attempt(attempt.parse().ok()?), event })
}

fn tool_returned(run: &str, text: String, outcome: ToolOutcome, then: AfterTool) -> Option<Event> {
    Some(Event::ToolReturned { run: ToolRunId(run.parse().ok()?), output: ToolOutput { text, outcome, then } })
}

fn parse_voice(words: &[&str]) -> Option<VoiceEvent> {
    Some(match words {
        ["first", "audio"] => VoiceEvent::FirstAudio,
        ["words", "end", ends @ ..] => {
            VoiceEvent::WordEnds(ends.iter().map(|ms| ms.parse().ok()).collect::<Option<_>>()?)
        }
        ["done", ms] => VoiceEvent::Done { duration_ms: ms.parse().ok()? },
        ["breaks", "off", ms] => VoiceEvent::BrokeOff { duration_ms: ms.parse().ok()? },
        ["fails"] => VoiceEvent::Failed,
        _ => return None,
    })
}

fn parse_playout(words: &[&str]) -> Option<PlayoutEvent> {
    Some(match words {
        ["started", sentence] => PlayoutEvent::Started(sentence_id(sentence)?),
        ["reached", sentence, ms] => {
            PlayoutEvent::Reached { sentence: sentence_id(sentence)?, heard_ms: ms.parse().ok()? }
        }
        ["finished", sentence] => PlayoutEvent::Finished(sentence_id(sentence)?),
        ["held"] => PlayoutEvent::Held { at: None },
        ["held", sentence, ms] => PlayoutEvent::Held { at: Some((sentence_id(sentence)?, ms.parse().ok()?)) },
        ["flushed"] => PlayoutEvent::Flushed { cut: None },
        ["flushed", sentence, ms] => PlayoutEvent::Flushed { cut: Some((sentence_id(sentence)?, ms.parse().ok()?)) },
        _ => return None,
    })
}

fn sentence_id(text: &str) -> Option<SentenceId> {
    let mut parts = text.split('.').map(str::parse);
    let mut part = || parts.next()?.ok();
    Some(SentenceId { turn: TurnId(part()?), attempt: Attempt(part()?), index: part()? })
}

fn millis(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_millis)
}
