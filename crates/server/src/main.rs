//! The `antiphon` command: reads the command line, runs what it names, and says in one sentence what failed.

use std::process::ExitCode;

use clap::Parser as _;
use server::cli::{Cli, Command};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("antiphon: failed to {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    if let Command::Serve(_) | Command::Orchestrator(_) = command {
        server::wait_policy::ensure_short_spins();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Serve(args) => server::serve(args).await?,
            Command::Media(args) => server::media(args).await?,
            Command::Orchestrator(args) => server::orchestrator(args).await?,
            Command::Call(args) => server::call(args).await?,
            Command::Models(args) => server::models(args).await?,
            Command::Check(args) => server::check(args).await?,
            Command::Replay(args) => server::replay(args)?,
        }
        Ok(())
    })
}
