//! Media and orchestrator servers as processes of their own, on one real Apache Kafka: calls over real sockets, and what
//! callers notice when a process or the broker dies.

use std::io::Read as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use audio::energy;
use audio::opus::{Decoder, Encoder, EncoderConfig};
use media::caller::{Caller, CallerEvent, CallerKind};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::installed;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::broker::{Broker, own_prefix};
use crate::calls::connect;
use crate::support::{Served, antiphon};

const RATE_HZ: u32 = 24_000;
/// Longer than anything takes that is not broken.
pub(crate) const LONG: Duration = Duration::from_secs(30);
/// What a person waits at most for another voice.
pub(crate) const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(3);

/// Servers that share a broker and a store.
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) broker: Arc<Broker>,
    folder: TempDir,
    prefix: String,
}

impl Cluster {
    pub(crate) fn on(broker: Arc<Broker>) -> Self {
        let client = Client::builder().no_proxy().build().expect("a client");
        Self { client, broker, folder: tempfile::tempdir().expect("a folder"), prefix: own_prefix() }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = antiphon(self.folder.path());
        command
            .env("ANTIPHON__BUS__URL", format!("kafka://{}", self.broker.address()))
            .env("ANTIPHON__BUS__TOPIC_PREFIX", &self.prefix)
            .env("ANTIPHON__BUS__PARTITIONS", "4")
            .env("ANTIPHON__STORE__URL", format!("sqlite://{}/antiphon.db", self.folder.path().display()));
        command
    }

    pub(crate) fn media(&self, drain: &str) -> Process {
        self.media_that_knows(&[], drain)
    }

    /// A media server that finds these orchestrators over HTTP.
    pub(crate) fn media_that_knows(&self, orchestrators: &[&Process], drain: &str) -> Process {
        let urls: Vec<&str> = orchestrators.iter().map(|process| process.url()).collect();
        let mut command = self.command();
        command.arg("media").env("ANTIPHON__SERVER__DRAIN", drain);
        command.env("ANTIPHON__SERVER__ORCHESTRATORS", format!("{urls:?}"));
        Process(Some(Served::start(command)))
    }

    pub(crate) fn orchestrator(&self) -> Process {
        let mut command = self.command();
        command.args(["orchestrator", "--agent", "echo"]);
        Process(Some(Served::start(command)))
    }

    /// One that takes another for dead after a silence of this.
    fn orchestrator_that_waits(&self, long: &str) -> Process {
        let mut command = self.command();
        command.args(["orchestrator", "--agent", "echo"]).env("ANTIPHON__STORE__ABANDONED_AFTER", long);
        Process(Some(Served::start(command)))
    }

    /// An orchestrator whose models are those of the configuration, which is this.
    pub(crate) fn speaking_orchestrator(&self, configuration: &str) -> Process {
        std::fs::write(self.folder.path().join("agents.toml"), configuration).expect("write");
        let mut command = self.command();
        command.args(["orchestrator", "--config", "agents.toml"]).env("ANTIPHON__MODELS__DIR", installed::models());
        Process(Some(Served::start(command)))
    }

    pub(crate) async fn get(&self, server: &Process, path: &str) -> (StatusCode, String) {
        let response = self.client.get(format!("{}{path}", server.url())).send().await.expect("an answer");
        (response.status(), response.text().await.expect("text"))
    }

    /// Waits until a server answers like this.
    pub(crate) async fn until(
        &self,
        server: &Process,
        path: &str,
        wanted: impl Fn(StatusCode, &str) -> bool,
    ) -> String {
        let mut looks = interval(Duration::from_millis(20));
        let look = async {
            loop {
                looks.tick().await;
                let (status, text) = self.get(server, path).await;
                if wanted(status, &text) {
                    return text;
                }
            }
        };
        timeout(LONG, look).await.expect("this takes too long")
    }

    pub(crate) async fn ready(&self, server: &Process) {
        self.until(server, "/readyz", |status, _| status == StatusCode::OK).await;
    }

    async fn call(&self, media: &Process) -> (Line, String) {
        let (caller, location) = connect(&self.client, media.url(), "/v1/realtime/calls", CallerKind::TwoWay).await;
        (Line::new(caller), location.rsplit('/').next().expect("an id").to_owned())
    }

