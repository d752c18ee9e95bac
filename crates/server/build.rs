//! Builds the binary anew when the web app changed. While `web/dist` is missing, Cargo takes it for changed each time.

fn main() {
    println!("cargo::rerun-if-changed=../../web/dist");
    println!("cargo::rerun-if-changed=build.rs");
}
