//! How long callers wait: calls opened one after the other.

use std::error::Error;
use std::time::Instant;

use crate::processes::Server;
use crate::session::Callers;
use crate::tally::print_times;

pub(crate) fn measure(server: &Server, calls: usize) -> Result<(), Box<dyn Error>> {
    let callers = Callers::new()?;
    let mut http = server.connect()?;
    let (mut answered, mut connected) = (Vec::with_capacity(calls), Vec::with_capacity(calls));
    for number in 0..calls {
        let caller = callers.offer()?;
        let start = Instant::now();
        let answer = http.ask("POST", &server.path(number), &caller.offer)?;
        answered.push(start.elapsed().as_secs_f64() * 1e3);
        let (mut session, at) = caller.connect(&callers, &answer)?;
        connected.push((at - start).as_secs_f64() * 1e3);
        session.close()?;
    }
    print_times("offer to answer", &mut answered);
    print_times("offer to DTLS connected", &mut connected);
    Ok(())
}
