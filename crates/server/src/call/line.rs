//! The connection to a server: SDP over HTTP, audio over WebRTC, and a proper goodbye.

use std::time::Duration;

use bytes::Bytes;
use media::caller::{Caller, CallerError, CallerEvent, CallerKind};
use providers::secret::Secret;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::Deserialize;
use tokio::time::Instant;

/// A server on the other side of the world answers well within this.
const HTTP_TIMEOUT: Duration = Duration::from_secs(10);
/// ICE and DTLS take milliseconds; packets that cannot pass take for ever.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);
/// A chain of load balancers is shorter; a loop is not.
const MAX_REDIRECTS: usize = 5;

/// A server cannot be called. Each message follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The token cannot stand in a header.
    #[error("use the token: it has characters that no token has")]
    BadToken,
    /// The URL is none.
    #[error("call {url}: it is not the URL of a server, such as http://127.0.0.1:8080")]
    NotAUrl {
        /// What was given.
        url: String,
    },
    /// Nobody answers there.
    #[error("reach a server at {url}: {reason}; start one with `antiphon serve`, or name it with --url")]
    NoServer {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// It does not take the call.
    #[error("call {url}: the server answered {status}: {detail}")]
    Refused {
        /// Where.
        url: String,
        /// Its code.
        status: StatusCode,
        /// Its reason.
        detail: String,
    },
    /// It answers, and not as Antiphon does.
    #[error("call {url}: what answers there is not an Antiphon server")]
    NotAntiphon {
        /// Where.
        url: String,
    },
    /// WebRTC fails.
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// No packets pass.
    #[error(
        "connect the audio: no packets passed within {} s; check that UDP reaches media.udp_listen of the server",
        CONNECTED_WITHIN.as_secs()
    )]
    NotConnected,
    /// The other side is gone.
    #[error("stay connected: the server ended the call")]
    Ended,
}

/// A call that is held.
pub(super) struct Line {
    http: Http,
    conversation_id: String,
    microphone: Caller,
    /// The listener; none when the microphone's connection goes both ways.
    speaker: Option<Caller>,
    /// What ends each connection.
    goodbyes: Vec<(Method, Url)>,
}

impl Line {
    /// Calls the server and waits until audio flows.
    pub(super) async fn open(url: &str, token: Option<&Secret>, two_way: bool) -> Result<Self, LineError> {
        let http = Http::new(url, token)?;
        let mut line = if two_way { Self::two_way(http).await? } else { Self::one_way_each(http).await? };
        // The server is told also when the connection fails, so that it need not find out by itself.
        let connected = tokio::time::timeout(CONNECTED_WITHIN, line.connected()).await;
        match connected.unwrap_or(Err(LineError::NotConnected)) {
            Ok(()) => Ok(line),
            Err(error) => {
                line.hang_up().await;
                Err(error)
            }
        }
    }

    async fn one_way_each(http: Http) -> Result<Self, LineError> {
        let (microphone, whip) = http.connect("whip", CallerKind::Publish).await?;
        let conversation_id = last_segment(&whip);
        let goodbye = (Method::DELETE, whip);
        match http.connect(&format!("whep/{conversation_id}"), CallerKind::Listen).await {
            Ok((speaker, whep)) => {
                let goodbyes = vec![(Method::DELETE, whep), goodbye];
                Ok(Self { http, conversation_id, microphone, speaker: Some(speaker), goodbyes })
            }
            Err(error) => {
                Self { http, conversation_id, microphone, speaker: None, goodbyes: vec![goodbye] }.hang_up().await;
                Err(error)
            }
        }
    }

    async fn two_way(http: Http) -> Result<Self, LineError> {
        let (microphone, mut call) = http.connect("v1/realtime/calls", CallerKind::TwoWay).await?;
        let conversation_id = last_segment(&call);
        call.set_path(&format!("{}/hangup", call.path()));
        Ok(Self { http, conversation_id, microphone, speaker: None, goodbyes: vec![(Method::POST, call)] })
    }

    async fn connected(&mut self) -> Result<(), LineError> {
        connected(&mut self.microphone).await?;
        match &mut self.speaker {
            Some(speaker) => connected(speaker).await,
            None => Ok(()),
        }
    }

    /// The conversation's id.
    pub(super) fn conversation_id(&self) -> &str {
        &self.conversation_id
    }

    /// Where the conversation can be read.
    pub(super) fn conversation_url(&self) -> String {
        self.http.url(&format!("v1/conversations/{}", self.conversation_id)).into()
    }

    /// To read it with.
    pub(super) fn client(&self) -> Client {
        self.http.client.clone()
    }

    /// Sends 20 ms of the microphone.
    pub(super) fn send(&self, packet: Bytes) {
        self.microphone.send_opus(packet);
    }

