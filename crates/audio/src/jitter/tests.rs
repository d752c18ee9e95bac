use super::*;

const FRAME_US: u64 = 20_000;
/// Far beyond any wait.
const LONG_US: u64 = 10_000_000;

/// A 20 ms Opus packet (CELT, one frame) that tells its number.
fn packet(n: u64) -> RtpPacket {
    packet_at(n, n * 960)
}

fn packet_at(n: u64, timestamp: u64) -> RtpPacket {
    let payload = Bytes::copy_from_slice(&[0xf8, n as u8, (n >> 8) as u8]);
    RtpPacket { stream: 1, sequence: n as u16, timestamp: timestamp as u32, content: Content::Audio(payload) }
}

fn copy(n: u64) -> RtpPacket {
    let packet = packet(n);
    let Content::Audio(payload) = packet.content else { unreachable!("it is audio") };
    RtpPacket { content: Content::Copy(payload), ..packet }
}

fn drain(buffer: &mut JitterBuffer, now_us: u64) -> Vec<Option<u8>> {
    std::iter::from_fn(|| buffer.pop(now_us)).map(|frame| frame.payload.get(1).copied()).collect()
}

/// A buffer that has seen packets `0..count` come on time, each at its number times 20 ms.
fn settled(count: u64) -> JitterBuffer {
    let mut buffer = JitterBuffer::new();
    for n in 0..count {
        buffer.push(packet(n), n * FRAME_US);
        assert_eq!(drain(&mut buffer, n * FRAME_US), [Some(n as u8)]);
        assert_eq!(buffer.deadline_us(), None);
    }
    buffer
}

#[test]
fn packets_in_order_leave_at_once() {
    let buffer = settled(100);
    assert_eq!(buffer.stats(), JitterStats { delivered: 100, ..JitterStats::default() });
}

#[test]
fn swapped_packets_leave_in_order_without_a_mark() {
    let mut buffer = settled(10);
    buffer.push(packet(11), 11 * FRAME_US);
    assert_eq!(drain(&mut buffer, 11 * FRAME_US), []);
    let deadline = buffer.deadline_us().expect("a hole is waited for");
    buffer.push(packet(10), deadline - 1);
    assert_eq!(drain(&mut buffer, deadline - 1), [Some(10), Some(11)]);
    assert_eq!(buffer.stats().lost, 0);
}

#[test]
fn lost_packets_are_marked_after_the_wait() {
    let mut buffer = settled(1);
    buffer.push(packet(3), 3 * FRAME_US);
    let deadline = buffer.deadline_us().expect("a hole is waited for");
    assert_eq!(drain(&mut buffer, deadline - 1), []);
    let frames: Vec<_> = std::iter::from_fn(|| buffer.pop(deadline)).collect();
    let (sequences, times): (Vec<_>, Vec<_>) = frames.iter().map(|f| (f.sequence & 0xffff, f.rtp_time as u32)).unzip();
    assert_eq!(sequences, [1, 2, 3]);
    assert_eq!(times, [960, 1_920, 2_880]);
    assert!(frames[0].payload.is_empty() && frames[1].payload.is_empty() && !frames[2].payload.is_empty());
    assert_eq!(buffer.stats().lost, 2);
}

#[test]
fn on_a_steady_network_a_hole_is_not_waited_for() {
    let mut buffer = settled(200);
    buffer.push(packet(201), 201 * FRAME_US);
    assert_eq!(drain(&mut buffer, 201 * FRAME_US), [None, Some(201)]);
}

