//! What a peer tells of the voice that it hears from us: its receiver reports (RFC 3550, section 6.4.2).

use std::time::Duration;

use audio::leg::{RTP_CLOCK_HZ, VoiceStats};
use str0m::stats::MediaEgressStats;

/// Reads one peer's reports.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// What was told last: the greatest sequence number, packets lost, loss.
    last: Option<(u64, u64, u8)>,
}

impl Reports {
    /// The peer's report, from what the stack knows of it; none before the first.
    pub(super) fn read(&mut self, stats: &MediaEgressStats) -> Option<VoiceStats> {
        let remote = stats.remote.as_ref()?;
        let (greatest, lost) = (*remote.maximum_sequence_number, remote.packets_lost);
        let loss_percent = match self.last {
            None => 0,
            Some((before, _, loss_percent)) if greatest <= before => loss_percent,
            Some((before, lost_before, _)) => {
                let share = lost.saturating_sub(lost_before).saturating_mul(100) / (greatest - before);
                u8::try_from(share.min(100)).unwrap_or(100)
            }
        };
        self.last = Some((greatest, lost, loss_percent));
        Some(VoiceStats {
            sent: stats.packets,
            lost,
            loss_percent,
            jitter: Duration::from_secs(1) * remote.jitter / RTP_CLOCK_HZ,
            round_trip: stats.rtt,
        })
    }
}
