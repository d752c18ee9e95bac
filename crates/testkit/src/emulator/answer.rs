//! What an emulated language model answers, whoever's API asked: the script's next reply, or the rule.

use serde_json::{Value, json};

use super::Shared;
use super::script::{Call, Reply};

/// What the rule looks at.
#[derive(Debug, Default)]
pub(super) struct Question {
    /// The user's last words.
    pub(super) said: String,
    /// What a tool gave back, if that came last.
    pub(super) tool_output: Option<String>,
    /// The tools on offer.
    pub(super) tools: Vec<String>,
    /// Words in the whole prompt; they count as tokens.
    pub(super) prompt_tokens: usize,
    /// The most tokens to answer with.
    pub(super) max_tokens: Option<usize>,
}

/// An answer, cut into tokens.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    /// The words, each with the space before it.
    pub(super) tokens: Vec<String>,
    pub(super) calls: Vec<Call>,
    pub(super) end: End,
    pub(super) prompt_tokens: usize,
}

/// Why it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Stop,
    Length,
    Calls,
    Blocked,
}

impl Answer {
    pub(super) fn to(question: &Question, shared: &Shared) -> Self {
        let reply = shared.lines.next_reply().unwrap_or_else(|| by_rule(question));
        let (text, calls, end) = match reply {
            Reply::Text(text) => (text, Vec::new(), End::Stop),
            Reply::Calls { saying, calls } => (saying, calls, End::Calls),
            Reply::Blocked => (String::new(), Vec::new(), End::Blocked),
        };
        let mut tokens = tokens(&text);
        let most = question.max_tokens.unwrap_or(usize::MAX);
        let too_long = tokens.len() > most;
        tokens.truncate(most);
        let prompt_tokens = question.prompt_tokens;
        if too_long {
            return Self { tokens, calls: Vec::new(), end: End::Length, prompt_tokens };
        }
        Self { tokens, calls, end, prompt_tokens }
    }

    pub(super) fn text(&self) -> String {
        self.tokens.concat()
    }

    /// Tokens written: words, and those in the arguments of calls.
    pub(super) fn completion_tokens(&self) -> usize {
        self.tokens.len() + self.calls.iter().map(|call| 1 + tokens(&call.arguments.to_string()).len()).sum::<usize>()
    }
}

fn by_rule(question: &Question) -> Reply {
    if let Some(output) = &question.tool_output {
        return Reply::Text(format!("The tool says: {output}"));
    }
    if let Some(call) = asked_call(&question.said).filter(|call| question.tools.contains(&call.name)) {
        return Reply::Calls { saying: String::new(), calls: vec![call] };
    }
    Reply::Text(format!("You said: {}", question.said))
}

/// `call NAME {…}`, with or without arguments.
fn asked_call(said: &str) -> Option<Call> {
    let (name, arguments) = said.strip_prefix("call ")?.split_once(' ').unwrap_or((&said["call ".len()..], "{}"));
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
    Some(Call { name: name.to_owned(), arguments })
}

/// Words as models write them: the space belongs to the word behind it.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    for word in text.split_inclusive(' ') {
        let bare = word.strip_suffix(' ').unwrap_or(word);
        match tokens.last_mut().filter(|last| last.as_str() == " ") {
            Some(space) => space.push_str(bare),
            None => tokens.push(bare.to_owned()),
        }
        if word.ends_with(' ') {
            tokens.push(" ".to_owned());
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::{asked_call, tokens};

    #[test]
    fn tokens_make_the_text_again() {
        for text in ["", "one", "You said: hello there.", " two  spaces ", "東京 is far\nnow"] {
            assert_eq!(tokens(text).concat(), text);
        }
        assert_eq!(tokens("You said: hi"), ["You", " said:", " hi"]);
    }

    #[test]
    fn a_call_may_have_arguments() {
        assert_eq!(asked_call("call look {\"at\": 1}").map(|call| call.arguments["at"].clone()), Some(1.into()));
        assert_eq!(asked_call("call look").map(|call| call.name), Some("look".to_owned()));
        assert_eq!(asked_call("look"), None);
    }
}