#[test]
fn the_wait_is_as_long_as_the_network_is_unsteady_and_bounded() {
    let mut buffer = JitterBuffer::new();
    let late_us = |n: u64| if n % 10 == 5 { 70_000 } else { 0 };
    let mut by_arrival: Vec<(u64, u64)> = (0..400).map(|n| (n * FRAME_US + late_us(n), n)).collect();
    by_arrival.sort_unstable();
    for (at, n) in by_arrival {
        buffer.push(packet(n), at);
        drain(&mut buffer, at);
    }
    // The first one that was so late was not expected to come any more.
    assert_eq!(buffer.stats(), JitterStats { delivered: 399, lost: 1, late: 1, ..JitterStats::default() });
    buffer.push(packet(401), 401 * FRAME_US);
    // 70 ms after the missing one was due, and the slack.
    assert_eq!(buffer.deadline_us(), Some(400 * FRAME_US + 70_000 + SLACK_US + 70_000 / 8));
    let mut buffer = settled(200);
    buffer.push(packet(200), 215 * FRAME_US);
    drain(&mut buffer, 215 * FRAME_US);
    buffer.push(packet(220), 220 * FRAME_US);
    assert_eq!(buffer.deadline_us(), Some(220 * FRAME_US + MAX_WAIT_US));
}

#[test]
fn late_and_duplicate_packets_are_dropped_and_told_apart() {
    let mut buffer = settled(1);
    buffer.push(packet(2), 2 * FRAME_US);
    assert_eq!(drain(&mut buffer, LONG_US), [None, Some(2)]);
    for n in [1, 2, 0] {
        buffer.push(packet(n), LONG_US);
    }
    buffer.push(packet(4), LONG_US);
    buffer.push(packet(4), LONG_US);
    assert_eq!(drain(&mut buffer, LONG_US), []);
    let stats = buffer.stats();
    assert_eq!((stats.late, stats.duplicates, stats.lost), (1, 3, 1));
}

#[test]
fn a_copy_fills_the_hole_at_once_and_counts_as_recovered() {
    let mut buffer = settled(10);
    buffer.push(packet(11), 11 * FRAME_US);
    buffer.push(copy(10), 11 * FRAME_US);
    assert_eq!(drain(&mut buffer, 11 * FRAME_US), [Some(10), Some(11)]);
    // One that comes too late is none of the packets sent.
    buffer.push(copy(9), 11 * FRAME_US);
    let expected = JitterStats { delivered: 12, recovered: 1, recovered_ticks: 960, ..JitterStats::default() };
    assert_eq!(buffer.stats(), expected);
}

#[test]
fn key_presses_have_numbers_and_are_no_audio() {
    let mut buffer = settled(3);
    for n in 3..10 {
        // All reports of a press bear the time of its begin.
        buffer.push(RtpPacket { content: Content::Other, ..packet_at(n, 3 * 960) }, n * FRAME_US);
        assert_eq!(drain(&mut buffer, n * FRAME_US), []);
    }
    buffer.push(packet(10), 10 * FRAME_US);
    assert_eq!(drain(&mut buffer, 10 * FRAME_US), [Some(10)]);
    assert_eq!(buffer.stats(), JitterStats { delivered: 4, ..JitterStats::default() });
}

