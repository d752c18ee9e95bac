use super::*;

const CLIP: Clip = Clip { turn: 1, attempt: 1, sentence: 0 };
const NEXT_CLIP: Clip = Clip { turn: 1, attempt: 1, sentence: 1 };

/// Milliseconds since the start, and the frame's RTP time.
type TimedFrame = (u64, u64);
type TimedMark = (u64, PlayoutMark);

struct Rig {
    playout: Playout,
    start: Instant,
}

impl Rig {
    fn new() -> Self {
        Self { playout: Playout::default(), start: Instant::now() }
    }

    fn with_listener() -> Self {
        let mut rig = Self::new();
        rig.playout.audience_arrived();
        rig
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    fn push(&mut self, clip: Clip, frames: usize, ms: u64) {
        for _ in 0..frames {
            self.playout.push(clip, &Bytes::from_static(b"opus"), self.at(ms)).expect("room");
        }
    }

    /// Runs to `until`, waking exactly at each deadline; gives the RTP times of frames and the marks, with their times.
    fn run(&mut self, from: u64, until: u64) -> (Vec<TimedFrame>, Vec<TimedMark>) {
        let (mut frames, mut marks) = (Vec::new(), Vec::new());
        let mut now = self.at(from);
        loop {
            while let Some(step) = self.playout.poll(now) {
                let ms = (now - self.start).as_millis() as u64;
                match step {
                    Step::Frame(frame) if frame.payload[..] == SILENCE => {}
                    Step::Frame(frame) => frames.push((ms, frame.rtp_time)),
                    Step::Mark(mark) => marks.push((ms, mark)),
                }
            }
            match self.playout.next_deadline(now) {
                Some(at) if at <= self.at(until) => now = at.max(now),
                _ => return (frames, marks),
            }
        }
    }
}

#[test]
fn frames_leave_every_20_ms_and_marks_tell_how_far() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, 12, 0);
    rig.playout.end_clip(CLIP);
    let (frames, marks) = rig.run(0, 1_000);
    assert_eq!(frames, (0..12).map(|n| (n * 20, n * 960)).collect::<Vec<_>>());
    assert_eq!(
        marks,
        [
            (0, PlayoutMark::Started(CLIP)),
            (100, PlayoutMark::Reached { clip: CLIP, heard_ms: 100 }),
            (200, PlayoutMark::Reached { clip: CLIP, heard_ms: 200 }),
            (240, PlayoutMark::Finished(CLIP)),
        ]
    );
}

#[test]
fn sentences_follow_each_other_without_a_gap() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, 2, 0);
    rig.playout.end_clip(CLIP);
    rig.push(NEXT_CLIP, 2, 0);
    rig.playout.end_clip(NEXT_CLIP);
    let (frames, marks) = rig.run(0, 1_000);
    assert_eq!(frames.iter().map(|f| f.0).collect::<Vec<_>>(), [0, 20, 40, 60]);
    assert_eq!(marks[1], (40, PlayoutMark::Finished(CLIP)));
    assert_eq!(marks[2], (40, PlayoutMark::Started(NEXT_CLIP)));
    assert_eq!(marks[3], (80, PlayoutMark::Finished(NEXT_CLIP)));
}

#[test]
fn after_a_pause_the_first_frame_leaves_at_once_and_rtp_time_jumps() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, 1, 0);
    rig.run(0, 100);
    rig.push(NEXT_CLIP, 1, 1_020);
    let frame = rig.playout.poll(rig.at(1_020));
    let Some(Step::Frame(frame)) = frame else { unreachable!("a frame is due, not {frame:?}") };
    assert_eq!(frame.rtp_time, 960 + 48_000);
    assert_eq!(frame.position, Position::FirstAfterPause);
}

#[test]
fn a_late_thread_catches_up_instead_of_drifting() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, 10, 0);
    rig.run(0, 0);
    let (frames, _) = rig.run(70, 100);
    assert_eq!(frames, [(70, 960), (70, 1_920), (70, 2_880), (80, 3_840), (100, 4_800)]);
}

#[test]
fn flush_drops_everything_and_tells_where_it_cut() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, 50, 0);
    rig.playout.end_clip(CLIP);
    rig.run(0, 95);
    rig.playout.flush(rig.at(95));
    let (frames, marks) = rig.run(95, 99);
    assert_eq!(frames, []);
    assert_eq!(marks, [(95, PlayoutMark::Flushed { cut: Some((CLIP, 95)) })]);
    rig.push(NEXT_CLIP, 1, 96);
    assert_eq!(rig.run(96, 2_000).0, [(100, 4_800)], "the pace goes on");
}

#[test]
fn silence_ends_the_voice_whether_it_is_over_or_cut() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, 50, 0);
    rig.run(0, 30);
    rig.playout.flush(rig.at(30));
    let mut silent = Vec::new();
    let mut now = rig.at(30);
    while let Some(at) = rig.playout.next_deadline(now) {
        now = at.max(now);
        if let Some(Step::Frame(frame)) = rig.playout.poll(now) {
            assert_eq!(frame.payload[..], SILENCE);
            silent.push(((now - rig.start).as_millis(), frame.rtp_time));
        }
    }
    assert_eq!(silent, [(40, 1_920), (60, 2_880), (80, 3_840), (100, 4_800), (120, 5_760)]);
}

