//! Settings that are handed through to a vendor as they are.

use serde_json::{Map, Value};

/// Adds `extra` to an object of a request. Objects in objects are joined; everything else is replaced.
pub(crate) fn merge(into: &mut Map<String, Value>, extra: &Map<String, Value>) {
    for (key, value) in extra {
        match (into.get_mut(key), value) {
            (Some(Value::Object(inner)), Value::Object(extra)) => merge(inner, extra),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}
