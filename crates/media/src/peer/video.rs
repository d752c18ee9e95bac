//! Video that was accepted so that callers who cannot do without it may call, and that nobody looks at.

use super::headers::payload_type;

/// The payload types of video, one bit each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Video(u128);

impl Video {
    pub(super) fn of(payload_types: &[u8]) -> Self {
        Self(payload_types.iter().filter(|pt| **pt < 128).fold(0, |bits, pt| bits | 1 << pt))
    }

    /// Whether the packet is RTP with one of these.
    pub(super) fn covers(self, packet: &[u8]) -> bool {
        payload_type(packet).is_some_and(|payload_type| self.0 >> payload_type & 1 == 1)
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
