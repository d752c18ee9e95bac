//! Compiles the protos without a protoc: `protox` reads them, `tonic-prost-build` writes Rust.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

use prost::Message as _;

const PROTOS: &str = "protos";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTOS}");
    let roots = [
        "google/cloud/speech/v2/cloud_speech.proto",
        "google/cloud/texttospeech/v1/cloud_tts.proto",
        "google/rpc/error_details.proto",
    ];
    let mut files = protox::compile(roots, [PROTOS])?;
    // Annotations for Google's own tools: no message that travels holds one.
    files.file.retain(|file| file.package() != "google.api");
    let out = env::var_os("OUT_DIR").ok_or("cargo names no folder for what is built")?;
    fs::write(Path::new(&out).join("descriptors.bin"), files.encode_to_vec())?;
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(cfg!(feature = "server"))
        // A client takes any channel; which transport and TLS there are is for its user to choose.
        .build_transport(false)
        .generate_default_stubs(true)
        // Audio is handed on, not copied.
        .bytes(".google.cloud")
        .include_file("google_apis.rs")
        .compile_fds(files)?;
    Ok(())
}
