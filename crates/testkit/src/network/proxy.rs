//! The bad network between a real client and a real server: a UDP proxy in front of one server, for one client.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Impairment, Path, Toll};

/// No datagram of ours is longer than an Ethernet frame.
const MAX_DATAGRAM_BYTES: usize = 2_048;
/// Stands for no arrival in a timer that is switched off.
const FAR_AWAY: Duration = Duration::from_secs(3_600);

/// Forwards until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    paths: Arc<Mutex<Paths>>,
    forwarding: JoinHandle<()>,
}

#[derive(Debug)]
struct Paths {
    to_server: Path,
    to_client: Path,
}

impl Proxy {
    /// A proxy on loopback in front of `server`, with these chances in each direction.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(server: SocketAddr, to_server: Path, to_client: Path) -> io::Result<Self> {
        let loopback = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let (front, back) = (UdpSocket::bind(loopback).await?, UdpSocket::bind(loopback).await?);
        back.connect(server).await?;
        let address = front.local_addr()?;
        let paths = Arc::new(Mutex::new(Paths { to_server, to_client }));
        #[allow(clippy::disallowed_methods, reason = "it is aborted when the proxy is dropped")]
        let forwarding = tokio::spawn(forward(front, back, Arc::clone(&paths)));
        Ok(Self { address, paths, forwarding })
    }

    /// The answer of the server, as if it came from here: one candidate alone, with the proxy's address.
    #[must_use]
    pub fn answer(&self, sdp: &str) -> String {
        let mut candidates = 0;
        let lines = sdp.lines().filter_map(|line| {
            let Some(candidate) = line.strip_prefix("a=candidate:") else { return Some(line.to_owned()) };
            let mut fields: Vec<String> = candidate.split_ascii_whitespace().map(str::to_owned).collect();
            let is_udp = fields.get(2).is_some_and(|transport| transport.eq_ignore_ascii_case("udp"));
            if !is_udp || candidates > 0 {
                return None;
            }
            candidates += 1;
            *fields.get_mut(4)? = self.address.ip().to_string();
            *fields.get_mut(5)? = self.address.port().to_string();
            Some(format!("a=candidate:{}", fields.join(" ")))
        });
        lines.map(|line| line + "\r\n").collect()
    }

    /// What became of the RTP packets so far: to the server, to the client.
    #[must_use]
    pub fn tolls(&self) -> (Toll, Toll) {
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        (paths.to_server.toll(), paths.to_client.toll())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.forwarding.abort();
    }
}

/// The perfect network's paths, for a client that needs none other.
#[must_use]
pub fn perfect() -> Path {
    Path::new(Impairment::default(), 0)
}

async fn forward(front: UdpSocket, back: UdpSocket, paths: Arc<Mutex<Paths>>) {
    let began = Instant::now();
    let (mut from_client, mut from_server) = ([0; MAX_DATAGRAM_BYTES], [0; MAX_DATAGRAM_BYTES]);
    let mut client = None;
    loop {
        let (due, now_us) = deliver(&front, &back, &paths, client, began);
        let next = began + due.map_or_else(|| Duration::from_micros(now_us) + FAR_AWAY, Duration::from_micros);
        tokio::select! {
            Ok((length, source)) = front.recv_from(&mut from_client) => {
                client = Some(source);
                let datagram = Bytes::copy_from_slice(&from_client[..length]);
                paths.lock().unwrap_or_else(PoisonError::into_inner).to_server.push(&datagram, micros(began));
            }
            Ok(length) = back.recv(&mut from_server) => {
                let datagram = Bytes::copy_from_slice(&from_server[..length]);
                paths.lock().unwrap_or_else(PoisonError::into_inner).to_client.push(&datagram, micros(began));
            }
            () = tokio::time::sleep_until(next) => {}
        }
    }
}

/// Sends what has arrived; gives when the next datagram does, and what time it is.
fn deliver(
    front: &UdpSocket,
    back: &UdpSocket,
    paths: &Mutex<Paths>,
    client: Option<SocketAddr>,
    began: Instant,
) -> (Option<u64>, u64) {
    let now_us = micros(began);
    let mut paths = paths.lock().unwrap_or_else(PoisonError::into_inner);
    // What a full socket does not take is lost, as on any network.
    while let Some(datagram) = paths.to_server.pop(now_us) {
        drop(back.try_send(&datagram));
    }
    while let Some(datagram) = paths.to_client.pop(now_us) {
        drop(client.map(|client| front.try_send_to(&datagram, client)));
    }
    let due = [paths.to_server.next_us(), paths.to_client.next_us()].into_iter().flatten().min();
    (due, now_us)
}

fn micros(began: Instant) -> u64 {
    began.elapsed().as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::{Proxy, perfect};
    use crate::network::{Impairment, Path};
    use tokio::net::UdpSocket;

    #[tokio::test]
    async fn datagrams_pass_both_ways_and_are_lost_on_the_bad_one() {
        let server = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let lossy = Path::new(Impairment { loss: 1.0, ..Impairment::default() }, 1);
        let proxy = Proxy::start(server.local_addr().expect("bound"), perfect(), lossy).await.expect("a proxy");
        let client = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        client.send_to(&[0x80, 111, 0, 1], proxy.address).await.expect("sent");
        let mut buffer = [0; 16];
        let (length, from) = server.recv_from(&mut buffer).await.expect("it arrives");
        assert_eq!(&buffer[..length], &[0x80, 111, 0, 1]);
        server.send_to(&[0x80, 111, 0, 2], from).await.expect("sent");
        while proxy.tolls().1.lost == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!((proxy.tolls().0.sent, proxy.tolls().0.lost), (1, 0));
    }

    #[tokio::test]
    async fn the_answer_leads_to_the_proxy_alone() {
        let proxy = Proxy::start(([127, 0, 0, 1], 9).into(), perfect(), perfect()).await.expect("a proxy");
        let answer = "v=0\r\na=candidate:1 1 udp 2130706175 10.0.0.5 8080 typ host\r\n\
            a=candidate:2 1 tcp 1 10.0.0.5 9 typ host\r\na=candidate:3 1 udp 1 ::1 8080 typ host\r\na=sendonly\r\n";
        let port = proxy.address.port();
        let expected = format!("v=0\r\na=candidate:1 1 udp 2130706175 127.0.0.1 {port} typ host\r\na=sendonly\r\n");
        assert_eq!(proxy.answer(answer), expected);
    }
}
