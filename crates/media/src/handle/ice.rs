//! Changes of ICE while a call goes on.

use tokio::sync::oneshot;

use super::Media;
use crate::commands::{Command, IcePatched, PatchIce};
use crate::ice::{IceChange, IceError, IceMatch, IcePatch};
use crate::sdp::{Fragment, ice_fragment};

impl Media {
    /// Trickles candidates or restarts ICE, as the fragment of SDP says, for a call or for one listener of it. Changes of one
    /// session are made one after the other. Not cancel safe: what was asked for is done whether it is waited for or not.
    ///
    /// # Errors
    /// See [`IceError`]; the session goes on as it was.
    pub async fn patch_ice(
        &self,
        call_id: &str,
        listener_id: Option<&str>,
        if_match: IceMatch,
        fragment: &str,
    ) -> Result<IceChange, IceError> {
        let directory = &self.shared.directory;
        let call = match listener_id {
            Some(listener) => directory.find_listener(call_id, listener),
            None => directory.find_call(call_id),
        };
        let call = call.map_err(|_| IceError::UnknownSession)?;
        let fragment = Fragment::parse(fragment).map_err(IceError::BadFragment)?;
        let (reply, outcome) = oneshot::channel();
        let listener_id = listener_id.map(str::to_owned);
        let patch = PatchIce { call, listener_id, patch: IcePatch { if_match, fragment }, reply };
        self.shared.commands.send(Command::PatchIce(patch)).map_err(|_| IceError::ShuttingDown)?;
        match outcome.await.map_err(|_| IceError::ShuttingDown)?? {
            IcePatched::Trickled => Ok(IceChange::Trickled),
            IcePatched::Restarted { tag, answer } => {
                Ok(IceChange::Restarted { tag, fragment: ice_fragment(&answer, &self.shared.advertised()) })
            }
        }
    }
}
