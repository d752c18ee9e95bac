//! Video that was accepted so that callers who cannot do without it may call, and that nobody looks at.

/// The payload types of video, one bit each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Video(u128);

impl Video {
    pub(super) fn of(payload_types: &[u8]) -> Self {
        Self(payload_types.iter().filter(|pt| **pt < 128).fold(0, |bits, pt| bits | 1 << pt))
    }

    /// Whether the packet is RTP with one of these. RTP and RTCP begin with version 2 (RFC 7983), and RTCP's types look like
    /// payload types 64 to 95, which RTP beside it must not use (RFC 5761, section 4).
    pub(super) fn covers(self, packet: &[u8]) -> bool {
        match packet {
            [first, second, ..] if (128..192).contains(first) => {
                let payload_type = second & 0x7f;
                !(64..96).contains(&payload_type) && self.0 >> payload_type & 1 == 1
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Video;

    #[test]
    fn only_rtp_of_its_payload_types_is_video() {
        let video = Video::of(&[96, 35, 200, 72]);
        assert!(video.covers(&[0x80, 96]) && video.covers(&[0x90, 0x80 | 96]) && video.covers(&[0x80, 35]));
        for packet in [&[0x80, 111][..], &[0x80, 200], &[0x00, 96], &[22, 96], &[0x80], &[]] {
            assert!(!video.covers(packet), "{packet:?}");
        }
    }
}
