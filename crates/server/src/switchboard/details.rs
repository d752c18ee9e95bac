//! What the two roles agree on about a call, beside its audio; and how that travels between machines.

use bus::kafka::Details;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the two roles agree on about a call, beside its audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallDetails {
    /// When the offer came.
    pub opened_at: Timestamp,
    /// What the caller asked for.
    pub wishes: CallWishes,
}

/// What a caller may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CallWishes {
    /// Instructions for this call in place of the configured ones.
    pub instructions: Option<String>,
    /// The agent that answers; none is the default one.
    pub agent: Option<String>,
    /// The conversation that goes on in this call; none begins one.
    pub resumes: Option<String>,
}

/// JSON on the bus. Fields are only ever added, and none must be there.
#[derive(Serialize, Deserialize)]
struct Wire {
    /// RFC 3339.
    opened_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instructions: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resumes: Option<String>,
}

impl Details for CallDetails {
    fn to_bytes(&self) -> Vec<u8> {
        let CallWishes { instructions, agent, resumes } = self.wishes.clone();
        // Strings and a time can always be written.
        serde_json::to_vec(&Wire { opened_at: self.opened_at.to_string(), instructions, agent, resumes })
            .unwrap_or_default()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let Wire { opened_at, instructions, agent, resumes } = serde_json::from_slice(bytes).ok()?;
        Some(Self { opened_at: opened_at.parse().ok()?, wishes: CallWishes { instructions, agent, resumes } })
    }
}

#[cfg(test)]
mod tests {
    use bus::kafka::Details as _;
    use jiff::Timestamp;

    use super::{CallDetails, CallWishes};

    #[test]
    fn details_travel_as_committed() {
        let wishes =
            CallWishes { instructions: Some("Be brief.".to_owned()), agent: None, resumes: Some("0199".to_owned()) };
        let details = CallDetails { opened_at: Timestamp::UNIX_EPOCH, wishes };
        let json = br#"{"opened_at":"1970-01-01T00:00:00Z","instructions":"Be brief.","resumes":"0199"}"#;
        assert_eq!(details.to_bytes(), json);
        assert_eq!(CallDetails::from_bytes(json), Some(details));
        // What a later version adds is passed over; rubbish is not.
        assert!(CallDetails::from_bytes(br#"{"opened_at":"1970-01-01T00:00:00Z","colour":"red"}"#).is_some());
        assert_eq!(CallDetails::from_bytes(b"rubbish"), None);
    }
}
