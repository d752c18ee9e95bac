//! Carries what one agent says to the media node that holds its caller.

use audio::leg::{Clip, ToCaller};
use bytes::Bytes;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use crate::kafka::outlet::Stream;
use crate::kafka::wire::ToMedia;

/// Packets of voice in one record. Voice is made faster than it is played, so packing costs nothing and saves records.
const PACKED: usize = 5;

/// Carries until the agent lets go of the call, or the call is to be handed over.
pub(super) async fn run(mut stream: Stream, mut from_agent: Receiver<ToCaller>, hand_over: CancellationToken) {
    stream.send(ToMedia::Taken).await;
    let mut next = None;
    loop {
        let said = match next.take() {
            Some(said) => said,
            None => tokio::select! {
                biased;
                () = hand_over.cancelled() => return stream.send(ToMedia::HandOver).await,
                said = from_agent.recv() => match said {
                    Some(said) => said,
                    None => break,
                },
            },
        };
        match said {
            ToCaller::Voice { clip, payload } => {
                let (payloads, behind) = pack(clip, payload, &mut from_agent);
                next = behind;
                stream.send(ToMedia::Voice(clip, payloads)).await;
            }
            other => stream.send(ToMedia::Agent(other)).await,
        }
    }
    stream.send(ToMedia::LetGo).await;
}

/// A packet with those of the same clip that are there already, and what came behind them.
fn pack(clip: Clip, first: Bytes, from_agent: &mut Receiver<ToCaller>) -> (Vec<Bytes>, Option<ToCaller>) {
    let mut payloads = vec![first];
    while payloads.len() < PACKED {
        match from_agent.try_recv() {
            Ok(ToCaller::Voice { clip: same, payload }) if same == clip => payloads.push(payload),
            Ok(other) => return (payloads, Some(other)),
            Err(_) => break,
        }
    }
    (payloads, None)
}
