//! Which models an agent has: those of this machine and of vendors, in the order in which it chooses them.

use std::sync::Arc;

use providers::live::Live;
use providers::llm::LanguageModel;
use providers::resilience::{FixedLines, LineMemory, Link, LlmChain, ResilienceConfig, SttChain, TtsChain};
use providers::stt::SpeechToText;
use providers::tools::Toolbox;
use providers::tts::TextToSpeech;
use providers::turn::TurnDetector;
use providers::vad::VoiceActivity;
use session::{AgentConfig, Choice, LOCAL, Providers};

use super::shelf::{ChoiceError, Shelf};
use super::vendors::Vendors;

/// The models that there are.
#[derive(Clone)]
pub(crate) enum Cast {
    /// None: every agent plays back what it hears.
    Echo,
    /// These.
    Models(Lineup),
}

/// The models of this machine: those that somebody needs.
pub(super) struct Local {
    pub(super) vad: Arc<dyn VoiceActivity>,
    pub(super) turn: Arc<dyn TurnDetector>,
    pub(super) tools: Arc<Toolbox>,
    pub(super) stt: Option<Arc<dyn SpeechToText>>,
    pub(super) llm: Option<Arc<dyn LanguageModel>>,
    pub(super) tts: Option<Arc<dyn TextToSpeech>>,
}

/// All models by name, and what an agent gets whose choice is not there. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Lineup(Arc<Inner>);

struct Inner {
    vad: Arc<dyn VoiceActivity>,
    turn: Arc<dyn TurnDetector>,
    tools: Arc<Toolbox>,
    shelves: Vendors,
    default: AgentConfig,
    figures: ResilienceConfig,
    /// Greetings and the like, once they were spoken.
    lines: Arc<LineMemory>,
}

impl Cast {
    /// What agents may be given beside the built-in tools.
    pub(crate) fn toolbox(&self) -> Arc<Toolbox> {
        match self {
            Self::Echo => Arc::default(),
            Self::Models(Lineup(inner)) => Arc::clone(&inner.tools),
        }
    }

    /// Whether the models that an agent chooses are there.
    ///
    /// # Errors
    /// When one is not.
    pub(crate) fn check(&self, agent: &AgentConfig) -> Result<(), ChoiceError> {
        let Self::Models(Lineup(inner)) = self else { return Ok(()) };
        inner.shelves.stt.check(&agent.stt)?;
        inner.shelves.llm.check(&agent.llm)?;
        inner.shelves.tts.check(&agent.tts)?;
        match &agent.live {
            Some(live) => inner.shelves.live.check(&Choice::from(live.as_str())),
            None => Ok(()),
        }
    }
}

impl From<Providers> for Local {
    fn from(models: Providers) -> Self {
        let Providers { vad, turn, stt, llm, tts, tools, live: _ } = models;
        Self { vad, turn, tools, stt: Some(stt), llm: Some(llm), tts: Some(tts) }
    }
}

impl Lineup {
    /// All models.
    ///
    /// # Errors
    /// When the default agent chooses one that is not there: it stands in for every agent whose own choice is missing.
    pub(super) fn new(
        local: Local,
        vendors: Vendors,
        default: AgentConfig,
        figures: ResilienceConfig,
    ) -> Result<Self, ChoiceError> {
        let Local { vad, turn, tools, stt, llm, tts } = local;
        let mut shelves = vendors;
        let Vendors { board, breaker, .. } = &shelves;
        let (board, breaker) = (board.clone(), breaker.clone());
        stt.into_iter().for_each(|model| shelves.stt.put(LOCAL, model, &breaker, &board));
        llm.into_iter().for_each(|model| shelves.llm.put(LOCAL, model, &breaker, &board));
        tts.into_iter().for_each(|model| shelves.tts.put(LOCAL, model, &breaker, &board));
        let lineup = Self(Arc::new(Inner { vad, turn, tools, shelves, default, figures, lines: Arc::default() }));
        Cast::Models(lineup.clone()).check(&lineup.0.default)?;
        Ok(lineup)
    }

    /// The models of an agent. Of those that it chooses the ones that are there; when none is, those of the default agent:
    /// a call is better answered by another model than by none.
    pub(crate) fn of(&self, agent: &AgentConfig) -> Providers {
        let Inner { vad, turn, tools, shelves, default, figures, lines } = &*self.0;
        Providers {
            vad: Arc::clone(vad),
            turn: Arc::clone(turn),
            stt: serve(&shelves.stt, &agent.stt, &default.stt, |links| Arc::new(SttChain::new(links, figures))),
            llm: serve(&shelves.llm, &agent.llm, &default.llm, |links| Arc::new(LlmChain::new(links, figures))),
            tts: serve(&shelves.tts, &agent.tts, &default.tts, |links| {
                let lines = FixedLines::new(agent.fixed_lines(), Arc::clone(lines));
                Arc::new(TtsChain::new(links, figures).with_fixed_lines(lines))
            }),
            tools: Arc::clone(tools),
            live: agent.live.as_ref().and_then(|name| shelves.live.get(name)).map(|link| {
                let Link { provider, health } = link.clone();
                Arc::new(Live::new(provider, health, figures.clone()))
            }),
        }
    }

    /// The language model of this machine, where some agent needs it.
    pub(super) fn local_llm(&self) -> Option<Arc<dyn LanguageModel>> {
        let local = Choice::from(LOCAL);
        let (_, link) = self.0.shelves.llm.chosen(&local).next()?;
        Some(Arc::clone(&link.provider))
    }
}

/// One provider of all that are chosen. A model of this machine alone needs nobody to watch over it.
fn serve<P: ?Sized>(
    shelf: &Shelf<P>,
    choice: &Choice,
    otherwise: &Choice,
    chain: impl FnOnce(Vec<Link<P>>) -> Arc<P>,
) -> Arc<P> {
    let mut chosen: Vec<(&str, &Link<P>)> = shelf.chosen(choice).collect();
    if chosen.is_empty() {
        chosen = shelf.chosen(otherwise).collect();
    }
    match chosen.as_slice() {
        [(LOCAL, link)] => Arc::clone(&link.provider),
        chosen => chain(chosen.iter().map(|(_, link)| (*link).clone()).collect()),
    }
}
