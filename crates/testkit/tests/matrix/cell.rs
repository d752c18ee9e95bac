//! One cell: whose fault, which, and where; and what became of the conversation.

use std::sync::Arc;
use std::time::Duration;

use providers::llm::LanguageModel;
use providers::remote::Deadlines;
use providers::resilience::{BreakerConfig, Health, Link, LlmChain, ResilienceConfig, Stage, SttChain, TtsChain};
use providers::stt::SpeechToText;
use providers::tts::TextToSpeech;
use testkit::emulator::{Code, Emulator, Ending, Fault, Pace, Record, Refusal, Route, Script, Trouble};

use crate::call::{Call, Models, Voice};
use crate::fallback::{Parrot, ToneEar, ToneVoice};
use crate::vendors::{
    Encrypted, GEMINI, GOOGLE_SPEECH, GOOGLE_VOICE, OPENAI_CHAT, OPENAI_TRANSCRIBER, OPENAI_VOICE, Reach, Vendor,
};

/// Whose adapter is first in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    OpenAiStt,
    GoogleStt,
    OpenAiLlm,
    Gemini,
    OpenAiTts,
    GoogleTts,
}

impl Row {
    pub(crate) const ALL: [Self; 6] =
        [Self::OpenAiStt, Self::GoogleStt, Self::OpenAiLlm, Self::Gemini, Self::OpenAiTts, Self::GoogleTts];

    fn route(self) -> Route {
        match self {
            Self::OpenAiStt => OPENAI_TRANSCRIBER.route,
            Self::GoogleStt => GOOGLE_SPEECH.route,
            Self::OpenAiLlm => OPENAI_CHAT.route,
            Self::Gemini => GEMINI.route,
            Self::OpenAiTts => OPENAI_VOICE.route,
            Self::GoogleTts => GOOGLE_VOICE.route,
        }
    }

    /// After how many pieces of its answer something has been given out.
    fn committed(self) -> usize {
        match self {
            Self::OpenAiTts | Self::GoogleTts => 2,
            Self::OpenAiStt | Self::GoogleStt | Self::OpenAiLlm | Self::Gemini => 3,
        }
    }
}

/// What goes wrong with every request of the first turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trial {
    None,
    Reset,
    Stall,
    BlackHole,
    GoAway,
    Quota,
    Unavailable,
    Malformed,
    Cut,
}

impl Trial {
    pub(crate) const ALL: [Self; 8] = [
        Self::Reset,
        Self::Stall,
        Self::BlackHole,
        Self::GoAway,
        Self::Quota,
        Self::Unavailable,
        Self::Malformed,
        Self::Cut,
    ];

    fn trouble(self) -> Option<Trouble> {
        Some(match self {
            Self::None => return None,
            Self::Reset => Trouble::Reset,
            // Longer than anybody waits.
            Self::Stall => Trouble::Stall(Duration::from_secs(3)),
            Self::BlackHole => Trouble::Silence,
            Self::GoAway => Trouble::GoAway,
            Self::Quota => Trouble::Error(Refusal::quota(Duration::from_secs(2))),
            Self::Unavailable => Trouble::Error(Refusal::new(Code::Unavailable, "The service is overloaded.")),
            Self::Malformed => Trouble::Garbage,
            Self::Cut => Trouble::Cut,
        })
    }
}

/// Whether something was given out already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Before,
    After,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) row: Row,
    pub(crate) trial: Trial,
    pub(crate) place: Place,
}

/// What became of the conversation.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What was not as it should be.
    pub(crate) complaints: Vec<String>,
    /// How long nothing was heard between the caller's last word and the end of the answer.
    pub(crate) silence: Duration,
}

pub(crate) fn all() -> Vec<Cell> {
    let places = |row, trial| [Place::Before, Place::After].map(|place| Cell { row, trial, place });
    let troubled =
        Row::ALL.into_iter().flat_map(|row| Trial::ALL.into_iter().flat_map(move |trial| places(row, trial)));
    let calm = Row::ALL.map(|row| Cell { row, trial: Trial::None, place: Place::Before });
    // Raw audio has no end of its own, so that of OpenAI's voices cannot be known to be cut or spoiled.
    let unknowable = |cell: &Cell| {
        (cell.row, cell.place) == (Row::OpenAiTts, Place::After)
            && matches!(cell.trial, Trial::Cut | Trial::Malformed | Trial::Quota | Trial::Unavailable)
            || (cell.row, cell.trial) == (Row::OpenAiTts, Trial::Malformed)
    };
    calm.into_iter().chain(troubled).filter(|cell| !unknowable(cell)).collect()
}

