//! The vendors' APIs on one local port, for a person or a foreign program: `antiphon-emulator --listen 127.0.0.1:8089`.
//!
//! Faults, the log and the script are at `/emulator/…`; see docs/emulator.md.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use testkit::emulator::{Emulator, Pace, Script, StartError};

/// Emulates the APIs of OpenAI, Gemini, Google Speech-to-Text and Text-to-Speech.
#[derive(Parser)]
struct Arguments {
    /// Where to listen: HTTP/1.1 and HTTP/2, plain and TLS on the same port.
    #[arg(long, default_value = "127.0.0.1:8089")]
    listen: SocketAddr,
    /// Answer without delay instead of at the vendors' pace.
    #[arg(long)]
    instant: bool,
    /// A key or token that is let in; may be given several times. With none, any will do.
    #[arg(long)]
    key: Vec<String>,
    /// Write the certificate authority to this file, for clients that use TLS.
    #[arg(long)]
    ca: Option<PathBuf>,
}

/// Why it ends.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("start: {0}")]
    Start(#[from] StartError),
    #[error("write the certificate authority: {0}")]
    Authority(std::io::Error),
    #[error("wait for the signal to stop: {0}")]
    Signal(std::io::Error),
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let pace = if arguments.instant { Pace::default() } else { Pace::LIFELIKE };
    let script = Script { pace, keys: arguments.key, ..Script::default() };
    let emulator = Emulator::start_on(arguments.listen, script).await?;
    if let Some(path) = arguments.ca {
        std::fs::write(path, emulator.authority_pem()).map_err(Failure::Authority)?;
    }
    println!("OpenAI   {}", emulator.openai_url());
    println!("Gemini   {}", emulator.url());
    println!("gRPC     {}", emulator.grpc_url());
    println!("TLS      {} (authority: {}/emulator/ca.pem)", emulator.tls_url(), emulator.url());
    tokio::signal::ctrl_c().await.map_err(Failure::Signal)
}
