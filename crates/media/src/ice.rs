//! The ICE session of a leg, and what a caller may do to it later: trickle candidates, or restart (RFC 9725, section 4.3).
//!
//! Pure. `reactor::ice` does it; `handle` is where it is asked for.

use crate::sdp::{Credentials, Fragment};

/// Names one ICE session of a leg, as an HTTP entity tag does without its quotes. It is our ICE user name fragment, which is
/// random and new with each restart.
pub type IceTag = String;

/// Which ICE session a change is meant for (`If-Match`, RFC 9110, section 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IceMatch {
    /// The present one, whichever it is.
    Any,
    /// One of these.
    OneOf(Vec<IceTag>),
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IceChange {
    /// Candidates were taken.
    Trickled,
    /// ICE begins anew. The old path is used until a new one is found.
    Restarted {
        /// The new session's name.
        tag: IceTag,
        /// Our credentials and candidates, as a fragment.
        fragment: String,
    },
}

/// A change that is not made. The session goes on as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IceError {
    /// The fragment cannot be read.
    #[error("bad SDP fragment: {0}")]
    BadFragment(String),
    /// It was meant for an ICE session that has been replaced.
    #[error("the ICE session that was named has been replaced by a restart: use the ETag of the last answer")]
    Stale,
    /// Only one of the two credentials is new.
    #[error("bad SDP fragment: a restart of ICE changes both a=ice-ufrag and a=ice-pwd")]
    HalfRestart,
    /// The WebRTC stack refuses.
    #[error("ICE cannot be restarted: {0}; the session goes on as it was")]
    CannotRestart(String),
    /// No such call or listener, or it ended.
    #[error("unknown session: it has ended or never was")]
    UnknownSession,
    /// The server is going down.
    #[error("media is shutting down")]
    ShuttingDown,
}

/// What a caller asks for.
#[derive(Debug)]
pub(crate) struct IcePatch {
    pub(crate) if_match: IceMatch,
    pub(crate) fragment: Fragment,
}

/// What is to be done for a patch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Trickle,
    Restart(Credentials),
}

/// What a leg remembers for changes of its ICE session.
#[derive(Debug)]
pub(crate) struct IceSession {
    tag: IceTag,
    /// The offer as the WebRTC stack got it: a restart is the same offer with other credentials.
    offer: String,
    remote: Credentials,
    /// The credentials before the last restart: who still uses them is late.
    former: Option<Credentials>,
}

impl IceSession {
    pub(crate) fn new(tag: IceTag, offer: String, remote: Credentials) -> Self {
        Self { tag, offer, remote, former: None }
    }

    pub(crate) fn tag(&self) -> &IceTag {
        &self.tag
    }

    /// Trickle or restart? New credentials tell, not `If-Match` (section 4.3.3).
    pub(crate) fn judge(&self, patch: &IcePatch) -> Result<Step, IceError> {
        match &patch.if_match {
            IceMatch::OneOf(tags) if !tags.contains(&self.tag) => return Err(IceError::Stale),
            IceMatch::OneOf(_) | IceMatch::Any => {}
        }
        match &patch.fragment.credentials {
            None => Ok(Step::Trickle),
            Some(named) if *named == self.remote => Ok(Step::Trickle),
            Some(named) if Some(named) == self.former.as_ref() => Err(IceError::Stale),
            Some(named) if named.ufrag == self.remote.ufrag || named.pwd == self.remote.pwd => {
                Err(IceError::HalfRestart)
            }
            Some(named) => Ok(Step::Restart(named.clone())),
        }
    }

    /// The offer of a restart.
    pub(crate) fn offer_with(&self, remote: &Credentials) -> String {
        remote.put_into(&self.offer)
    }

    /// The next ICE session, under a new name.
    pub(crate) fn restart(&mut self, tag: IceTag, remote: Credentials) {
        self.tag = tag;
        self.former = Some(std::mem::replace(&mut self.remote, remote));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(name: char) -> Credentials {
        Credentials { ufrag: name.to_string().repeat(4), pwd: name.to_string().repeat(22) }
    }

    fn patch(if_match: IceMatch, credentials: Option<Credentials>) -> IcePatch {
        IcePatch { if_match, fragment: Fragment { credentials, candidates: Vec::new() } }
    }

    fn named(tag: &str) -> IceMatch {
        IceMatch::OneOf(vec!["other".into(), tag.into()])
    }

    #[test]
    fn new_credentials_restart_and_all_else_trickles() {
        let session = IceSession::new("first".into(), String::new(), credentials('a'));
        let half = Credentials { pwd: credentials('b').pwd, ..credentials('a') };
        let table = [
            (named("first"), Some(credentials('a')), Ok(Step::Trickle)),
            (named("first"), None, Ok(Step::Trickle)),
            (IceMatch::Any, Some(credentials('a')), Ok(Step::Trickle)),
            (IceMatch::Any, Some(credentials('b')), Ok(Step::Restart(credentials('b')))),
            (named("first"), Some(credentials('b')), Ok(Step::Restart(credentials('b')))),
            (named("second"), Some(credentials('b')), Err(IceError::Stale)),
            (IceMatch::OneOf(Vec::new()), None, Err(IceError::Stale)),
            (IceMatch::Any, Some(half), Err(IceError::HalfRestart)),
        ];
        for (if_match, credentials, wanted) in table {
            assert_eq!(session.judge(&patch(if_match.clone(), credentials)), wanted, "{if_match:?}");
        }
    }

    #[test]
    fn what_was_meant_for_the_session_before_a_restart_is_late() {
        let mut session = IceSession::new("first".into(), String::new(), credentials('a'));
        session.restart("second".into(), credentials('b'));
        assert_eq!(session.tag(), "second");
        assert_eq!(session.judge(&patch(named("first"), Some(credentials('a')))), Err(IceError::Stale));
        assert_eq!(session.judge(&patch(IceMatch::Any, Some(credentials('a')))), Err(IceError::Stale));
        assert_eq!(session.judge(&patch(named("second"), Some(credentials('b')))), Ok(Step::Trickle));
    }
}
