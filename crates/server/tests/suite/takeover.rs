//! Spoken calls whose servers are killed in the middle of a sentence: what the caller hears, what is kept of the conversation,
//! and what the language model is told afterwards.
//!
//! The caller speaks a recording; recogniser, language model and voice are the emulator's, which speaks words as tones. So
//! each word that comes back is known, and when.

use std::sync::Arc;
use std::time::{Duration, Instant};

use audio::opus::{Decoder, Encoder, EncoderConfig};
use media::caller::{Caller, CallerEvent, CallerKind};
use serde_json::Value;
use testkit::emulator::{Emulator, Route, Script, tone};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::broker::Broker;
use crate::calls::connect;
use crate::cluster::{Cluster, LONG, Process, TAKEN_OVER_WITHIN, active};
use crate::spoken::{key, recording};

const RATE_HZ: u32 = 24_000;
const ROUNDS: usize = 5;
/// What the recogniser understands. Words of one length last equally long, so that a cut is at the same word by tones and
/// by letters.
const QUESTION: &str =
    "Blue fish swim over cold dark sand. Grey owls hunt mice near tall oaks. Wild bees make gold from open buds.";
const RECOVERY: &str = "Sorry, I lost you for a moment. Please go on.";
/// So many words of the answer are heard when the server is killed: the second sentence has begun.
const WORDS_BEFORE: usize = 11;
/// Marks of what was played come every 100 ms, and a word is as good as heard before its last tone: they may be off by this.
const MARKS_ARE_OFF: usize = 1;

async fn emulator() -> Emulator {
    let script = Script { transcripts: vec![QUESTION.to_owned(); 2_000], ..Script::default() };
    Emulator::start(script).await.expect("it starts")
}

fn configuration(emulator: &Emulator) -> String {
    format!(
        "[providers.lan]\nkind = \"openai\"\napi_key_file = \"{key}\"\nbase_url = \"{url}\"\nllm.model = \"gpt-5-mini\"\n\
         [agent]\nstt = \"lan\"\nllm = \"lan\"\ntts = \"lan\"\n",
        key = key().display(),
        url = emulator.openai_url(),
    )
}

/// A person who asks when they are told to, and understands what they hear.
struct Person {
    caller: Caller,
    encoder: Encoder,
    decoder: Decoder,
    reader: tone::Reader,
    question: Vec<f32>,
    heard: Vec<String>,
}

impl Person {
    fn new(caller: Caller) -> Self {
        let wav = audio::wav::read(&std::fs::read(recording()).expect("a recording")).expect("a WAV file");
        Self {
            caller,
            encoder: Encoder::new(&EncoderConfig::default()).expect("an encoder"),
            decoder: Decoder::new(RATE_HZ).expect("a decoder"),
            reader: tone::Reader::new(RATE_HZ),
            question: audio::resample::resample(&wav.samples, wav.rate_hz, RATE_HZ),
            heard: Vec::new(),
        }
    }

    /// Asks, then listens until `enough`.
    async fn ask(&mut self, enough: impl Fn(&[String]) -> bool) {
        let question = self.question.clone();
        self.speak(&question, enough).await;
    }

    /// Is silent until `enough` was heard.
    async fn listen(&mut self, enough: impl Fn(&[String]) -> bool) {
        self.speak(&[], enough).await;
    }

