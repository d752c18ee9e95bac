//! How long a vendor may take.

use std::time::Duration;

use serde::Deserialize;

/// How long each step of an exchange with a vendor may take. Who waits for an answer in a call does not wait long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deadlines {
    /// For a connection, with its encryption.
    #[serde(with = "humantime_serde")]
    pub connect: Duration,
    /// From the request to the first thing that means something: words, audio. Comments that keep a connection alive
    /// do not count.
    #[serde(with = "humantime_serde")]
    pub first: Duration,
    /// From one such thing to the next.
    #[serde(with = "humantime_serde")]
    pub stall: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), first: Duration::from_secs(8), stall: Duration::from_secs(4) }
    }
}
