//! Whole calls whose models are those of vendors, as the emulator plays them: the caller speaks in tones, which the
//! emulated recognisers understand and the emulated voices speak.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use audio::opus::{Decoder, Encoder, EncoderConfig};
use media::caller::{Caller, CallerEvent, CallerKind};
use providers::tools::Toolbox;
use providers::vendors::ProviderConfig;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use session::{AgentConfig, Choice, Providers};
use testkit::emulator::{Emulator, Fault, Refusal, Route, Script, Trouble, tone};
use testkit::installed;
use testkit::scripted::{Completeness, Listener, Loudness, Murmur, Speaker};
use tokio::time::{interval, timeout};

use crate::calls::{connect, conversation};
use crate::routes::problem;
use crate::support::{TestServer, antiphon, complaint};

const RATE_HZ: u32 = 24_000;
const KEY: &str = "open-sesame";
/// Longer than any call here takes.
const SOON: Duration = Duration::from_secs(20);

/// Models that nobody asks: all but voice activity and the end of a turn are the vendor's.
fn unused() -> Providers {
    Providers {
        vad: Arc::new(Loudness),
        turn: Arc::new(Completeness(0.9)),
        stt: Listener::new(&["this is not the vendor"]),
        llm: Speaker::new(&[]),
        tts: Arc::new(Murmur),
        tools: Arc::new(Toolbox::new(Vec::new()).expect("no tools")),
        live: None,
    }
}

/// A call in which the caller speaks to an agent whose models are all the vendor's, and is answered with the same words; gives
/// what was heard and kept, and how the providers fare then.
async fn talk(section: &str, words: &str) -> (String, Value, Value) {
    let name = || Choice::from("vendor");
    let agent = AgentConfig { stt: name(), llm: name(), tts: name(), ..AgentConfig::default() };
    let server = serve(section, agent, unused()).await;
    let (heard, kept) = talk_to(&server, words, words).await;
    let fares = server.get_json("/v1/providers").await;
    server.stop().await;
    (heard, kept, fares)
}

async fn serve(section: &str, agent: AgentConfig, models: Providers) -> TestServer {
    let vendor: ProviderConfig = toml::from_str(section).expect("a section");
    TestServer::with_vendors(agent, BTreeMap::from([("vendor".to_owned(), vendor)]), models).await
}

async fn talk_to(server: &TestServer, words: &str, answer_ends: &str) -> (String, Value) {
    let (mut caller, location) = connect(&server.client, &server.url, "/v1/realtime/calls", CallerKind::TwoWay).await;
    let heard = timeout(SOON, speak_and_listen(&mut caller, words, answer_ends)).await.expect("the agent answers");
    let id = location.rsplit('/').next().expect("an id");
    let kept = conversation(server, id, |json| json["turns"][0]["status"] == "completed").await;
    (heard, kept)
}

/// Speaks in real time, then is silent; understands what comes back until the end of the answer was heard.
async fn speak_and_listen(caller: &mut Caller, words: &str, answer_ends: &str) -> String {
    let mut encoder = Encoder::new(&EncoderConfig::default()).expect("an encoder");
    let mut decoder = Decoder::new(RATE_HZ).expect("a decoder");
    let speech = tone::speak(words, RATE_HZ);
    let mut frames = speech.chunks_exact(480);
    let (mut reader, mut heard) = (tone::Reader::new(RATE_HZ), String::new());
    let mut pace = interval(Duration::from_millis(20));
    while !heard.ends_with(answer_ends) {
        tokio::select! {
            _ = pace.tick() => {
                let frame = frames.next().unwrap_or(&[0.0; 480]);
                caller.send_opus(encoder.encode(frame).expect("a packet"));
            }
            event = caller.events.recv() => {
                let Some(CallerEvent::Frame { frame, .. }) = event else { continue };
                let mut samples = Vec::new();
                if decoder.decode(&frame.payload, &mut samples).is_ok() {
                    for word in reader.read(&samples) {
                        heard = format!("{heard} {}", word.text);
                    }
                }
            }
        }
    }
    heard.trim().to_owned()
}

/// A file with the key, as a secret is mounted.
fn key_file() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{KEY}\n")).expect("write");
    file
}

fn openai_section(emulator: &Emulator, key: &tempfile::NamedTempFile) -> String {
    format!(
        "kind = \"openai\"\napi_key_file = \"{}\"\nbase_url = \"{}\"\nllm = {{ model = \"gpt-5-mini\" }}",
        key.path().display(),
        emulator.openai_url()
    )
}

/// How a provider fares in a stage.
fn fares_as(fares: &Value, stage: &str, name: &str) -> Value {
    let all = fares["data"].as_array().expect("a list");
    all.iter().find(|one| one["stage"] == stage && one["name"] == name).cloned().expect("it is listed")
}

