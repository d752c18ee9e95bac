//! What we demand of an offer, and the one thing we change in it.

use super::{MAX_SDP_BYTES, OfferError, Role};

/// An offer that has an audio section with Opus.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    session: Vec<&'a str>,
    media: Vec<Vec<&'a str>>,
    audio: usize,
}

/// A direction as the offerer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl<'a> Offer<'a> {
    /// Splits the offer into sections and checks the audio one. Lines may end in CRLF or LF.
    pub(crate) fn parse(text: &'a str) -> Result<Self, OfferError> {
        if text.len() > MAX_SDP_BYTES {
            return Err(OfferError::TooLarge { bytes: text.len() });
        }
        let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).peekable();
        if lines.peek() != Some(&"v=0") {
            return Err(OfferError::BadSdp("it must begin with v=0".into()));
        }
        let (mut session, mut media) = (Vec::new(), Vec::<Vec<&str>>::new());
        for line in lines {
            if line.starts_with("m=") {
                media.push(vec![line]);
            } else {
                media.last_mut().unwrap_or(&mut session).push(line);
            }
        }
        let audio = single_audio(&media)?;
        if !offers_opus(&media[audio]) {
            return Err(OfferError::NoOpus);
        }
        let offer = Self { session, media, audio };
        offer.check_transport()?;
        Ok(offer)
    }

    /// The offer for the WebRTC stack, narrowed so that the answer, which mirrors it, has the role's direction.
    pub(crate) fn narrowed_to(&self, role: Role) -> Result<String, OfferError> {
        let direction = match (role, self.direction()) {
            (Role::Publisher, Direction::SendRecv | Direction::SendOnly) => Direction::SendOnly,
            (Role::Listener, Direction::SendRecv | Direction::RecvOnly) => Direction::RecvOnly,
            (Role::TwoWay, Direction::SendRecv) => Direction::SendRecv,
            (role, offered) => {
                return Err(OfferError::WrongDirection { offered: offered.name(), wanted: wanted_by(role) });
            }
        };
        let mut text = String::with_capacity(2_048);
        for line in &self.session {
            push_line(&mut text, line);
        }
        for (index, section) in self.media.iter().enumerate() {
            for line in section.iter().filter(|line| index != self.audio || Direction::read(line).is_none()) {
                push_line(&mut text, line);
            }
            if index == self.audio {
                push_line(&mut text, &format!("a={}", direction.name()));
            }
        }
        Ok(text)
    }

    /// The audio section's direction, else the session's, else what RFC 8866 assumes.
    fn direction(&self) -> Direction {
        let audio = self.media[self.audio].iter().find_map(|line| Direction::read(line));
        let session = || self.session.iter().find_map(|line| Direction::read(line));
        audio.or_else(session).unwrap_or(Direction::SendRecv)
    }

    fn check_transport(&self) -> Result<(), OfferError> {
        for attribute in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"] {
            let present = |lines: &[&str]| lines.iter().any(|line| line.starts_with(attribute));
            if !present(&self.session) && !present(&self.media[self.audio]) {
                return Err(OfferError::BadSdp(format!("{attribute} is missing")));
            }
        }
        let is_lite = self.session.contains(&"a=ice-lite");
        if is_lite {
            return Err(OfferError::BadSdp("a=ice-lite: the caller must be a full ICE agent".into()));
        }
        Ok(())
    }
}

