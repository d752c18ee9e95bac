//! What our answers say beyond those of the WebRTC stack.

use std::borrow::Cow;

use super::section::{Direction, Section, push_line, split};
use super::{Fragment, Offer, Role};
use crate::peer::{LocalAddress, Transport};

/// How we like to be spoken to: in-band FEC against loss, DTX so that silence costs nothing, mono speech.
const OPUS_PARAMETERS: &str = "minptime=10;useinbandfec=1;usedtx=1;stereo=0;maxaveragebitrate=32000";
/// Packets of 20 ms are asked for; longer ones than 60 ms would make every turn begin late.
const PACKET_TIMES: &str = "a=ptime:20\r\na=maxptime:60";
/// The stream and track of the agent's voice, as a browser's `track` event names them. The stack repeats the caller's.
const MSID: &str = "antiphon voice";
/// Above every candidate of the stack, so that a peer on the internet tries the public address first.
const ADVERTISED_PRIORITY: u32 = 2_130_706_431;
/// Below every one by UDP: type preference 90, passive (RFC 6544, section 4.2).
const ADVERTISED_TCP_PRIORITY: u32 = 90 << 24 | ((4 << 13) + 8_191) << 8 | 255;

/// Completes the stack's answer: our names, `rtcp-mux-only` (RFC 9725, section 4.4.1), all candidates and their end, our wishes
/// for Opus, the acceptance of video that the stack is not told of, and the public addresses that it need not know, since
/// NAT maps them to local ones.
pub(crate) fn touch_up(answer: &str, offer: &Offer<'_>, role: Role, advertised: &[LocalAddress]) -> String {
    let (session, media) = split(answer);
    let mut text = String::with_capacity(answer.len() + 512);
    let may_mix = offer.session.has("a=extmap-allow-mixed");
    for line in session.lines.iter().filter(|line| may_mix || **line != "a=extmap-allow-mixed") {
        if line.starts_with("a=group:BUNDLE") {
            push_line(&mut text, &bundle(offer, &media));
        } else {
            push_line(&mut text, &rewrite(line, None));
        }
    }
    for (index, section) in media.iter().enumerate() {
        match offered_video(offer, index) {
            Some(offered) => {
                push_video(&mut text, section, offered, video_direction(offer, offered, role), advertised);
            }
            None => push_section(&mut text, section, advertised),
        }
    }
    text
}

/// Everything that is answered with a port shares one transport; the stack leaves out the video that it is not told of.
fn bundle(offer: &Offer<'_>, media: &[Section<'_>]) -> String {
    let accepted = |index: &usize| media[*index].is_in_use() || offered_video(offer, *index).is_some();
    let mids = (0..media.len()).filter(accepted).filter_map(|index| media[index].value("mid"));
    mids.fold("a=group:BUNDLE".to_owned(), |line, mid| line + " " + mid)
}

fn offered_video<'a, 'b>(offer: &'b Offer<'a>, index: usize) -> Option<&'b Section<'a>> {
    offer.media.get(index).filter(|offered| offered.kind() == "video" && offered.is_in_use())
}

/// The fragment that tells of the ICE session in an answer of the stack (RFC 9725, section 4.3.3).
pub(crate) fn ice_fragment(answer: &str, advertised: &[LocalAddress]) -> String {
    let (session, media) = split(answer);
    let mut text = String::with_capacity(1_024);
    session.lines.iter().for_each(|line| push_line(&mut text, line));
    // Everything is bundled, so the first section speaks for all.
    if let Some(section) = media.first() {
        push_section(&mut text, section, advertised);
    }
    Fragment::of(&text)
}

fn push_section(text: &mut String, section: &Section<'_>, advertised: &[LocalAddress]) {
    let is_recvonly = section.direction() == Some(Direction::RecvOnly);
    for line in completed(section, advertised) {
        // Who sends nothing has no stream to name.
        if !(is_recvonly && line.starts_with("a=msid:")) {
            push_line(text, &line);
        }
    }
}

