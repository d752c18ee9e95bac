//! What goes wrong is said in one sentence; what goes right is said in one line.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::{Served, antiphon, complaint, tone_wav};

#[test]
fn a_file_that_cannot_be_spoken_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let call = |file: &str| complaint(&antiphon(folder.path()).args(["call", file]).output().expect("it runs"));

    let missing = call("nothing.wav");
    assert!(missing.contains("nothing.wav") && missing.contains("No such file"), "{missing}");

    std::fs::write(folder.path().join("song.mp3"), "not a recording").expect("write");
    let not_wav = call("song.mp3");
    assert!(not_wav.contains("song.mp3") && not_wav.contains("not a WAV file"), "{not_wav}");

    std::fs::write(folder.path().join("empty.wav"), audio::wav::write(&[], 16_000).expect("short")).expect("write");
    assert!(call("empty.wav").contains("no samples"), "{}", call("empty.wav"));

    let silence = audio::wav::write(&[0.0; 16_000], 16_000).expect("short");
    std::fs::write(folder.path().join("silent.wav"), silence).expect("write");
    assert!(call("silent.wav").contains("silent"), "{}", call("silent.wav"));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let wav = tone_wav(folder.path());
    let call = |url: &str| {
        complaint(&antiphon(folder.path()).arg("call").arg(&wav).args(["--url", url]).output().expect("it runs"))
    };
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let nobody = call(&format!("http://{free}"));
    assert!(nobody.contains("nobody answers there") && nobody.contains("antiphon serve"), "{nobody}");
    let nonsense = call("localhost:8080");
    assert!(nonsense.contains("not the URL of a server"), "{nonsense}");
}

#[test]
fn a_taken_port_names_the_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let mut serve = antiphon(folder.path());
    let output = serve.args(["serve", "--agent", "echo"]).env("ANTIPHON__SERVER__LISTEN", &address).output();
    let message = complaint(&output.expect("it runs"));
    assert!(message.contains("server.listen") && message.contains(&address), "{message}");

    let taken = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let mut serve = antiphon(folder.path());
    let output = serve.args(["serve", "--agent", "echo"]).env("ANTIPHON__MEDIA__UDP_LISTEN", &address).output();
    let message = complaint(&output.expect("it runs"));
    assert!(message.contains("media.udp_listen") && message.contains(&address), "{message}");
}

#[test]
fn a_wrong_setting_names_the_key_and_where_it_was_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let serve = |args: &[&str], env: (&str, &str)| {
        complaint(&antiphon(folder.path()).arg("serve").args(args).env(env.0, env.1).output().expect("it runs"))
    };
    let unset = ("LANG", "C");

    let missing = serve(&["--config", "no.toml"], unset);
    assert!(missing.contains("no.toml") && missing.contains("--config"), "{missing}");

    let variable = serve(&[], ("ANTIPHON__SERVER__LISSTEN", "127.0.0.1:1"));
    assert!(variable.contains("ANTIPHON__SERVER__LISSTEN") && variable.contains("listen"), "{variable}");

    std::fs::write(folder.path().join("my.toml"), "[server]\nport = 8080\n").expect("write");
    let key = serve(&["--config", "my.toml"], unset);
    assert!(key.contains("server.port") && key.contains("my.toml") && key.contains("listen"), "{key}");

    std::fs::write(folder.path().join("antiphon.toml"), "[log]\nlevel = 5\n").expect("write");
    let kind = serve(&[], unset);
    assert!(kind.contains("log.level") && kind.contains("antiphon.toml"), "{kind}");
}

#[test]
fn a_store_that_cannot_be_written_names_the_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("write");
    let mut serve = antiphon(folder.path());
    let output = serve.args(["serve", "--agent", "echo"]).env("ANTIPHON__STORE__URL", "sqlite://file/x.db").output();
    let message = complaint(&output.expect("it runs"));
    assert!(message.contains("store.url") && message.contains("file"), "{message}");
}

#[test]
fn missing_models_say_how_to_get_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for command in [&["serve"][..], &["check"], &["models", "verify"]] {
        let message = complaint(&antiphon(folder.path()).args(command).output().expect("it runs"));
        assert!(message.contains("antiphon models pull"), "{command:?}: {message}");
    }
}

#[test]
fn a_damaged_model_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("models/lib/libonnxruntime.so.1.32.0");
    std::fs::create_dir_all(library.parent().expect("it has one")).expect("a folder");
    std::fs::write(&library, "not a library").expect("write");
    let mut serve = antiphon(folder.path());
    let output = serve.arg("serve").env("ANTIPHON__MODELS__DIR", folder.path().join("models")).output();
    let message = complaint(&output.expect("it runs"));
    assert!(message.contains("libonnxruntime.so.1.32.0") && message.contains("antiphon models pull"), "{message}");
    assert!(!message.contains("libonnxruntime.so.1.32.0 is missing"), "{message}");
}

#[test]
fn an_echo_server_serves_and_stops_cleanly() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut serve = antiphon(folder.path());
    serve.args(["serve", "--agent", "echo"]);
    let served = Served::start(serve);
    assert!(served.url.starts_with("http://127.0.0.1:"), "{}", served.url);
    let began = Instant::now();
    let output = served.terminate();
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(began.elapsed() < Duration::from_secs(2), "an idle server stops at once");
    assert!(!log.contains("ERROR"), "{log}");
}
