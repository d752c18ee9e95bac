//! Conversations against a media server in another process:
//! `cargo run --release -p media --example media_bench -- [--sessions 100,1000] [--seconds 30]`.
//!
//! The generator starts itself once more as the server (`server`), so that the processor time of both is told apart, or
//! is pointed at a running one with `--url` and `--pid`. It opens calls one after the other (`handshakes`), then holds
//! many that talk by turns (`load`). Each call has a real peer connection of its own for ICE, DTLS, the data channel and
//! RTCP; only its voice packets are encrypted (`srtp`) and counted by hand, so that a thousand callers cost a fraction of
//! what a thousand whole stacks would.

mod handshakes;
mod keys;
mod load;
mod options;
mod processes;
mod server;
mod session;
mod signalling;
mod srtp;
mod talk;
mod tally;

use std::error::Error;

use options::Options;
use processes::Server;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == "serve") {
        return server::serve();
    }
    let options = Options::read(arguments)?;
    if options.handshakes > 0 {
        let server = Server::of(&options)?;
        handshakes::measure(&server, options.handshakes)?;
    }
    for &sessions in options.sessions.iter().filter(|sessions| **sessions > 0) {
        // A fresh process for each, so that memory is that of this many calls.
        let server = Server::of(&options)?;
        load::hold(&server, sessions, options.seconds)?;
    }
    Ok(())
}
