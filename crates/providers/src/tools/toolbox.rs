//! Several sources behind one face: finds the tool, checks the arguments, keeps the time, bounds the result.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::{CallContext, Manner, Tool, ToolFailure, ToolSource};
use crate::llm::ToolCall;

/// The most of a result that a model is told: about 4,000 tokens, more than a small model's context holds.
const MAX_OUTPUT_BYTES: usize = 16 * 1024;
const CUT_NOTE: &str = " […the rest is left out]";

/// All tools that agents may be given.
#[derive(Default)]
pub struct Toolbox {
    sources: Vec<Arc<dyn ToolSource>>,
}

/// Two sources offer a tool of the same name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two tools are called `{0}`; rename one of them, or leave it out with `allow`")]
pub struct DuplicateTool(pub String);

impl std::fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.tools().into_iter().map(|tool| tool.spec.name).collect();
        f.debug_struct("Toolbox").field("tools", &names).finish()
    }
}

impl Toolbox {
    /// Puts sources together.
    ///
    /// # Errors
    /// When a name is offered twice now. A source that changes its mind later loses to the ones before it.
    pub fn new(sources: Vec<Arc<dyn ToolSource>>) -> Result<Self, DuplicateTool> {
        let toolbox = Self { sources };
        let mut names = BTreeSet::new();
        for tool in toolbox.sources.iter().flat_map(|source| source.tools()) {
            if !names.insert(tool.spec.name.clone()) {
                return Err(DuplicateTool(tool.spec.name));
            }
        }
        Ok(toolbox)
    }

    /// All tools offered now.
    pub fn tools(&self) -> Vec<Tool> {
        self.sources.iter().flat_map(|source| source.tools()).collect()
    }

    /// How this tool is run; none if nobody offers it.
    pub fn manner_of(&self, name: &str) -> Option<Manner> {
        self.find(name).map(|(_, tool)| tool.manner)
    }

    /// Runs a call. Cancel safe: dropping the future abandons the call.
    ///
    /// # Errors
    /// When the tool is unknown, the arguments do not fit its schema, it fails, or its time is up.
    pub async fn call(&self, call: &ToolCall, context: &CallContext) -> Result<String, ToolFailure> {
        let (source, tool) = self.find(&call.name).ok_or_else(|| ToolFailure::Unknown(call.name.clone()))?;
        check(&call.arguments, &tool.spec.parameters).map_err(ToolFailure::Arguments)?;
        let timeout = tool.manner.timeout;
        match tokio::time::timeout(timeout, source.call(call, context)).await {
            Ok(result) => result.map(bound),
            Err(_) => Err(ToolFailure::Timeout(timeout)),
        }
    }

    fn find(&self, name: &str) -> Option<(&Arc<dyn ToolSource>, Tool)> {
        self.sources.iter().find_map(|source| {
            let tool = source.tools().into_iter().find(|tool| tool.spec.name == name)?;
            Some((source, tool))
        })
    }
}

/// Whether the arguments fit the schema; else a sentence that says what is wrong.
fn check(arguments: &str, schema: &Value) -> Result<(), String> {
    let arguments: Value =
        serde_json::from_str(arguments).map_err(|cause| format!("the arguments are not JSON: {cause}"))?;
    if !arguments.is_object() {
        return Err("the arguments must be a JSON object".to_owned());
    }
    let validator =
        jsonschema::validator_for(schema).map_err(|cause| format!("the tool's schema is broken: {cause}"))?;
    let complaints: Vec<String> = validator
        .iter_errors(&arguments)
        .take(3)
        .map(|error| {
            let path = error.instance_path().to_string();
            if path.is_empty() { error.to_string() } else { format!("{}: {error}", path.trim_start_matches('/')) }
        })
        .collect();
    if complaints.is_empty() { Ok(()) } else { Err(format!("the arguments do not fit: {}", complaints.join("; "))) }
}

fn bound(mut output: String) -> String {
    if output.len() > MAX_OUTPUT_BYTES {
        let mut end = MAX_OUTPUT_BYTES;
        while !output.is_char_boundary(end) {
            end -= 1;
        }
        output.truncate(end);
        output.push_str(CUT_NOTE);
    }
    output
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{bound, check};

    #[test]
    fn arguments_that_do_not_fit_are_explained() {
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        assert_eq!(check("{\"city\": \"Paris\"}", &schema), Ok(()));
        let why = |arguments: &str| check(arguments, &schema).expect_err("does not fit");
        assert!(why("{}").contains("city"), "{}", why("{}"));
        assert!(why("{\"city\": 3}").contains("city: "), "{}", why("{\"city\": 3}"));
        assert!(why("Paris").contains("not JSON"));
        assert!(why("[]").contains("object"));
    }

    #[test]
    fn a_long_result_is_cut_at_a_character() {
        let cut = bound("é".repeat(20_000));
        assert!(cut.len() < 17_000 && cut.ends_with("left out]"));
    }
}