#[test]
fn a_flush_of_nothing_is_answered_too() {
    let mut rig = Rig::with_listener();
    rig.playout.flush(rig.at(0));
    assert_eq!(rig.run(0, 10).1, [(0, PlayoutMark::Flushed { cut: None })]);
    rig.push(CLIP, 3, 10);
    rig.playout.end_clip(CLIP);
    rig.run(10, 500);
    rig.playout.flush(rig.at(500));
    assert_eq!(rig.run(500, 510).1, [(500, PlayoutMark::Flushed { cut: None })]);
}

#[test]
fn a_cut_between_last_frame_and_end_counts_all_that_was_played() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, 3, 0);
    rig.run(0, 500);
    rig.playout.flush(rig.at(500));
    assert_eq!(rig.run(500, 510).1, [(500, PlayoutMark::Flushed { cut: Some((CLIP, 60)) })]);
}

#[test]
fn voice_waits_for_a_listener() {
    let mut rig = Rig::new();
    rig.push(CLIP, 2, 0);
    assert_eq!(rig.run(0, 4_999).0, []);
    rig.playout.audience_arrived();
    assert_eq!(rig.run(4_999, 6_000).0, [(4_999, 0), (5_019, 960)]);
}

#[test]
fn voice_plays_into_the_void_when_nobody_comes() {
    let mut rig = Rig::new();
    rig.push(CLIP, 2, 0);
    rig.playout.end_clip(CLIP);
    let (frames, marks) = rig.run(0, 10_000);
    assert_eq!(frames, [(5_000, 0), (5_020, 960)]);
    assert_eq!(marks.last(), Some(&(5_040, PlayoutMark::Finished(CLIP))));
}

#[test]
fn a_flush_while_waiting_for_a_listener_leaves_nothing() {
    let mut rig = Rig::new();
    rig.push(CLIP, 2, 0);
    rig.playout.flush(rig.at(10));
    rig.playout.audience_arrived();
    let (frames, marks) = rig.run(10, 10_000);
    assert_eq!((frames.len(), marks.len()), (0, 1));
}

#[test]
fn the_queue_is_bounded() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, MAX_QUEUED_FRAMES, 0);
    assert_eq!(rig.playout.push(CLIP, &Bytes::from_static(b"x"), rig.at(0)), Err(QueueFull));
}

#[test]
fn an_empty_clip_is_finished_at_once() {
    let mut rig = Rig::with_listener();
    rig.playout.end_clip(CLIP);
    assert_eq!(rig.run(0, 10).1, [(0, PlayoutMark::Finished(CLIP))]);
}

#[test]
fn a_hold_keeps_the_voice_and_a_resume_goes_on_at_the_very_frame() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, 10, 0);
    rig.playout.end_clip(CLIP);
    let (before, _) = rig.run(0, 50);
    assert_eq!(before.len(), 3, "frames at 0, 20 and 40 ms");
    rig.playout.hold(rig.at(50));
    let (held, marks) = rig.run(50, 1_000);
    assert_eq!(held, [], "only silence follows");
    assert_eq!(marks, [(50, PlayoutMark::Held { at: Some((CLIP, 50)) })]);
    assert_eq!(rig.playout.next_deadline(rig.at(1_000)), None, "a held voice waits for nothing");
    rig.playout.resume();
    let (after, marks) = rig.run(1_000, 2_000);
    assert_eq!((after.len(), after[0].0), (7, 1_000));
    assert_eq!(marks.last(), Some(&(1_140, PlayoutMark::Finished(CLIP))));
}

#[test]
fn a_hold_between_clips_finishes_the_one_that_was_played() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, 1, 0);
    rig.playout.end_clip(CLIP);
    rig.push(NEXT_CLIP, 1, 0);
    rig.run(0, 10);
    rig.playout.hold(rig.at(10));
    let (_, marks) = rig.run(10, 500);
    assert_eq!(marks, [(10, PlayoutMark::Finished(CLIP)), (10, PlayoutMark::Held { at: None })]);
}

#[test]
fn a_flush_ends_a_hold_and_drops_what_was_kept() {
    let mut rig = Rig::with_listener();
    rig.push(CLIP, 10, 0);
    rig.run(0, 50);
    rig.playout.hold(rig.at(50));
    rig.playout.flush(rig.at(60));
    rig.push(NEXT_CLIP, 1, 60);
    let (frames, marks) = rig.run(60, 500);
    assert_eq!(frames.len(), 1, "the next voice plays");
    assert!(matches!(marks[1], (_, PlayoutMark::Flushed { cut: Some((CLIP, _)) })), "{marks:?}");
}

#[test]
fn a_hold_before_anybody_listens_keeps_everything() {
    let mut rig = Rig::new();
    rig.push(CLIP, 2, 0);
    rig.playout.hold(rig.at(1));
    rig.run(1, 10);
    assert_eq!(rig.playout.next_deadline(rig.at(10)), None);
    rig.playout.resume();
    rig.playout.audience_arrived();
    assert_eq!(rig.run(10, 500).0.len(), 2);
}
