//! The agent beside a loudspeaker: it neither hears itself nor is deaf to the caller.

use dialogue::{Fact, TurnStatus};
use testkit::room::Room;

use super::{call, turns};

const LONG: &str = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen.";

#[tokio::test(start_paused = true)]
async fn the_agent_does_not_hear_itself_through_a_loudspeaker() {
    for (delay_ms, gain) in [(40, 0.3), (130, 0.2), (400, 0.1)] {
        let mut call = call(&["Count.", "One two."], &[Some(LONG)], 0.9);
        call.caller.speak(600).await;
        call.caller.say_in(&mut Room::direct(delay_ms, gain), &vec![0.0; 6 * 16_000]).await;
        let facts = call.end().await;
        assert!(!facts.iter().any(|fact| matches!(fact, Fact::ReplyHeld { .. })), "after {delay_ms} ms");
        let turns = turns(&facts);
        assert_eq!(turns.len(), 1);
        assert_eq!((turns[0].status, turns[0].heard_text.as_str()), (TurnStatus::Completed, LONG));
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_beside_a_loudspeaker_is_heard_over_the_agent() {
    let mut call = call(&["Count.", "Stop."], &[Some(LONG), Some("Fine.")], 0.9);
    call.caller.speak(600).await;
    let mut room = Room::direct(130, 0.2);
    call.caller.say_in(&mut room, &vec![0.0; 2 * 16_000]).await;
    let speech = testkit::scripted::tone(16_000, 800);
    call.caller.say_in(&mut room, &speech).await;
    call.caller.say_in(&mut room, &vec![0.0; 3 * 16_000]).await;
    let turns = turns(&call.end().await);
    assert_eq!(turns[0].status, TurnStatus::Interrupted);
    assert_eq!((turns[1].user_text.as_str(), turns[1].heard_text.as_str()), ("Stop.", "Fine."));
}
