//! The audit webhook: where every S3 call is reported to.

use serde::{Deserialize, Serialize};

/// Where events go.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) endpoint: String,
    /// The whole value of the `Authorization` header, its scheme included.
    pub(crate) token: String,
    pub(crate) enabled: bool,
}