impl Direction {
    fn read(line: &str) -> Option<Self> {
        match line {
            "a=sendrecv" => Some(Self::SendRecv),
            "a=sendonly" => Some(Self::SendOnly),
            "a=recvonly" => Some(Self::RecvOnly),
            "a=inactive" => Some(Self::Inactive),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

fn wanted_by(role: Role) -> &'static str {
    match role {
        Role::Publisher => "sendonly or sendrecv",
        Role::Listener => "recvonly or sendrecv",
        Role::TwoWay => "sendrecv",
    }
}

/// The index of the only audio section in use. Port 0 with `bundle-only` is in use; port 0 alone is switched off.
fn single_audio(media: &[Vec<&str>]) -> Result<usize, OfferError> {
    let in_use = |section: &Vec<&str>| {
        let port = section[0].split(' ').nth(1);
        section[0].starts_with("m=audio ") && (port != Some("0") || section.contains(&"a=bundle-only"))
    };
    let audio: Vec<usize> = (0..media.len()).filter(|&index| in_use(&media[index])).collect();
    match audio[..] {
        [only] => Ok(only),
        [] => Err(OfferError::NoAudio),
        _ => Err(OfferError::SeveralAudio(audio.len())),
    }
}

fn offers_opus(section: &[&str]) -> bool {
    section.iter().filter_map(|line| line.strip_prefix("a=rtpmap:")).any(|rtpmap| {
        let codec = rtpmap.split(' ').nth(1).unwrap_or_default();
        codec.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("opus/"))
    })
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 00\r\n";
    const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\n";

    #[test]
    fn each_role_narrows_what_it_can_use_and_refuses_the_rest() {
        let table = [
            (Role::Publisher, "sendrecv", Ok("a=sendonly")),
            (Role::Publisher, "sendonly", Ok("a=sendonly")),
            (Role::Publisher, "recvonly", Err(())),
            (Role::Publisher, "inactive", Err(())),
            (Role::Listener, "sendrecv", Ok("a=recvonly")),
            (Role::Listener, "recvonly", Ok("a=recvonly")),
            (Role::Listener, "sendonly", Err(())),
            (Role::TwoWay, "sendrecv", Ok("a=sendrecv")),
            (Role::TwoWay, "sendonly", Err(())),
        ];
        for (role, offered, wanted) in table {
            let text = format!("{HEAD}{AUDIO}a={offered}\r\n");
            let narrowed = Offer::parse(&text).expect("sound").narrowed_to(role);
            match wanted {
                Ok(line) => assert!(narrowed.expect("fits").ends_with(&format!("{line}\r\n")), "{role:?} {offered}"),
                Err(()) => assert!(matches!(narrowed, Err(OfferError::WrongDirection { .. })), "{role:?} {offered}"),
            }
        }
    }

    #[test]
    fn a_missing_direction_means_both_ways_and_bare_line_feeds_are_fine() {
        let text = format!("{HEAD}{AUDIO}").replace("\r\n", "\n");
        let narrowed = Offer::parse(&text).expect("sound").narrowed_to(Role::Publisher).expect("fits");
        assert!(narrowed.ends_with("a=rtpmap:111 opus/48000/2\r\na=sendonly\r\n"));
    }

    #[test]
    fn the_session_direction_counts_where_the_section_has_none() {
        let text = format!("{HEAD}a=recvonly\r\n{AUDIO}");
        assert!(Offer::parse(&text).expect("sound").narrowed_to(Role::Publisher).is_err());
    }

    #[test]
    fn unusable_offers_say_why() {
        let refused = |text: &str| Offer::parse(text).expect_err("unusable");
        assert!(matches!(refused(""), OfferError::BadSdp(_)));
        assert!(matches!(refused("hello"), OfferError::BadSdp(_)));
        assert_eq!(refused(HEAD), OfferError::NoAudio);
        assert_eq!(refused(&format!("{HEAD}m=video 9 X 96\r\n")), OfferError::NoAudio);
        assert_eq!(refused(&format!("{HEAD}{}", AUDIO.replace("audio 9", "audio 0"))), OfferError::NoAudio);
        assert_eq!(refused(&format!("{HEAD}{AUDIO}{AUDIO}")), OfferError::SeveralAudio(2));
        assert_eq!(refused(&format!("{HEAD}{}", AUDIO.replace("opus", "PCMU"))), OfferError::NoOpus);
        assert_eq!(refused(&"v=0\r\n".repeat(20_000)), OfferError::TooLarge { bytes: 100_000 });
        let no_pwd = format!("{HEAD}{AUDIO}").replace("a=ice-pwd:0123456789012345678901\r\n", "");
        assert_eq!(refused(&no_pwd).to_string(), "bad SDP offer: a=ice-pwd: is missing");
    }
}
