//! The agent that needs no model: it plays back what it hears, for checks and load.

use audio::leg::{Clip, FromCaller, ToCaller};
use audio::mend::Mended;
use dialogue::{CloseReason, Fact, Timestamp};
use tokio::sync::mpsc;

use crate::session::{Link, Report, close_reason};

/// Plays each packet of the caller back at once, until the call ends.
pub async fn echo(mut link: Link, reports: mpsc::Sender<Report>) {
    let started = tokio::time::Instant::now();
    let clip = Clip { turn: 1, attempt: 1, sentence: 0 };
    let mut reason = CloseReason::ConnectionLost;
    while let Some(message) = link.from_caller.recv().await {
        let report = match message {
            FromCaller::Frame(frame) if !frame.payload.is_empty() => {
                let voice = ToCaller::Voice { clip, payload: frame.payload };
                // A full link means that the packet would come late: better lost.
                if let Err(mpsc::error::TrySendError::Closed(_)) = link.to_caller.try_send(voice) {
                    break;
                }
                continue;
            }
            FromCaller::Transport(transport) => Report::Transport { transport, mended: Mended::default() },
            FromCaller::Frame(_) | FromCaller::Key(_) | FromCaller::Playout(_) => continue,
            FromCaller::Connected => Report::Connected,
            FromCaller::ChannelOpen => Report::ChannelOpen,
            FromCaller::Message(text) => Report::ClientMessage(text),
            FromCaller::Ended(end) => {
                reason = close_reason(end);
                break;
            }
        };
        if reports.send(report).await.is_err() {
            break;
        }
    }
    let at = Timestamp::from_micros(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX));
    // Nobody may listen any more; then nobody misses it.
    let _ = reports.send(Report::Fact { at, fact: Fact::Closed(reason) }).await;
}
