//! Compiles the bus's wire format without a protoc, for the feature `kafka`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    #[cfg(feature = "kafka")]
    {
        let files = protox::compile(["bus.proto"], ["proto"])?;
        // Audio is handed on, not copied.
        prost_build::Config::new().bytes(["."]).compile_fds(files)?;
    }
    Ok(())
}
