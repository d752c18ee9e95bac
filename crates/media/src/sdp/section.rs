//! An SDP text cut into sections, and what the lines of one say.

/// Lines that belong together: those before the first `m=`, or those from one `m=` to the next.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    pub(super) lines: Vec<&'a str>,
}

/// A direction as the one who writes it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// Cuts a text into its session part and its media sections. Lines may end in CRLF or LF; empty ones are left out.
pub(super) fn split(text: &str) -> (Section<'_>, Vec<Section<'_>>) {
    let (mut session, mut media) = (Section::default(), Vec::<Section<'_>>::new());
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if line.starts_with("m=") {
            media.push(Section { lines: vec![line] });
        } else {
            media.last_mut().unwrap_or(&mut session).lines.push(line);
        }
    }
    (session, media)
}

impl<'a> Section<'a> {
    /// What stands behind each `a=attribute:`.
    pub(super) fn values(&self, attribute: &str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter_map(move |line| line.strip_prefix("a=")?.strip_prefix(attribute)?.strip_prefix(':'))
    }

    /// What stands behind the first `a=attribute:`.
    pub(super) fn value(&self, attribute: &str) -> Option<&'a str> {
        self.values(attribute).next()
    }

    pub(super) fn has(&self, line: &str) -> bool {
        self.lines.contains(&line)
    }

    /// `audio`, `video`, `application`; empty for the session part.
    pub(super) fn kind(&self) -> &'a str {
        self.media_line().next().unwrap_or_default()
    }

    /// Whether the section is offered: port 0 alone switches it off, port 0 with `bundle-only` does not.
    pub(super) fn is_in_use(&self) -> bool {
        self.media_line().nth(1) != Some("0") || self.has("a=bundle-only")
    }

    /// Whether the section carries RTP.
    pub(super) fn is_rtp(&self) -> bool {
        matches!(self.kind(), "audio" | "video")
    }

    pub(super) fn protocol(&self) -> &'a str {
        self.media_line().nth(2).unwrap_or_default()
    }

    /// The formats of the section: payload types, where it carries RTP.
    pub(super) fn formats(&self) -> impl Iterator<Item = &'a str> {
        self.media_line().skip(3)
    }

    pub(super) fn direction(&self) -> Option<Direction> {
        self.lines.iter().find_map(|line| Direction::read(line))
    }

    fn media_line(&self) -> impl Iterator<Item = &'a str> {
        let line = self.lines.first().and_then(|line| line.strip_prefix("m="));
        line.unwrap_or_default().split_ascii_whitespace()
    }
}

impl Direction {
    pub(super) fn read(line: &str) -> Option<Self> {
        match line {
            "a=sendrecv" => Some(Self::SendRecv),
            "a=sendonly" => Some(Self::SendOnly),
            "a=recvonly" => Some(Self::RecvOnly),
            "a=inactive" => Some(Self::Inactive),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    pub(super) fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }
}

pub(super) fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push_str("\r\n");
}