/// Video is accepted whatever its codec, since nobody looks at it.
fn push_video(
    text: &mut String,
    section: &Section<'_>,
    offered: &Section<'_>,
    direction: Direction,
    advertised: &[LocalAddress],
) {
    let format = video_format(offered);
    push_line(text, &format!("m=video 9 {} {format}", offered.protocol()));
    for line in completed(section, advertised) {
        match &*line {
            line if Direction::read(line).is_some() => push_line(text, &format!("a={}", direction.name())),
            line if ["m=", "a=msid:", "a=extmap:"].iter().any(|start| line.starts_with(start)) => {}
            line => push_line(text, line),
        }
    }
    for attribute in ["rtpmap", "fmtp"] {
        let of_format = |value: &&str| value.split(' ').next() == Some(format);
        if let Some(value) = offered.values(attribute).find(of_format) {
            push_line(text, &format!("a={attribute}:{value}"));
        }
    }
}

/// The section's lines as we want them, with all candidates and their end.
fn completed<'a>(section: &Section<'a>, advertised: &[LocalAddress]) -> Vec<Cow<'a, str>> {
    let opus = opus_payload_type(section);
    let last_candidate = section.lines.iter().rposition(|line| line.starts_with("a=candidate:"));
    let mut lines = Vec::with_capacity(section.lines.len() + 4);
    for (index, line) in section.lines.iter().enumerate() {
        lines.push(rewrite(line, opus));
        if Some(index) == last_candidate {
            lines.extend(advertised.iter().enumerate().map(|(index, address)| candidate_line(index, *address).into()));
            if !section.has("a=end-of-candidates") {
                lines.push("a=end-of-candidates".into());
            }
        }
    }
    lines
}

/// What the caller sends is taken and dropped. We send none.
fn video_direction(offer: &Offer<'_>, offered: &Section<'_>, role: Role) -> Direction {
    if role.speaks() && offer.direction_of(offered).sends() { Direction::RecvOnly } else { Direction::Inactive }
}

/// The first format that is a codec, not the protection or repetition of another.
fn video_format<'a>(offered: &Section<'a>) -> &'a str {
    let is_codec = |format: &&str| {
        let rtpmap = offered.values("rtpmap").filter_map(|rtpmap| rtpmap.split_once(' '));
        let codec = rtpmap.filter(|(of, _)| of == format).map(|(_, codec)| codec).next().unwrap_or_default();
        !["rtx/", "red/", "ulpfec/", "flexfec"].iter().any(|helper| codec.starts_with(helper))
    };
    let first = offered.formats().next().unwrap_or("0");
    offered.formats().find(is_codec).unwrap_or(first)
}

/// The line as we want it.
fn rewrite<'a>(line: &'a str, opus: Option<&str>) -> Cow<'a, str> {
    if let Some((_, session)) = line.strip_prefix("o=").and_then(|origin| origin.split_once(' ')) {
        // The user name would tell the stack and its version.
        return format!("o=- {session}").into();
    }
    if line.starts_with("a=msid-semantic:") {
        return "a=msid-semantic: WMS *".into();
    }
    if line.starts_with("a=msid:") {
        return format!("a=msid:{MSID}").into();
    }
    if let Some((ssrc, _)) = line.strip_prefix("a=ssrc:").and_then(|rest| rest.split_once(" msid:")) {
        return format!("a=ssrc:{ssrc} msid:{MSID}").into();
    }
    if line == "a=ice-options:trickle" {
        return "a=ice-options:trickle ice2".into();
    }
    if line == "a=rtcp-mux" {
        return "a=rtcp-mux\r\na=rtcp-mux-only".into();
    }
    let parameters_of = line.strip_prefix("a=fmtp:").and_then(|rest| rest.split_once(' ')).map(|(pt, _)| pt);
    match (parameters_of, opus) {
        (Some(pt), Some(opus)) if pt == opus => format!("a=fmtp:{opus} {OPUS_PARAMETERS}\r\n{PACKET_TIMES}").into(),
        _ => line.into(),
    }
}

fn opus_payload_type<'a>(section: &Section<'a>) -> Option<&'a str> {
    let mut rtpmaps = section.values("rtpmap").filter_map(|rtpmap| rtpmap.split_once(' '));
    rtpmaps.find(|(_, codec)| codec.starts_with("opus/")).map(|(pt, _)| pt)
}

