//! Many calls at once, and what they cost.

use std::error::Error;
use std::time::{Duration, Instant};

use crate::processes::{CpuTime, Server, own_cpu};
use crate::server::parse_tally;
use crate::session::{Callers, Scratch, Session};
use crate::signalling::Http;
use crate::tally::{Tally, print_times};

/// Sessions are served in turn, one slice each millisecond, so that each is served once in a frame.
const SLICES: usize = 20;
const TICK: Duration = Duration::from_millis(1);
/// One cycle of talk before anything is counted.
const WARM_UP: Duration = Duration::from_secs(10);
/// After so many new calls the earlier ones get their turn.
const OPENED_AT_ONCE: usize = 50;
/// A tick that comes later than this is told: then it is the generator that lags.
const LAG: Duration = Duration::from_millis(10);

/// The state of everything at one moment.
struct Snapshot {
    at: Instant,
    server: CpuTime,
    own: CpuTime,
    resident_kib: u64,
    up: Option<Tally>,
    down: Tally,
}

/// Opens this many calls, lets them talk for so long, and prints what was seen.
pub(crate) fn hold(server: &Server, sessions: usize, seconds: Duration) -> Result<(), Box<dyn Error>> {
    println!("\n{sessions} conversations, 30 % talk each way, for {} s", seconds.as_secs());
    let mut http = server.connect()?;
    let empty_kib = server.resident_kib()?;
    let mut crowd = Crowd::gather(server, &mut http, sessions)?;
    crowd.talk(WARM_UP)?;
    let before = crowd.snapshot(server, &mut http)?;
    crowd.lags = 0;
    crowd.talk(seconds)?;
    let after = crowd.snapshot(server, &mut http)?;
    crowd.report(&before, &after, empty_kib);
    Ok(())
}

struct Crowd {
    sessions: Vec<Session>,
    scratch: Scratch,
    /// The next tick since the beginning of talk.
    tick: u64,
    /// Ticks that came late.
    lags: u64,
}

impl Crowd {
    fn gather(server: &Server, http: &mut Http, count: usize) -> Result<Self, Box<dyn Error>> {
        let callers = Callers::new()?;
        let mut crowd = Self { sessions: Vec::with_capacity(count), scratch: Scratch::new(), tick: 0, lags: 0 };
        let mut times = Vec::with_capacity(count);
        for number in 0..count {
            let caller = callers.offer()?;
            let start = Instant::now();
            let answer = http.ask("POST", &server.path(number), &caller.offer)?;
            let (session, at) = caller.connect(&callers, &answer)?;
            times.push((at - start).as_secs_f64() * 1e3);
            crowd.sessions.push(session);
            if (number + 1).is_multiple_of(OPENED_AT_ONCE) {
                crowd.talk(TICK * SLICES as u32)?;
            }
        }
        print_times("offer to DTLS connected, beside the earlier ones", &mut times);
        Ok(crowd)
    }

    fn talk(&mut self, length: Duration) -> Result<(), Box<dyn Error>> {
        let start = Instant::now();
        let ticks = (length.as_millis() / TICK.as_millis()) as u32;
        for tick in 0..ticks {
            let due = start + TICK * tick;
            let wait = due.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                self.lags += u64::from(due.elapsed() > LAG);
            } else {
                std::thread::park_timeout(wait);
            }
            let (slice, frame) = (self.tick as usize % SLICES, self.tick / SLICES as u64);
            for number in (slice..self.sessions.len()).step_by(SLICES) {
                self.sessions[number].serve(number, frame, &mut self.scratch)?;
            }
            self.tick += 1;
        }
        Ok(())
    }

    fn snapshot(&self, server: &Server, http: &mut Http) -> Result<Snapshot, Box<dyn Error>> {
        let mut down = Tally::default();
        for session in &self.sessions {
            down.add(session.hearing.tally);
        }
        let up = if server.is_ours() { Some(parse_tally(&http.ask("GET", "/tally", "")?)?) } else { None };
        let (at, resident_kib) = (Instant::now(), server.resident_kib()?);
        Ok(Snapshot { at, server: server.cpu()?, own: own_cpu()?, resident_kib, up, down })
    }

    fn report(&self, before: &Snapshot, after: &Snapshot, empty_kib: u64) {
        let (count, seconds) = (self.sessions.len() as f64, (after.at - before.at).as_secs_f64());
        let each = |later: Duration, earlier: Duration| (later - earlier).as_secs_f64() * 1e3 / seconds / count;
        let held = self.sessions.iter().filter(|session| session.is_alive() && session.hearing.decrypted > 0).count();
        println!("held: {held}; the generator came late {} times", self.lags);
        println!(
            "processor per session: server {:.3} ms/s, of that its media threads {:.3}; generator {:.3} ms/s",
            each(after.server.all, before.server.all),
            each(after.server.media, before.server.media),
            each(after.own.all, before.own.all)
        );
        println!(
            "memory: {:.0} KiB a session; {} KiB before, {} KiB after the talk",
            (after.resident_kib - empty_kib) as f64 / count,
            before.resident_kib,
            after.resident_kib
        );
        if let (Some(after), Some(before)) = (after.up, before.up) {
            println!("caller to agent: {}", after - before);
        }
        println!("agent to caller: {}", after.down - before.down);
    }
}
