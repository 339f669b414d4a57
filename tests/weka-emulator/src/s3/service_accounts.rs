//! Service accounts: keys of an S3 user that do not expire and may at most what the user may.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::s3::documents::Document;
use crate::uid::Uid;

/// A service account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServiceAccount {
    pub(crate) secret: String,
    pub(crate) parent: Uid,
    /// Narrows what the parent may; without it the account may all of that.
    pub(crate) policy: Option<Document>,
    /// Since when it is deleted; a switch lets the key work on for a while.
    pub(crate) deleted: Option<Millis>,
}

impl ServiceAccount {
    /// Whether the key still opens anything.
    pub(crate) fn works(&self, now: Millis, linger_ms: u64) -> bool {
        self.deleted.is_none_or(|deleted| now < deleted.saturating_add(linger_ms))
    }
}
