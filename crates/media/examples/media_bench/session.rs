//! One caller: a real peer connection, whose voice is sent and heard past the stack.

use std::error::Error;
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use audio::leg::{FRAME_MS, RTP_CLOCK_HZ};
use nix::cmsg_space;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::keys::{KeySlot, WatchedDtls};
use crate::srtp::Voice;
use crate::talk::{TALK_BYTES, caller_sends};
use crate::tally::{Tally, Transit, wall_ns};

/// A call that does not stand by then never will.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The first packets of a voice go through the stack, which proves that they can be decrypted and makes it send
/// receiver reports from then on.
const PACKETS_THROUGH_STACK: u64 = 5;
const FRAME_TICKS: u64 = (RTP_CLOCK_HZ / 1_000 * FRAME_MS) as u64;
const RTP_NANOSECONDS: i64 = 1_000_000_000 / RTP_CLOCK_HZ as i64;

/// What all callers share.
pub(crate) struct Callers {
    config: RtcConfig,
    dtls: &'static WatchedDtls,
    crypto: str0m::config::CryptoProvider,
}

/// A caller with its offer.
pub(crate) struct Offering {
    session: Session,
    pending: SdpPendingOffer,
    pub(crate) offer: String,
}

pub(crate) struct Session {
    rtc: Rtc,
    mid: Mid,
    socket: UdpSocket,
    local: SocketAddr,
    keys: KeySlot,
    connected: bool,
    wake: Instant,
    line: Option<Line>,
    pub(crate) hearing: Hearing,
}

/// The voice's way to the server.
struct Line {
    voice: Voice,
    server: SocketAddr,
}

/// What is heard of the agent.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    pub(crate) tally: Tally,
    /// Packets that the stack decrypted.
    pub(crate) decrypted: u64,
    highest: Option<u16>,
    first_time: Option<u32>,
    transit: Transit,
}

/// Buffers for one packet at a time.
pub(crate) struct Scratch {
    incoming: [u8; 2_048],
    control: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { incoming: [0; 2_048], control: cmsg_space!(TimeSpec), outgoing: Vec::new() }
    }
}

impl Callers {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let stock = str0m::crypto::from_feature_flags();
        // The stack wants providers that live forever.
        let dtls: &'static WatchedDtls = Box::leak(Box::new(WatchedDtls::new(stock.dtls_provider)));
        let certificate = stock.dtls_provider.generate_certificate().ok_or("no certificate could be made")?;
        let crypto = str0m::config::CryptoProvider { dtls_provider: dtls, ..stock };
        let config = RtcConfig::new()
            .set_crypto_provider(Arc::new(crypto.clone()))
            .set_dtls_cert(certificate)
            .clear_codecs()
            .enable_opus(true, false)
            .set_rtcp_report_interval_audio(Duration::from_secs(1));
        Ok(Self { config, dtls, crypto })
    }

    pub(crate) fn offer(&self) -> Result<Offering, Box<dyn Error>> {
        let now = Instant::now();
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let mut rtc = self.config.clone().build(now);
        let keys = self.dtls.latest();
        rtc.add_local_candidate(Candidate::host(local, "udp")?);
        let mut changes = rtc.sdp_api();
        let mid = changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        changes.add_channel("oai-events".into());
        let (offer, pending) = changes.apply().ok_or("the offer would be empty")?;
        let offer = offer.to_sdp_string();
        let (connected, line, hearing) = (false, None, Hearing::default());
        let session = Session { rtc, mid, socket, local, keys, connected, wake: now, line, hearing };
        Ok(Offering { session, pending, offer })
    }
}

impl Offering {
    /// Connects as the answer says, and returns when DTLS stands.
    pub(crate) fn connect(self, callers: &Callers, answer: &str) -> Result<(Session, Instant), Box<dyn Error>> {
        let mut session = self.session;
        session.rtc.sdp_api().accept_answer(self.pending, SdpAnswer::from_sdp_string(answer)?)?;
        let give_up_at = Instant::now() + CONNECT_TIMEOUT;
        let mut buffer = [0; 2_048];
        session.run(Instant::now())?;
        while !session.connected {
            let now = Instant::now();
            if now >= give_up_at {
                return Err("the call did not connect in time".into());
            }
            // A socket's own timeout would be rounded up to 4 ms.
            let mut waiting = [PollFd::new(session.socket.as_fd(), PollFlags::POLLIN)];
            ppoll(&mut waiting, Some(session.wake.saturating_duration_since(now).into()), None)?;
            if let Ok((length, source)) = session.socket.recv_from(&mut buffer) {
                session.take(source, &buffer[..length], Instant::now())?;
            }
            session.meet_deadline(Instant::now())?;
        }
        let connected = Instant::now();
        session.open_line(callers, answer)?;
        Ok((session, connected))
    }
}

impl Session {
    pub(crate) fn is_alive(&self) -> bool {
        self.rtc.is_alive()
    }

