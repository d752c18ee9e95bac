//! An offer that can be answered, and how the WebRTC stack gets to see it.

use super::credentials::Credentials;
use super::rules;
use super::section::{Direction, Section, push_line, split};
use super::{MAX_SDP_BYTES, OfferError, Role};

/// An offer that has an audio section with Opus and keeps the rules of WHIP.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    pub(super) session: Section<'a>,
    pub(super) media: Vec<Section<'a>>,
    pub(super) audio: usize,
    credentials: Credentials,
}

impl<'a> Offer<'a> {
    /// Splits the offer into sections and checks all that does not depend on the endpoint.
    pub(crate) fn parse(text: &'a str) -> Result<Self, OfferError> {
        if text.len() > MAX_SDP_BYTES {
            return Err(OfferError::TooLarge { bytes: text.len() });
        }
        let (session, media) = split(text);
        if session.lines.first() != Some(&"v=0") {
            return Err(OfferError::BadSdp("it must begin with v=0".into()));
        }
        let audio = rules::single_audio(&media)?;
        rules::check_transport(&session, &media[audio])?;
        let credentials = Credentials::of(&session, &media[audio]).map_err(OfferError::BadSdp)?;
        rules::check_sections(&session, &media)?;
        Ok(Self { session, media, audio, credentials })
    }

    /// The caller's ICE credentials.
    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The offer for the WebRTC stack, narrowed so that the answer, which mirrors it, has the role's direction. The stack
    /// is told that video is inactive: it has no use for it.
    pub(crate) fn narrowed_to(&self, role: Role) -> Result<String, OfferError> {
        let audio = self.narrowed_audio(role)?;
        self.check_video(role)?;
        let mut text = String::with_capacity(2_048);
        for line in &self.session.lines {
            push_line(&mut text, line);
        }
        for (index, section) in self.media.iter().enumerate() {
            let narrowed = match section.kind() {
                "audio" if index == self.audio => Some(audio),
                "video" => Some(Direction::Inactive),
                _ => None,
            };
            for line in section.lines.iter().filter(|line| narrowed.is_none() || Direction::read(line).is_none()) {
                push_line(&mut text, line);
            }
            if let Some(direction) = narrowed {
                push_line(&mut text, &format!("a={}", direction.name()));
            }
        }
        Ok(text)
    }

    /// Whether the offer has video.
    pub(crate) fn has_video(&self) -> bool {
        self.video().next().is_some()
    }

    /// The payload types of video, which nobody here looks at.
    pub(crate) fn video_payload_types(&self) -> Vec<u8> {
        self.video().flat_map(Section::formats).filter_map(|format| format.parse().ok()).collect()
    }

    /// The section's own direction, else the session's, else what RFC 8866 assumes.
    pub(super) fn direction_of(&self, section: &Section<'_>) -> Direction {
        section.direction().or_else(|| self.session.direction()).unwrap_or(Direction::SendRecv)
    }

    fn narrowed_audio(&self, role: Role) -> Result<Direction, OfferError> {
        match (role, self.direction_of(&self.media[self.audio])) {
            (Role::Publisher, Direction::SendRecv | Direction::SendOnly) => Ok(Direction::SendOnly),
            (Role::Listener, Direction::SendRecv | Direction::RecvOnly) => Ok(Direction::RecvOnly),
            (Role::TwoWay, Direction::SendRecv) => Ok(Direction::SendRecv),
            (role, offered) => {
                let (kind, offered, wanted) = ("audio", offered.name(), wanted_by(role));
                Err(OfferError::WrongDirection { kind, offered, wanted })
            }
        }
    }

    /// RFC 9725, section 4.2: a publisher offers nothing that it will not send.
    fn check_video(&self, role: Role) -> Result<(), OfferError> {
        let idle = self.video().map(|section| self.direction_of(section)).find(|direction| !direction.sends());
        match (role, idle) {
            (Role::Publisher, Some(offered)) => {
                let (kind, offered, wanted) = ("video", offered.name(), wanted_by(role));
                Err(OfferError::WrongDirection { kind, offered, wanted })
            }
            (Role::Publisher, None) | (Role::Listener | Role::TwoWay, _) => Ok(()),
        }
    }

    fn video(&self) -> impl Iterator<Item = &Section<'a>> {
        self.media.iter().filter(|section| section.kind() == "video" && section.is_in_use())
    }
}

fn wanted_by(role: Role) -> &'static str {
    match role {
        Role::Publisher => "sendonly or sendrecv",
        Role::Listener => "recvonly or sendrecv",
        Role::TwoWay => "sendrecv",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::tests::{AUDIO, HEAD};

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
    fn video_is_kept_from_the_stack() {
        let video = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:0\r\na=rtcp-mux\r\na=sendonly\r\n";
        let text = format!("{HEAD}{AUDIO}{video}");
        let offer = Offer::parse(&text).expect("sound");
        assert_eq!(offer.video_payload_types(), [96, 97]);
        assert!(offer.narrowed_to(Role::Publisher).expect("fits").ends_with("a=rtcp-mux\r\na=inactive\r\n"));
        let idle = text.replace("a=rtcp-mux\r\na=sendonly", "a=rtcp-mux\r\na=inactive");
        let refused = Offer::parse(&idle).expect("sound").narrowed_to(Role::Publisher).expect_err("nothing to send");
        assert!(matches!(refused, OfferError::WrongDirection { kind: "video", offered: "inactive", .. }));
    }
}