    async fn speak(&mut self, speech: &[f32], enough: impl Fn(&[String]) -> bool) {
        let mut frames = speech.chunks_exact(480);
        let mut pace = interval(Duration::from_millis(20));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let talk = async {
            while !enough(&self.heard) {
                tokio::select! {
                    _ = pace.tick() => {
                        let frame = frames.next().unwrap_or(&[0.0; 480]);
                        self.caller.send_opus(self.encoder.encode(frame).expect("a packet"));
                    }
                    event = self.caller.events.recv() => {
                        let event = event.expect("the call goes on");
                        assert_ne!(event, CallerEvent::Closed, "the call was cut");
                        let CallerEvent::Frame { frame, .. } = event else { continue };
                        let mut samples = Vec::new();
                        if self.decoder.decode(&frame.payload, &mut samples).is_ok() {
                            self.heard.extend(self.reader.read(&samples).into_iter().map(|word| word.text));
                        }
                    }
                }
            }
        };
        let done = timeout(LONG, talk).await;
        assert!(done.is_ok(), "this takes too long; heard so far: {:?}", self.heard);
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn answer_to(user_text: &str) -> String {
    assert!(user_text.starts_with(QUESTION), "{user_text}");
    format!("You said: {user_text}")
}

/// How many words of the answer were heard, from its first on. On a busy machine the very first packet may come too late, and
/// with it the first word.
fn heard_of<'a>(answer: &str, heard: &'a [String]) -> (usize, &'a [String]) {
    let answer = words(answer);
    let lost = usize::from(heard.first().map(String::as_str) == answer.get(1).copied());
    let same = heard.iter().zip(&answer[lost..]).take_while(|(heard, said)| heard == said).count();
    (lost + same, &heard[same..])
}

/// What is kept of a cut answer must be what was heard of it.
fn assert_kept_as_heard(turn: &Value, heard: usize) {
    let answer = answer_to(turn["user_text"].as_str().expect("text"));
    let kept = turn["heard_text"].as_str().expect("text");
    assert!(answer.starts_with(kept), "{turn}");
    assert_eq!(turn["status"], "interrupted", "{turn}");
    let kept = words(kept).len();
    assert!(kept.abs_diff(heard) <= MARKS_ARE_OFF, "{kept} words are kept, {heard} were heard: {turn}");
}

/// The messages of the last request to the language model that was answered to its end, without the system's.
fn last_prompt(emulator: &Emulator) -> Vec<(String, String)> {
    let log = emulator.log();
    let asked = log.iter().rev().find(|record| record.route == Route::OpenAiChat).expect("it was asked");
    let messages = asked.request["messages"].as_array().expect("messages");
    let text = |message: &Value, key: &str| message[key].as_str().unwrap_or_default().to_owned();
    let all = messages.iter().map(|message| (text(message, "role"), text(message, "content")));
    all.filter(|(role, _)| role == "user" || role == "assistant").collect()
}

struct Figures(Vec<Duration>);

impl Figures {
    fn print(mut self, what: &str) {
        self.0.sort();
        eprintln!("{what}: {} times, median {:?}, most {:?}", self.0.len(), self.0[self.0.len() / 2], self.0.last());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orchestrator_killed_in_mid_sentence_loses_no_word() {
    let (cluster, emulator) = (Cluster::on(Broker::shared()), emulator().await);
    let medias = [cluster.media("0s"), cluster.media("0s")];
    let start = || cluster.speaking_orchestrator(&configuration(&emulator));
    let mut orchestrators = vec![start(), start()];
    let mut figures = Figures(Vec::new());
    for round in 0..ROUNDS {
        let media = &medias[round % medias.len()];
        cluster.ready(media).await;
        let path = "/v1/realtime/calls";
        let (caller, location) = connect(&cluster.client, media.url(), path, CallerKind::TwoWay).await;
        let id = location.rsplit('/').next().expect("an id");
        let mut person = Person::new(caller);
        person.ask(|heard| heard.len() >= WORDS_BEFORE).await;

        let holder = holder(&cluster, &orchestrators).await;
        orchestrators.swap_remove(holder).kill();
        let killed = Instant::now();
        person.listen(|heard| heard.iter().any(|word| words(RECOVERY)[..2].contains(&word.as_str()))).await;
        let took = killed.elapsed();
        figures.0.push(took);
        assert!(took < TAKEN_OVER_WITHIN, "round {round}: {took:?}");
        person.listen(|heard| heard.last().map(String::as_str) == words(RECOVERY).last().copied()).await;

        let heir = &orchestrators[0];
        let kept = cluster.conversation(heir, id, "active").await;
        let turn = &kept["turns"][0];
        let answer = answer_to(turn["user_text"].as_str().expect("text"));
        let (heard, rest) = heard_of(&answer, &person.heard);
        assert!(heard >= WORDS_BEFORE, "{:?}", person.heard);
        assert_kept_as_heard(turn, heard);
        assert_said_once(&answer, heard, rest);

        // The next question is answered by somebody who knows all that.
        let before = person.heard.len();
        person.ask(|heard| heard.len() >= before + WORDS_BEFORE).await;
        let prompt = last_prompt(&emulator);
        assert_eq!(prompt[0], ("user".to_owned(), turn["user_text"].as_str().expect("text").to_owned()));
        let remembered = format!("{} {RECOVERY}", turn["heard_text"].as_str().expect("text"));
        assert_eq!(prompt[1], ("assistant".to_owned(), remembered), "{prompt:?}");
        assert_eq!((prompt.len(), prompt[2].0.as_str()), (3, "user"), "{prompt:?}");
        let hang_up = format!("{}/v1/realtime/calls/{id}/hangup", media.url());
        cluster.client.post(hang_up).send().await.expect("an answer");
        let ended = cluster.conversation(heir, id, "ended").await;
        assert_eq!((&ended["turns"][0], &ended["turns"][1]["heard_text"]), (turn, &Value::from(RECOVERY)));
        orchestrators.push(start());
    }
    figures.print("killed orchestrator to the first word of the next");
}

/// After the answer broke off the caller heard at most a part of a word, and then that they had been lost. A word that is cut
/// may run into the next, which is not understood then.
fn assert_said_once(answer: &str, heard: usize, rest: &[String]) {
    let recovery = words(RECOVERY);
    let is_whole = rest.iter().any(|word| word == recovery[0]);
    let recovery = &recovery[usize::from(!is_whole)..];
    let (cut, said) = rest.split_at(rest.len().saturating_sub(recovery.len()));
    assert_eq!(said, recovery, "after {heard} words of {answer}");
    let next = words(answer).get(heard).copied().unwrap_or_default();
    assert!(cut.len() <= 1 && cut.iter().all(|part| next.starts_with(part.as_str())), "{cut:?} is no part of {next}");
}

/// Which of them holds the only call.
async fn holder(cluster: &Cluster, orchestrators: &[Process]) -> usize {
    let mut held = Vec::new();
    for orchestrator in orchestrators {
        held.push(active(&cluster.get(orchestrator, "/metrics").await.1));
    }
    held.iter().position(|calls| *calls == 1).expect("somebody holds the call")
}

/// In their agent's voice, which nobody can reach by then.
#[tokio::test(flavor = "multi_thread")]
async fn callers_are_told_of_a_broker_that_is_gone_and_answered_when_it_is_back() {
    let (cluster, emulator) = (Cluster::on(Arc::new(Broker::start())), emulator().await);
    let _orchestrator = cluster.speaking_orchestrator(&configuration(&emulator));
    let media = cluster.media("0s");
    cluster.ready(&media).await;
    let (caller, _) = connect(&cluster.client, media.url(), "/v1/realtime/calls", CallerKind::TwoWay).await;
    let mut person = Person::new(caller);
    person.ask(|heard| heard.last().is_some_and(|word| word == "buds.")).await;
    cluster.broker.stop();
    let stopped = Instant::now();
    person.listen(|heard| heard.ends_with(&["One", "moment,", "please."].map(str::to_owned))).await;
    eprintln!("told of the outage {:?} after the broker had stopped", stopped.elapsed());
    cluster.broker.start_again();
    cluster.ready(&media).await;
    let before = person.heard.len();
    person.ask(|heard| heard.len() > before && heard.last().is_some_and(|word| word == "buds.")).await;
    assert_eq!(last_prompt(&emulator).len(), 3, "the agent has never heard of the notice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_media_server_is_killed_in_mid_sentence_goes_on_with_the_conversation() {
    let (cluster, emulator) = (Cluster::on(Broker::shared()), emulator().await);
    let orchestrators = [(); 2].map(|()| cluster.speaking_orchestrator(&configuration(&emulator)));
    let start = || cluster.media_that_knows(&[&orchestrators[0], &orchestrators[1]], "0s");
    let mut medias = vec![start(), start()];
    let mut figures = Figures(Vec::new());
    for _ in 0..ROUNDS {
        cluster.ready(&medias[0]).await;
        cluster.ready(&medias[1]).await;
        let path = "/v1/realtime/calls";
        let (caller, location) = connect(&cluster.client, medias[0].url(), path, CallerKind::TwoWay).await;
        let id = location.rsplit('/').next().expect("an id");
        let mut person = Person::new(caller);
        person.ask(|heard| heard.len() >= WORDS_BEFORE).await;
        medias.remove(0).kill();
        let killed = Instant::now();
        let before = person.heard;

        // Its page would look whether the conversation is free, and call again.
        cluster.until(&medias[0], &format!("/v1/conversations/{id}"), |_, text| text.contains("\"ended\"")).await;
        let path = format!("{path}?conversation={id}");
        let (caller, location) = connect(&cluster.client, medias[0].url(), &path, CallerKind::TwoWay).await;
        let took = killed.elapsed();
        figures.0.push(took);
        assert!(took < TAKEN_OVER_WITHIN, "{took:?}");
        let mut person = Person::new(caller);
        person.ask(|heard| heard.len() >= WORDS_BEFORE).await;
        let kept = cluster.conversation(&orchestrators[0], id, "active").await;
        let turn = &kept["turns"][0];
        let answer = answer_to(turn["user_text"].as_str().expect("text"));
        assert_kept_as_heard(turn, heard_of(&answer, &before).0);
        let prompt = last_prompt(&emulator);
        let remembered = ["user_text", "heard_text"].map(|key| turn[key].as_str().expect("text").to_owned());
        assert_eq!(prompt[..2].iter().map(|(_, text)| text.clone()).collect::<Vec<_>>(), remembered);
        let call = location.rsplit('/').next().expect("an id");
        let hang_up = format!("{}/v1/realtime/calls/{call}/hangup", medias[0].url());
        cluster.client.post(hang_up).send().await.expect("an answer");
        cluster.conversation(&orchestrators[0], id, "ended").await;
        medias.push(start());
    }
    figures.print("killed media server to the call through another");
}
