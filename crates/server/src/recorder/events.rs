//! What is written down, as facts for whoever reads `conversation-events`: the JSON that `docs/events.md` fixes.

use bus::kafka::{Event, EventLog};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Record;
use crate::wire::{EndReason, Turn, moment};

/// Publishes a record. What cannot be published is in the store all the same.
pub(super) fn publish(log: &EventLog, record: &Record) {
    let (kind, time, data) = fact(record);
    let (conversation, data) = (record.conversation_id(), data.to_string());
    if let Err(cause) = log.publish(Event { conversation, kind, time: &moment(time), data: data.as_bytes() }) {
        tracing::warn!(session = conversation, %cause, "a fact is not in the stream");
    }
}

fn fact(record: &Record) -> (&'static str, Timestamp, Value) {
    match record {
        Record::Began(conversation) => {
            let at = conversation.created_at;
            let data = json!({"conversation_id": conversation.id, "created_at": moment(at)});
            ("antiphon.conversation.began.v1", at, data)
        }
        Record::Turn { conversation_id, turn } => {
            let data = json!({"conversation_id": conversation_id, "turn": Turn::from((**turn).clone())});
            ("antiphon.conversation.turn.v1", Timestamp::now(), data)
        }
        Record::Ended { conversation_id, at, reason } => {
            let reason = EndReason::from(*reason);
            let data = json!({"conversation_id": conversation_id, "ended_at": moment(*at), "end_reason": reason});
            ("antiphon.conversation.ended.v1", *at, data)
        }
    }
}

#[cfg(test)]
mod tests {
    use dialogue::CloseReason;
    use jiff::Timestamp;
    use serde_json::json;
    use store::NewConversation;

    use super::{Record, fact};

    #[test]
    fn facts_have_the_form_that_is_documented() {
        let (id, at) = ("0199".to_owned(), Timestamp::UNIX_EPOCH);
        let (kind, _, data) = fact(&Record::Began(NewConversation { id: id.clone(), created_at: at }));
        assert_eq!(kind, "antiphon.conversation.began.v1");
        assert_eq!(data, json!({"conversation_id": "0199", "created_at": "1970-01-01T00:00:00.000Z"}));
        let ended = Record::Ended { conversation_id: id, at, reason: CloseReason::CallerHungUp };
        let (kind, _, data) = fact(&ended);
        assert_eq!(kind, "antiphon.conversation.ended.v1");
        let expected =
            json!({"conversation_id": "0199", "ended_at": "1970-01-01T00:00:00.000Z", "end_reason": "hangup"});
        assert_eq!(data, expected);
    }
}
