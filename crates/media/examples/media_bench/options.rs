//! The command line.

use std::error::Error;
use std::time::Duration;

/// What is to be measured, and on which server.
#[derive(Debug)]
pub(crate) struct Options {
    /// Calls opened one after the other.
    pub(crate) handshakes: usize,
    /// Calls held at once, one run for each number but 0.
    pub(crate) sessions: Vec<usize>,
    /// How long each run lasts once all calls stand.
    pub(crate) seconds: Duration,
    pub(crate) target: Target,
}

/// Whose performance it is.
#[derive(Debug)]
pub(crate) enum Target {
    /// This crate alone, in a process started for it.
    Own,
    /// A running server: `host:port`, path of its two-way door, process.
    Running { host: String, path: String, pid: u32 },
}

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let (mut url, mut pid) = (None, None);
        let mut options =
            Self { handshakes: 300, sessions: vec![100, 1_000], seconds: Duration::from_secs(30), target: Target::Own };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--handshakes" => options.handshakes = value.parse()?,
                "--sessions" => options.sessions = value.split(',').map(str::parse).collect::<Result<_, _>>()?,
                "--seconds" => options.seconds = Duration::from_secs(value.parse()?),
                "--url" => url = Some(value),
                "--pid" => pid = Some(value.parse()?),
                other => return Err(format!("unknown option {other}").into()),
            }
        }
        if let Some(url) = url {
            let rest = url.strip_prefix("http://").ok_or("--url must begin with http://")?;
            let (host, path) = rest.split_once('/').ok_or("--url needs a path")?;
            let pid = pid.ok_or("--url needs --pid, the process whose time is measured")?;
            options.target = Target::Running { host: host.into(), path: format!("/{path}"), pid };
        }
        Ok(options)
    }
}