    /// Waits for the next packet of the reply, and tells when it came. Cancel safe.
    pub(super) async fn next_packet(&mut self) -> Result<(Instant, Bytes), LineError> {
        loop {
            let event = match &mut self.speaker {
                Some(speaker) => tokio::select! {
                    event = speaker.events.recv() => event,
                    event = self.microphone.events.recv() => event,
                },
                None => self.microphone.events.recv().await,
            };
            match event {
                Some(CallerEvent::Frame { arrived, frame }) => return Ok((Instant::from_std(arrived), frame.payload)),
                Some(CallerEvent::Closed) | None => return Err(LineError::Ended),
                Some(
                    CallerEvent::Connected
                    | CallerEvent::ChannelOpen
                    | CallerEvent::Message(_)
                    | CallerEvent::Restarted,
                ) => {}
            }
        }
    }

    /// Ends the call. A server that does not answer any more is not waited for.
    pub(super) async fn hang_up(&mut self) {
        for (method, url) in self.goodbyes.drain(..) {
            // The call is over for us whatever the server says.
            let _ = self.http.client.request(method, url).send().await;
        }
    }
}

async fn connected(caller: &mut Caller) -> Result<(), LineError> {
    loop {
        match caller.events.recv().await {
            Some(CallerEvent::Connected) => return Ok(()),
            Some(CallerEvent::Closed) | None => return Err(LineError::NotConnected),
            Some(
                CallerEvent::ChannelOpen | CallerEvent::Frame { .. } | CallerEvent::Message(_) | CallerEvent::Restarted,
            ) => {}
        }
    }
}

/// The server's HTTP interface.
struct Http {
    client: Client,
    base: Url,
}

impl Http {
    fn new(url: &str, token: Option<&Secret>) -> Result<Self, LineError> {
        let not_a_url = || LineError::NotAUrl { url: url.to_owned() };
        let mut base = Url::parse(url).map_err(|_| not_a_url())?;
        let is_local = match base.host_str() {
            Some(host) => host == "localhost" || host.starts_with("127.") || host == "[::1]",
            None => return Err(not_a_url()),
        };
        if !matches!(base.scheme(), "http" | "https") {
            return Err(not_a_url());
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let builder =
            Client::builder().timeout(HTTP_TIMEOUT).redirect(Policy::custom(follow)).default_headers(access(token)?);
        // A proxy of the system does not know this machine's own ports.
        let builder = if is_local { builder.no_proxy() } else { builder };
        let client =
            builder.build().map_err(|cause| LineError::NoServer { url: url.to_owned(), reason: cause.to_string() })?;
        Ok(Self { client, base })
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    /// Posts an offer; gives the connection and where its resource is.
    async fn connect(&self, path: &str, kind: CallerKind) -> Result<(Caller, Url), LineError> {
        let (pending, offer) = Caller::offer(kind)?;
        let request = self.client.post(self.url(path)).header(CONTENT_TYPE, "application/sdp");
        let response = request.body(offer).send().await.map_err(|cause| self.no_server(&cause))?;
        if response.status() != StatusCode::CREATED {
            return Err(self.refused(response).await);
        }
        let not_antiphon = || LineError::NotAntiphon { url: self.base.to_string() };
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        // Relative to where the call was taken in the end, which a redirect may have changed.
        let resource = location.and_then(|location| response.url().join(location).ok()).ok_or_else(not_antiphon)?;
        let answer = response.text().await.map_err(|cause| self.no_server(&cause))?;
        Ok((pending.connect(&answer)?, resource))
    }

    fn no_server(&self, cause: &reqwest::Error) -> LineError {
        let reason = if cause.is_timeout() {
            format!("no answer within {} s", HTTP_TIMEOUT.as_secs())
        } else if cause.is_connect() {
            "nobody answers there".to_owned()
        } else {
            "the answer broke off".to_owned()
        };
        LineError::NoServer { url: self.base.to_string(), reason }
    }

    async fn refused(&self, response: Response) -> LineError {
        let status = response.status();
        let is_json = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|media_type| media_type.contains("json"));
        match response.json::<RefusalJson>().await.ok().filter(|_| is_json).and_then(RefusalJson::reason) {
            Some(detail) => LineError::Refused { url: self.base.to_string(), status, detail },
            None => LineError::NotAntiphon { url: self.base.to_string() },
        }
    }
}

/// Follows what repeats the request as it was: 307 and 308. Others would turn a POST into a GET (RFC 9725, section 4.5).
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let repeats = matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    if repeats && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

/// The headers that let us in.
fn access(token: Option<&Secret>) -> Result<HeaderMap, LineError> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        let bearer = format!("Bearer {}", token.reveal());
        let mut value = HeaderValue::try_from(bearer).map_err(|_| LineError::BadToken)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// Problem details, or OpenAI's error object.
#[derive(Deserialize)]
struct RefusalJson {
    detail: Option<String>,
    error: Option<ErrorJson>,
}

#[derive(Deserialize)]
struct ErrorJson {
    message: String,
}

impl RefusalJson {
    fn reason(self) -> Option<String> {
        self.detail.or(self.error.map(|error| error.message))
    }
}

fn last_segment(url: &Url) -> String {
    url.path_segments().and_then(Iterator::last).unwrap_or_default().to_owned()
}
