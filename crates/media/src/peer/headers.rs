//! What RTP headers say in clear. The WebRTC stack tells neither the stream of a packet, nor whether it came itself or as a
//! copy within a later one (RED), nor that it came twice.

use audio::jitter::Content;
use bytes::Bytes;

/// How far back a packet is known to have come before.
const WINDOW: u16 = 64;

/// Follows the headers of one peer's audio.
#[derive(Debug, Default)]
pub(super) struct Headers {
    /// The header of the datagram that came last, if it was RTP.
    latest: Option<Header>,
    /// The stream that bears the audio, with what of it came.
    audio: Option<Window>,
    repeated: u64,
}

#[derive(Debug, Clone, Copy)]
struct Header {
    stream: u32,
    sequence: u16,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    stream: u32,
    greatest: u16,
    /// Bit `n` set: the packet `n` before the greatest came.
    came: u64,
}

impl Headers {
    /// A datagram came.
    pub(super) fn note(&mut self, datagram: &[u8]) {
        self.latest = Header::read(datagram);
        let (Some(header), Some(audio)) = (self.latest, &mut self.audio) else { return };
        if header.stream == audio.stream && !audio.is_new(header.sequence) {
            self.repeated += 1;
        }
    }

    /// The stack gave audio out because of that datagram: its stream, and what it is.
    pub(super) fn content(&mut self, sequence: u16, payload: &[u8]) -> (u32, Content) {
        let payload = Bytes::copy_from_slice(payload);
        let Some(header) = self.latest else { return (0, Content::Audio(payload)) };
        if header.sequence != sequence {
            return (header.stream, Content::Copy(payload));
        }
        if self.audio.is_none_or(|audio| audio.stream != header.stream) {
            self.audio = Some(Window { stream: header.stream, greatest: sequence, came: 1 });
        }
        (header.stream, Content::Audio(payload))
    }

    /// The stream of the datagram that came last.
    pub(super) fn stream(&self) -> u32 {
        self.latest.map_or(0, |header| header.stream)
    }

    /// Packets of the audio that came twice. Anybody can send what looks like one, so it is a hint.
    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }
}

/// The payload type of an RTP packet; none for STUN and DTLS (RFC 7983, section 7), and none for RTCP, whose types look like
/// payload types 64 to 95, which RTP beside it must not use (RFC 5761, section 4).
pub(super) fn payload_type(datagram: &[u8]) -> Option<u8> {
    match datagram {
        [128..=191, kind, ..] => Some(kind & 0x7f).filter(|payload_type| !(64..=95).contains(payload_type)),
        _ => None,
    }
}

impl Header {
    /// RFC 3550, section 5.1.
    fn read(datagram: &[u8]) -> Option<Self> {
        payload_type(datagram)?;
        let (&[_, _, high, low, _, _, _, _, ref stream @ ..], _) = datagram.split_first_chunk::<12>()?;
        Some(Self { stream: u32::from_be_bytes(*stream), sequence: u16::from_be_bytes([high, low]) })
    }
}

impl Window {
    /// Takes a packet in; false if it came before.
    fn is_new(&mut self, sequence: u16) -> bool {
        let ahead = sequence.wrapping_sub(self.greatest);
        if ahead == 0 {
            return false;
        }
        if ahead < u16::MAX / 2 {
            self.came = self.came.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            self.greatest = sequence;
            return true;
        }
        let behind = ahead.wrapping_neg();
        let bit = if behind < WINDOW { 1 << behind } else { 0 };
        let is_new = self.came & bit == 0;
        self.came |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtp(stream: u32, sequence: u16) -> Vec<u8> {
        let mut packet = vec![0x90, 111];
        packet.extend(sequence.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend(stream.to_be_bytes());
        packet
    }

    fn audio() -> Content {
        Content::Audio(Bytes::from_static(b"a"))
    }

    #[test]
    fn a_copy_is_told_from_the_packet_that_bears_it() {
        let mut headers = Headers::default();
        headers.note(&rtp(7, 10));
        assert_eq!(headers.content(10, b"a"), (7, audio()));
        headers.note(&rtp(7, 12));
        assert_eq!(headers.content(11, b"a"), (7, Content::Copy(Bytes::from_static(b"a"))));
        assert_eq!(headers.content(12, b"a"), (7, audio()));
    }

    #[test]
    fn packets_that_come_twice_are_counted_once_each_time() {
        let mut headers = Headers::default();
        headers.note(&rtp(7, 65_535));
        headers.content(65_535, b"a");
        // 1 is late and no repetition; 65 535 and 2 are; those of another stream and what is no RTP do not count.
        for sequence in [0, 2, 1, 2, 65_535] {
            headers.note(&rtp(7, sequence));
            headers.note(&rtp(8, sequence));
            headers.note(&[0x80, 200, 0, 1]);
        }
        assert_eq!(headers.repeated(), 2);
    }

    #[test]
    fn reports_and_handshakes_are_no_rtp() {
        for datagram in [&[][..], &[0x80], &rtp(1, 1)[..11]] {
            assert!(Header::read(datagram).is_none());
        }
        let mut report = rtp(1, 1);
        report[1] = 201;
        assert!(Header::read(&report).is_none());
        let mut stun = rtp(1, 1);
        stun[0] = 0;
        assert!(Header::read(&stun).is_none());
    }
}
