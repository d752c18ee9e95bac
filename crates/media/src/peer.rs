//! One WebRTC peer connection: packets, time, audio and text in; packets and events out.
//!
//! The only module that knows the WebRTC stack (str0m, without IO): an upgrade touches this file and its folder.
//! After every change call [`Peer::run`], which sends what is due and tells when to come back.

mod dtls;
mod factory;
mod headers;
mod ice;
mod keypad;
mod report;
mod video;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use audio::jitter::{Content, RtpPacket};
use audio::leg::VoiceStats;
use str0m::channel::ChannelId;
use str0m::format::{Codec, CodecExtra};
use str0m::media::{Frequency, MediaData, MediaTime, Mid, Pt};
use str0m::net::{Protocol, Receive, Transmit};
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcError};

pub(crate) use factory::{LocalAddress, PeerFactory, PendingOffer, Redundancy};
use headers::Headers;
pub(crate) use ice::PendingRestart;
use keypad::Keypad;
use report::Reports;
use video::Video;

/// The data channel that carries events (OpenAI Realtime); others are ignored.
pub(crate) const EVENTS_CHANNEL: &str = "oai-events";
/// Turns of the stack's inner clock in one [`Peer::run`]; a bound on what a confused stack can cost.
const MAX_TURNS: usize = 32;

/// What carries a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// A datagram, with the local address that it came to or leaves from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram<'a> {
    pub(crate) transport: Transport,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) bytes: &'a [u8],
}

/// Sends one datagram.
pub(crate) type SendDatagram<'a> = &'a mut dyn FnMut(Datagram<'_>);

/// What happened to a peer.
#[derive(Debug)]
pub(crate) enum PeerEvent {
    /// ICE and DTLS are up.
    Connected,
    /// ICE has found a path, at first or after a restart.
    PathFound,
    /// The events channel is open.
    ChannelOpen,
    /// A packet of the peer's voice.
    Audio(RtpPacket),
    /// How the peer hears ours.
    Reported(VoiceStats),
    /// A key of the telephone's keypad.
    Key(char),
    /// A text message on the events channel.
    Text(String),
    /// The peer closed the connection.
    Closed,
}

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFate {
    /// On its way.
    Sent,
    /// The channel is full or not open yet: try again later.
    NotYet,
    /// The channel refuses it for good.
    Refused,
}

/// One end of a peer connection.
#[derive(Debug)]
pub(crate) struct Peer {
    rtc: Box<Rtc>,
    audio: Option<Mid>,
    /// The payload type to send with, once known.
    opus: Option<Pt>,
    channel: Option<ChannelId>,
    keypad: Keypad,
    headers: Headers,
    reports: Reports,
    video: Video,
    consent: Consent,
}

/// Whether the other end still wants packets (RFC 7675).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consent {
    /// A lite agent makes no checks, so it cannot ask: the other end is taken at its word until it falls silent.
    Implied,
    /// It answers our checks.
    Given,
    /// It does not, so it gets no more voice.
    Expired,
}

impl Peer {
    fn new(rtc: Box<Rtc>, audio: Option<Mid>) -> Self {
        Self {
            rtc,
            audio,
            opus: None,
            channel: None,
            keypad: Keypad::default(),
            headers: Headers::default(),
            reports: Reports::default(),
            video: Video::default(),
            consent: Consent::Given,
        }
    }

    /// Whether the datagram is meant for this peer; proves a STUN request's password.
    pub(crate) fn accepts(&self, datagram: Datagram<'_>, now: Instant) -> bool {
        receive(datagram).is_some_and(|received| self.rtc.accepts(&Input::Receive(now, received)))
    }

    /// Takes a datagram in. What the stack cannot use is dropped: anybody may send packets in a peer's name, and a
    /// connection that really broke is noticed by its silence. Returns whether it was of use, or video, which is none to us.
    pub(crate) fn receive(&mut self, datagram: Datagram<'_>, now: Instant) -> bool {
        if self.video.covers(datagram.bytes) {
            return true;
        }
        let Some(received) = receive(datagram) else { return false };
        self.headers.note(datagram.bytes);
        let taken = contain(|| self.rtc.handle_input(Input::Receive(now, received)));
        match &taken {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(%error, "packet refused"),
            None => self.rtc.disconnect(),
        }
        matches!(taken, Some(Ok(())))
    }