#[test]
fn silence_left_out_by_the_sender_is_no_gap() {
    let mut buffer = settled(1);
    buffer.push(packet_at(1, 960 + 48_000), 1_020_000);
    assert_eq!(drain(&mut buffer, 1_020_000), [Some(1)]);
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
fn a_jump_starts_over_instead_of_marking_thousands() {
    let mut buffer = settled(1);
    buffer.push(packet(20_000), FRAME_US);
    assert_eq!(drain(&mut buffer, FRAME_US).len(), 1);
    assert_eq!((buffer.stats().restarts, buffer.stats().lost), (1, 0));
}

#[test]
fn a_new_stream_goes_on_where_the_old_one_ended_however_it_numbers() {
    for (sequence, timestamp) in [(2, 77), (65_000, 1 << 31), (10, 9_600)] {
        let mut buffer = settled(10);
        // One is still held when the new stream begins, half a second later.
        buffer.push(packet(11), 11 * FRAME_US);
        let began = 11 * FRAME_US + 500_000;
        let new = |n: u64| RtpPacket { stream: 2, ..packet_at(sequence + n, timestamp + n * 960) };
        buffer.push(new(0), began);
        // A straggler of the old stream does not bring it back.
        buffer.push(packet(10), began);
        buffer.push(new(1), began + FRAME_US);
        let frames: Vec<_> = std::iter::from_fn(|| buffer.pop(began + FRAME_US)).collect();
        let places: Vec<_> = frames.iter().map(|frame| (frame.sequence & 0xffff, frame.rtp_time as u32)).collect();
        let later = 12 * 960 + 24_000 - 960;
        assert_eq!(places, [(10, 9_600), (11, 10_560), (12, later), (13, later + 960)]);
        let stats = buffer.stats();
        assert_eq!((stats.restarts, stats.lost, stats.late), (1, 1, 1));
    }
}

#[test]
fn a_long_outage_gives_few_marks_right_before_the_voice() {
    let mut buffer = settled(1);
    buffer.push(packet(401), 401 * FRAME_US);
    let frames: Vec<_> = std::iter::from_fn(|| buffer.pop(LONG_US)).collect();
    assert_eq!(frames.len() as u64, 1 + MAX_GAP_MARKS);
    assert_eq!(frames[0].sequence + MAX_GAP_MARKS, frames.last().expect("the voice").sequence);
    assert_eq!(frames[0].rtp_time + MAX_GAP_MARKS * 960, frames.last().expect("the voice").rtp_time);
    assert_eq!(buffer.stats().lost, 400);
}

#[test]
fn a_full_buffer_gives_up_waiting() {
    let mut buffer = settled(1);
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
    let content = Content::Audio(Bytes::from_static(&[0x58, 1, 2, 3]));
    let long = |n: u64| RtpPacket { content: content.clone(), ..packet_at(n, n * 2_880) };
    buffer.push(long(0), 0);
    assert!(buffer.pop(0).is_some());
    buffer.push(long(2), 6 * FRAME_US);
    let times: Vec<_> = std::iter::from_fn(|| buffer.pop(LONG_US)).map(|f| f.rtp_time as u32).collect();
    assert_eq!(times, [2_880, 5_760]);
}

#[test]
fn packets_without_payload_are_no_audio() {
    let mut buffer = settled(1);
    buffer.push(RtpPacket { content: Content::Audio(Bytes::new()), ..packet(1) }, FRAME_US);
    assert_eq!(drain(&mut buffer, FRAME_US), []);
    buffer.push(packet(2), 2 * FRAME_US);
    assert_eq!(drain(&mut buffer, 2 * FRAME_US), [Some(2)]);
    assert_eq!(buffer.stats().lost, 0);
}

/// A sender whose clock is wrong, over a network that jitters: for an hour nothing is lost, and nothing waits longer
/// than at the beginning.
#[test]
fn a_clock_that_drifts_for_an_hour_costs_neither_frames_nor_time() {
    for drift_ppm in [-100_i64, 100] {
        let mut chances = 0x2545_f491_4f6c_dd1d_u64;
        let mut jitter_us = move || {
            chances ^= chances << 13;
            chances ^= chances >> 7;
            chances ^= chances << 17;
            chances % 50_000
        };
        let sent_us = |n: u64| (n * FRAME_US).saturating_add_signed((n * FRAME_US) as i64 / 1_000_000 * drift_ppm);
        let mut by_arrival: Vec<(u64, u64)> = (0..180_000).map(|n| (sent_us(n) + jitter_us(), n)).collect();
        by_arrival.sort_unstable();
        let mut buffer = JitterBuffer::new();
        let mut longest_us = [0; 2];
        let mut delivered = 0;
        for (at, n) in by_arrival {
            buffer.push(packet(n), at);
            while let Some(frame) = buffer.pop(at) {
                assert_eq!(frame.payload.get(1), Some(&(delivered as u8)), "in order and none missing");
                let half = usize::from(delivered >= 90_000);
                longest_us[half] = longest_us[half].max(at - sent_us(delivered));
                delivered += 1;
            }
        }
        assert_eq!(buffer.stats(), JitterStats { delivered: 180_000, ..JitterStats::default() });
        assert!(longest_us.iter().all(|longest| *longest < 50_000), "{longest_us:?}");
        assert!(buffer.arrivals().spread_us() < 52_000, "{}", buffer.arrivals().spread_us());
    }
}
