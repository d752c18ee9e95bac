//! Packets on a byte stream: each behind its length in two bytes (RFC 4571, section 2).

use std::io::{self, Read, Write};

use mio::net::TcpStream;

/// The largest packet that is taken, as by UDP.
const MAX_PACKET_BYTES: usize = 2_048;
const LENGTH_BYTES: usize = 2;
/// What may wait for a slow network: half a second of a voice with all its headers is 4 KiB. Packets beyond are dropped
/// whole, as a full UDP buffer would do.
const MAX_WAITING_BYTES: usize = 32 * 1024;

/// One connection.
#[derive(Debug)]
pub(crate) struct Framed<S = TcpStream> {
    stream: S,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
}

/// What came of looking for a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A packet of this many bytes.
    Packet(usize),
    /// Nothing whole yet.
    NothingYet,
    /// The other end closed, or does not speak this protocol.
    Over,
}

impl<S: Read + Write> Framed<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, inbox: Vec::new(), outbox: Vec::new() }
    }

    /// Writes the next packet into `buffer`, which must hold the largest.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> Incoming {
        loop {
            if let Some((head, rest)) = self.inbox.split_at_checked(LENGTH_BYTES) {
                let length = usize::from(u16::from_be_bytes([head[0], head[1]]));
                if length > MAX_PACKET_BYTES {
                    return Incoming::Over;
                }
                if let (Some(packet), Some(room)) = (rest.get(..length), buffer.get_mut(..length)) {
                    room.copy_from_slice(packet);
                    self.inbox.drain(..LENGTH_BYTES + length);
                    return Incoming::Packet(length);
                }
            }
            let mut chunk = [0; MAX_PACKET_BYTES];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Incoming::Over,
                Ok(length) => self.inbox.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_pending(&error) => return Incoming::NothingYet,
                Err(_) => return Incoming::Over,
            }
        }
    }

    /// Sends a packet, or keeps it until there is room. `false`: it is lost.
    pub(crate) fn send(&mut self, packet: &[u8]) -> bool {
        let Ok(length) = u16::try_from(packet.len()) else { return false };
        if self.outbox.len() + LENGTH_BYTES + packet.len() > MAX_WAITING_BYTES {
            return false;
        }
        self.outbox.extend_from_slice(&length.to_be_bytes());
        self.outbox.extend_from_slice(packet);
        self.flush()
    }

    /// Sends what waits, as far as there is room. `false`: the connection is broken.
    pub(crate) fn flush(&mut self) -> bool {
        while !self.outbox.is_empty() {
            match self.stream.write(&self.outbox) {
                Ok(0) => return false,
                Ok(written) => drop(self.outbox.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return is_pending(&error),
            }
        }
        true
    }
}

/// Not an end: the stream is full or empty, or has not connected yet.
fn is_pending(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// A stream that gives and takes so many bytes at a time.
    struct Narrow {
        step: usize,
        bytes: VecDeque<u8>,
        room: usize,
    }

    impl Read for Narrow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.step.min(self.bytes.len()).min(buffer.len());
            if length == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room += length;
            for (to, from) in buffer.iter_mut().zip(self.bytes.drain(..length)) {
                *to = from;
            }
            Ok(length)
        }
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let length = self.step.min(self.room).min(bytes.len());
            if length == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room -= length;
            self.bytes.extend(&bytes[..length]);
            Ok(length)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn narrow(step: usize, room: usize) -> Framed<Narrow> {
        Framed::new(Narrow { step, bytes: VecDeque::new(), room })
    }

    #[test]
    fn packets_survive_any_cutting_of_the_stream() {
        for step in 1..40 {
            let mut stream = narrow(step, 100);
            let mut buffer = [0; MAX_PACKET_BYTES];
            let (mut sent, mut received) = (Vec::new(), Vec::new());
            for length in [0, 1, 30, 5, 90, 2_048, 7] {
                let packet: Vec<u8> = (0..length).map(|n| n as u8).collect();
                assert!(stream.send(&packet));
                sent.push(packet);
            }
            while received.len() < sent.len() {
                match stream.receive(&mut buffer) {
                    Incoming::Packet(length) => received.push(buffer[..length].to_vec()),
                    Incoming::NothingYet => assert!(stream.flush()),
                    Incoming::Over => panic!("it is not over"),
                }
            }
            assert_eq!(received, sent);
        }
    }

    #[test]
    fn a_stalled_stream_keeps_bounded_memory_and_loses_whole_packets() {
        let mut stream = narrow(1_000, 10);
        let kept = (0..100).filter(|_| stream.send(&[1; 1_000])).count();
        assert_eq!(kept, MAX_WAITING_BYTES / 1_002);
        stream.stream.room = usize::MAX / 2;
        assert!(stream.flush());
        let mut buffer = [0; MAX_PACKET_BYTES];
        for _ in 0..kept {
            assert_eq!(stream.receive(&mut buffer), Incoming::Packet(1_000));
        }
        assert_eq!(stream.receive(&mut buffer), Incoming::NothingYet);
    }

    #[test]
    fn what_is_no_packet_ends_the_connection() {
        let mut stream = narrow(100, 1_000);
        stream.stream.bytes.extend(b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!(stream.receive(&mut [0; MAX_PACKET_BYTES]), Incoming::Over);
    }
}