/// The vendor's work in a call of "good morning" was counted.
fn counted(fares: &Value) {
    let used = |stage: &str, what: &str| fares_as(fares, stage, "vendor")["usage"][what].as_u64().expect("a count");
    assert!(used("llm", "prompt_tokens") > 0 && used("llm", "completion_tokens") > 0, "{fares}");
    assert!(used("stt", "heard_ms") > 500, "{fares}");
    // The answer, and what is said ahead to be remembered.
    assert!(used("tts", "characters") > "You said: good morning".len() as u64, "{fares}");
    assert_eq!((used("llm", "heard_ms"), used("stt", "characters"), used("tts", "prompt_tokens")), (0, 0, 0));
}

/// The key came with every request of these kinds.
fn shown_on(emulator: &Emulator, routes: &[Route]) {
    let log = emulator.log();
    for route in routes {
        let mut requests = log.iter().filter(|record| record.route == *route).peekable();
        assert!(requests.peek().is_some(), "{route:?} was not asked");
        let shows = |shown: &Option<String>| shown.as_ref().is_some_and(|shown| shown.ends_with(KEY));
        assert!(requests.all(|record| shows(&record.authorization)), "{route:?} was asked without the key");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_google_is_understood_answered_and_spoken() {
    let emulator = Emulator::start(Script::default()).await.expect("it starts");
    let key = key_file();
    let section = format!(
        "kind = \"google\"\napi_key_file = \"{}\"\nproject = \"p\"\nbase_url = \"{}/v1beta\"\ngrpc_url = \"{}\"",
        key.path().display(),
        emulator.url(),
        emulator.grpc_url()
    );
    let (heard, kept, fares) = talk(&section, "good morning").await;
    assert_eq!(heard, "You said: good morning");
    assert_eq!(kept["turns"][0]["user_text"], "good morning");
    counted(&fares);
    assert_eq!(fares_as(&fares, "llm", "vendor")["cost"], Value::Null, "no prices are known");
    shown_on(&emulator, &[Route::StreamingRecognize, Route::GeminiStream, Route::StreamingSynthesize]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_openai_is_understood_answered_and_spoken() {
    let emulator = Emulator::start(Script::default()).await.expect("it starts");
    let key = key_file();
    let prices = "prices = { llm = { prompt_tokens = 2.0, completion_tokens = 8.0 }, tts = { characters = 15.0 } }";
    let section = format!("{}\n{prices}", openai_section(&emulator, &key));
    let (heard, kept, fares) = talk(&section, "good morning").await;
    assert_eq!(heard, "You said: good morning");
    assert_eq!(kept["turns"][0]["user_text"], "good morning");
    counted(&fares);
    let cost = |stage: &str| fares_as(&fares, stage, "vendor")["cost"].as_f64().map(|cost| (cost * 1e6).round());
    let used = |stage: &str, what: &str| fares_as(&fares, stage, "vendor")["usage"][what].as_f64().expect("a count");
    assert_eq!(cost("llm"), Some(used("llm", "prompt_tokens") * 2.0 + used("llm", "completion_tokens") * 8.0));
    assert_eq!(cost("tts"), Some(used("tts", "characters") * 15.0));
    assert_eq!(cost("stt"), None);
    shown_on(&emulator, &[Route::OpenAiTranscription, Route::OpenAiChat, Route::OpenAiSpeech]);
}

/// The vendor's language model is down; the one of this machine, which comes next, answers in the vendor's voice.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_of_a_list_answers_for_a_vendor_that_is_down() {
    let emulator = Emulator::start(Script::default()).await.expect("it starts");
    emulator.fault_every(Route::OpenAiChat, 1, Fault::at_once(Trouble::Error(Refusal::overloaded())));
    let key = key_file();
    let section = openai_section(&emulator, &key);
    let llm = serde_json::from_value(json!(["vendor", "local"])).expect("a choice");
    let name = || Choice::from("vendor");
    let agent = AgentConfig { llm, stt: name(), tts: name(), ..AgentConfig::default() };
    let models = Providers { llm: Speaker::new(&[Some("I am at home."), Some("I am at home.")]), ..unused() };
    let server = serve(&section, agent, models).await;
    let (heard, kept) = talk_to(&server, "good morning", "home.").await;
    assert_eq!(heard, "I am at home.");
    assert_eq!(kept["turns"][0]["heard_text"], "I am at home.");

    let fares = server.get_json("/v1/providers").await;
    let llm = |name: &str| fares_as(&fares, "llm", name);
    let vendor = llm("vendor");
    assert!(vendor["failures"].as_u64() >= Some(1) && vendor["failures"] == vendor["requests"], "{vendor}");
    assert!(vendor["last_failure"].as_str().is_some_and(|cause| cause.contains("503")), "{vendor}");
    assert_eq!(llm("local")["taken_over"], vendor["failures"]);
    let metrics =
        server.client.get(server.url("/metrics")).send().await.expect("an answer").text().await.expect("text");
    let line = format!("antiphon_providers_failures_total{{provider=\"vendor\",stage=\"llm\"}} {}", vendor["failures"]);
    assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    assert!(metrics.contains("antiphon_providers_available{provider=\"local\",stage=\"llm\"} 1"), "{metrics}");
    let characters = &fares_as(&fares, "tts", "vendor")["usage"]["characters"];
    let line = format!("antiphon_providers_characters_total{{provider=\"vendor\",stage=\"tts\"}} {characters}");
    assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    assert!(metrics.contains("antiphon_providers_heard_seconds_total{provider=\"vendor\",stage=\"stt\"}"), "{metrics}");
    server.stop().await;
}

#[test]
fn what_a_vendor_lacks_is_said_before_anything_is_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |toml: &str| {
        std::fs::write(folder.path().join("antiphon.toml"), toml).expect("write");
        complaint(&antiphon(folder.path()).arg("check").output().expect("it runs"))
    };
    let agent = "[agent]\nllm = \"x\"\n";
    for (section, says) in [
        ("", &["agent `default`", "no llm `x`", "known are: local", "[providers.NAME]"][..]),
        ("[providers.x]\nkind = \"openai\"\n", &["provider `x` as llm", "llm.model is missing"]),
        (
            "[providers.x]\nkind = \"google\"\napi_key_env = \"NO_SUCH_KEY\"\n",
            &["provider `x`", "NO_SUCH_KEY is not set"],
        ),
        ("[providers.x]\nkind = \"google\"\napi_key_file = \"no.key\"\n", &["api_key_file = no.key", "provider `x`"]),
        ("[providers.x]\nkind = \"google\"\n", &["provider `x`", "api_key_env", "project"]),
        (
            "[providers.x]\nkind = \"openai\"\nbase_url = \"nowhere\"\nllm = { model = \"m\" }\n",
            &["provider `x`", "nowhere"],
        ),
    ] {
        let message = check(&format!("{agent}{section}"));
        assert!(says.iter().all(|says| message.contains(says)), "{section}: {message}");
    }
    let twice = check("[agent]\nllm = [\"local\", \"local\"]\n");
    assert!(twice.contains("llm names `local` twice"), "{twice}");
    let live = check("[agent]\nlive = \"local\"\n");
    assert!(live.contains("no live `local`"), "{live}");
    let taken = check("[providers.local]\nkind = \"openai\"\n");
    assert!(taken.contains("[providers.local]"), "{taken}");
}

/// Whoever starts a server twice by mistake learns of the port; whoever has forgotten a key must not have to free one first.
#[test]
fn what_a_vendor_lacks_is_said_before_a_port_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let toml = "[agent]\nllm = \"x\"\n[providers.x]\nkind = \"google\"\napi_key_env = \"NO_SUCH_KEY\"\n";
    std::fs::write(folder.path().join("antiphon.toml"), toml).expect("write");
    let mut serve = antiphon(folder.path());
    serve.arg("serve").env("ANTIPHON__MODELS__DIR", installed::models());
    serve.env("ANTIPHON__SERVER__LISTEN", taken.local_addr().expect("its address").to_string());
    let message = complaint(&serve.output().expect("it runs"));
    assert!(message.contains("NO_SUCH_KEY is not set"), "{message}");
}

/// Without the local language model its file is not wanted either: what is missing is named without it.
#[test]
fn only_models_that_somebody_chooses_are_wanted_as_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let toml =
        "[agent]\nllm = \"x\"\nstt = \"x\"\ntts = \"x\"\n[providers.x]\nkind = \"openai\"\nllm = { model = \"m\" }\n";
    std::fs::write(folder.path().join("antiphon.toml"), toml).expect("write");
    let few = complaint(&antiphon(folder.path()).arg("check").output().expect("it runs"));
    std::fs::write(folder.path().join("antiphon.toml"), "").expect("write");
    let all = complaint(&antiphon(folder.path()).arg("check").output().expect("it runs"));
    let missing = |message: &str| -> u32 {
        let count = message.split("and ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a count");
        count.parse().expect("a number")
    };
    assert!(missing(&few) < missing(&all), "{few}\n{all}");
}

