//! The tools that every agent can be given: they act on the conversation itself.

use dialogue::{AfterTool, ToolOutcome, ToolOutput, ToolRunId};
use providers::llm::ToolSpec;
use serde_json::{Value, json};

use super::Returned;
use crate::AgentConfig;
use crate::agents::Agents;

const END_CALL: &str = "end_call";
const CURRENT_TIME: &str = "current_time";
const HAND_OFF: &str = "hand_off";
/// Those that an agent is given by name.
pub const BUILT_IN_TOOLS: [&str; 2] = [END_CALL, CURRENT_TIME];

/// Whether the tool of this name is one of ours.
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN_TOOLS.contains(&name) || name == HAND_OFF
}

/// A built-in tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    /// Hangs up once everything said was heard.
    EndCall,
    /// Tells the date and the time.
    CurrentTime,
    /// Lets another agent go on; each with its description.
    HandOff(Vec<(String, String)>),
}

impl BuiltIn {
    /// Those that this agent may use.
    pub(super) fn of(agent: &AgentConfig, agents: &Agents) -> Vec<Self> {
        let named = |name: &str| agent.tools.iter().any(|tool| tool == name);
        let described = |name: &String| {
            let description = agents.get(name).map_or_else(String::new, |agent| agent.description.clone());
            (name.clone(), description)
        };
        let hand_off = Self::HandOff(agent.hand_off.iter().map(described).collect());
        [
            named(END_CALL).then_some(Self::EndCall),
            named(CURRENT_TIME).then_some(Self::CurrentTime),
            (!agent.hand_off.is_empty()).then_some(hand_off),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::EndCall => END_CALL,
            Self::CurrentTime => CURRENT_TIME,
            Self::HandOff(_) => HAND_OFF,
        }
    }

    pub(super) fn spec(&self) -> ToolSpec {
        let (description, parameters) = match self {
            Self::EndCall => (
                "Hang up the phone. Call it only when the caller has said goodbye or asks to end the call, and say \
                 goodbye first."
                    .to_owned(),
                json!({"type": "object", "properties": {}}),
            ),
            Self::CurrentTime => {
                ("Tells today's date and the time of day.".to_owned(), json!({"type": "object", "properties": {}}))
            }
            Self::HandOff(agents) => {
                let names: Vec<&str> = agents.iter().map(|(name, _)| name.as_str()).collect();
                let list: Vec<String> =
                    agents.iter().map(|(name, description)| format!("{name}: {description}")).collect();
                (
                    format!("Hands the call over to a colleague. {}", list.join("; ")),
                    json!({"type": "object", "properties": {"agent": {"type": "string", "enum": names}},
                           "required": ["agent"]}),
                )
            }
        };
        ToolSpec { name: self.name().to_owned(), description, parameters }
    }

    pub(super) fn call(&self, run: ToolRunId, arguments: &str) -> Returned {
        match self {
            Self::EndCall => {
                let text = "The call ends.".to_owned();
                let output = ToolOutput { text, outcome: ToolOutcome::Done, then: AfterTool::HangUp };
                Returned { run, output, hand_off: None }
            }
            Self::CurrentTime => {
                let now = jiff::Zoned::now();
                let text = now.strftime("It is %A, %B %-d, %Y, %H:%M (%Z).").to_string();
                super::plain(run, text, ToolOutcome::Done)
            }
            Self::HandOff(agents) => hand_off(run, arguments, agents),
        }
    }
}

fn hand_off(run: ToolRunId, arguments: &str, agents: &[(String, String)]) -> Returned {
    let wanted: Option<String> = serde_json::from_str::<Value>(arguments)
        .ok()
        .and_then(|arguments| Some(arguments.get("agent")?.as_str()?.to_owned()));
    match wanted.filter(|wanted| agents.iter().any(|(name, _)| name == wanted)) {
        Some(name) => {
            let text = "The call was handed over to you. Go on with what the caller wants, without greeting again.";
            Returned { hand_off: Some(name), ..super::plain(run, text.to_owned(), ToolOutcome::Done) }
        }
        None => {
            let names: Vec<&str> = agents.iter().map(|(name, _)| name.as_str()).collect();
            let text = format!("There is no such colleague; `agent` must be one of: {}.", names.join(", "));
            super::plain(run, text, ToolOutcome::Failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dialogue::{AfterTool, ToolRunId};

    use super::BuiltIn;
    use crate::AgentConfig;
    use crate::agents::Agents;

    fn tools(agent: &AgentConfig) -> Vec<BuiltIn> {
        let billing = AgentConfig { description: "Knows invoices.".to_owned(), ..AgentConfig::default() };
        let agents = Agents::new(agent.clone(), BTreeMap::from([("billing".to_owned(), billing)])).expect("fits");
        BuiltIn::of(agent, &agents)
    }

    #[test]
    fn an_agent_has_only_the_tools_it_was_given() {
        assert_eq!(tools(&AgentConfig::default()), []);
        let agent = AgentConfig { tools: vec!["end_call".to_owned()], ..AgentConfig::default() };
        let tools = tools(&agent);
        assert_eq!(tools, [BuiltIn::EndCall]);
        assert_eq!(tools[0].call(ToolRunId(1), "{}").output.then, AfterTool::HangUp);
    }

    #[test]
    fn a_hand_off_names_a_colleague_that_exists() {
        let agent = AgentConfig { hand_off: vec!["billing".to_owned()], ..AgentConfig::default() };
        let tools = tools(&agent);
        assert!(tools[0].spec().description.contains("Knows invoices."));
        let call = |arguments: &str| tools[0].call(ToolRunId(1), arguments).hand_off;
        assert_eq!(call(r#"{"agent": "billing"}"#).as_deref(), Some("billing"));
        assert_eq!(call(r#"{"agent": "nobody"}"#), None);
        assert_eq!(call("nonsense"), None);
    }
}
