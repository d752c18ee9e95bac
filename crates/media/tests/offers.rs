//! Offers of real clients, and offers that are refused.

mod common;

use common::{media, media_with};
use media::caller::{Caller, CallerKind};
use media::{Door, IceMode, Media, MediaConfig, OfferError, StartError};
use tokio::sync::mpsc;

/// Chrome 138, `addTrack` of a microphone and `createDataChannel('oai-events')`.
const CHROME: &str = include_str!("offers/chrome.sdp");
/// OBS 31 by WHIP: audio and video, no candidates.
const OBS: &str = include_str!("offers/obs.sdp");

fn open(media: &Media, door: Door, offer: &str) -> Result<String, OfferError> {
    // The agent's end may go at once: only the answer matters here.
    let id = format!("{door:?}{}", media.stats().calls);
    media.open_call(door, id, offer, mpsc::channel(1).0).map(|opened| opened.answer.sdp)
}

fn assert_has(answer: &str, lines: &[&str]) {
    for line in lines {
        assert!(answer.lines().any(|l| l == *line), "{line} is missing in\n{answer}");
    }
}

#[test]
fn chrome_is_answered_both_ways() {
    let answer = open(&media(), Door::TwoWay, CHROME).expect("Chrome's own offer");
    assert_has(
        &answer,
        &[
            "a=ice-lite",
            "a=group:BUNDLE 0 1",
            "a=setup:passive",
            "a=rtcp-mux-only",
            "a=end-of-candidates",
            "a=sendrecv",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1;stereo=0;maxaveragebitrate=32000",
            "a=ptime:20",
            "a=sctp-port:5000",
            "a=msid:antiphon voice",
        ],
    );
    assert!(!answer.contains("7b3a5b0e"), "Chrome's own stream is not ours");
    assert!(answer.ends_with("\r\n") && !answer.replace("\r\n", "").contains('\n'), "CRLF everywhere");
    assert_has(&answer, &["a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111"]);
}

#[test]
fn chromes_two_way_offer_gets_a_recvonly_answer_from_whip() {
    let answer = open(&media(), Door::Whip, CHROME).expect("Chrome's own offer");
    assert_has(&answer, &["a=recvonly"]);
    assert!(!answer.contains("a=sendrecv") && !answer.contains("a=msid:"), "we send nothing: {answer}");
}

#[test]
fn video_is_accepted_and_ignored() {
    let answer = open(&media(), Door::Whip, OBS).expect("OBS' own offer");
    assert_has(&answer, &["a=group:BUNDLE 0 1", "a=rtpmap:111 opus/48000/2", "m=video 9 UDP/TLS/RTP/SAVPF 96"]);
    assert_has(
        &answer,
        &["a=rtpmap:96 H264/90000", "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"],
    );
    for (line, count) in [("m=audio ", 1), ("m=video ", 1), ("a=recvonly\r\n", 2), ("a=rtcp-mux-only\r\n", 2)] {
        assert_eq!(answer.matches(line).count(), count, "{line} in {answer}");
    }
    assert!(!answer.contains("a=rtcp-fb:96"), "nothing is to be sent again: {answer}");
}

#[test]
fn video_is_refused_where_it_is_not_wanted() {
    let media = media_with(MediaConfig { accept_video: false, ..MediaConfig::default() });
    assert_eq!(open(&media, Door::Whip, OBS), Err(OfferError::VideoRefused));
    assert!(open(&media, Door::Whip, CHROME).is_ok());
}

#[test]
fn header_extensions_are_those_that_were_offered_and_are_used() {
    let answer = open(&media(), Door::Whip, CHROME).expect("Chrome's own offer");
    let mut extensions: Vec<&str> =
        answer.lines().filter_map(|line| line.strip_prefix("a=extmap:")?.split_once(' ')).map(|(_, uri)| uri).collect();
    extensions.sort_unstable();
    assert_eq!(extensions, ["urn:ietf:params:rtp-hdrext:sdes:mid", "urn:ietf:params:rtp-hdrext:ssrc-audio-level"]);
    let bare: String =
        CHROME.lines().filter(|line| !line.starts_with("a=extmap")).map(|line| format!("{line}\r\n")).collect();
    let answer = open(&media(), Door::Whip, &bare).expect("a plain offer");
    assert!(!answer.contains("a=extmap"), "{answer}");
}

#[test]
fn a_full_agent_does_not_say_that_it_is_lite() {
    let media = media_with(MediaConfig { ice: IceMode::Full, ..MediaConfig::default() });
    let answer = open(&media, Door::Whip, CHROME).expect("Chrome's own offer");
    assert!(!answer.contains("a=ice-lite"), "{answer}");
}

