//! The promises of the engine, told without its states: a model that watches events go in and actions come out.
//! Each check names the invariant of `docs/ARCHITECTURE.md` that it holds.

use std::collections::{BTreeMap, HashMap, HashSet};

use dialogue::{
    Action, Attempt, Entry, Event, Fact, PlayoutEvent, ReplyEvent, SentenceId, Speaker, ToolRunId, TurnId, TurnRecord,
    TurnStatus,
};

#[derive(Default)]
pub(crate) struct Reference {
    /// The answer being written, by its last start.
    live: Option<(TurnId, Attempt)>,
    dead: HashSet<(TurnId, Attempt)>,
    open: Option<TurnId>,
    ended: HashSet<TurnId>,
    spoken: BTreeMap<SentenceId, String>,
    heard: HashMap<SentenceId, Heard>,
    held: bool,
    runs: HashMap<ToolRunId, Run>,
    /// Calls that their turn waits for and that an interruption cancels.
    cancellable: HashSet<String>,
    /// A result that was just delivered.
    delivered: Option<ToolRunId>,
    /// What was said and heard in the turns that ended.
    caller: Vec<String>,
    agent: Vec<String>,
    summarised: bool,
    closed: bool,
}

#[derive(Default, Clone, Copy)]
struct Heard {
    ms: u32,
    finished: bool,
}

struct Run {
    turn: TurnId,
    call: String,
    cancelled: bool,
    output: Option<String>,
}