/// Agents that are made over HTTP may choose what the configuration has, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_over_http_chooses_among_the_vendors_that_there_are() {
    let section = "kind = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\nllm = { model = \"m\" }";
    let vendors = BTreeMap::from([("lan".to_owned(), toml::from_str(section).expect("a section"))]);
    let server = TestServer::with_vendors(AgentConfig::default(), vendors, unused()).await;
    let agent = json!({"name": "a", "llm": "lan", "tts": ["local"]});
    let made = server.send(Method::POST, "/v1/agents", &agent).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.expect("JSON");
    assert_eq!((&made["llm"], &made["stt"], &made["tts"]), (&json!("lan"), &json!("local"), &json!("local")));
    for (agent, says) in [
        (json!({"name": "b", "llm": "cloud"}), "no llm `cloud`; known are: lan, local"),
        (json!({"name": "b", "stt": ["lan", "lan"]}), "stt names `lan` twice"),
        (json!({"name": "b", "tts": []}), "tts names nobody"),
        (json!({"name": "b", "live": "cloud"}), "no live `cloud`; known are: lan"),
    ] {
        let (status, kind, detail) = problem(server.send(Method::POST, "/v1/agents", &agent).await).await;
        assert_eq!((status, kind.as_str()), (400, "invalid-agent"));
        assert!(detail.contains(says), "{detail}");
    }
    server.stop().await;
}