#[test]
fn advertised_addresses_are_candidates() {
    let config = MediaConfig { advertise: vec!["203.0.113.7".parse().expect("an address")], ..MediaConfig::default() };
    let media = media_with(config);
    let answer = open(&media, Door::TwoWay, CHROME).expect("Chrome's own offer");
    let port = media.udp_address().port();
    assert!(answer.contains(&format!(" 203.0.113.7 {port} typ host")), "{answer}");
    assert!(answer.contains(&format!(" 127.0.0.1 {port} typ host")), "{answer}");
}

#[test]
fn refusals_say_what_is_wrong() {
    let media = media();
    let publish = Caller::offer(CallerKind::Publish).expect("an offer").1;
    let listen = Caller::offer(CallerKind::Listen).expect("an offer").1;
    type IsRight = fn(&OfferError) -> bool;
    let table: &[(Door, String, IsRight)] = &[
        (Door::Whip, String::new(), |e| matches!(e, OfferError::BadSdp(_))),
        (Door::Whip, "{\"sdp\":1}".into(), |e| matches!(e, OfferError::BadSdp(_))),
        (Door::Whip, publish.replace("a=fingerprint:", "a=thumbprint:"), |e| matches!(e, OfferError::BadSdp(_))),
        (Door::Whip, publish.replace("sha-256 ", "sha-256 zz"), |e| matches!(e, OfferError::BadSdp(_))),
        (Door::Whip, publish.replace("m=audio", "m=video"), |e| *e == OfferError::NoAudio),
        (Door::Whip, publish.replace("opus/48000/2", "G722/8000"), |e| *e == OfferError::NoOpus),
        (Door::Whip, listen.clone(), |e| matches!(e, OfferError::WrongDirection { .. })),
        (Door::TwoWay, publish.clone(), |e| matches!(e, OfferError::WrongDirection { .. })),
        (Door::Whip, format!("{publish}{}", "a=x\r\n".repeat(20_000)), |e| matches!(e, OfferError::TooLarge { .. })),
    ];
    for (door, offer, is_right) in table {
        let error = open(&media, *door, offer).expect_err("a bad offer");
        assert!(is_right(&error), "{error:?} for {door:?}\n{offer:.300}");
    }
    assert_eq!(media.calls(), 0, "nothing is left of refused calls");
    assert!(matches!(
        media.open_listener("nobody", "viewer".into(), &listen),
        Err(OfferError::UnknownCall(id)) if id == "nobody"
    ));
    assert!(matches!(media.open_listener("x", "v".into(), &publish), Err(OfferError::WrongDirection { .. })));
}

#[tokio::test]
async fn limits_and_ids_are_kept() {
    let media = media_with(MediaConfig { max_calls: 1, max_listeners_per_call: 1, ..MediaConfig::default() });
    let (_pending, publish) = Caller::offer(CallerKind::Publish).expect("an offer");
    let listen = Caller::offer(CallerKind::Listen).expect("an offer").1;
    let (to_agent, _agent) = mpsc::channel(8);
    let open = |id: &str| media.open_call(Door::Whip, id.into(), &publish, to_agent.clone()).map(|_| ());
    assert_eq!(open("first"), Ok(()));
    assert_eq!(open("first"), Err(OfferError::IdInUse("first".into())));
    assert_eq!(open("second"), Err(OfferError::AtCapacity { limit: 1 }));
    assert!(media.open_listener("first", "a".into(), &listen).is_ok());
    assert_eq!(media.open_listener("first", "a".into(), &listen), Err(OfferError::IdInUse("a".into())));
    assert_eq!(media.open_listener("first", "b".into(), &listen), Err(OfferError::TooManyListeners { limit: 1 }));
}

#[test]
fn a_taken_port_is_named_with_a_way_out() {
    let media = media();
    let config = MediaConfig { udp_listen: media.udp_address(), ..MediaConfig::default() };
    let error = Media::start(&config).expect_err("the port is taken");
    assert!(matches!(error, StartError::PortTaken { address } if address == media.udp_address()));
    assert!(error.to_string().contains("media.udp_listen"), "{error}");
}

#[test]
fn a_wildcard_listens_on_every_interface_with_one_port() {
    let config = MediaConfig { udp_listen: "0.0.0.0:0".parse().expect("an address"), ..MediaConfig::default() };
    let media = Media::start(&config).expect("some port is free everywhere");
    let answer = open(&media, Door::TwoWay, CHROME).expect("Chrome's own offer");
    let port = media.udp_address().port();
    let candidates: Vec<&str> = answer.lines().filter(|line| line.starts_with("a=candidate:")).collect();
    assert!(candidates.iter().all(|line| line.contains(&format!(" {port} typ host"))), "{candidates:?}");
    assert!(candidates.iter().any(|line| line.contains(" 127.0.0.1 ")), "{candidates:?}");
}
