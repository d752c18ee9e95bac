//! A real Apache Kafka for the tests of this process.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use tempfile::TempDir;

/// A broker that runs; stopped when the last test lets go of it.
pub(crate) struct Broker {
    folder: TempDir,
    address: String,
}

impl Broker {
    /// The one that the tests of this process share: each has topics of its own.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Broker>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let broker = Arc::new(Self::start());
            *shared = Arc::downgrade(&broker);
            broker
        })
    }

    /// One of one's own, to be stopped and started.
    pub(crate) fn start() -> Self {
        let mut broker = Self { folder: tempfile::tempdir().unwrap(), address: String::new() };
        broker.address = broker.run(&["start"]);
        broker
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Stops it; its data stay.
    pub(crate) fn stop(&self) {
        self.run(&["stop", "--keep"]);
    }

    /// Starts it again where it was.
    pub(crate) fn start_again(&self) {
        assert_eq!(self.run(&["start"]), self.address);
    }

    /// Lets it accept connections and do nothing more.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Ends a freeze.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.folder.path().join("pid")).unwrap();
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
    }

    fn run(&self, arguments: &[&str]) -> String {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scripts/kafka");
        let folder = self.folder.path().to_str().unwrap();
        let run = Command::new(script).args(arguments).args(["--dir", folder]).output().unwrap();
        assert!(run.status.success(), "scripts/kafka {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if !self.address.is_empty() {
            self.run(&["stop"]);
        }
    }
}

/// What the topics of one test begin with.
pub(crate) fn own_prefix() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("test-{:x}.", RandomState::new().hash_one(0))
}
