use std::time::Duration;

use tokio::time::Instant;

use super::{BEAT, BusState, DEAD_AFTER, DOWN_AFTER, Fleet, NodeId, Role, Status};

const OWN: NodeId = NodeId(1);
const LEFT: NodeId = NodeId(2);
const RIGHT: NodeId = NodeId(3);

fn status(node: NodeId, calls: u32) -> Status {
    Status {
        node,
        role: if node == OWN { Role::Media } else { Role::Orchestrator },
        partition: i32::try_from(node.0).unwrap(),
        calls,
        capacity: 10,
        busy_permille: 0,
        draining: false,
        stopped: false,
        sent_us: 0,
    }
}

fn fleet(statuses: &[Status]) -> Fleet {
    let mut fleet = Fleet::new(OWN);
    for &status in statuses {
        fleet.heard(Instant::now(), status);
    }
    fleet
}

/// Beats of `nodes` for as long as this.
fn beat(fleet: &mut Fleet, nodes: &[NodeId], from: Instant, long: Duration) -> Instant {
    let mut now = from;
    while now < from + long {
        now += BEAT;
        for &node in nodes {
            fleet.heard(now, status(node, 0));
        }
    }
    now
}

#[tokio::test]
async fn a_call_goes_where_the_most_room_is() {
    let mut fleet = fleet(&[status(LEFT, 4), status(RIGHT, 2)]);
    assert_eq!(fleet.place(None).unwrap().node, RIGHT);
    assert_eq!(fleet.place(None).unwrap().node, RIGHT);
    // Its own count does not show the two promised calls yet, and they count all the same.
    let next: Vec<NodeId> = (0..2).map(|_| fleet.place(None).unwrap().node).collect();
    assert_eq!(next, [LEFT, RIGHT]);
}

#[tokio::test]
async fn a_call_is_counted_once_from_its_promise_on() {
    let (mut fleet, now) = (fleet(&[status(LEFT, 0)]), Instant::now());
    let count = |calls, sent_us| Status { sent_us, ..status(LEFT, calls) };
    fleet.place(None).unwrap();
    assert_eq!(fleet.room(), 9);
    fleet.taken(LEFT, 5);
    assert_eq!(fleet.room(), 9);
    // A count from before it was taken comes late.
    fleet.heard(now, count(0, 4));
    assert_eq!(fleet.room(), 9);
    fleet.heard(now, count(1, 6));
    assert_eq!(fleet.room(), 9);
    // One that ended before any count showed it leaves its place.
    fleet.place(None).unwrap();
    fleet.taken(LEFT, 7);
    fleet.heard(now, count(1, 8));
    assert_eq!(fleet.room(), 9);
    // Or the count comes first.
    fleet.place(None).unwrap();
    fleet.heard(now, count(2, 10));
    fleet.taken(LEFT, 9);
    assert_eq!(fleet.room(), 8);
}

#[tokio::test]
async fn a_promise_that_is_not_taken_is_taken_back() {
    let mut fleet = fleet(&[status(LEFT, 0)]);
    fleet.place(None).unwrap();
    fleet.forget_promise(LEFT);
    assert_eq!(fleet.room(), 10);
}

#[tokio::test]
async fn a_node_whose_processors_are_busy_takes_less() {
    let busy = Status { busy_permille: 600, ..status(LEFT, 0) };
    assert_eq!(fleet(&[busy, status(RIGHT, 5)]).place(None).unwrap().node, RIGHT);
    let full = Status { busy_permille: 950, ..status(LEFT, 0) };
    assert_eq!(fleet(&[full]).place(None), None);
}

#[tokio::test]
async fn nobody_takes_a_call_that_is_full_or_draining_or_the_one_that_just_failed() {
    let draining = Status { draining: true, ..status(LEFT, 0) };
    let mut fleet = fleet(&[draining, status(RIGHT, 10)]);
    assert_eq!((fleet.place(None), fleet.room()), (None, 0));
    fleet.heard(Instant::now(), status(RIGHT, 0));
    assert_eq!(fleet.place(Some(RIGHT)), None);
}

#[tokio::test]
async fn a_silent_node_is_dead_while_others_are_heard() {
    let mut fleet = fleet(&[status(OWN, 0), status(LEFT, 0), status(RIGHT, 0)]);
    let now = beat(&mut fleet, &[OWN, RIGHT], Instant::now(), DEAD_AFTER + BEAT);
    assert_eq!(fleet.take_dead(now), [LEFT]);
    assert_eq!(fleet.take_dead(now), []);
}

#[tokio::test]
async fn a_bus_that_is_down_kills_nobody_nor_does_its_return() {
    let mut fleet = fleet(&[status(OWN, 0), status(LEFT, 0)]);
    let start = Instant::now();
    assert_eq!(fleet.state(start + DOWN_AFTER), BusState::Down);
    let long_after = start + DEAD_AFTER * 10;
    assert_eq!(fleet.take_dead(long_after), []);
    // The first beats after the return may be our own.
    fleet.heard(long_after, status(OWN, 0));
    assert_eq!((fleet.state(long_after), fleet.take_dead(long_after)), (BusState::Up, Vec::new()));
    let now = beat(&mut fleet, &[OWN, LEFT], long_after, DEAD_AFTER * 2);
    assert_eq!(fleet.take_dead(now), []);
}

#[tokio::test]
async fn a_node_that_says_goodbye_is_gone_at_once() {
    let mut fleet = fleet(&[status(LEFT, 0)]);
    assert!(fleet.heard(Instant::now(), Status { stopped: true, ..status(LEFT, 0) }));
    assert_eq!(fleet.place(None), None);
}
