//! The bytes are committed: a change here is a change of the public format, and readers of both versions must live on.

use std::fmt::Write as _;
use std::time::Duration;

use audio::leg::{
    Clip, EndReason, FromCaller, Memo, MicrophoneStats, OpusFrame, PlayoutMark, ToCaller, TransportStats, VoiceStats,
};
use bytes::Bytes;

use super::{Body, Header, Heard, NodeId, Poison, Role, Status, ToAgent, ToMedia};

const HEADER: Header = Header { from: NodeId(0x11), to: NodeId(0x22), epoch: 1, sequence: 2, sent_us: 3 };
const MICROPHONE: MicrophoneStats = MicrophoneStats {
    frames: 50,
    lost: 1,
    late: 2,
    duplicates: 3,
    recovered_ms: 40,
    jitter: Duration::from_micros(1_500),
};
const VOICE: VoiceStats = VoiceStats {
    sent: 40,
    lost: 4,
    loss_percent: 10,
    jitter: Duration::from_micros(2_500),
    round_trip: Some(Duration::from_micros(0)),
};
const CLIP: Clip = Clip { turn: 1, attempt: 2, sentence: 3 };

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn assert_reads_back<B: Body + Clone + PartialEq + std::fmt::Debug>(all: &[B]) -> String {
    let mut snapshot = String::new();
    for body in all {
        let bytes = body.clone().encode(&HEADER);
        assert_eq!(B::decode(&bytes), Ok((HEADER, body.clone())));
        writeln!(snapshot, "{body:?}\n  {}", hex(&bytes)).unwrap();
    }
    snapshot
}

#[test]
fn every_record_has_the_bytes_of_the_committed_snapshot() {
    let all = assert_reads_back(&what_media_says()) + &assert_reads_back(&what_orchestrators_say()) + &status_lines();
    let committed = include_str!("snapshot.txt");
    assert!(all == committed, "the wire format changed; if that is a decision, this is the new snapshot:\n{all}");
}

fn what_media_says() -> Vec<ToAgent> {
    let frame = OpusFrame { sequence: 1, rtp_time: 960, payload: Bytes::from_static(b"ab") };
    vec![
        ToAgent::Announce { reply_partition: 5, details: Bytes::from_static(b"x"), heard: None },
        ToAgent::Announce {
            reply_partition: 5,
            details: Bytes::new(),
            heard: Some(Heard { turn: 2, text: "h".into() }),
        },
        ToAgent::Closed,
        ToAgent::Superseded,
        ToAgent::Caller(FromCaller::Connected),
        ToAgent::Caller(FromCaller::ChannelOpen),
        ToAgent::Caller(FromCaller::Frame(frame)),
        ToAgent::Caller(FromCaller::Key('#')),
        ToAgent::Caller(FromCaller::Message("m".into())),
        ToAgent::Caller(FromCaller::Playout(PlayoutMark::Started(CLIP))),
        ToAgent::Caller(FromCaller::Playout(PlayoutMark::Reached { clip: CLIP, heard_ms: 100 })),
        ToAgent::Caller(FromCaller::Playout(PlayoutMark::Finished(CLIP))),
        ToAgent::Caller(FromCaller::Playout(PlayoutMark::Held { at: Some((CLIP, 0)) })),
        ToAgent::Caller(FromCaller::Playout(PlayoutMark::Flushed { cut: None })),
        ToAgent::Caller(FromCaller::Transport(TransportStats { microphone: MICROPHONE, voice: None })),
        ToAgent::Caller(FromCaller::Transport(TransportStats { microphone: MICROPHONE, voice: Some(VOICE) })),
        ToAgent::Caller(FromCaller::Ended(EndReason::Hangup)),
        ToAgent::Caller(FromCaller::Ended(EndReason::AgentHangup)),
        ToAgent::Caller(FromCaller::Ended(EndReason::Lost)),
        ToAgent::Caller(FromCaller::Ended(EndReason::NeverConnected)),
        ToAgent::Caller(FromCaller::Ended(EndReason::Shutdown)),
        ToAgent::Caller(FromCaller::Ended(EndReason::Failed)),
    ]
}

fn what_orchestrators_say() -> Vec<ToMedia> {
    vec![
        ToMedia::Taken,
        ToMedia::Refused,
        ToMedia::Voice(CLIP, vec![Bytes::from_static(b"a"), Bytes::from_static(b"bc")]),
        ToMedia::Agent(ToCaller::EndOfClip(CLIP)),
        ToMedia::Agent(ToCaller::Flush),
        ToMedia::Agent(ToCaller::Hold),
        ToMedia::Agent(ToCaller::Resume),
        ToMedia::Agent(ToCaller::Message("m".into())),
        ToMedia::Agent(ToCaller::Hangup),
        ToMedia::Agent(ToCaller::Keep(Memo::Notice(vec![Bytes::from_static(b"n")]))),
        ToMedia::Agent(ToCaller::Keep(Memo::TurnsBefore(4))),
        ToMedia::Agent(ToCaller::Keep(Memo::Words { clip: CLIP, text: "w".into() })),
        ToMedia::LetGo,
        ToMedia::HandOver,
    ]
}

fn status_lines() -> String {
    let status = Status {
        node: NodeId(1),
        role: Role::Orchestrator,
        partition: 2,
        calls: 3,
        capacity: 4,
        busy_permille: 5,
        draining: true,
        stopped: true,
        sent_us: 6,
    };
    assert_eq!(Status::decode(&status.encode()), Ok(status));
    format!("{status:?}\n  {}\n", hex(&status.encode()))
}

#[test]
fn poison_is_refused_as_a_whole() {
    // The tag, in two bytes, and no length.
    const CLOSED_BYTES: usize = 3;
    let good = ToAgent::Closed.encode(&HEADER);
    assert_eq!(ToAgent::decode(b"\xff\xff"), Err(Poison::Undecodable));
    assert_eq!(ToAgent::decode(b""), Err(Poison::Version(0)));
    let newer = [&[0x08, 0x02], &good[2..]].concat();
    assert_eq!(ToAgent::decode(&newer), Err(Poison::Version(2)));
    assert_eq!(ToAgent::decode(&good[..good.len() - CLOSED_BYTES]), Err(Poison::Incomplete));
    // What the other role says.
    assert_eq!(ToMedia::decode(&good), Err(Poison::Incomplete));
    assert_eq!(Status::decode(&[0x08, 0x02]), Err(Poison::Version(2)));
}

#[test]
fn a_field_of_a_later_minor_change_is_passed_over() {
    // Field 1000, a varint.
    let later = [ToAgent::Closed.encode(&HEADER), vec![0xc0, 0x3e, 0x01]].concat();
    assert_eq!(ToAgent::decode(&later), Ok((HEADER, ToAgent::Closed)));
}
