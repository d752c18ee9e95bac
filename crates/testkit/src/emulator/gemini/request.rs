//! What a request for content holds, and the mistakes for which Gemini refuses it.

use serde_json::Value;

use super::{field, list};
use crate::emulator::answer::Question;
use crate::emulator::refusal::Refusal;

/// What is asked, if it is well formed for this model.
pub(super) fn question(model: &str, body: &Value) -> Result<Question, Refusal> {
    let contents = list(field(body, "contents"));
    if contents.is_empty() {
        return Err(Refusal::invalid("* GenerateContentRequest.contents: contents is not specified\n"));
    }
    check_thinking(model, body)?;
    check_turns(model, contents)?;
    check_signatures(contents)?;
    let said = contents.iter().rev().find(|content| is_said_by_user(content));
    let system = text_of(field(body, "systemInstruction"));
    let words = |text: &str| text.split_whitespace().count();
    let most = field(field(body, "generationConfig"), "maxOutputTokens").as_u64();
    Ok(Question {
        said: said.map(text_of).unwrap_or_default(),
        tool_output: contents.last().and_then(tool_output),
        tools: tools(body),
        prompt_tokens: words(&system) + contents.iter().map(|content| words(&text_of(content))).sum::<usize>(),
        max_tokens: most.map(|most| most as usize),
    })
}

fn parts(content: &Value) -> &[Value] {
    list(field(content, "parts"))
}

fn text_of(content: &Value) -> String {
    parts(content).iter().filter_map(|part| part["text"].as_str()).collect()
}

fn is_said_by_user(content: &Value) -> bool {
    content["role"] != "model" && parts(content).iter().any(|part| part["text"].is_string())
}

fn tools(body: &Value) -> Vec<String> {
    let declarations = list(field(body, "tools")).iter().flat_map(|tool| list(field(tool, "functionDeclarations")));
    declarations.filter_map(|declaration| declaration["name"].as_str()).map(str::to_owned).collect()
}

fn tool_output(content: &Value) -> Option<String> {
    let response = parts(content).iter().map(|part| field(part, "functionResponse")).find(|part| part.is_object())?;
    let response = &response["response"];
    let output = response.get("output").or_else(|| response.get("result")).unwrap_or(response);
    Some(output.as_str().map_or_else(|| output.to_string(), str::to_owned))
}

fn check_thinking(model: &str, body: &Value) -> Result<(), Refusal> {
    let level = field(field(field(body, "generationConfig"), "thinkingConfig"), "thinkingLevel");
    let is_minimal = level.as_str().is_some_and(|level| level.eq_ignore_ascii_case("minimal"));
    if is_minimal && ["gemini-3.8-flash", "gemini-3.7-flash"].contains(&model) {
        return Err(Refusal::invalid("Thinking level MINIMAL is not supported for this model."));
    }
    Ok(())
}

fn check_turns(model: &str, contents: &[Value]) -> Result<(), Refusal> {
    if model == "gemini-3.5-flash-lite" && contents.last().is_some_and(|content| content["role"] == "model") {
        return Err(Refusal::invalid("Please ensure that the last turn of the conversation is not a model turn."));
    }
    let count =
        |content: &Value, kind: &str| parts(content).iter().filter(|part| field(part, kind).is_object()).count();
    for (index, content) in contents.iter().enumerate() {
        let calls = count(content, "functionCall");
        let answered = contents.get(index + 1).map_or(0, |next| count(next, "functionResponse"));
        if calls != answered && (calls > 0 || index + 1 < contents.len()) {
            return Err(Refusal::invalid(
                "Please ensure that the number of function response parts is equal to the number of function call \
                 parts of the function call turn.",
            ));
        }
    }
    Ok(())
}

/// Gemini 3 wants back the signature of the first call of each step since the user spoke.
fn check_signatures(contents: &[Value]) -> Result<(), Refusal> {
    let spoke = contents.iter().rposition(is_said_by_user).unwrap_or(0);
    for (index, content) in contents.iter().enumerate().skip(spoke) {
        let Some(part) = parts(content).iter().find(|part| field(part, "functionCall").is_object()) else { continue };
        if field(part, "thoughtSignature").as_str().is_none_or(str::is_empty) {
            let name = field(part, "functionCall")["name"].as_str().unwrap_or_default();
            return Err(Refusal::invalid(format!(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to \
                 work correctly, and missing thought_signature may lead to degraded model performance. Additional \
                 data, function call `default_api:{name}`, position {}.",
                index + 1
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::question;

    fn refusal(model: &str, body: &Value) -> Option<String> {
        question(model, body).err().map(|refusal| refusal.message)
    }

    fn history(signature: &str) -> Value {
        json!({"contents": [
            {"role": "user", "parts": [{"text": "weather?"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": signature}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "sunny"}}}]},
        ]})
    }

    #[test]
    fn both_ways_of_writing_names_are_read() {
        let camel = json!({"contents": [{"parts": [{"text": "hi"}]}], "systemInstruction": {"parts": [{"text": "a b"}]},
            "tools": [{"functionDeclarations": [{"name": "f"}]}], "generationConfig": {"maxOutputTokens": 3}});
        let snake = json!({"contents": [{"parts": [{"text": "hi"}]}], "system_instruction": {"parts": [{"text": "a b"}]},
            "tools": [{"function_declarations": [{"name": "f"}]}], "generation_config": {"max_output_tokens": 3}});
        for body in [camel, snake] {
            let question = question("gemini-3.8-flash", &body).expect("well formed");
            assert_eq!((question.prompt_tokens, question.max_tokens), (3, Some(3)));
            assert_eq!((question.said.as_str(), question.tools), ("hi", vec!["f".to_owned()]));
        }
    }

    #[test]
    fn a_call_without_its_signature_is_refused() {
        assert_eq!(refusal("gemini-3.8-flash", &history("c2ln")), None);
        let refused = refusal("gemini-3.8-flash", &history("")).expect("refused");
        assert!(refused.contains("thought_signature"), "{refused}");
    }

    #[test]
    fn a_call_without_an_answer_is_refused() {
        let mut body = history("c2ln");
        body["contents"].as_array_mut().expect("a list").pop();
        let refused = refusal("gemini-3.8-flash", &body).expect("refused");
        assert!(refused.contains("number of function response parts"), "{refused}");
    }

    #[test]
    fn some_models_refuse_what_others_take() {
        let minimal = json!({"contents": [{"parts": [{"text": "hi"}]}],
            "generationConfig": {"thinkingConfig": {"thinking_level": "minimal"}}});
        assert!(refusal("gemini-3.8-flash", &minimal).is_some());
        assert_eq!(refusal("gemini-3.5-flash-lite", &minimal), None);
        let prefilled =
            json!({"contents": [{"parts": [{"text": "hi"}]}, {"role": "model", "parts": [{"text": "so"}]}]});
        assert!(refusal("gemini-3.5-flash-lite", &prefilled).is_some());
        assert_eq!(refusal("gemini-3.8-flash", &prefilled), None);
    }
}
