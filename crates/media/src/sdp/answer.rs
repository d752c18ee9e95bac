//! What our answers say beyond those of the WebRTC stack.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

/// How we like to be spoken to: in-band FEC against loss, DTX so that silence costs nothing, mono speech.
const OPUS_PARAMETERS: &str = "minptime=10;useinbandfec=1;usedtx=1;stereo=0;maxaveragebitrate=32000";
/// The stream and track of the agent's voice, as a browser's `track` event names them. The stack repeats the caller's.
const MSID: &str = "antiphon voice";
/// Above every candidate of the stack, so that a peer on the internet tries the public address first.
const ADVERTISED_PRIORITY: u32 = 2_130_706_431;

/// Completes the stack's answer: our names, `rtcp-mux-only` (RFC 9725, section 4.4.1), all candidates and their end, our wishes
/// for Opus, and the public addresses that the stack need not know, since NAT maps them to local ones.
pub(crate) fn touch_up(answer: &str, advertised: &[SocketAddr]) -> String {
    let opus = opus_payload_type(answer);
    let mut text = String::with_capacity(answer.len() + 512);
    let (mut candidates_ended, mut is_recvonly) = (false, false);
    let mut lines = answer.lines().peekable();
    while let Some(line) = lines.next() {
        is_recvonly = !line.starts_with("m=") && (is_recvonly || line == "a=recvonly");
        if is_recvonly && line.starts_with("a=msid:") {
            // Who sends nothing has no stream to name.
            continue;
        }
        push_line(&mut text, &rewrite(line, opus));
        if line == "a=rtcp-mux" {
            push_line(&mut text, "a=rtcp-mux-only");
        }
        let last_candidate =
            line.starts_with("a=candidate:") && !lines.peek().is_some_and(|next| next.starts_with("a=candidate:"));
        if last_candidate && !candidates_ended {
            candidates_ended = true;
            for (index, address) in advertised.iter().enumerate() {
                push_line(&mut text, &candidate_line(index, *address));
            }
            if lines.peek().is_none_or(|next| *next != "a=end-of-candidates") {
                push_line(&mut text, "a=end-of-candidates");
            }
        }
    }
    text
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
    let parameters_of = line.strip_prefix("a=fmtp:").and_then(|rest| rest.split_once(' ')).map(|(pt, _)| pt);
    match (parameters_of, opus) {
        (Some(pt), Some(opus)) if pt == opus => format!("a=fmtp:{opus} {OPUS_PARAMETERS}\r\na=ptime:20").into(),
        _ => line.into(),
    }
}

fn opus_payload_type(answer: &str) -> Option<&str> {
    let rtpmaps = answer.lines().filter_map(|line| line.strip_prefix("a=rtpmap:"));
    rtpmaps.filter_map(|rtpmap| rtpmap.split_once(' ')).find(|(_, codec)| codec.starts_with("opus/")).map(|(pt, _)| pt)
}

fn candidate_line(index: usize, address: SocketAddr) -> String {
    // Each address of a family ranks a little lower than the one before it.
    let priority = ADVERTISED_PRIORITY - ((index as u32) << 8);
    let ip: IpAddr = address.ip();
    format!("a=candidate:advertised{index} 1 udp {priority} {ip} {} typ host", address.port())
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "v=0\r\no=str0m-1.2.3 77 2 IN IP4 0.0.0.0\r\na=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-options:trickle\r\n\
        a=candidate:1 1 udp 99 10.0.0.5 8080 typ host\r\na=candidate:2 1 udp 98 127.0.0.1 8080 typ host\r\n\
        a=mid:0\r\na=sendonly\r\na=msid:theirs theirs\r\na=ssrc:5 msid:theirs theirs\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=candidate:1 1 udp 99 10.0.0.5 8080 typ host\r\n";

    #[test]
    fn answers_are_completed() {
        let text = touch_up(ANSWER, &["203.0.113.7:8080".parse().expect("an address")]);
        for line in [
            "o=- 77 2 IN IP4 0.0.0.0\r\n",
            "a=msid:antiphon voice\r\na=ssrc:5 msid:antiphon voice\r\n",
            "a=rtcp-mux\r\na=rtcp-mux-only\r\n",
            "a=ice-options:trickle ice2\r\n",
            "127.0.0.1 8080 typ host\r\na=candidate:advertised0 1 udp 2130706431 203.0.113.7 8080 typ host\r\na=end-of-candidates\r\n",
            "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1;stereo=0;maxaveragebitrate=32000\r\na=ptime:20\r\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert_eq!(text.matches("a=end-of-candidates").count(), 1);
    }

    #[test]
    fn an_answer_that_sends_nothing_names_no_stream() {
        let text = touch_up(&ANSWER.replace("a=sendonly", "a=recvonly"), &[]);
        assert!(!text.contains("a=msid:"), "{text}");
    }

    #[test]
    fn every_line_ends_in_crlf() {
        let text = touch_up(&ANSWER.replace("\r\n", "\n"), &[]);
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    }
}
