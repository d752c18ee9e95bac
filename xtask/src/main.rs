//! Development checks that no other tool makes: `cargo xtask check`.

mod edges;
mod sizes;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() != Some("check") {
        eprintln!("usage: cargo run -p xtask -- check");
        return ExitCode::from(2);
    }
    match run_checks() {
        Ok(complaints) if complaints.is_empty() => {
            println!("xtask: file sizes, module docs and crate edges are as they should be");
            ExitCode::SUCCESS
        }
        Ok(complaints) => {
            complaints.iter().for_each(|complaint| eprintln!("xtask: {complaint}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("xtask: failed to check: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_checks() -> anyhow::Result<Vec<String>> {
    let mut complaints = edges::check()?;
    complaints.extend(sizes::check()?);
    Ok(complaints)
}
