//! Fetches model packs without the server: `cargo run --release -p providers --features packs --example models_pull --
//! MODELS_DIR PACK...`

use std::path::PathBuf;

use providers::packs::{Bars, Manifest, check, pull};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("usage: models_pull MODELS_DIR PACK...")?);
    let names: Vec<String> = arguments.collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let manifest = Manifest::builtin();
    if let Err(error) = pull(&manifest, &dir, &names, &Bars::progress()).await {
        eprintln!("{error}");
        std::process::exit(1);
    }
    check(&manifest, &dir, &names)?;
    Ok(())
}
