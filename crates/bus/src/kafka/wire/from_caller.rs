//! Media to orchestrator.

use audio::leg::{EndReason, FromCaller, OpusFrame, PlayoutMark};

use super::proto::envelope::Body;
use super::proto::{self, ended::Reason, playout::Kind};
use super::{Poison, ToAgent, clip_in, clip_out, transport};
use crate::local::Heard;

pub(super) fn body(message: ToAgent) -> Body {
    match message {
        ToAgent::Announce { reply_partition, details, heard } => {
            let heard = heard.map(|Heard { turn, text }| proto::Heard { turn, text });
            Body::Announce(proto::Announce { reply_partition, details, heard })
        }
        ToAgent::Closed => Body::Closed(proto::Closed {}),
        ToAgent::Superseded => Body::Superseded(proto::Superseded {}),
        ToAgent::Caller(event) => match event {
            FromCaller::Connected => Body::Connected(proto::Connected {}),
            FromCaller::ChannelOpen => Body::ChannelOpen(proto::ChannelOpen {}),
            FromCaller::Frame(OpusFrame { sequence, rtp_time, payload }) => {
                Body::Frame(proto::Frame { sequence, rtp_time, payload })
            }
            FromCaller::Key(key) => Body::Key(proto::Key { character: key.into() }),
            FromCaller::Message(text) => Body::ClientMessage(text),
            FromCaller::Playout(mark) => Body::Playout(mark_out(mark)),
            FromCaller::Transport(stats) => Body::Transport(transport::out(&stats)),
            FromCaller::Ended(reason) => Body::Ended(proto::Ended { reason: reason_out(reason).into() }),
        },
    }
}

pub(super) fn meaning(body: Body) -> Result<ToAgent, Poison> {
    Ok(ToAgent::Caller(match body {
        Body::Announce(proto::Announce { reply_partition, details, heard }) => {
            let heard = heard.map(|proto::Heard { turn, text }| Heard { turn, text });
            return Ok(ToAgent::Announce { reply_partition, details, heard });
        }
        Body::Closed(_) => return Ok(ToAgent::Closed),
        Body::Superseded(_) => return Ok(ToAgent::Superseded),
        Body::Connected(_) => FromCaller::Connected,
        Body::ChannelOpen(_) => FromCaller::ChannelOpen,
        Body::Frame(proto::Frame { sequence, rtp_time, payload }) => {
            FromCaller::Frame(OpusFrame { sequence, rtp_time, payload })
        }
        Body::Key(key) => FromCaller::Key(char::from_u32(key.character).ok_or(Poison::Incomplete)?),
        Body::ClientMessage(text) => FromCaller::Message(text),
        Body::Playout(mark) => FromCaller::Playout(mark_in(mark)?),
        Body::Transport(stats) => FromCaller::Transport(transport::read(stats)),
        Body::Ended(ended) => FromCaller::Ended(reason_in(ended.reason())?),
        // What only orchestrators say.
        Body::Taken(_)
        | Body::Refused(_)
        | Body::Voice(_)
        | Body::EndOfClip(_)
        | Body::Flush(_)
        | Body::Hold(_)
        | Body::Resume(_)
        | Body::AgentMessage(_)
        | Body::Hangup(_)
        | Body::LetGo(_)
        | Body::TurnsBefore(_)
        | Body::Words(_)
        | Body::Notice(_)
        | Body::HandOver(_) => return Err(Poison::Incomplete),
    }))
}

fn mark_out(mark: PlayoutMark) -> proto::Playout {
    let (kind, at) = match mark {
        PlayoutMark::Started(clip) => (Kind::Started, Some((clip, 0))),
        PlayoutMark::Reached { clip, heard_ms } => (Kind::Reached, Some((clip, heard_ms))),
        PlayoutMark::Finished(clip) => (Kind::Finished, Some((clip, 0))),
        PlayoutMark::Held { at } => (Kind::Held, at),
        PlayoutMark::Flushed { cut } => (Kind::Flushed, cut),
    };
    proto::Playout {
        kind: kind.into(),
        clip: at.map(|(clip, _)| clip_out(clip)),
        heard_ms: at.map_or(0, |(_, heard_ms)| heard_ms),
    }
}

fn mark_in(mark: proto::Playout) -> Result<PlayoutMark, Poison> {
    let at = mark.clip.map(|clip| (clip_in(clip), mark.heard_ms));
    let playing = || at.ok_or(Poison::Incomplete);
    Ok(match mark.kind() {
        Kind::Started => PlayoutMark::Started(playing()?.0),
        Kind::Reached => {
            let (clip, heard_ms) = playing()?;
            PlayoutMark::Reached { clip, heard_ms }
        }
        Kind::Finished => PlayoutMark::Finished(playing()?.0),
        Kind::Held => PlayoutMark::Held { at },
        Kind::Flushed => PlayoutMark::Flushed { cut: at },
        Kind::Unspecified => return Err(Poison::Incomplete),
    })
}

fn reason_out(reason: EndReason) -> Reason {
    match reason {
        EndReason::Hangup => Reason::Hangup,
        EndReason::AgentHangup => Reason::AgentHangup,
        EndReason::Lost => Reason::Lost,
        EndReason::NeverConnected => Reason::NeverConnected,
        EndReason::Shutdown => Reason::Shutdown,
        EndReason::Failed => Reason::Failed,
    }
}

fn reason_in(reason: Reason) -> Result<EndReason, Poison> {
    Ok(match reason {
        Reason::Hangup => EndReason::Hangup,
        Reason::AgentHangup => EndReason::AgentHangup,
        Reason::Lost => EndReason::Lost,
        Reason::NeverConnected => EndReason::NeverConnected,
        Reason::Shutdown => EndReason::Shutdown,
        Reason::Failed => EndReason::Failed,
        Reason::Unspecified => return Err(Poison::Incomplete),
    })
}
