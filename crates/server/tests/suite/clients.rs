//! Foreign WHIP and WHEP clients against the real server. Each script is a client in Python; it stops at the first thing that
//! is not as it should be.
//!
//! Wants the Python packages that `scripts/setup test` installs; without them a test fails and says so. Browsers and what
//! runs in Node.js are tested by `web/e2e`.

use testkit::installed;
use tokio::process::Command;

use crate::support::TestServer;

async fn run(server: &TestServer, script: &str) {
    let output = Command::new(installed::python())
        .arg(format!("{}/tests/clients/{script}", env!("CARGO_MANIFEST_DIR")))
        .env("SERVER_URL", &server.url)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .kill_on_drop(true)
        .output()
        .await
        .expect("the interpreter starts");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// How many microphone frames the server has heard so far, as it tells itself.
async fn frames_in(server: &TestServer) -> u64 {
    let metrics = server.get("/metrics").await.text().await.expect("text");
    let line = metrics.lines().find_map(|line| line.strip_prefix("antiphon_media_frames_in_total "));
    line.and_then(|count| count.parse().ok()).expect("frames are counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn aiortc_is_heard_and_hears() {
    let server = TestServer::start().await;
    run(&server, "aiortc_echo.py").await;
    assert!(frames_in(&server).await > 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_is_heard() {
    let server = TestServer::start().await;
    run(&server, "ffmpeg_publish.py").await;
    // Three times two seconds, less what was spoken before the connection was up.
    let frames = frames_in(&server).await;
    assert!((225..=330).contains(&frames), "{frames} frames were heard");
    server.stop().await;
}