    /// Reads the stream of facts until the conversation is over in it.
    fn stream_tells_of(&self, id: &str) {
        let topic = format!("{}conversation-events", self.prefix);
        let mut client = ClientConfig::new();
        client
            .set("bootstrap.servers", self.broker.address())
            .set("group.id", "test")
            .set("auto.offset.reset", "earliest");
        let consumer: BaseConsumer = client.create().expect("a consumer");
        consumer.subscribe(&[&topic]).expect("a topic");
        let mut kinds = Vec::new();
        while kinds.last().is_none_or(|kind| kind != "antiphon.conversation.ended.v1") {
            // It also wakes for the group's own affairs.
            let message = std::iter::repeat_with(|| consumer.poll(LONG)).take(10).flatten().next();
            let message = message.expect("a fact").expect("a record");
            if message.key() == Some(id.as_bytes()) {
                let data: Value = serde_json::from_slice(message.payload().expect("data")).expect("JSON");
                assert_eq!(data["conversation_id"], id);
                let headers = message.headers().expect("attributes");
                let kind = headers.iter().find(|one| one.key == "ce_type").and_then(|one| one.value).expect("a type");
                kinds.push(String::from_utf8(kind.to_vec()).expect("text"));
            }
        }
        assert_eq!(kinds[0], "antiphon.conversation.began.v1");
    }

    pub(crate) async fn conversation(&self, server: &Process, id: &str, status: &str) -> Value {
        let path = format!("/v1/conversations/{id}");
        let wanted = format!("\"status\":\"{status}\"");
        let text = self.until(server, &path, |_, text| text.replace(' ', "").contains(&wanted)).await;
        serde_json::from_str(&text).expect("JSON")
    }
}

/// A server, killed when it is dropped.
pub(crate) struct Process(Option<Served>);

impl Process {
    pub(crate) fn url(&self) -> &str {
        &self.0.as_ref().expect("it runs").url
    }

    /// SIGKILL.
    pub(crate) fn kill(self) {
        drop(self);
    }

    pub(crate) fn ask_to_stop(&self) {
        self.0.as_ref().expect("it runs").ask_to_stop();
    }

    /// Waits for its end, which must be a good one.
    async fn ends_well(mut self) {
        let mut served = self.0.take().expect("it runs");
        let ended = tokio::task::spawn_blocking(move || served.child.wait().expect("it ends"));
        assert!(timeout(LONG, ended).await.expect("it stops").expect("no panic").success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut served) = self.0.take() {
            let _ = served.child.kill();
            let _ = served.child.wait();
            let mut log = String::new();
            if std::thread::panicking()
                && let Some(mut stderr) = served.child.stderr.take()
                && stderr.read_to_string(&mut log).is_ok()
            {
                eprintln!("== log of {}\n{log}", served.url);
            }
        }
    }
}

/// A person who hums into the line all the time, and listens.
struct Line {
    caller: Caller,
    encoder: Encoder,
    decoder: Decoder,
}

impl Line {
    fn new(caller: Caller) -> Self {
        let encoder = Encoder::new(&EncoderConfig::default()).expect("an encoder");
        Self { caller, encoder, decoder: Decoder::new(RATE_HZ).expect("a decoder") }
    }

    /// Hums until `heard` is true of the loudness of what comes back.
    async fn hum_until(&mut self, mut heard: impl FnMut(f32) -> bool) {
        let tone: Vec<f32> = (0..480).map(|index| 0.4 * (index as f32 * 0.12).sin()).collect();
        let mut pace = interval(Duration::from_millis(20));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let hum = async {
            loop {
                tokio::select! {
                    _ = pace.tick() => self.caller.send_opus(self.encoder.encode(&tone).expect("a packet")),
                    event = self.caller.events.recv() => {
                        let event = event.expect("the call goes on");
                        assert_ne!(event, CallerEvent::Closed, "the call was cut");
                        let CallerEvent::Frame { frame, .. } = event else { continue };
                        let mut samples = Vec::new();
                        self.decoder.decode(&frame.payload, &mut samples).expect("Opus");
                        if heard(energy::dbfs(&samples)) {
                            return;
                        }
                    }
                }
            }
        };
        timeout(LONG, hum).await.expect("the echo is silent");
    }

    async fn hears_itself(&mut self) {
        self.hum_until(|loudness| loudness > -20.0).await;
    }

    async fn is_hung_up(&mut self) {
        let closed = async { while !matches!(self.caller.events.recv().await, Some(CallerEvent::Closed) | None) {} };
        timeout(LONG, closed).await.expect("the call ends");
    }
}

