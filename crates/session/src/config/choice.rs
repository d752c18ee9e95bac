//! Which models an agent wants, by name.

use serde::{Deserialize, Serialize};

/// The models of this machine.
pub const LOCAL: &str = "local";

/// Models by name, the one that is wanted most first: [`LOCAL`], or a vendor of the configuration. Written as a name or
/// as a list of names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "Written", into = "Written")]
pub struct Choice(Vec<String>);

/// How it stands in a file.
#[derive(Deserialize, Serialize)]
#[serde(untagged, expecting = "expected a name or a list of names")]
enum Written {
    One(String),
    Several(Vec<String>),
}

impl Choice {
    /// The names in their order. May be empty.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether the models of this machine are among them.
    pub fn has_local(&self) -> bool {
        self.names().any(|name| name == LOCAL)
    }
}

impl Default for Choice {
    fn default() -> Self {
        Self::from(LOCAL)
    }
}

impl From<&str> for Choice {
    fn from(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }
}

impl From<Written> for Choice {
    fn from(written: Written) -> Self {
        match written {
            Written::One(name) => Self(vec![name]),
            Written::Several(names) => Self(names),
        }
    }
}

impl From<Choice> for Written {
    fn from(choice: Choice) -> Self {
        match <[String; 1]>::try_from(choice.0) {
            Ok([name]) => Self::One(name),
            Err(names) => Self::Several(names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Choice;

    #[test]
    fn a_name_or_a_list_of_names_is_a_choice() {
        for (json, names) in [(r#""gemini""#, vec!["gemini"]), (r#"["gemini","local"]"#, vec!["gemini", "local"])] {
            let choice: Choice = serde_json::from_str(json).expect("it reads");
            assert_eq!(choice.names().collect::<Vec<_>>(), names);
            assert_eq!(serde_json::to_string(&choice).expect("it writes"), json);
        }
        assert!(serde_json::from_str::<Choice>("7").is_err());
    }
}
