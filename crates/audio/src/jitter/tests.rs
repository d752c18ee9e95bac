use super::*;

const FRAME_US: u64 = 20_000;

/// A 20 ms Opus packet (CELT, one frame) that tells its number.
fn packet(n: u64) -> RtpPacket {
    packet_at(n, n * 960)
}

fn packet_at(n: u64, timestamp: u64) -> RtpPacket {
    let payload = Bytes::copy_from_slice(&[0xf8, n as u8, (n >> 8) as u8]);
    RtpPacket { sequence: n as u16, timestamp: timestamp as u32, payload }
}

fn drain(buffer: &mut JitterBuffer, now_us: u64) -> Vec<Option<u8>> {
    std::iter::from_fn(|| buffer.pop(now_us)).map(|frame| frame.payload.get(1).copied()).collect()
}

#[test]
fn packets_in_order_leave_at_once() {
    let mut buffer = JitterBuffer::new();
    for n in 0..100 {
        buffer.push(packet(n), n * FRAME_US);
        assert_eq!(drain(&mut buffer, n * FRAME_US), [Some(n as u8)]);
        assert_eq!(buffer.deadline_us(), None);
    }
    assert_eq!(buffer.stats(), JitterStats { delivered: 100, ..JitterStats::default() });
}

#[test]
fn swapped_packets_leave_in_order_without_a_mark() {
    let mut buffer = JitterBuffer::new();
    buffer.push(packet(0), 0);
    assert_eq!(drain(&mut buffer, 0), [Some(0)]);
    buffer.push(packet(2), 1_000);
    assert_eq!(drain(&mut buffer, 1_000), []);
    assert_eq!(buffer.deadline_us(), Some(1_000 + MAX_WAIT_US));
    buffer.push(packet(1), 2_000);
    assert_eq!(drain(&mut buffer, 2_000), [Some(1), Some(2)]);
    assert_eq!(buffer.stats().lost, 0);
}

#[test]
fn a_lost_packet_is_marked_after_the_wait() {
    let mut buffer = JitterBuffer::new();
    buffer.push(packet(0), 0);
    buffer.push(packet(3), 1_000);
    assert_eq!(drain(&mut buffer, 1_000), [Some(0)]);
    assert_eq!(drain(&mut buffer, MAX_WAIT_US + 999), []);
    let frames: Vec<_> = std::iter::from_fn(|| buffer.pop(MAX_WAIT_US + 1_000)).collect();
    let (sequences, times): (Vec<_>, Vec<_>) = frames.iter().map(|f| (f.sequence & 0xffff, f.rtp_time as u32)).unzip();
    assert_eq!(sequences, [1, 2, 3]);
    assert_eq!(times, [960, 1_920, 2_880]);
    assert!(frames[0].payload.is_empty() && frames[1].payload.is_empty() && !frames[2].payload.is_empty());
    assert_eq!(buffer.stats().lost, 2);
}

#[test]
fn late_and_duplicate_packets_are_dropped_and_told_apart() {
    let mut buffer = JitterBuffer::new();
    for n in [0, 2] {
        buffer.push(packet(n), 0);
    }
    assert_eq!(drain(&mut buffer, MAX_WAIT_US), [Some(0), None, Some(2)]);
    for n in [1, 2, 0] {
        buffer.push(packet(n), MAX_WAIT_US);
    }
    buffer.push(packet(4), MAX_WAIT_US);
    buffer.push(packet(4), MAX_WAIT_US);
    assert_eq!(drain(&mut buffer, MAX_WAIT_US), []);
    let stats = buffer.stats();
    assert_eq!((stats.late, stats.duplicates, stats.lost), (1, 3, 1));
}

#[test]
fn silence_left_out_by_the_sender_is_no_gap() {
    let mut buffer = JitterBuffer::new();
    buffer.push(packet_at(0, 0), 0);
    buffer.push(packet_at(1, 960 + 48_000), 1_020_000);
    assert_eq!(drain(&mut buffer, 1_020_000), [Some(0), Some(1)]);
    assert_eq!(buffer.stats().lost, 0);
}

#[test]
fn counters_wrap_without_a_trace() {
    let mut buffer = JitterBuffer::new();
    let mut last: Option<OpusFrame> = None;
    for n in 65_500_u64..65_600 {
        buffer.push(packet_at(n, u64::from(u32::MAX) - 30_000 + (n - 65_500) * 960), n);
        let frame = buffer.pop(n).expect("in order");
        if let Some(last) = last {
            assert_eq!((frame.sequence, frame.rtp_time), (last.sequence + 1, last.rtp_time + 960));
        }
        last = Some(frame);
    }
}

#[test]
fn a_new_stream_starts_over_instead_of_marking_thousands() {
    let mut buffer = JitterBuffer::new();
    buffer.push(packet(0), 0);
    assert_eq!(drain(&mut buffer, 0), [Some(0)]);
    buffer.push(packet(20_000), 1_000);
    assert_eq!(drain(&mut buffer, 1_000).len(), 1);
    assert_eq!((buffer.stats().restarts, buffer.stats().lost), (1, 0));
}

#[test]
fn a_long_outage_gives_few_marks_right_before_the_voice() {
    let mut buffer = JitterBuffer::new();
    buffer.push(packet(0), 0);
    buffer.push(packet(401), 0);
    let frames: Vec<_> = std::iter::from_fn(|| buffer.pop(MAX_WAIT_US)).collect();
    assert_eq!(frames.len() as u64, 2 + MAX_GAP_MARKS);
    assert_eq!(frames[1].sequence + MAX_GAP_MARKS, frames.last().expect("the voice").sequence);
    assert_eq!(frames[1].rtp_time + MAX_GAP_MARKS * 960, frames.last().expect("the voice").rtp_time);
    assert_eq!(buffer.stats().lost, 400);
}

#[test]
fn a_full_buffer_gives_up_waiting() {
    let mut buffer = JitterBuffer::new();
    buffer.push(packet(0), 0);
    drain(&mut buffer, 0);
    for n in 0..MAX_HELD as u64 {
        assert_eq!(drain(&mut buffer, n), []);
        buffer.push(packet(n + 2), n);
    }
    assert_eq!(drain(&mut buffer, MAX_HELD as u64).len(), MAX_HELD + 1);
}

#[test]
fn frames_of_60_ms_mark_their_own_length() {
    let mut buffer = JitterBuffer::new();
    // SILK wideband, 60 ms.
    let long = |n: u64| RtpPacket { payload: Bytes::from_static(&[0x58, 1, 2, 3]), ..packet_at(n, n * 2_880) };
    buffer.push(long(0), 0);
    buffer.push(long(2), 0);
    let times: Vec<_> = std::iter::from_fn(|| buffer.pop(MAX_WAIT_US)).map(|f| f.rtp_time as u32).collect();
    assert_eq!(times, [0, 2_880, 5_760]);
}

#[test]
fn packets_without_audio_are_ignored() {
    let mut buffer = JitterBuffer::new();
    buffer.push(RtpPacket { payload: Bytes::new(), ..packet(0) }, 0);
    assert_eq!(buffer.pop(0), None);
    buffer.push(packet(1), 0);
    assert_eq!(drain(&mut buffer, 0), [Some(1)]);
}
