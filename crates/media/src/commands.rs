//! What other threads ask of the media thread, and how they wake it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use audio::leg::{EndReason, FromCaller, ToCaller};
use mio::Waker;
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;

use crate::ice::{IceError, IcePatch, IceSession, IceTag};
use crate::peer::Peer;
use crate::sdp::Role;
use crate::stats::Counters;

/// Commands under way. A thousand voices make 50,000 a second and the thread empties the queue every few
/// milliseconds; when it is full, voice and text are dropped and the rest waits for room.
const MAX_COMMANDS: usize = 16_384;

/// Names a call for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CallKey(pub(crate) u64);

/// Names a leg for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LegKey(pub(crate) u64);

/// What the media thread is asked to do.
pub(crate) enum Command {
    Open(NewCall),
    Listen { call: CallKey, listener_id: String, leg: NewLeg },
    ToCaller { call: CallKey, message: ToCaller },
    Hangup { call: CallKey, reason: EndReason },
    CloseListener { call: CallKey, listener_id: String },
    PatchIce(PatchIce),
    Shutdown,
}

/// A call to take over.
pub(crate) struct NewCall {
    pub(crate) key: CallKey,
    pub(crate) id: String,
    pub(crate) role: Role,
    pub(crate) leg: NewLeg,
    pub(crate) to_agent: Sender<FromCaller>,
}

/// A negotiated peer to take over.
pub(crate) struct NewLeg {
    pub(crate) key: LegKey,
    pub(crate) peer: Peer,
    pub(crate) ice: IceSession,
}

/// A change of a leg's ICE session: of the caller's own, if no listener is named.
pub(crate) struct PatchIce {
    pub(crate) call: CallKey,
    pub(crate) listener_id: Option<String>,
    pub(crate) patch: IcePatch,
    /// Who asked may go before it is done.
    pub(crate) reply: oneshot::Sender<Result<IcePatched, IceError>>,
}

/// What became of a patch.
pub(crate) enum IcePatched {
    Trickled,
    /// With the answer as the WebRTC stack writes it.
    Restarted {
        tag: IceTag,
        answer: String,
    },
}

/// The asking end; cheap to clone.
#[derive(Clone)]
pub(crate) struct Commands {
    sender: SyncSender<Command>,
    alarm: Arc<Alarm>,
    counters: Arc<Counters>,
}

/// The media thread is gone.
#[derive(Debug)]
pub(crate) struct ThreadGone;

/// The doing end.
pub(crate) struct CommandQueue {
    receiver: Receiver<Command>,
    alarm: Arc<Alarm>,
}

struct Alarm {
    /// Ends the wait for packets.
    waker: Waker,
    /// Ends a nap.
    sleeper: OnceLock<Thread>,
    /// Set from the first command until the thread looks: the others need not wake it again.
    is_ringing: AtomicBool,
    /// Whether the thread will look of its own accord within a moment.
    is_napping: AtomicBool,
}

pub(crate) fn channel(waker: Waker, counters: Arc<Counters>) -> (Commands, CommandQueue) {
    let (sender, receiver) = sync_channel(MAX_COMMANDS);
    let (is_ringing, is_napping) = (AtomicBool::new(false), AtomicBool::new(false));
    let alarm = Arc::new(Alarm { waker, sleeper: OnceLock::new(), is_ringing, is_napping });
    (Commands { sender, alarm: Arc::clone(&alarm), counters }, CommandQueue { receiver, alarm })
}

impl Commands {
    /// Asks for something that must be done; waits in the rare case that the queue is full.
    pub(crate) fn send(&self, command: Command) -> Result<(), ThreadGone> {
        self.sender.send(command).map_err(|_| ThreadGone)?;
        self.alarm.ring();
        Ok(())
    }

    /// Asks for something that may be left out under overload, and that need not end a nap. `false`: it was left out.
    fn offer(&self, command: Command) -> bool {
        match self.sender.try_send(command) {
            Ok(()) => {
                self.alarm.ring_unless_napping();
                true
            }
            // A call that is gone misses nothing.
            Err(TrySendError::Disconnected(_)) => true,
            Err(TrySendError::Full(_)) => false,
        }
    }
}

impl CommandQueue {
    /// Lets the next command wake the thread again; call before emptying the queue.
    pub(crate) fn rearm(&self) {
        self.alarm.is_ringing.store(false, Ordering::SeqCst);
    }

    pub(crate) fn next(&self) -> Option<Command> {
        self.receiver.try_recv().ok()
    }

    /// Sleeps for so long, or until something is asked for that should not wait.
    pub(crate) fn nap(&self, length: Duration) {
        self.alarm.sleeper.get_or_init(std::thread::current);
        self.alarm.is_napping.store(true, Ordering::SeqCst);
        // Who rang before that did not know of the nap.
        if !self.alarm.is_ringing.load(Ordering::SeqCst) {
            std::thread::park_timeout(length);
        }
        self.alarm.is_napping.store(false, Ordering::SeqCst);
    }
}

impl Alarm {
    fn ring(&self) {
        if self.is_ringing.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "media thread could not be woken");
        }
        if self.is_napping.load(Ordering::SeqCst)
            && let Some(sleeper) = self.sleeper.get()
        {
            sleeper.unpark();
        }
    }

    fn ring_unless_napping(&self) {
        if !self.is_napping.load(Ordering::SeqCst) {
            self.ring();
        }
    }
}

/// The agent's end of a call: what it says goes to the caller. Cheap to clone; outliving the call does no harm.
#[derive(Clone)]
pub struct CallSender {
    call: CallKey,
    commands: Commands,
}

impl CallSender {
    pub(crate) fn new(call: CallKey, commands: Commands) -> Self {
        Self { call, commands }
    }

    /// Sends without waiting. Under overload voice and text are dropped and counted; once the call is over,
    /// everything is ignored.
    pub fn send(&self, message: ToCaller) {
        let call = self.call;
        match message {
            ToCaller::Voice { .. } => {
                if !self.commands.offer(Command::ToCaller { call, message }) {
                    self.commands.counters.voice_dropped.add(1);
                }
            }
            ToCaller::Message(_) => {
                if !self.commands.offer(Command::ToCaller { call, message }) {
                    self.commands.counters.texts_dropped.add(1);
                }
            }
            // Whoever keeps it stands before.
            ToCaller::Keep(_) => {}
            ToCaller::EndOfClip(_) | ToCaller::Flush | ToCaller::Hold | ToCaller::Resume | ToCaller::Hangup => {
                // Without its thread the call is over.
                let _ = self.commands.send(Command::ToCaller { call, message });
            }
        }
    }
}

impl fmt::Debug for CallSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallSender").field(&self.call).finish()
    }
}