    /// Sends what is due, collects events, and tells when to call again; `None` when the connection is over.
    pub(crate) fn run(&mut self, now: Instant, send: SendDatagram<'_>, events: &mut Vec<PeerEvent>) -> Option<Instant> {
        let mut wake = now;
        for _ in 0..MAX_TURNS {
            match contain(|| self.turn(now, send, events)) {
                Some(next) => wake = next?,
                None => {
                    self.rtc.disconnect();
                    return None;
                }
            }
            if wake > now {
                break;
            }
        }
        Some(wake)
    }

    /// Writes one Opus packet, if this end may speak.
    pub(crate) fn write_audio(&mut self, packet: OutgoingAudio, now: Instant) {
        let (Consent::Implied | Consent::Given, Some((mid, opus))) = (self.consent, self.audio_out()) else { return };
        let Some(writer) = self.rtc.writer(mid) else { return };
        let time = MediaTime::new(packet.rtp_time, Frequency::FORTY_EIGHT_KHZ);
        let writer = writer.start_of_talkspurt(packet.marker);
        if let Err(error) = writer.write(opus, now, time, packet.payload) {
            tracing::debug!(%error, "voice packet refused");
        }
    }

    /// Presses a key of the telephone's keypad, if the other end takes such; what is no key is not pressed.
    pub(crate) fn press(&mut self, key: char, rtp_time: u64, now: Instant) {
        let (Some((mid, opus)), Some(event)) = (self.audio_out(), keypad::press(key)) else { return };
        let Some(writer) = self.rtc.writer(mid) else { return };
        let time = MediaTime::new(rtp_time, Frequency::FORTY_EIGHT_KHZ);
        if let Err(error) = writer.telephone_event(event).write(opus, now, time, Vec::new()) {
            tracing::debug!(%error, "key refused");
        }
    }

