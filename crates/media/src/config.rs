//! The `media` section of the configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;

/// What the media role needs to know before it starts. Read once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaConfig {
    /// Where UDP packets of all calls arrive. A wildcard address listens on every interface; port 0 picks a free one.
    pub udp_listen: SocketAddr,
    /// Where callers connect whose network lets no UDP through (ICE-TCP). Off by default: TCP 8080 is HTTP's.
    pub tcp_listen: Option<SocketAddr>,
    /// Addresses to offer beside the local ones: the public address when this machine is behind NAT.
    pub advertise: Vec<IpAddr>,
    /// A STUN server (`host:port`) that is asked for the public address, which is offered beside `advertise`. NATs that give
    /// each peer another port need `advertise` and a forwarded port instead.
    pub stun_server: Option<String>,
    /// How much of ICE the server does itself.
    pub ice: IceMode,
    /// Whether an offer with video is accepted, and the video ignored; otherwise the offer is refused. OBS always offers video.
    pub accept_video: bool,
    /// Calls held at once; one more is refused.
    pub max_calls: usize,
    /// Listeners (WHEP) of one call.
    pub max_listeners_per_call: usize,
    /// A peer that has not connected by then is given up.
    pub connect_timeout_ms: u64,
    /// A connected peer that sends nothing for so long is gone. Browsers check the path every few seconds.
    pub silent_peer_timeout_ms: u64,
    /// Kernel buffer of each socket and direction. The system may cap it (`net.core.rmem_max`).
    pub socket_buffer_bytes: usize,
}

/// How much of ICE (RFC 8445) the server does itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IceMode {
    /// It answers checks. Enough where callers can reach it: on a public or local address, or a forwarded port.
    Lite,
    /// It checks paths to callers as well, and their consent (RFC 7675): for a server behind a firewall that must send first.
    Full,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            udp_listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080),
            tcp_listen: None,
            advertise: Vec::new(),
            stun_server: None,
            ice: IceMode::Lite,
            accept_video: true,
            max_calls: 1_000,
            max_listeners_per_call: 8,
            connect_timeout_ms: 15_000,
            silent_peer_timeout_ms: 30_000,
            // 5 ms of a thousand callers is 250 packets; this holds a hundred times that.
            socket_buffer_bytes: 4 * 1024 * 1024,
        }
    }
}

impl MediaConfig {
    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn silent_peer_timeout(&self) -> Duration {
        Duration::from_millis(self.silent_peer_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_section_keeps_the_other_defaults() {
        let config: MediaConfig =
            toml::from_str("udp_listen = '127.0.0.1:0'\nadvertise = ['203.0.113.7']").expect("valid");
        assert_eq!(config.advertise.len(), 1);
        assert_eq!(config.max_calls, MediaConfig::default().max_calls);
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(toml::from_str::<MediaConfig>("udp_lisen = '127.0.0.1:0'").is_err());
    }
}
