//! A profile as a client sends it: JSON with the keys of an agent's section in the configuration.

use figment::Figment;
use figment::error::Kind;
use figment::providers::Serialized;
use serde_json::{Map, Value};
use session::AgentConfig;

/// What only the server sets. It may stand in what is sent, since what is read may be sent back.
const SET_BY_SERVER: [&str; 4] = ["object", "source", "created_at", "updated_at"];

/// What was sent is no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProfileError {
    /// Not JSON.
    #[error("the body is not JSON: {0}")]
    Syntax(String),
    /// No object.
    #[error("the body must be a JSON object with the keys of an agent's section in the configuration")]
    NoObject,
    /// The name is no text.
    #[error("`name` must be a string")]
    Name,
    /// A key that does not exist.
    #[error("unknown key `{key}`; allowed here: {allowed}")]
    UnknownKey {
        /// The key with its section.
        key: String,
        /// The keys that exist beside it.
        allowed: String,
    },
    /// A value of the wrong kind.
    #[error("the value of `{key}` cannot be used: {reason}")]
    Value {
        /// The key with its section.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

/// The profile in a body, and the name if one stands in it.
///
/// # Errors
/// When it is no JSON object, or a key or a value is not one of a profile.
pub(crate) fn read(body: &[u8]) -> Result<(Option<String>, AgentConfig), ProfileError> {
    let body: Value = serde_json::from_slice(body).map_err(|cause| ProfileError::Syntax(cause.to_string()))?;
    let Value::Object(mut keys) = body else { return Err(ProfileError::NoObject) };
    let name = match keys.remove("name") {
        None => None,
        Some(Value::String(name)) => Some(name),
        Some(_) => return Err(ProfileError::Name),
    };
    SET_BY_SERVER.iter().for_each(|key| drop(keys.remove(*key)));
    Ok((name, extract(keys)?))
}

fn extract(keys: Map<String, Value>) -> Result<AgentConfig, ProfileError> {
    Figment::from(Serialized::defaults(keys)).extract().map_err(|error| {
        let mut path = error.path;
        if let Kind::UnknownField(field, allowed) = &error.kind {
            if path.last() != Some(field) {
                path.push(field.clone());
            }
            return ProfileError::UnknownKey { key: path.join("."), allowed: allowed.join(", ") };
        }
        ProfileError::Value { key: path.join("."), reason: error.kind.to_string() }
    })
}

#[cfg(test)]
mod tests {
    use session::AgentConfig;

    use super::read;

    #[test]
    fn a_profile_has_the_keys_of_the_configuration() {
        let body = br#"{"name": "billing", "greeting": "Hi.", "temperature": 0.5, "idle": {"after_ms": 9000},
            "turn_taking": {"eagerness": "high"}, "object": "agent", "updated_at": "now"}"#;
        let (name, profile) = read(body).expect("it fits");
        assert_eq!((name.as_deref(), profile.greeting.as_deref()), (Some("billing"), Some("Hi.")));
        assert_eq!(profile.idle.map(|idle| idle.after_ms), Some(9_000));
        assert_eq!(read(b"{}"), Ok((None, AgentConfig::default())), "what is left out has its default");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, says) in [
            ("{", "not JSON"),
            ("[]", "JSON object"),
            (r#"{"name": 7}"#, "`name` must be a string"),
            (r#"{"greating": "Hi."}"#, "unknown key `greating`; allowed here: description, instructions, greeting"),
            (r#"{"idle": {"after": 9}}"#, "unknown key `idle.after`; allowed here: after_ms"),
            (r#"{"turn_taking": {"mode": "psychic"}}"#, "`turn_taking.mode`"),
            (r#"{"tools": "current_time"}"#, "`tools`"),
            (r#"{"memory_chars": -1}"#, "`memory_chars`"),
        ] {
            let error = read(body.as_bytes()).expect_err(body).to_string();
            assert!(error.contains(says), "{body}: {error}");
            assert!(!error.contains('\n'), "{body}: {error}");
        }
    }
}
