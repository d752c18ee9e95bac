//! What makes an agent usable. The configuration is held to the same.

use providers::tools::Toolbox;
use session::{AgentConfig, BUILT_IN_TOOLS};

use crate::agent::{Cast, ChoiceError};
use crate::config;

/// Names stand in paths, in prompts and in lists.
const MAX_NAME_CHARS: usize = 64;

/// What is wrong, in a sentence for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unusable(String);

impl Unusable {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Whether an agent may be called this.
pub(super) fn name(name: &str) -> Result<(), Unusable> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    match name.chars().count() {
        1..=MAX_NAME_CHARS if name.chars().all(fits) => Ok(()),
        _ => Err(Unusable::new(format!(
            "the name of an agent has 1 to {MAX_NAME_CHARS} characters: letters, digits, `-` and `_`"
        ))),
    }
}

/// Whether this profile can be used, other agents apart.
pub(super) fn profile(profile: &AgentConfig, cast: &Cast) -> Result<(), Unusable> {
    config::check_agent(profile).map_err(|why| Unusable::new(format!("cannot {why}")))?;
    given(profile, cast)
}

/// Whether somebody offers each model and tool that it names.
pub(super) fn given(profile: &AgentConfig, cast: &Cast) -> Result<(), Unusable> {
    cast.check(profile).map_err(|why: ChoiceError| Unusable::new(why.to_string()))?;
    tools(profile, &cast.toolbox())
}

fn tools(profile: &AgentConfig, toolbox: &Toolbox) -> Result<(), Unusable> {
    let offered = toolbox.tools().into_iter().map(|tool| tool.spec.name);
    let known: Vec<String> = BUILT_IN_TOOLS.iter().map(ToString::to_string).chain(offered).collect();
    match profile.tools.iter().find(|tool| !known.contains(tool)) {
        Some(tool) => Err(Unusable::new(format!("there is no tool `{tool}`; known are: {}", known.join(", ")))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_is_short_and_plain() {
        for fits in ["billing", "B-2_x", &"x".repeat(64)] {
            assert_eq!(name(fits), Ok(()), "{fits}");
        }
        for bad in ["", " ", "a/b", "a.b", "büro", "two words", &"x".repeat(65)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