impl Reference {
    /// Takes note of what happened, before the engine does.
    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Playout(
                PlayoutEvent::Reached { sentence, heard_ms }
                | PlayoutEvent::Held { at: Some((sentence, heard_ms)) }
                | PlayoutEvent::Flushed { cut: Some((sentence, heard_ms)) },
            ) => {
                let heard = self.heard.entry(*sentence).or_default();
                heard.ms = heard.ms.max(*heard_ms);
            }
            Event::Playout(PlayoutEvent::Started(sentence)) => drop(self.heard.entry(*sentence).or_default()),
            Event::Playout(PlayoutEvent::Finished(sentence)) => {
                self.heard.entry(*sentence).or_default().finished = true;
            }
            Event::Summarised(Some(_)) => self.summarised = true,
            Event::Reply { event: ReplyEvent::ToolCall { call, manner }, .. }
                if manner.cancel_on_interrupt && !manner.background =>
            {
                self.cancellable.insert(call.id.clone());
            }
            Event::ToolReturned { run, .. } => self.delivered = Some(*run),
            _ => {}
        }
    }

    /// Checks what is to be done, after the event that caused it.
    pub(crate) fn action(&mut self, action: &Action) {
        assert!(!self.closed, "1: after the end there is silence");
        match action {
            Action::StartReply { turn, attempt, prompt } => self.reply_starts(*turn, *attempt, prompt),
            Action::Prepare { prompt } => self.check_words(prompt, None),
            Action::CancelReply { turn, attempt } => {
                self.live.take_if(|live| *live == (*turn, *attempt));
                self.dead.insert((*turn, *attempt));
            }
            Action::Speak { sentence, text } => {
                assert!(!self.dead.contains(&(sentence.turn, sentence.attempt)), "4: a cancelled attempt speaks");
                assert!(self.spoken.insert(*sentence, text.clone()).is_none(), "5: a sentence is spoken twice");
            }
            Action::Release { turn, attempt } => {
                assert!(!self.dead.contains(&(*turn, *attempt)), "4: a cancelled attempt is let go");
            }
            Action::HoldPlayout => assert!(!std::mem::replace(&mut self.held, true), "1: held twice"),
            Action::ResumePlayout => assert!(std::mem::replace(&mut self.held, false), "1: resumed without a hold"),
            Action::FlushPlayout => self.held = false,
            Action::RunTool { run, turn, call } => {
                assert_eq!(self.open, Some(*turn), "4: a tool runs only for the live, decided turn");
                let run =
                    self.runs.insert(*run, Run { turn: *turn, call: call.id.clone(), cancelled: false, output: None });
                assert!(run.is_none(), "4: a tool runs once");
            }
            Action::CancelTool(run) => {
                self.runs.get_mut(run).expect("4: only what runs is cancelled").cancelled = true;
            }
            Action::Announce(fact) => self.fact(fact),
            Action::Close(_) => {
                assert_eq!(self.open, None, "1: each turn that opens ends");
                self.closed = true;
            }
            Action::JudgePause(_) | Action::EndUtterance | Action::DiscardUtterance | Action::Summarise { .. } => {}
        }
    }

    /// Checks what must be true once everything that an event caused is known.
    pub(crate) fn settled(&mut self) {
        if let Some(run) = self.delivered.take().and_then(|run| self.runs.get(&run)) {
            assert!(run.cancelled || run.output.is_some() || self.closed, "4: the result of {} is lost", run.call);
        }
    }

    pub(crate) fn has_open_turn(&self) -> bool {
        self.open.is_some()
    }

    fn fact(&mut self, fact: &Fact) {
        match fact {
            Fact::ReplyStarted { turn } => {
                assert_eq!(self.open.replace(*turn), None, "1: at most one turn is open");
                assert!(!self.ended.contains(turn), "1: a turn opens once");
            }
            Fact::TurnEnded(record) => self.turn_ended(record),
            Fact::ToolReturned { run, turn, output, .. } => {
                let known = self.runs.get_mut(run).expect("4: only what runs returns");
                assert_eq!(known.turn, *turn);
                assert!(known.output.replace(output.clone()).is_none(), "4: a tool returns once");
            }
            Fact::Closed(_) => {
                for run in self.runs.values() {
                    assert!(run.output.is_some(), "4: {} neither returned nor was given up", run.call);
                }
            }
            _ => {}
        }
    }

    fn reply_starts(&mut self, turn: TurnId, attempt: Attempt, prompt: &[Entry]) {
        let goes_on = self.live == Some((turn, attempt));
        assert!(self.live.is_none() || goes_on, "1: an answer starts while another is alive");
        assert!(!self.dead.contains(&(turn, attempt)), "2: an attempt is used twice");
        let earlier = |sentence: &&SentenceId| sentence.turn == turn && sentence.attempt < attempt;
        let played = self.spoken.keys().filter(earlier).any(|sentence| self.heard.contains_key(sentence));
        assert!(!played || self.open != Some(turn), "5: after its first frame an answer is never tried again");
        self.live = Some((turn, attempt));
        self.check_words(prompt, Some((turn, attempt)));
        self.check_results(prompt);
    }

    /// 3: a prompt holds what was heard in the turns before, and of this one what was written.
    fn check_words(&self, prompt: &[Entry], current: Option<(TurnId, Attempt)>) {
        if self.summarised {
            return;
        }
        let said = |who: Speaker| {
            let of = |entry: &Entry| match entry {
                Entry::Said { speaker, text } if *speaker == who => Some(text.clone()),
                _ => None,
            };
            prompt.iter().filter_map(of).collect::<Vec<_>>().join(" ")
        };
        let heard = self.agent.join(" ");
        let agent = said(Speaker::Agent);
        let rest = agent.strip_prefix(&heard).unwrap_or_else(|| panic!("3: {agent:?} does not begin with {heard:?}"));
        let written: Vec<&str> = self
            .spoken
            .iter()
            .filter(|(id, _)| Some((id.turn, id.attempt)) == current)
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(rest.trim(), written.join(" "), "3: words of an answer that were neither heard nor just written");
        assert!(said(Speaker::Caller).starts_with(&self.caller.join(" ")), "3: words of the caller are lost");
    }

    /// 4: every result is told to the model, in its turn or as news, and from then on it is remembered.
    fn check_results(&self, prompt: &[Entry]) {
        if self.summarised {
            return;
        }
        for output in self.runs.values().filter_map(|run| run.output.as_ref()) {
            let tells = |entry: &Entry| match entry {
                Entry::ToolReturned { output: text, .. } | Entry::ToolNews { output: text, .. } => text == output,
                Entry::Said { .. } | Entry::ToolCalled(_) | Entry::Summary(_) => false,
            };
            assert!(prompt.iter().any(tells), "4: the result {output:?} is lost");
        }
    }

    /// 4: the record of a turn names each tool that was run for it, in order, between the words that were heard.
    fn check_tools(&self, record: &TurnRecord) {
        let mut named: Vec<ToolRunId> = record.tools.iter().map(|place| place.run).collect();
        let mut run: Vec<ToolRunId> =
            self.runs.iter().filter(|(_, run)| run.turn == record.turn).map(|(id, _)| *id).collect();
        named.sort_unstable();
        run.sort_unstable();
        assert_eq!(named, run, "4: the record names other tools than were run");
        let places: Vec<usize> = record.tools.iter().map(|place| place.heard_before).collect();
        let heard = record.heard_text.chars().count();
        assert!(places.is_sorted() && places.iter().all(|place| *place <= heard), "3: {places:?} of {heard}");
    }

    fn turn_ended(&mut self, record: &TurnRecord) {
        assert_eq!(self.open.take(), Some(record.turn), "1: only an open turn ends");
        assert!(self.ended.insert(record.turn), "1: a turn ends once");
        if record.status == TurnStatus::Interrupted {
            let of_turn = self.runs.values().filter(|run| run.turn == record.turn && run.output.is_none());
            for run in of_turn.filter(|run| self.cancellable.contains(&run.call)) {
                assert!(run.cancelled, "4: {} runs on after an interruption", run.call);
            }
        }
        self.check_tools(record);
        self.live.take_if(|(turn, _)| *turn == record.turn);
        let last = self.spoken.keys().filter(|id| id.turn == record.turn).map(|id| id.attempt).max();
        let sentences = self.spoken.iter().filter(|(id, _)| id.turn == record.turn && Some(id.attempt) == last);
        let mut rest = record.heard_text.as_str();
        for (id, text) in sentences {
            let heard = self.heard.get(id).copied();
            match heard {
                None => {}
                Some(Heard { finished: true, .. }) => {
                    rest =
                        rest.strip_prefix(text.as_str()).expect("3: a sentence heard to its end is kept").trim_start();
                }
                Some(Heard { ms, .. }) => {
                    let kept = common_words(rest, text);
                    // The world speaks a word in 250 ms; the estimate by letters may be a few words off.
                    let words = u32::try_from(kept.split_whitespace().count()).unwrap();
                    assert!(words <= ms / 100 + 1, "3: {words} words are kept of {ms} ms");
                    rest = rest[kept.len()..].trim_start();
                }
            }
        }
        assert_eq!(rest, "", "3: words are kept that were not heard");
        self.caller.extend(Some(record.user_text.clone()).filter(|text| !text.is_empty()));
        self.agent.extend(Some(record.heard_text.clone()).filter(|text| !text.is_empty()));
    }
}

/// The longest beginning of `text` in whole words with which `rest` begins.
fn common_words<'a>(rest: &'a str, text: &str) -> &'a str {
    let mut end = 0;
    for word in text.split_whitespace() {
        let Some(after) = rest[end..].trim_start().strip_prefix(word) else { break };
        if !(after.is_empty() || after.starts_with(char::is_whitespace)) {
            break;
        }
        end = rest.len() - after.len();
    }
    &rest[..end]
}
