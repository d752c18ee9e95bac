//! The server's process and what the kernel tells about it and about us.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::options::{Options, Target};
use crate::signalling::Http;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) host: String,
    pid: u32,
    door: ServerDoor,
}

#[derive(Debug)]
enum ServerDoor {
    /// Ours; it ends when its standard input is closed.
    Own(Child),
    /// Somebody else's, with the path of its two-way door.
    Running(String),
}

/// Processor time since the process began.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CpuTime {
    pub(crate) all: Duration,
    /// That of threads whose name begins with `media`.
    pub(crate) media: Duration,
}

impl Server {
    pub(crate) fn of(options: &Options) -> Result<Self, Box<dyn Error>> {
        match &options.target {
            Target::Running { host, path, pid } => {
                Ok(Self { host: host.clone(), pid: *pid, door: ServerDoor::Running(path.clone()) })
            }
            Target::Own => Self::start(),
        }
    }

    fn start() -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        let output = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(output).read_line(&mut address)?;
        Ok(Self { host: address.trim().into(), pid: child.id(), door: ServerDoor::Own(child) })
    }

    pub(crate) fn connect(&self) -> Result<Http, Box<dyn Error>> {
        Http::connect(&self.host)
    }

    /// Where the call of this number is offered.
    pub(crate) fn path(&self, number: usize) -> String {
        match &self.door {
            ServerDoor::Own(_) => format!("/call/{number}"),
            ServerDoor::Running(path) => path.clone(),
        }
    }

    /// Whether it tells what its agents hear.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.door, ServerDoor::Own(_))
    }

    pub(crate) fn cpu(&self) -> Result<CpuTime, Box<dyn Error>> {
        cpu(&self.pid.to_string())
    }

    /// Memory in use, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let ServerDoor::Own(child) = &mut self.door {
            drop(child.stdin.take());
            // Its parent is about to end or to start the next one; there is nobody to tell.
            let _ = child.wait();
        }
    }
}

/// Our own processor time.
pub(crate) fn own_cpu() -> Result<CpuTime, Box<dyn Error>> {
    cpu("self")
}

/// From the scheduler's nanoseconds, which are exact; `stat` counts ticks of 10 ms.
fn cpu(process: &str) -> Result<CpuTime, Box<dyn Error>> {
    let mut sum = CpuTime::default();
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let path = thread?.path();
        let schedstat = fs::read_to_string(path.join("schedstat"))?;
        let spent = Duration::from_nanos(schedstat.split(' ').next().unwrap_or_default().parse()?);
        sum.all += spent;
        if fs::read_to_string(path.join("comm"))?.starts_with("media") {
            sum.media += spent;
        }
    }
    Ok(sum)
}
