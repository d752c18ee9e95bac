//! Fragments of SDP that trickle candidates or restart ICE (RFC 8840, section 9; RFC 9725, section 4.3).

use super::MAX_SDP_BYTES;
use super::credentials::Credentials;
use super::section::{Section, push_line, split};

/// The most candidates taken from one fragment. Browsers send one to a dozen.
const MAX_CANDIDATES: usize = 32;

/// What a fragment says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// Whose ICE session it belongs to, if it says so.
    pub(crate) credentials: Option<Credentials>,
    /// UDP candidates, without the `a=`. Others, as TCP ones, are of no use to us and left out.
    pub(crate) candidates: Vec<String>,
}

impl Fragment {
    /// Reads a fragment, or says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_SDP_BYTES {
            return Err(format!("it has {} bytes; the limit is {MAX_SDP_BYTES}", text.len()));
        }
        let (session, media) = split(text);
        let sections: Vec<&Section<'_>> = std::iter::once(&session).chain(&media).collect();
        let lines = || sections.iter().flat_map(|section| section.lines.iter());
        if lines().next().is_none() {
            return Err("it is empty".into());
        }
        if let Some(line) = lines().find(|line| !line.starts_with("a=") && !line.starts_with("m=")) {
            return Err(format!("{line:?} is no attribute and no m= line"));
        }
        let candidates = sections.iter().flat_map(|section| section.values("candidate"));
        let candidates = candidates.filter(|candidate| is_udp(candidate)).take(MAX_CANDIDATES);
        let candidates = candidates.map(|candidate| format!("candidate:{candidate}")).collect();
        Ok(Self { credentials: credentials(&session, &sections)?, candidates })
    }

    /// The fragment that tells of the ICE session in an offer or answer of ours: its credentials and candidates.
    pub(crate) fn of(sdp: &str) -> String {
        let (session, media) = split(sdp);
        let mut text = String::with_capacity(512);
        if session.has("a=ice-lite") {
            push_line(&mut text, "a=ice-lite");
        }
        // Everything is bundled, so the first section speaks for all.
        let Some(section) = media.first() else { return text };
        let is_any_of = |line: &str, starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
        for line in
            section.lines.iter().filter(|line| is_any_of(line, &["a=ice-options:", "a=ice-ufrag:", "a=ice-pwd:"]))
        {
            push_line(&mut text, line);
        }
        for line in
            section.lines.iter().filter(|line| is_any_of(line, &["m=", "a=mid:", "a=candidate:", "a=end-of-cand"]))
        {
            push_line(&mut text, line);
        }
        text
    }
}

/// The credentials of the session part or the sections, which must agree: all share one transport.
fn credentials(session: &Section<'_>, sections: &[&Section<'_>]) -> Result<Option<Credentials>, String> {
    let mut found: Option<Credentials> = None;
    let names_any = |section: &Section<'_>| section.value("ice-ufrag").or(section.value("ice-pwd")).is_some();
    for section in sections.iter().filter(|section| names_any(section)) {
        let these = Credentials::of(session, section)?;
        match &found {
            Some(those) if *those != these => return Err("its sections have different ICE credentials".into()),
            Some(_) => {}
            None => found = Some(these),
        }
    }
    Ok(found)
}

/// Whether a candidate's transport, its third field, is UDP.
fn is_udp(candidate: &str) -> bool {
    candidate.split_ascii_whitespace().nth(2).is_some_and(|transport| transport.eq_ignore_ascii_case("udp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PWD: &str = "0123456789012345678901";

    #[test]
    fn browsers_fragments_are_read() {
        let text = format!(
            "a=ice-ufrag:EsAw\r\na=ice-pwd:{PWD}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
             a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n\
             a=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\na=end-of-candidates\r\n"
        );
        let fragment = Fragment::parse(&text).expect("sound");
        assert_eq!(fragment.credentials, Some(Credentials { ufrag: "EsAw".into(), pwd: PWD.into() }));
        assert_eq!(fragment.candidates, ["candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host"]);
        assert_eq!(Fragment::parse("a=end-of-candidates").expect("sound").credentials, None);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let two = format!("a=ice-ufrag:abcd\r\na=ice-pwd:{PWD}\r\nm=audio 9 X 0\r\na=ice-ufrag:efgh\r\n");
        let table = [
            ("", "empty"),
            ("hello", "hello"),
            ("a=ice-ufrag:abcd\r\n", "ice-pwd"),
            ("a=ice-ufrag:abc\r\na=ice-pwd:0123456789012345678901\r\n", "4 to 256"),
            ("a=ice-ufrag:abcd\r\na=ice-pwd:short\r\n", "22 to 256"),
            (&two, "different"),
            (&"a=x\r\n".repeat(20_000), "limit"),
        ];
        for (text, hint) in table {
            let reason = Fragment::parse(text).expect_err("unsound");
            assert!(reason.contains(hint), "{reason}");
        }
    }

    #[test]
    fn only_so_many_candidates_are_taken() {
        let text = "a=candidate:1 1 UDP 1 192.0.2.1 9 typ host\r\n".repeat(100);
        assert_eq!(Fragment::parse(&text).expect("sound").candidates.len(), MAX_CANDIDATES);
    }

    #[test]
    fn an_answers_fragment_has_its_ice_and_nothing_else() {
        let answer = "v=0\r\na=ice-lite\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
            a=candidate:1 1 udp 99 10.0.0.5 8080 typ host\r\na=end-of-candidates\r\na=ice-ufrag:us\r\na=ice-pwd:our\r\n\
            a=ice-options:trickle ice2\r\na=mid:0\r\na=recvonly\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:us\r\n";
        assert_eq!(
            Fragment::of(answer),
            "a=ice-lite\r\na=ice-ufrag:us\r\na=ice-pwd:our\r\na=ice-options:trickle ice2\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
             a=candidate:1 1 udp 99 10.0.0.5 8080 typ host\r\na=end-of-candidates\r\na=mid:0\r\n"
        );
    }
}
