//! What the bus counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($(#[doc = $doc:literal])* $name:ident),* $(,)?) => {
        /// All counts at one moment.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct BusCounts { $($(#[doc = $doc])* pub $name: u64),* }

        #[derive(Debug, Default)]
        struct Cells { $($name: AtomicU64),* }

        impl BusStats {
            /// All counts now.
            #[must_use]
            pub fn read(&self) -> BusCounts {
                BusCounts { $($name: self.0.$name.load(Ordering::Relaxed)),* }
            }
            $(pub(crate) fn $name(&self, more: u64) { self.0.$name.fetch_add(more, Ordering::Relaxed); })*
        }
    };
}

/// A node's counts; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct BusStats(Arc<Cells>);

counts! {
    /// Records given to the client.
    sent,
    /// Records that the broker did not take.
    failed,
    /// Records read.
    received,
    /// Records that cannot be used: not decodable, of an unknown version, incomplete.
    poison,
    /// Records that came twice, or after their place was given up.
    duplicates,
    /// Records that never came.
    missing,
    /// Audio that came too late to be of use.
    stale,
    /// Audio that was dropped because its reader or the broker is slow.
    overflowed,
    /// Records for calls or nodes that are not here.
    strangers,
    /// Records of an orchestrator that no longer holds the call.
    superseded,
    /// Calls given to another orchestrator.
    handed_over,
    /// Calls that nobody took.
    refused,
    /// Clients that did not find back to the broker and were replaced.
    replaced,
}
