//! More than a thousand faults at random places of conversations of several turns, on a paused clock. Everybody gets an
//! answer to everything, hears no word twice, and no word of theirs is lost.
//!
//! A seed that fails is printed; `SEEDS` with it alone plays it again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use dialogue::{Fact, Transcript, TurnRecord, TurnStatus};
use providers::Remedy;
use providers::llm::LanguageModel;
use providers::resilience::{LlmChain, ResilienceConfig, Stage, SttChain, TtsChain};
use providers::stt::SpeechToText;
use providers::tools::Toolbox;
use providers::tts::TextToSpeech;
use session::{AgentConfig, Agents, Providers, Report, Session};
use testkit::faulty::{Fault, Faults, FaultyEar, FaultyVoice, FaultyWriter};
use testkit::leg::Caller;
use testkit::scripted::{Completeness, Loudness};
use testkit::tone;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::link;

const SEEDS: Range<u64> = 1..136;
const TURNS: usize = 4;
/// The requirement.
const FAULTS: usize = 1_000;
const ANSWER: &str = "a1 b2 c3 d4. e5 f6 g7 h8.";
const RATE_HZ: u32 = 16_000;
/// Virtual time after which a turn has hung.
const PATIENCE: Duration = Duration::from_secs(90);

#[test]
fn a_thousand_faults_end_no_conversation_and_lose_no_word() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let mut all = Tally::default();
    std::thread::scope(|scope| {
        let share =
            |first| scope.spawn(move || SEEDS.skip(first as usize).step_by(threads as usize).map(play).collect());
        let shares: Vec<std::thread::ScopedJoinHandle<'_, Vec<Tally>>> = (0..threads).map(share).collect();
        for tally in shares.into_iter().flat_map(|share| share.join().unwrap()) {
            all.add(tally);
        }
    });
    all.recoveries.sort();
    let at = |percent: usize| all.recoveries[(all.recoveries.len() - 1) * percent / 100];
    println!(
        "{} faults in {} conversations of {TURNS} turns, {} of which went on; turns with a fault were silent for longer by \
         (median, p90, p99, most): {:?}, {:?}, {:?}, {:?}",
        all.faults,
        all.conversations,
        all.went_on,
        at(50),
        at(90),
        at(99),
        at(100),
    );
    assert!(all.complaints.is_empty(), "{} complaints:\n{}", all.complaints.len(), all.complaints.join("\n"));
    assert!(all.went_on * 1_000 >= all.conversations * 999, "{} of {}", all.went_on, all.conversations);
    assert!(all.faults >= FAULTS, "{} faults", all.faults);
}

#[test]
fn words_that_no_voice_could_speak_are_not_taken_for_heard() {
    let turn = in_virtual_time(async {
        let models = Models::new(&mut Dice::new(0), Weather::Calm);
        models.voices[0].faults.expect([Some(Fault::BreaksAfter(2))]);
        models.voices[1..].iter().for_each(|voice| voice.faults.expect([Some(Fault::Refused(Remedy::Retry))]));
        let mut call = Call::begin(&models);
        let turn = call.turn(2).await;
        call.caller.hang_up().await;
        call.agent.await.unwrap();
        turn
    });
    let record = turn.record.unwrap();
    assert_eq!((turn.heard.as_str(), record.heard_text.as_str()), ("a1 b2 e5 f6 g7 h8.", "a1 b2 e5 f6 g7 h8."));
    assert_eq!(record.agent_text, ANSWER);
}

#[derive(Debug, Default)]
struct Tally {
    faults: usize,
    conversations: usize,
    went_on: usize,
    complaints: Vec<String>,
    recoveries: Vec<Duration>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.faults += other.faults;
        self.conversations += other.conversations;
        self.went_on += other.went_on;
        self.complaints.extend(other.complaints);
        self.recoveries.extend(other.recoveries);
    }
}

/// How long nothing is heard in a turn without faults.
static CALM: LazyLock<Duration> = LazyLock::new(|| {
    let calm = in_virtual_time(converse(&mut Dice::new(0), Weather::Calm));
    assert_eq!(calm.iter().flat_map(Turn::complaints).collect::<Vec<_>>(), [""; 0]);
    calm.iter().map(|turn| turn.silence).max().unwrap()
});

