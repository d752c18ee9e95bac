//! What an answer is made of, and how the vendor forgets what was not heard of it.

use serde_json::Value;

use super::{RATE_HZ, wire};

/// One answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The number that its events bear.
    pub(super) number: u32,
    /// The vendor's name for it, once that is known.
    pub(super) id: Option<String>,
    items: Vec<Item>,
    pub(super) calls_tools: bool,
}

/// A part of an answer, with as much of its audio as came.
#[derive(Debug)]
struct Item {
    id: String,
    content_index: u64,
    samples: usize,
}

impl Answer {
    pub(super) fn new(number: u32) -> Self {
        Self { number, ..Self::default() }
    }

    /// Whether an event is about this answer.
    pub(super) fn is_meant(&self, event: &Value) -> bool {
        self.id.is_some() && event["response_id"].as_str() == self.id.as_deref()
    }

    pub(super) fn add_item(&mut self, id: &str) {
        if !self.items.iter().any(|item| item.id == id) {
            self.items.push(Item { id: id.to_owned(), content_index: 0, samples: 0 });
        }
    }

    /// More audio of an item came.
    pub(super) fn add_audio(&mut self, event: &Value, samples: usize) {
        let id = event["item_id"].as_str().unwrap_or_default();
        self.add_item(id);
        if let Some(item) = self.items.iter_mut().find(|item| item.id == id) {
            item.content_index = event["content_index"].as_u64().unwrap_or_default();
            item.samples += samples;
        }
    }

    /// What tells the vendor that only so much was heard.
    pub(super) fn forget_after(&mut self, heard_ms: u32) -> Vec<Value> {
        let mut left_ms = heard_ms;
        let mut told = Vec::new();
        self.items.retain(|item| {
            let ms = u32::try_from(item.samples as u64 * 1_000 / u64::from(RATE_HZ)).unwrap_or(u32::MAX);
            let heard = ms.min(left_ms);
            left_ms -= heard;
            if heard == 0 {
                told.push(wire::delete(&item.id));
            } else if heard < ms {
                told.push(wire::truncate(&item.id, item.content_index, heard));
            }
            heard > 0
        });
        told
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Answer;

    #[test]
    fn what_was_not_heard_is_forgotten() {
        let mut answer = Answer::new(1);
        for (item, samples) in [("a", 24_000), ("b", 48_000), ("c", 24_000)] {
            answer.add_audio(&json!({"item_id": item, "content_index": 0}), samples);
        }
        answer.add_item("call");
        let told = answer.forget_after(1_500);
        assert_eq!((&told[0]["item_id"], &told[0]["audio_end_ms"]), (&json!("b"), &json!(500)));
        let deleted: Vec<_> = told[1..].iter().map(|event| event["item_id"].as_str()).collect();
        assert_eq!(deleted, [Some("c"), Some("call")]);
        assert_eq!(answer.forget_after(0).len(), 2, "what is left");
    }
}
