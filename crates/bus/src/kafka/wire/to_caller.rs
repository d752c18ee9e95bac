//! Orchestrator to media.

use audio::leg::{Memo, ToCaller};

use super::proto::envelope::Body;
use super::{Poison, ToMedia, clip_in, clip_out, proto};

pub(super) fn body(message: ToMedia) -> Body {
    match message {
        ToMedia::Taken => Body::Taken(proto::Taken {}),
        ToMedia::Refused => Body::Refused(proto::Refused {}),
        ToMedia::LetGo => Body::LetGo(proto::LetGo {}),
        ToMedia::HandOver => Body::HandOver(proto::HandOver {}),
        ToMedia::Voice(clip, payloads) => Body::Voice(proto::Voice { clip: Some(clip_out(clip)), payloads }),
        ToMedia::Agent(said) => match said {
            ToCaller::Voice { clip, payload } => {
                Body::Voice(proto::Voice { clip: Some(clip_out(clip)), payloads: vec![payload] })
            }
            ToCaller::EndOfClip(clip) => Body::EndOfClip(clip_out(clip)),
            ToCaller::Flush => Body::Flush(proto::Flush {}),
            ToCaller::Hold => Body::Hold(proto::Hold {}),
            ToCaller::Resume => Body::Resume(proto::Resume {}),
            ToCaller::Message(text) => Body::AgentMessage(text),
            ToCaller::Hangup => Body::Hangup(proto::Hangup {}),
            ToCaller::Keep(Memo::Notice(payloads)) => Body::Notice(proto::Notice { payloads }),
            ToCaller::Keep(Memo::TurnsBefore(turns)) => Body::TurnsBefore(turns),
            ToCaller::Keep(Memo::Words { clip, text }) => {
                Body::Words(proto::Words { clip: Some(clip_out(clip)), text })
            }
        },
    }
}

pub(super) fn meaning(body: Body) -> Result<ToMedia, Poison> {
    Ok(match body {
        Body::Taken(_) => ToMedia::Taken,
        Body::Refused(_) => ToMedia::Refused,
        Body::LetGo(_) => ToMedia::LetGo,
        Body::HandOver(_) => ToMedia::HandOver,
        Body::Voice(voice) => ToMedia::Voice(clip_in(voice.clip.ok_or(Poison::Incomplete)?), voice.payloads),
        Body::EndOfClip(clip) => ToMedia::Agent(ToCaller::EndOfClip(clip_in(clip))),
        Body::Flush(_) => ToMedia::Agent(ToCaller::Flush),
        Body::Hold(_) => ToMedia::Agent(ToCaller::Hold),
        Body::Resume(_) => ToMedia::Agent(ToCaller::Resume),
        Body::AgentMessage(text) => ToMedia::Agent(ToCaller::Message(text)),
        Body::Hangup(_) => ToMedia::Agent(ToCaller::Hangup),
        Body::Notice(notice) => ToMedia::Agent(ToCaller::Keep(Memo::Notice(notice.payloads))),
        Body::TurnsBefore(turns) => ToMedia::Agent(ToCaller::Keep(Memo::TurnsBefore(turns))),
        Body::Words(proto::Words { clip, text }) => {
            let clip = clip_in(clip.ok_or(Poison::Incomplete)?);
            ToMedia::Agent(ToCaller::Keep(Memo::Words { clip, text }))
        }
        // What only media says.
        Body::Announce(_)
        | Body::Connected(_)
        | Body::ChannelOpen(_)
        | Body::Frame(_)
        | Body::Key(_)
        | Body::ClientMessage(_)
        | Body::Playout(_)
        | Body::Ended(_)
        | Body::Transport(_)
        | Body::Closed(_)
        | Body::Superseded(_) => return Err(Poison::Incomplete),
    })
}
