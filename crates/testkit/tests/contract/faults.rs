//! What adapters make of a vendor's troubles: typed, told once, with all that came before, and without what was said.

mod llm;
mod stt;
mod tts;

use std::time::Duration;

use providers::Remedy;
use providers::remote::Deadlines;
use testkit::emulator::{Code, Emulator, Fault, Refusal, Route, Script, Trouble};

use crate::vendors::{KEY, PATIENT};

/// Long enough for a sign of life on a busy machine, short enough to be waited for.
const SOON: Duration = Duration::from_millis(300);
const HASTY: Deadlines = Deadlines { connect: SOON, first: SOON, stall: SOON };
/// What a vendor that is asked too much wants.
const WAIT: Duration = Duration::from_millis(2_500);

/// A fault, and what it must come to.
struct Case {
    fault: Fault,
    deadlines: Deadlines,
    remedy: Remedy,
    retry_after: Option<Duration>,
}

impl Case {
    fn new(fault: Fault, remedy: Remedy) -> Self {
        Self { fault, deadlines: PATIENT, remedy, retry_after: None }
    }

    fn quota(after: usize) -> Self {
        let quota = Trouble::Error(Refusal::quota(WAIT));
        Self { retry_after: Some(WAIT), ..Self::new(Fault::after(after, quota), Remedy::Replace) }
    }

    fn silence(after: usize) -> Self {
        Self { deadlines: HASTY, ..Self::new(Fault::after(after, Trouble::Silence), Remedy::Retry) }
    }

    #[track_caller]
    fn check(&self, failure: &providers::Failure, said: &str) {
        let fault = &self.fault;
        assert_eq!((failure.remedy, failure.retry_after), (self.remedy, self.retry_after), "{fault:?}: {failure}");
        assert!(!failure.message.contains(KEY) && !failure.message.contains(said), "{fault:?}: {failure}");
    }
}

fn refused(code: Code) -> Trouble {
    Trouble::Error(Refusal::new(code, "my secret words are not for the log"))
}

/// What every vendor may do before its first word or sound.
fn before() -> Vec<Case> {
    let at_once = |trouble, remedy| Case::new(Fault::at_once(trouble), remedy);
    vec![
        Case::quota(0),
        at_once(refused(Code::Unauthenticated), Remedy::Replace),
        at_once(refused(Code::PermissionDenied), Remedy::Replace),
        at_once(refused(Code::InvalidArgument), Remedy::Replace),
        at_once(refused(Code::NotFound), Remedy::Replace),
        at_once(refused(Code::Internal), Remedy::Retry),
        at_once(refused(Code::Unavailable), Remedy::Retry),
        at_once(refused(Code::DeadlineExceeded), Remedy::Retry),
        at_once(Trouble::Reset, Remedy::Retry),
        Case::silence(0),
    ]
}

/// An emulator to whose next request of this kind that happens.
async fn troubled(route: Route, fault: &Fault) -> Emulator {
    let emulator = Emulator::start(Script::default()).await.expect("it starts");
    emulator.fault(route, 1, fault.clone());
    emulator
}

/// The same to all of them: an adapter may try a second time.
async fn always_troubled(route: Route, fault: &Fault) -> Emulator {
    let emulator = Emulator::start(Script::default()).await.expect("it starts");
    emulator.fault_every(route, 1, fault.clone());
    emulator
}

/// One that lets nobody in.
async fn locked() -> Emulator {
    let script = Script { keys: vec!["another".to_owned()], ..Script::default() };
    Emulator::start(script).await.expect("it starts")
}
