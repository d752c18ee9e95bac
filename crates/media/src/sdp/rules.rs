//! What we demand of an offer: RFC 9725, section 4.4, and what an audio server cannot do without.

use super::OfferError;
use super::section::Section;

/// The index of the only audio section in use, which offers Opus.
pub(super) fn single_audio(media: &[Section<'_>]) -> Result<usize, OfferError> {
    let is_audio = |section: &Section<'_>| section.kind() == "audio" && section.is_in_use();
    let audio: Vec<usize> = (0..media.len()).filter(|&index| is_audio(&media[index])).collect();
    match audio[..] {
        [only] if offers_opus(&media[only]) => Ok(only),
        [_] => Err(OfferError::NoOpus),
        [] => Err(OfferError::NoAudio),
        _ => Err(OfferError::SeveralAudio(audio.len())),
    }
}

/// ICE and DTLS: credentials, a fingerprint, a full agent, and a handshake that begins now. Callers should leave its roles
/// to us; ffmpeg wants to be asked (`passive`), and that does no harm.
pub(super) fn check_transport(session: &Section<'_>, audio: &Section<'_>) -> Result<(), OfferError> {
    for attribute in ["ice-ufrag", "ice-pwd", "fingerprint"] {
        if session.value(attribute).or(audio.value(attribute)).is_none() {
            return Err(OfferError::BadSdp(format!("a={attribute}: is missing")));
        }
    }
    if session.has("a=ice-lite") {
        return Err(OfferError::BadSdp("a=ice-lite: the caller must be a full ICE agent".into()));
    }
    match audio.value("setup").or(session.value("setup")) {
        None | Some("actpass" | "active" | "passive") => Ok(()),
        Some(other) => Err(OfferError::WrongSetup(other.to_owned())),
    }
}

/// One transport for everything, and at most one audio and one video track of one stream (sections 4.4.1 to 4.4.3).
pub(super) fn check_sections(session: &Section<'_>, media: &[Section<'_>]) -> Result<(), OfferError> {
    let bundle: Vec<&str> = session
        .values("group")
        .filter_map(|group| group.strip_prefix("BUNDLE"))
        .flat_map(str::split_ascii_whitespace)
        .collect();
    let in_use = || media.iter().filter(|section| section.is_in_use());
    if !in_use().all(|section| section.value("mid").is_some_and(|mid| bundle.contains(&mid))) {
        return Err(OfferError::NotBundled);
    }
    if !in_use().filter(|section| section.is_rtp()).all(|section| section.has("a=rtcp-mux")) {
        return Err(OfferError::NoRtcpMux);
    }
    let videos = in_use().filter(|section| section.kind() == "video").count();
    if videos > 1 {
        return Err(OfferError::SeveralVideo(videos));
    }
    let mut streams: Vec<&str> = in_use().filter_map(|section| section.value("msid")?.split(' ').next()).collect();
    streams.dedup();
    if streams.len() > 1 { Err(OfferError::SeveralStreams) } else { Ok(()) }
}

fn offers_opus(section: &Section<'_>) -> bool {
    section.values("rtpmap").any(|rtpmap| {
        let codec = rtpmap.split(' ').nth(1).unwrap_or_default();
        codec.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("opus/"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Offer;
    use crate::sdp::tests::{AUDIO, HEAD};

    const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=rtcp-mux\r\n";

    #[test]
    fn unusable_offers_say_why() {
        let sound = format!("{HEAD}{AUDIO}");
        let table = [
            (HEAD.to_owned(), OfferError::NoAudio),
            (format!("{HEAD}{VIDEO}"), OfferError::NoAudio),
            (sound.replace("audio 9", "audio 0"), OfferError::NoAudio),
            (format!("{sound}{AUDIO}"), OfferError::SeveralAudio(2)),
            (sound.replace("opus", "PCMU"), OfferError::NoOpus),
            (sound.replace("a=group:BUNDLE 0\r\n", ""), OfferError::NotBundled),
            (sound.replace("a=mid:0\r\n", ""), OfferError::NotBundled),
            (sound.replace("a=rtcp-mux\r\n", ""), OfferError::NoRtcpMux),
            (format!("{sound}{VIDEO}{VIDEO}"), OfferError::SeveralVideo(2)),
            (format!("{sound}a=msid:one a\r\n{VIDEO}a=msid:two b\r\n"), OfferError::SeveralStreams),
            (format!("{sound}a=setup:holdconn\r\n"), OfferError::WrongSetup("holdconn".to_owned())),
        ];
        for (text, wanted) in table {
            assert_eq!(Offer::parse(&text).expect_err("unusable"), wanted, "{text}");
        }
        for text in ["", "hello", &sound.replace("a=ice-pwd:0123456789012345678901\r\n", "")] {
            assert!(matches!(Offer::parse(text), Err(OfferError::BadSdp(_))), "{text}");
        }
        assert_eq!(
            Offer::parse(&"v=0\r\n".repeat(20_000)).expect_err("too long"),
            OfferError::TooLarge { bytes: 100_000 }
        );
    }

    #[test]
    fn one_stream_of_one_audio_and_one_video_track_is_fine() {
        for extra in ["a=msid:one a\r\n", "a=setup:active\r\n", "a=setup:actpass\r\n", "a=setup:passive\r\n"] {
            let text = format!("{HEAD}{AUDIO}{extra}{VIDEO}a=msid:one b\r\n");
            assert!(Offer::parse(&text).is_ok(), "{extra}");
        }
    }
}
