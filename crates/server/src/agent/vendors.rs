//! The models of vendors, as agents choose them.

use std::collections::BTreeMap;
use std::sync::Arc;

use providers::live::LiveModel;
use providers::llm::LanguageModel;
use providers::resilience::{BreakerConfig, Stage};
use providers::stt::SpeechToText;
use providers::tts::TextToSpeech;
use providers::vendors::{Account, OpenError, ProviderConfig};
use session::{AgentConfig, Choice, DEFAULT_AGENT, LOCAL};

use super::shelf::{ChoiceError, Shelf, check};
use super::{Board, Files};
use crate::config::{AccountError, Config, account};

/// A vendor cannot be used as configured. Each message follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum VendorError {
    /// An agent chooses wrongly.
    #[error("give agent `{agent}` its models: {why}; others are added as [providers.NAME]")]
    Choice {
        /// Who chooses.
        agent: String,
        /// What is wrong.
        why: String,
    },
    /// A vendor has the name that stands for this machine.
    #[error("use `[providers.{LOCAL}]`: that name stands for the models of this machine; choose another one")]
    NameTaken,
    /// A key or a file is not there.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Its settings cannot be used.
    #[error("use provider `{name}` as {stage}: {source}")]
    Open {
        /// Which.
        name: String,
        /// What for: `stt`, `llm`, `tts` or `live`.
        stage: &'static str,
        /// Why.
        source: OpenError,
    },
}

/// All providers on their shelves: those of vendors, and beside them the models of this machine once they are loaded.
pub(crate) struct Vendors {
    /// Recognisers.
    pub(super) stt: Shelf<dyn SpeechToText>,
    /// Language models.
    pub(super) llm: Shelf<dyn LanguageModel>,
    /// Voices.
    pub(super) tts: Shelf<dyn TextToSpeech>,
    /// Speech-native models.
    pub(super) live: Shelf<dyn LiveModel>,
    /// How they fare.
    pub(super) board: Board,
    /// When one is not asked for a while.
    pub(super) breaker: BreakerConfig,
}

impl Vendors {
    /// Finds keys and opens all vendors, for whatever they can be used. To be called within a runtime; reaches nobody.
    ///
    /// # Errors
    /// When an agent of the configuration chooses a vendor that is not configured, or not so that it can be used for that.
    /// What no agent chooses may be incomplete.
    pub(crate) fn open(config: &Config) -> Result<Self, VendorError> {
        if config.providers.contains_key(LOCAL) {
            return Err(VendorError::NameTaken);
        }
        agents(config).try_for_each(|(name, agent)| check_agent(name, agent, &config.providers))?;
        let prices = config.providers.iter().map(|(name, section)| (name.clone(), *section.prices())).collect();
        let mut vendors = Self { board: Board::priced(prices), ..Self::none(config.resilience.breaker.clone()) };
        let Self { stt, llm, tts, live, board, breaker } = &mut vendors;
        for (name, section) in &config.providers {
            let wants = |choice: fn(&AgentConfig) -> &Choice| {
                agents(config).any(|(_, agent)| choice(agent).names().any(|chosen| chosen == name))
            };
            let opening = Opening { name, account: account(name, section), breaker, board };
            opening.put(wants(|agent| &agent.stt), stt, Account::stt)?;
            opening.put(wants(|agent| &agent.llm), llm, Account::llm)?;
            opening.put(wants(|agent| &agent.tts), tts, Account::tts)?;
            let is_wanted = agents(config).any(|(_, agent)| agent.live.as_ref() == Some(name));
            opening.put(is_wanted, live, Account::live)?;
        }
        Ok(vendors)
    }

    /// Those that stand beside the models of this machine: none where nothing but the echo answers.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn beside(files: &Files, config: &Config) -> Result<Self, VendorError> {
        match files {
            Files::Echo => Ok(Self::none(config.resilience.breaker.clone())),
            Files::Models { .. } | Files::Loaded(_) => Self::open(config),
        }
    }

    /// Empty shelves.
    pub(crate) fn none(breaker: BreakerConfig) -> Self {
        let board = Board::default();
        let (stt, llm, tts) = (Shelf::new(Stage::Stt), Shelf::new(Stage::Llm), Shelf::new(Stage::Tts));
        Self { stt, llm, tts, live: Shelf::new(Stage::Live), board, breaker }
    }

    /// How all of them fare, and those that come later.
    pub(crate) fn board(&self) -> Board {
        self.board.clone()
    }
}

/// A vendor that is being opened.
struct Opening<'a> {
    name: &'a str,
    account: Result<Account, AccountError>,
    breaker: &'a BreakerConfig,
    board: &'a Board,
}

impl Opening<'_> {
    /// Puts its model on the shelf. One that nobody wants may fail.
    fn put<P: ?Sized>(
        &self,
        is_wanted: bool,
        shelf: &mut Shelf<P>,
        open: impl Fn(&Account) -> Result<Arc<P>, OpenError>,
    ) -> Result<(), VendorError> {
        let stage = shelf.stage().as_str();
        let opened = match &self.account {
            Ok(account) => {
                open(account).map_err(|source| VendorError::Open { name: self.name.to_owned(), stage, source })
            }
            Err(cause) => Err(cause.clone().into()),
        };
        match opened {
            Ok(model) => {
                shelf.put(self.name, model, self.breaker, self.board);
                Ok(())
            }
            Err(cause) if is_wanted => Err(cause),
            Err(cause) => {
                tracing::debug!(provider = self.name, stage, %cause, "a provider that no agent chooses cannot be used");
                Ok(())
            }
        }
    }
}

/// All agents of the configuration with their names.
pub(super) fn agents(config: &Config) -> impl Iterator<Item = (&str, &AgentConfig)> {
    let named = config.agents.iter().map(|(name, agent)| (name.as_str(), agent));
    named.chain([(DEFAULT_AGENT, &config.agent)])
}

fn check_agent(
    name: &str,
    agent: &AgentConfig,
    sections: &BTreeMap<String, ProviderConfig>,
) -> Result<(), VendorError> {
    let known = || sections.keys().map(String::as_str).chain([LOCAL]).collect();
    let wrong = |why: ChoiceError| VendorError::Choice { agent: name.to_owned(), why: why.to_string() };
    for (stage, choice) in [(Stage::Stt, &agent.stt), (Stage::Llm, &agent.llm), (Stage::Tts, &agent.tts)] {
        check(stage, choice, known).map_err(wrong)?;
    }
    if let Some(live) = &agent.live {
        let vendors = || sections.keys().map(String::as_str).collect();
        check(Stage::Live, &Choice::from(live.as_str()), vendors).map_err(wrong)?;
    }
    Ok(())
}
