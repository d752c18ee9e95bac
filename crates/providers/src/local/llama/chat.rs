//! From messages and tools to what a chat template knows: a role and a text for each.
//!
//! Tools are written as Qwen2.5's own template writes them (the Hermes format): their schemas end the instructions,
//! calls stand in `<tool_call>` within the assistant's text, results in `<tool_response>` within a user turn. Other
//! models of this size follow it well enough, and the constant beginning of the prompt stays shared.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::llm::{Message, ToolCall, ToolSpec};

/// Opens a call in the model's text.
pub(super) const CALL_OPENS: &str = "<tool_call>";
/// Closes it.
pub(super) const CALL_CLOSES: &str = "</tool_call>";

const TOOLS_HEAD: &str = "\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are \
    provided with function signatures within <tools></tools> XML tags:\n<tools>";
const TOOLS_TAIL: &str = "\n</tools>\n\nFor each function call, return a json object with function name and arguments \
    within <tool_call></tool_call> XML tags:\n<tool_call>\n{\"name\": <function-name>, \"arguments\": \
    <args-json-object>}\n</tool_call>";

/// Who says a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    System,
    User,
    Assistant,
}

/// One message as the template takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) role: Role,
    pub(super) text: String,
}

/// Writes messages as lines, the tools at the end of the first instructions.
pub(super) fn lines(messages: &[Message], tools: &[ToolSpec]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(messages.len() + 1);
    if !tools.is_empty() && !matches!(messages.first(), Some(Message::System(_))) {
        lines.push(Line { role: Role::System, text: tool_block(tools) });
    }
    let mut after_result = false;
    for message in messages {
        let is_result = matches!(message, Message::ToolResult { .. });
        match message {
            Message::System(text) if lines.is_empty() && !tools.is_empty() => {
                lines.push(Line { role: Role::System, text: format!("{}{}", text.trim(), tool_block(tools)) });
            }
            Message::System(text) => lines.push(Line { role: Role::System, text: text.clone() }),
            Message::User(text) => lines.push(Line { role: Role::User, text: text.clone() }),
            Message::Assistant { text, calls } => {
                lines.push(Line { role: Role::Assistant, text: with_calls(text, calls) });
            }
            Message::ToolResult { output, .. } => {
                let response = format!("<tool_response>\n{output}\n</tool_response>");
                match lines.last_mut() {
                    // Results of one round are one turn.
                    Some(last) if after_result => {
                        last.text.push('\n');
                        last.text.push_str(&response);
                    }
                    _ => lines.push(Line { role: Role::User, text: response }),
                }
            }
        }
        after_result = is_result;
    }
    lines
}

fn tool_block(tools: &[ToolSpec]) -> String {
    let mut block = TOOLS_HEAD.to_owned();
    for tool in tools {
        let function = json!({"type": "function", "function": {
            "name": tool.name, "description": tool.description, "parameters": tool.parameters}});
        // Writing to a string cannot fail.
        let _ = write!(block, "\n{function}");
    }
    block.push_str(TOOLS_TAIL);
    block
}

fn with_calls(text: &str, calls: &[ToolCall]) -> String {
    let mut line = text.trim().to_owned();
    for call in calls {
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
        let object = json!({"name": call.name, "arguments": arguments});
        let gap = if line.is_empty() { "" } else { "\n" };
        let _ = write!(line, "{gap}{CALL_OPENS}\n{object}\n{CALL_CLOSES}");
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Role, lines};
    use crate::llm::{Message, ToolCall, ToolSpec};

    #[test]
    fn tools_end_the_instructions_and_results_of_a_round_are_one_turn() {
        let tool = ToolSpec {
            name: "weather".to_owned(),
            description: "Tells the weather.".to_owned(),
            parameters: json!({"type": "object"}),
        };
        let call =
            ToolCall { id: "1".to_owned(), name: "weather".to_owned(), arguments: "{\"city\":\"Paris\"}".to_owned() };
        let result = |output: &str| Message::ToolResult {
            call_id: "1".to_owned(),
            name: "weather".to_owned(),
            output: output.to_owned(),
        };
        let messages = [
            Message::System("Be brief.".to_owned()),
            Message::User("Weather?".to_owned()),
            Message::Assistant { text: "One moment.".to_owned(), calls: vec![call] },
            result("sunny"),
            result("12 degrees"),
        ];
        let lines = lines(&messages, &[tool]);
        assert_eq!(
            lines.iter().map(|line| line.role).collect::<Vec<_>>(),
            [Role::System, Role::User, Role::Assistant, Role::User]
        );
        assert!(lines[0].text.starts_with("Be brief.\n\n# Tools") && lines[0].text.contains("\"name\":\"weather\""));
        assert!(lines[2].text.starts_with("One moment.\n<tool_call>\n{"), "{}", lines[2].text);
        assert_eq!(lines[3].text.matches("<tool_response>").count(), 2);
    }
}
