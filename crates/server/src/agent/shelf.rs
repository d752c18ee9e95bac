//! The providers of one stage, by the names that agents choose them by.

use std::collections::BTreeMap;
use std::sync::Arc;

use providers::resilience::{BreakerConfig, Health, Link, Stage};
use session::Choice;

use super::Board;

/// Providers of one stage.
pub(super) struct Shelf<P: ?Sized> {
    stage: Stage,
    by_name: BTreeMap<String, Link<P>>,
}

/// An agent's choice cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// It chooses nobody.
    #[error("{stage} names nobody; name one at least")]
    Nobody {
        /// What for.
        stage: &'static str,
    },
    /// It chooses one twice.
    #[error("{stage} names `{name}` twice")]
    Twice {
        /// What for.
        stage: &'static str,
        /// Whom.
        name: String,
    },
    /// It chooses one that is not there.
    #[error("there is no {stage} `{name}`; known are: {known}")]
    Unknown {
        /// What for.
        stage: &'static str,
        /// Whom.
        name: String,
        /// All names.
        known: String,
    },
}

impl<P: ?Sized> Shelf<P> {
    pub(super) fn new(stage: Stage) -> Self {
        Self { stage, by_name: BTreeMap::new() }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Puts a provider there, and on the board.
    pub(super) fn put(&mut self, name: &str, provider: Arc<P>, breaker: &BreakerConfig, board: &Board) {
        let health = Arc::new(Health::new(name, self.stage, breaker.clone()));
        board.add(Arc::clone(&health));
        self.by_name.insert(name.to_owned(), Link { provider, health });
    }

    /// Those of the chosen that are here, in the order of the choice, with their names.
    pub(super) fn chosen<'a>(&'a self, choice: &'a Choice) -> impl Iterator<Item = (&'a str, &'a Link<P>)> {
        choice.names().filter_map(|name| Some((name, self.by_name.get(name)?)))
    }

    /// The one of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Link<P>> {
        self.by_name.get(name)
    }

    /// Whether all that it names are here.
    ///
    /// # Errors
    /// When the choice cannot be met.
    pub(super) fn check(&self, choice: &Choice) -> Result<(), ChoiceError> {
        check(self.stage, choice, || self.by_name.keys().map(String::as_str).collect())
    }
}

/// Whether a choice names somebody, nobody twice, and only who is known.
pub(super) fn check<'a>(stage: Stage, choice: &Choice, known: impl Fn() -> Vec<&'a str>) -> Result<(), ChoiceError> {
    let (stage, known) = (stage.as_str(), known());
    let names: Vec<&str> = choice.names().collect();
    if names.is_empty() {
        return Err(ChoiceError::Nobody { stage });
    }
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(ChoiceError::Twice { stage, name: (*name).to_owned() });
        }
        if !known.contains(name) {
            return Err(ChoiceError::Unknown { stage, name: (*name).to_owned(), known: known.join(", ") });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use providers::resilience::Stage;
    use session::Choice;

    use super::{ChoiceError, check};

    #[test]
    fn a_choice_names_somebody_nobody_twice_and_only_who_is_known() {
        let check = |json: &str| {
            let choice: Choice = serde_json::from_str(json).expect("a choice");
            check(Stage::Llm, &choice, || vec!["cloud", "local"]).map_err(|error| error.to_string())
        };
        assert_eq!(check(r#"["cloud", "local"]"#), Ok(()));
        assert_eq!(check("[]"), Err(ChoiceError::Nobody { stage: "llm" }.to_string()));
        assert_eq!(check(r#"["local", "cloud", "local"]"#), Err("llm names `local` twice".to_owned()));
        assert_eq!(check(r#""lan""#), Err("there is no llm `lan`; known are: cloud, local".to_owned()));
    }
}