impl Cell {
    pub(crate) async fn run(self) -> Outcome {
        let pace = Pace {
            first_token: Duration::from_millis(100),
            token: Duration::from_millis(25),
            first_audio: Duration::from_millis(60),
            audio_piece: Duration::from_millis(40),
            transcript: Duration::from_millis(60),
        };
        let emulator = Emulator::start(Script { pace, ..Script::default() }).await.expect("it starts");
        let mut call = Call::begin(self.models(&emulator));
        self.trouble(&emulator);
        let first = call.turn("ab cd. ef gh.").await;
        let unmet = self.is_unmet(&emulator);
        emulator.release_connections();
        emulator.clear_faults();
        let second = call.turn("ij kl mn.").await;
        let breaks_off = matches!(self.row, Row::OpenAiTts | Row::GoogleTts) && self.place == Place::After;
        let mut complaints = first.complaints(if breaks_off { Voice::BreaksOff } else { Voice::Whole });
        complaints.extend(second.complaints(Voice::Whole).into_iter().map(|what| format!("next turn: {what}")));
        complaints.extend(call.end().await);
        complaints.extend(unmet.then(|| "the fault was never met".to_owned()));
        Outcome { complaints, silence: first.silence }
    }

    /// Whether no answer was hit where its fault stands. One that only spoils or hinders leaves no trace in the log.
    fn is_unmet(self, emulator: &Emulator) -> bool {
        let leaves_trace = !matches!(self.trial, Trial::None | Trial::GoAway | Trial::Malformed);
        let is_hit = |record: &Record| {
            record.route == self.row.route() && record.ended.is_some_and(|(_, ending)| ending != Ending::Completed)
        };
        self.place == Place::After && leaves_trace && !emulator.log().iter().any(is_hit)
    }

    fn trouble(self, emulator: &Emulator) {
        let Some(trouble) = self.trial.trouble() else { return };
        if (self.trial, self.place) == (Trial::BlackHole, Place::Before) {
            // Not even a connection is to be had.
            emulator.hold_connections();
        }
        let after = if self.place == Place::Before { 0 } else { self.row.committed() };
        emulator.fault_every(self.row.route(), 1, Fault::after(after, trouble));
    }

    fn models(self, emulator: &Emulator) -> Models {
        // Short, so that nobody waits for long; the adapters' own are longer than those of the chains.
        let seconds = Duration::from_secs;
        let deadlines = Deadlines { connect: seconds(1), first: seconds(2), stall: seconds(2) };
        // Google's services are reached as in earnest: over TLS.
        let is_google = matches!(self.row, Row::GoogleStt | Row::GoogleTts);
        let encrypted = if is_google { Encrypted::Yes } else { Encrypted::No };
        let reach = Reach { deadlines, encrypted, ..Reach::plain(emulator) };
        let config = ResilienceConfig {
            hedge_after: Duration::from_millis(400),
            words_deadline: Duration::from_millis(1_000),
            sound_deadline: Duration::from_millis(400),
            stall_deadline: Duration::from_millis(500),
            breaker: BreakerConfig::default(),
        };
        let (stt, llm, tts): (Arc<dyn SpeechToText>, Arc<dyn LanguageModel>, Arc<dyn TextToSpeech>) =
            (Arc::new(ToneEar), Arc::new(Parrot), Arc::new(ToneVoice));
        let mut models = Models { stt: Arc::clone(&stt), llm: Arc::clone(&llm), tts: Arc::clone(&tts) };
        let stt_row = |vendor| Arc::new(SttChain::new(row(vendor, reach, stt, Stage::Stt), &config));
        let llm_row = |vendor| Arc::new(LlmChain::new(row(vendor, reach, llm, Stage::Llm), &config));
        let tts_row = |vendor| Arc::new(TtsChain::new(row(vendor, reach, tts, Stage::Tts), &config));
        match self.row {
            Row::OpenAiStt => models.stt = stt_row(OPENAI_TRANSCRIBER),
            Row::GoogleStt => models.stt = stt_row(GOOGLE_SPEECH),
            Row::OpenAiLlm => models.llm = llm_row(OPENAI_CHAT),
            Row::Gemini => models.llm = llm_row(GEMINI),
            Row::OpenAiTts => models.tts = tts_row(OPENAI_VOICE),
            Row::GoogleTts => models.tts = tts_row(GOOGLE_VOICE),
        }
        models
    }
}

fn row<P: ?Sized>(vendor: Vendor<P>, reach: Reach<'_>, fallback: Arc<P>, stage: Stage) -> Vec<Link<P>> {
    let health = |name| Arc::new(Health::new(name, stage, BreakerConfig::default()));
    let first = Link { provider: (vendor.make)(reach), health: health("vendor") };
    vec![first, Link { provider: fallback, health: health("fallback") }]
}