/// Conversations under way, by a server's metrics.
pub(crate) fn active(metrics: &str) -> usize {
    let line = metrics.lines().find_map(|line| line.strip_prefix("antiphon_session_active "));
    line.and_then(|many| many.parse().ok()).expect("the metric")
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_through_any_media_server_to_any_orchestrator() {
    let cluster = Cluster::on(Broker::shared());
    let lonely = cluster.media("0s");
    let (status, body) = cluster.get(&lonely, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    let orchestrators = [cluster.orchestrator(), cluster.orchestrator()];
    let medias = [lonely, cluster.media("0s")];
    let mut lines = Vec::new();
    for media in medias.iter().chain(&medias) {
        cluster.ready(media).await;
        let (mut line, id) = cluster.call(media).await;
        line.hears_itself().await;
        lines.push((line, id));
    }
    let mut held = 0;
    for orchestrator in &orchestrators {
        held += active(&cluster.get(orchestrator, "/metrics").await.1);
        for (_, id) in &lines {
            cluster.conversation(orchestrator, id, "active").await;
        }
        assert_eq!(cluster.get(orchestrator, "/whip").await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(held, lines.len());
    let sent = cluster.get(&medias[0], "/metrics").await.1;
    assert!(sent.contains("antiphon_bus_sent_total"), "{sent}");
    // A person hangs up, and the store hears of it.
    let (_, id) = &lines[0];
    let hang_up = format!("{}/v1/realtime/calls/{id}/hangup", medias[0].url());
    assert_eq!(cluster.client.post(hang_up).send().await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(cluster.conversation(&orchestrators[0], id, "ended").await["end_reason"], "hangup");
    cluster.stream_tells_of(id);
}

/// Its page and its callers find what only orchestrators know.
#[tokio::test(flavor = "multi_thread")]
async fn a_media_server_alone_answers_for_its_orchestrators() {
    let cluster = Cluster::on(Broker::shared());
    let (gone, orchestrator) = (cluster.orchestrator(), cluster.orchestrator());
    // The first that takes a connection is asked.
    let media = cluster.media_that_knows(&[&gone, &orchestrator], "0s");
    gone.kill();
    cluster.ready(&media).await;
    let client = &cluster.client;
    let url = |path: &str| format!("{}{path}", media.url());
    let (status, agents) = cluster.get(&media, "/v1/agents").await;
    assert_eq!((status, agents), cluster.get(&orchestrator, "/v1/agents").await);
    let made = client.post(url("/v1/agents")).json(&json!({"name": "billing", "greeting": "Grüß Gott"}));
    assert_eq!(made.send().await.expect("an answer").status(), StatusCode::CREATED);
    assert!(cluster.get(&orchestrator, "/v1/agents/billing").await.1.contains("Grüß Gott"));
    assert_eq!(cluster.get(&media, "/v1/nothing").await.0, StatusCode::NOT_FOUND);

    let post = async |path: &str| {
        let (_, offer) = Caller::offer(CallerKind::TwoWay).expect("an offer");
        let request = client.post(url(path)).header("content-type", "application/sdp").body(offer);
        let response = request.send().await.expect("an answer");
        (response.status(), response.text().await.expect("text"))
    };
    let (status, text) = post("/whip?agent=sales").await;
    assert!(status == StatusCode::NOT_FOUND && text.contains("billing"), "{status}: {text}");
    let (status, text) = post("/v1/realtime/calls?conversation=01a2").await;
    assert!(status == StatusCode::NOT_FOUND && text.contains("no_such_conversation"), "{status}: {text}");
    let (mut line, id) = cluster.call(&media).await;
    line.hears_itself().await;
    cluster.conversation(&media, &id, "active").await;
    let (status, text) = post(&format!("/whip?conversation={id}")).await;
    assert!(status == StatusCode::CONFLICT && text.contains("still going on"), "{status}: {text}");

    orchestrator.kill();
    let unreachable = client.get(url("/v1/conversations")).send().await.expect("an answer");
    assert_eq!(unreachable.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(unreachable.headers()["retry-after"], "2");
    assert!(unreachable.text().await.expect("text").contains("orchestrators-unreachable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_holds_any_more_is_ended_and_what_somebody_holds_is_not() {
    let cluster = Cluster::on(Broker::shared());
    let start = || cluster.orchestrator_that_waits("3s");
    let (doomed, doomed_media) = (start(), cluster.media("0s"));
    cluster.ready(&doomed_media).await;
    let (mut line, abandoned) = cluster.call(&doomed_media).await;
    line.hears_itself().await;
    cluster.conversation(&doomed, &abandoned, "active").await;
    doomed_media.kill();
    doomed.kill();
    let (one, another, media) = (start(), start(), cluster.media("0s"));
    cluster.ready(&media).await;
    let (mut line, held) = cluster.call(&media).await;
    line.hears_itself().await;
    for orchestrator in [&one, &another] {
        let ended = cluster.conversation(orchestrator, &abandoned, "ended").await;
        assert_eq!(ended["end_reason"], "server_stopped");
        cluster.conversation(orchestrator, &held, "active").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_an_orchestrator_is_told_to_come_back() {
    let cluster = Cluster::on(Broker::shared());
    let media = cluster.media("0s");
    let request = cluster.client.post(format!("{}/whip", media.url())).header("content-type", "application/sdp");
    let refused = request.body("v=0").send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_its_orchestrator() {
    let cluster = Cluster::on(Broker::shared());
    let media = cluster.media("0s");
    let mut holder = cluster.orchestrator();
    cluster.ready(&media).await;
    let (mut line, id) = cluster.call(&media).await;
    for round in 0..3 {
        line.hears_itself().await;
        let other = cluster.orchestrator();
        // Killed by SIGKILL, or asked to stop.
        let killed = Instant::now();
        if round == 2 {
            holder.ask_to_stop();
        } else {
            holder.kill();
        }
        // What is heard once another holds the call is that other.
        let held = AtomicBool::new(false);
        let held_by_other = async {
            cluster.until(&other, "/metrics", |_, text| text.contains("antiphon_session_active 1")).await;
            held.store(true, Ordering::Relaxed);
        };
        let heard = line.hum_until(|loudness| held.load(Ordering::Relaxed) && loudness > -20.0);
        tokio::join!(held_by_other, heard);
        let took = killed.elapsed();
        eprintln!("round {round}: hears another orchestrator after {took:?}");
        assert!(took < TAKEN_OVER_WITHIN, "{took:?}");
        if round == 2 {
            return;
        }
        holder = other;
    }
    cluster.conversation(&holder, &id, "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_media_server_dies_goes_on_through_another() {
    let cluster = Cluster::on(Broker::shared());
    let orchestrator = cluster.orchestrator();
    let media = || cluster.media_that_knows(&[&orchestrator], "0s");
    let (doomed, media) = (media(), media());
    cluster.ready(&doomed).await;
    cluster.ready(&media).await;
    let (mut line, id) = cluster.call(&doomed).await;
    line.hears_itself().await;
    doomed.kill();
    cluster.conversation(&orchestrator, &id, "ended").await;
    let path = format!("/v1/realtime/calls?conversation={id}");
    let (caller, _) = connect(&cluster.client, media.url(), &path, CallerKind::TwoWay).await;
    Line::new(caller).hears_itself().await;
    cluster.conversation(&orchestrator, &id, "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_media_server_that_drains_cuts_nobody() {
    let cluster = Cluster::on(Broker::shared());
    let _orchestrator = cluster.orchestrator();
    let media = cluster.media("60s");
    cluster.ready(&media).await;
    let (mut line, id) = cluster.call(&media).await;
    line.hears_itself().await;
    media.ask_to_stop();
    cluster
        .until(&media, "/readyz", |status, text| status == StatusCode::SERVICE_UNAVAILABLE && text.contains("stopping"))
        .await;
    let mut frames = 0;
    line.hum_until(|loudness| {
        frames += u32::from(loudness > -20.0);
        frames > 50
    })
    .await;
    let hang_up = format!("{}/v1/realtime/calls/{id}/hangup", media.url());
    assert_eq!(cluster.client.post(hang_up).send().await.expect("an answer").status(), StatusCode::OK);
    line.is_hung_up().await;
    media.ends_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_hear_of_a_broker_that_is_gone_and_go_on_when_it_returns() {
    let cluster = Cluster::on(Arc::new(Broker::start()));
    let _orchestrator = cluster.orchestrator();
    let media = cluster.media("0s");
    cluster.ready(&media).await;
    let (mut line, _) = cluster.call(&media).await;
    line.hears_itself().await;
    cluster.broker.stop();
    cluster.until(&media, "/readyz", |_, text| text.contains("bus-down")).await;
    // The notice is softer than the echo, and louder than silence.
    line.hum_until(|loudness| (-45.0..-20.0).contains(&loudness)).await;
    cluster.broker.start_again();
    cluster.ready(&media).await;
    line.hears_itself().await;
}