fn candidate_line(index: usize, LocalAddress { transport, address }: LocalAddress) -> String {
    let (name, highest, role) = match transport {
        Transport::Udp => ("udp", ADVERTISED_PRIORITY, ""),
        Transport::Tcp => ("tcp", ADVERTISED_TCP_PRIORITY, " tcptype passive"),
    };
    // Each address ranks a little lower than the one before it.
    let priority = highest - ((index as u32) << 8);
    format!("a=candidate:advertised{index} 1 {name} {priority} {} {} typ host{role}", address.ip(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::tests::{AUDIO, HEAD};

    const ANSWER: &str = "v=0\r\no=str0m-1.2.3 77 2 IN IP4 0.0.0.0\r\na=ice-lite\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-options:trickle\r\n\
        a=candidate:1 1 udp 99 10.0.0.5 8080 typ host\r\na=candidate:2 1 udp 98 127.0.0.1 8080 typ host\r\n\
        a=mid:0\r\na=sendonly\r\na=msid:theirs theirs\r\na=ssrc:5 msid:theirs theirs\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n";

    fn touched(answer: &str, more: &str, role: Role, advertised: &[LocalAddress]) -> String {
        let offer = format!("{HEAD}{AUDIO}{more}");
        touch_up(answer, &Offer::parse(&offer).expect("sound"), role, advertised)
    }

    #[test]
    fn answers_are_completed() {
        let advertised = [(Transport::Udp, "203.0.113.7:8080"), (Transport::Tcp, "203.0.113.7:8081")]
            .map(|(transport, address)| LocalAddress { transport, address: address.parse().expect("an address") });
        let text = touched(ANSWER, "", Role::Listener, &advertised);
        for line in [
            "o=- 77 2 IN IP4 0.0.0.0\r\n",
            "a=msid:antiphon voice\r\na=ssrc:5 msid:antiphon voice\r\n",
            "a=rtcp-mux\r\na=rtcp-mux-only\r\n",
            "a=ice-options:trickle ice2\r\n",
            "127.0.0.1 8080 typ host\r\na=candidate:advertised0 1 udp 2130706431 203.0.113.7 8080 typ host\r\n\
             a=candidate:advertised1 1 tcp 1520434943 203.0.113.7 8081 typ host tcptype passive\r\na=end-of-candidates\r\n",
            "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1;stereo=0;maxaveragebitrate=32000\r\na=ptime:20\r\na=maxptime:60\r\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert_eq!(text.matches("a=end-of-candidates").count(), 1);
        assert!(!text.contains("a=extmap-allow-mixed"), "it was not offered: {text}");
    }

    #[test]
    fn an_answer_that_sends_nothing_names_no_stream() {
        let text = touched(&ANSWER.replace("a=sendonly", "a=recvonly"), "", Role::Publisher, &[]);
        assert!(!text.contains("a=msid:"), "{text}");
    }

    #[test]
    fn every_line_ends_in_crlf() {
        let text = touched(&ANSWER.replace("\r\n", "\n"), "", Role::Listener, &[]);
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    }

    #[test]
    fn video_is_accepted_with_its_first_codec_and_taken_but_never_sent() {
        let answer = format!(
            "{ANSWER}m=video 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=inactive\r\na=msid:theirs x\r\na=rtcp-mux\r\n"
        );
        let offered = "m=video 9 UDP/TLS/RTP/SAVPF 97 96\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:97 rtx/90000\r\n\
            a=fmtp:97 apt=96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 profile-id=1\r\na=rtcp-fb:96 nack\r\n";
        for (role, direction) in
            [(Role::Publisher, "recvonly"), (Role::TwoWay, "recvonly"), (Role::Listener, "inactive")]
        {
            let text = touched(&answer, offered, role, &[]);
            let wanted = format!(
                "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na={direction}\r\na=rtcp-mux\r\n\
                 a=rtcp-mux-only\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 profile-id=1\r\n"
            );
            assert!(text.ends_with(&wanted), "{text}");
            assert!(text.contains("\r\na=group:BUNDLE 0 0\r\n"), "{text}");
        }
    }
}