    /// Writes a text message to the events channel.
    pub(crate) fn write_text(&mut self, text: &str) -> TextFate {
        let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id)) else {
            return TextFate::NotYet;
        };
        match channel.write(false, text.as_bytes()) {
            Ok(true) => TextFate::Sent,
            Ok(false) => TextFate::NotYet,
            Err(error) => {
                tracing::debug!(%error, bytes = text.len(), "text message refused");
                TextFate::Refused
            }
        }
    }

    /// Packets of the peer's voice that came twice.
    pub(crate) fn repeated(&self) -> u64 {
        self.headers.repeated()
    }

    /// Whether the events channel is open.
    pub(crate) fn has_channel(&self) -> bool {
        self.channel.is_some()
    }

    /// Whether texts are still on their way to the peer.
    pub(crate) fn is_sending_text(&mut self) -> bool {
        let channel = self.channel.and_then(|id| self.rtc.channel(id));
        channel.is_some_and(|mut channel| channel.buffered_amount() > 0)
    }

    /// Says goodbye (RTCP BYE, DTLS close) and ends the connection.
    pub(crate) fn close(&mut self, now: Instant, send: SendDatagram<'_>) {
        if let Err(error) = self.rtc.close() {
            tracing::debug!(%error, "peer could not say goodbye");
        }
        self.run(now, send, &mut Vec::new());
        self.rtc.disconnect();
    }

    /// Empties the stack, and moves its clock on if it asks for that.
    fn turn(&mut self, now: Instant, send: SendDatagram<'_>, events: &mut Vec<PeerEvent>) -> Option<Instant> {
        let wake = self.drain(send, events)?;
        if wake <= now
            && let Err(error) = self.rtc.handle_input(Input::Timeout(now))
        {
            self.fail(&error);
            return None;
        }
        Some(wake)
    }

    fn drain(&mut self, send: SendDatagram<'_>, events: &mut Vec<PeerEvent>) -> Option<Instant> {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => return self.rtc.is_alive().then_some(at),
                Ok(Output::Transmit(packet)) => send(outgoing(&packet)),
                Ok(Output::Event(event)) => self.translate(event, events),
                Err(error) => {
                    self.fail(&error);
                    return None;
                }
            }
        }
    }

    fn translate(&mut self, event: Event, events: &mut Vec<PeerEvent>) {
        match event {
            Event::Connected => events.push(PeerEvent::Connected),
            Event::IceConnectionStateChange(state) => events.extend(self.ice_state(state)),
            Event::MediaAdded(added) if added.kind.is_audio() => {
                self.audio.get_or_insert(added.mid);
            }
            Event::MediaData(data) if Some(data.mid) == self.audio => self.incoming_media(&data, events),
            Event::MediaEgressStats(stats) if Some(stats.mid) == self.audio => {
                events.extend(self.reports.read(&stats).map(PeerEvent::Reported));
            }
            Event::ChannelOpen(id, label) if label == EVENTS_CHANNEL => {
                self.channel = Some(id);
                events.push(PeerEvent::ChannelOpen);
            }
            Event::ChannelData(data) if Some(data.id) == self.channel => {
                // Some clients send JSON as binary; what is not text in the end is nobody's.
                events.extend(String::from_utf8(data.data).ok().map(PeerEvent::Text));
            }
            Event::ChannelClose(id) if Some(id) == self.channel => self.channel = None,
            Event::Closed => events.push(PeerEvent::Closed),
            // Other statistics and video are of no use here.
            _ => {}
        }
    }

    /// The end is judged by silence, not by ICE: a caller who changes networks comes back.
    fn ice_state(&mut self, state: IceConnectionState) -> Option<PeerEvent> {
        match state {
            IceConnectionState::Connected | IceConnectionState::Completed => {
                self.consent_is(Consent::Given);
                Some(PeerEvent::PathFound)
            }
            IceConnectionState::Disconnected => {
                self.consent_is(Consent::Expired);
                None
            }
            IceConnectionState::New | IceConnectionState::Checking => None,
        }
    }

    fn consent_is(&mut self, consent: Consent) {
        if self.consent != Consent::Implied {
            self.consent = consent;
        }
    }

    fn incoming_media(&mut self, data: &MediaData, events: &mut Vec<PeerEvent>) {
        let sequence = **data.seq_range.start() as u16;
        let (stream, content) = if data.params.spec().codec == Codec::Opus {
            self.headers.content(sequence, &data.data)
        } else {
            (self.headers.stream(), Content::Other)
        };
        if let CodecExtra::Tele(report) = data.codec_extra {
            events.extend(self.keypad.report(report.event, data.time.numer()).map(PeerEvent::Key));
        }
        let timestamp = data.time.numer() as u32;
        events.push(PeerEvent::Audio(RtpPacket { stream, sequence, timestamp, content }));
    }

    fn audio_out(&mut self) -> Option<(Mid, Pt)> {
        let mid = self.audio?;
        if !self.rtc.media(mid)?.direction().is_sending() {
            return None;
        }
        if self.opus.is_none() {
            let writer = self.rtc.writer(mid)?;
            self.opus = writer.payload_params().find(|params| params.spec().codec == Codec::Opus).map(|p| p.pt());
        }
        Some((mid, self.opus?))
    }

    fn fail(&mut self, error: &RtcError) {
        tracing::debug!(%error, "peer connection failed");
        self.rtc.disconnect();
    }
}

/// Runs the stack so that a panic in it costs one peer and not all calls; `None` if it panicked.
fn contain<T>(run: impl FnOnce() -> T) -> Option<T> {
    // The peer is dropped after a panic, so nothing sees what it left half done.
    let outcome = catch_unwind(AssertUnwindSafe(run));
    if outcome.is_err() {
        tracing::error!("WebRTC stack panicked; its peer is dropped");
    }
    outcome.ok()
}

/// One Opus packet to be sent.
#[derive(Debug, Clone)]
pub(crate) struct OutgoingAudio {
    pub(crate) rtp_time: u64,
    pub(crate) marker: bool,
    pub(crate) payload: Arc<[u8]>,
}

fn receive(datagram: Datagram<'_>) -> Option<Receive<'_>> {
    let protocol = match datagram.transport {
        Transport::Udp => Protocol::Udp,
        Transport::Tcp => Protocol::Tcp,
    };
    Receive::new(protocol, datagram.source, datagram.destination, datagram.bytes).ok()
}

fn outgoing(packet: &Transmit) -> Datagram<'_> {
    // There are no candidates of other kinds.
    let transport = if packet.proto == Protocol::Tcp { Transport::Tcp } else { Transport::Udp };
    Datagram { transport, source: packet.source, destination: packet.destination, bytes: &packet.contents }
}