    /// Hears what came, keeps the connection up, and says what is due in this frame. Returns whether it spoke.
    pub(crate) fn serve(&mut self, number: usize, frame: u64, scratch: &mut Scratch) -> Result<bool, Box<dyn Error>> {
        self.receive(scratch)?;
        self.meet_deadline(Instant::now())?;
        let (Some(line), Some(bytes)) = (&mut self.line, caller_sends(number, frame)) else { return Ok(false) };
        let mut payload = [0xf8; TALK_BYTES];
        payload[..8].copy_from_slice(&wall_ns().to_le_bytes());
        line.voice.packet((frame * FRAME_TICKS) as u32, &payload[..bytes], &mut scratch.outgoing)?;
        // A full buffer loses the packet; the other end will miss it.
        let _ = self.socket.send_to(&scratch.outgoing, line.server);
        Ok(true)
    }

    pub(crate) fn close(&mut self) -> Result<(), Box<dyn Error>> {
        // A data channel that is still opening cannot be shut in order; the rest of the goodbye goes out all the same.
        let _ = self.rtc.close();
        self.run(Instant::now())
    }

    fn receive(&mut self, scratch: &mut Scratch) -> Result<(), Box<dyn Error>> {
        loop {
            let mut slices = [IoSliceMut::new(&mut scratch.incoming)];
            let (control, flags) = (Some(&mut scratch.control[..]), MsgFlags::MSG_DONTWAIT);
            let Ok(message) = recvmsg::<SockaddrIn>(self.socket.as_raw_fd(), &mut slices, control, flags) else {
                return Ok(());
            };
            let arrived_ns = message.cmsgs()?.find_map(|control| match control {
                ControlMessageOwned::ScmTimestampns(at) => Some(at.tv_sec() * 1_000_000_000 + at.tv_nsec()),
                _ => None,
            });
            let source = message.address.ok_or("a packet without source")?;
            let (source, length) = (SocketAddr::from((source.ip(), source.port())), message.bytes);
            let arrived_ns = arrived_ns.ok_or("a packet without time")?;
            let packet = &scratch.incoming[..length];
            if is_rtp(packet) && self.hearing.note(packet, arrived_ns) > PACKETS_THROUGH_STACK {
                continue;
            }
            let packet = Receive::new(Protocol::Udp, source, self.local, packet)?;
            self.rtc.handle_input(Input::Receive(Instant::now(), packet))?;
            self.run(Instant::now())?;
        }
    }

    fn take(&mut self, source: SocketAddr, packet: &[u8], now: Instant) -> Result<(), Box<dyn Error>> {
        let packet = Receive::new(Protocol::Udp, source, self.local, packet)?;
        self.rtc.handle_input(Input::Receive(now, packet))?;
        self.run(now)
    }

    fn meet_deadline(&mut self, now: Instant) -> Result<(), Box<dyn Error>> {
        if self.wake <= now {
            self.rtc.handle_input(Input::Timeout(now))?;
            self.run(now)?;
        }
        Ok(())
    }

    /// Sends what the stack has to send.
    fn run(&mut self, now: Instant) -> Result<(), Box<dyn Error>> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => {
                    self.wake = at.max(now);
                    return Ok(());
                }
                Output::Transmit(packet) => {
                    let _ = self.socket.send_to(&packet.contents, packet.destination);
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::MediaData(_)) => self.hearing.decrypted += 1,
                Output::Event(_) => {}
            }
        }
    }

    fn open_line(&mut self, callers: &Callers, answer: &str) -> Result<(), Box<dyn Error>> {
        let keys = self.keys.keys().ok_or("DTLS gave no keys")?;
        let ssrc = self.rtc.direct_api().stream_tx_by_mid(self.mid, None).ok_or("no stream to speak on")?.ssrc();
        let writer = self.rtc.writer(self.mid).ok_or("nothing to speak with")?;
        let opus = writer.payload_params().find(|params| params.spec().codec == Codec::Opus).map(|params| params.pt());
        let opus = *opus.ok_or("the answer has no Opus")?;
        let voice = Voice::new(callers.crypto.srtp_provider, &keys, *ssrc, opus)?;
        let server = first_candidate(answer).ok_or("the answer has no candidate")?;
        self.line = Some(Line { voice, server });
        Ok(())
    }
}

impl Hearing {
    /// Counts an RTP packet; returns how many there have been.
    fn note(&mut self, packet: &[u8], arrived_ns: i64) -> u64 {
        let sequence = u16::from_be_bytes([packet[2], packet[3]]);
        let time = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
        let ahead = self.highest.map_or(1, |highest| sequence.wrapping_sub(highest) as i16);
        if ahead > 0 {
            self.highest = Some(sequence);
            self.tally.missing += ahead as u64 - 1;
        } else {
            self.tally.missing = self.tally.missing.saturating_sub(1);
        }
        self.tally.received += 1;
        let first = *self.first_time.get_or_insert(time);
        let sent_ns = i64::from(time.wrapping_sub(first) as i32) * RTP_NANOSECONDS;
        if self.transit.is_late(sent_ns, arrived_ns) {
            self.tally.late += 1;
        }
        self.tally.received
    }
}

/// RTP, and not RTCP, STUN or DTLS (RFC 7983; RFC 5761, section 4).
fn is_rtp(packet: &[u8]) -> bool {
    packet.len() >= 12 && (128..192).contains(&packet[0]) && !(192..224).contains(&packet[1])
}

fn first_candidate(answer: &str) -> Option<SocketAddr> {
    let line = answer.lines().find_map(|line| line.strip_prefix("a=candidate:"))?;
    let mut fields = line.split(' ').skip(4);
    Some(SocketAddr::new(fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