fn in_virtual_time<T>(conversation: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(conversation)
}

/// Plays the conversation of a seed.
fn play(seed: u64) -> Tally {
    let rough = in_virtual_time(converse(&mut Dice::new(seed), Weather::Rough));
    let complaints: Vec<String> =
        rough.iter().flat_map(Turn::complaints).map(|what| format!("seed {seed}: {what}")).collect();
    let recoveries = rough.iter().filter(|turn| turn.faults() > 0);
    Tally {
        faults: rough.iter().map(Turn::faults).sum(),
        conversations: 1,
        went_on: usize::from(rough.iter().all(|turn| turn.record.is_some())),
        complaints,
        recoveries: recoveries.map(|turn| turn.silence.saturating_sub(*CALM)).collect(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Weather {
    Calm,
    Rough,
}

/// A small generator (xorshift), so that a seed says everything.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    /// What happens to a request whose answer has about so many steps: six of ten go wrong.
    fn fault(&mut self, steps: u64) -> Option<Fault> {
        let (roll, step) = (self.below(20), self.below(steps) as usize);
        let time = Duration::from_millis(100 + self.below(6_000));
        Some(match roll {
            0 => Fault::Refused(Remedy::Retry),
            1 => Fault::Refused(Remedy::Replace),
            2 => Fault::Busy(time),
            3 => Fault::Silence,
            4 | 5 => Fault::Slow(time),
            6 | 7 => Fault::BreaksAfter(step),
            8 | 9 => Fault::VanishesAfter(step),
            10 | 11 => Fault::StallsAfter(step),
            _ => return None,
        })
    }

    fn fill(&mut self, faults: &Faults, requests: usize, steps: u64) {
        let coming: Vec<_> = (0..requests).map(|_| self.fault(steps)).collect();
        faults.expect(coming);
    }
}

/// Each stage with two or three providers that fail at random and one that does not.
struct Models {
    ears: [Arc<FaultyEar>; 3],
    writers: [Arc<FaultyWriter>; 4],
    voices: [Arc<FaultyVoice>; 3],
}

impl Models {
    fn new(dice: &mut Dice, weather: Weather) -> Self {
        let models = Self {
            ears: ["ear.first", "ear.second", "ear.sound"].map(FaultyEar::of_speech),
            writers: ["writer.first", "writer.second", "writer.third", "writer.sound"]
                .map(|name| FaultyWriter::new(name, ANSWER)),
            voices: ["voice.first", "voice.second", "voice.sound"].map(FaultyVoice::in_tones),
        };
        if weather == Weather::Rough {
            models.ears[..2].iter().for_each(|ear| dice.fill(&ear.faults, 4, 60));
            models.writers[..3].iter().for_each(|writer| dice.fill(&writer.faults, 30, 8));
            models.voices[..2].iter().for_each(|voice| dice.fill(&voice.faults, 30, 4));
        }
        models
    }

    fn injected(&self) -> Injected {
        Injected {
            stt: self.ears.iter().map(|ear| ear.faults.injected()).sum(),
            llm: self.writers.iter().map(|writer| writer.faults.injected()).sum(),
            tts: self.voices.iter().map(|voice| voice.faults.injected()).sum(),
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Injected {
    stt: usize,
    llm: usize,
    tts: usize,
}

/// A turn as the caller knows it.
#[derive(Debug)]
struct Turn {
    said: String,
    heard: String,
    record: Option<TurnRecord>,
    silence: Duration,
    injected: Injected,
}

impl Turn {
    fn faults(&self) -> usize {
        self.injected.stt + self.injected.llm + self.injected.tts
    }

    fn complaints(&self) -> Vec<String> {
        let Some(record) = &self.record else { return vec![format!("no answer: {self:?}")] };
        let words: Vec<&str> = self.heard.split_whitespace().collect();
        let missing = ANSWER.split_whitespace().filter(|word| !words.contains(word)).count();
        let wrong = [
            (record.status != TurnStatus::Completed, "the turn failed"),
            (record.user_text != self.said, "words of the caller were lost"),
            (record.agent_text != ANSWER, "words of the answer were lost or doubled"),
            (words.iter().collect::<BTreeSet<_>>().len() < words.len(), "a word was spoken twice"),
            // Where a voice breaks off, one word may be lost.
            (missing > self.injected.tts, "words were not spoken"),
        ];
        wrong.iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, what)| format!("{what}: {self:?}")).collect()
    }
}

async fn converse(dice: &mut Dice, weather: Weather) -> Vec<Turn> {
    let said: Vec<u32> = (0..TURNS).map(|_| 2 + dice.below(2) as u32).collect();
    let models = Models::new(dice, weather);
    let mut call = Call::begin(&models);
    let mut turns = Vec::new();
    let mut before = Injected::default();
    for words in said {
        let mut turn = call.turn(words).await;
        let now = models.injected();
        turn.injected = Injected { stt: now.stt - before.stt, llm: now.llm - before.llm, tts: now.tts - before.tts };
        before = now;
        turns.push(turn);
    }
    call.caller.hang_up().await;
    call.agent.await.unwrap();
    turns
}

struct Call {
    caller: Caller,
    reports: mpsc::Receiver<Report>,
    agent: JoinHandle<()>,
    /// A server's models outlive its calls.
    _providers: Providers,
}

impl Call {
    #[allow(clippy::disallowed_methods)] // The test owns the task: `converse` awaits it.
    fn begin(models: &Models) -> Self {
        let (mut caller, from_caller, to_caller) = Caller::connect();
        caller.record();
        let (_, requests) = mpsc::channel(1);
        let (told, reports) = mpsc::channel(1_024);
        let config = ResilienceConfig::default();
        let ears = models.ears.iter().map(|ear| link("ear", Stage::Stt, Arc::clone(ear) as Arc<dyn SpeechToText>));
        let writers =
            models.writers.iter().map(|model| link("writer", Stage::Llm, Arc::clone(model) as Arc<dyn LanguageModel>));
        let voices =
            models.voices.iter().map(|voice| link("voice", Stage::Tts, Arc::clone(voice) as Arc<dyn TextToSpeech>));
        let providers = Providers {
            vad: Arc::new(Loudness),
            turn: Arc::new(Completeness(0.95)),
            stt: Arc::new(SttChain::new(ears.collect(), &config)),
            llm: Arc::new(LlmChain::new(writers.collect(), &config)),
            tts: Arc::new(TtsChain::new(voices.collect(), &config)),
            tools: Arc::new(Toolbox::default()),
            live: None,
        };
        let agent = AgentConfig::default();
        let session = Session {
            id: "random".to_owned(),
            link: session::Link { from_caller, to_caller },
            requests,
            reports: told,
            agents: Arc::new(Agents::new(agent.clone(), BTreeMap::new()).unwrap()),
            agent,
            history: Transcript::default(),
            turns_before: 0,
            providers: providers.clone(),
            tape: None,
        };
        let agent = tokio::spawn(async move { session.run().await.unwrap() });
        Self { caller, reports, agent, _providers: providers }
    }

    /// Says so many words, and listens until the turn is over.
    async fn turn(&mut self, words: u32) -> Turn {
        self.caller.silence(300).await;
        let frames_before = self.caller.heard.len();
        self.caller.recording.clear();
        // Half a word more than these, with what is heard of the silence before and after.
        self.caller.speak(words * 300 - 100).await;
        let spoke = Instant::now();
        self.caller.silence(300).await;
        let mut record = None;
        while record.is_none() && spoke.elapsed() < PATIENCE {
            self.caller.send_nothing(100).await;
            while let Ok(report) = self.reports.try_recv() {
                if let Report::Fact { fact: Fact::TurnEnded(ended), .. } = report {
                    record = Some(ended);
                }
            }
        }
        let frames = &self.caller.heard[frames_before..];
        let ended = frames.last().map_or(spoke, |(at, _)| *at);
        let spoken = Duration::from_millis(20) * u32::try_from(frames.len()).unwrap();
        Turn {
            said: (1..=words).map(|number| format!("word{number}")).collect::<Vec<_>>().join(" "),
            heard: tone::understand(&self.caller.recording, RATE_HZ),
            record,
            silence: ended.saturating_duration_since(spoke).saturating_sub(spoken),
            injected: Injected::default(),
        }
    }
}
