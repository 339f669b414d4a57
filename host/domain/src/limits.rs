//! The limits of a namespace as its owner asks for them.

use serde::{Deserialize, Serialize};

use crate::{Bytes, FieldError, Seconds};

/// Byte and file limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Writes are refused at this size. It is what the project's and provider's ledgers count.
    pub hard_bytes: Bytes,
    /// The grace period runs above this size; at most `hard_bytes`.
    #[serde(default)]
    pub soft_bytes: Option<Bytes>,
    /// How long usage may stay above `soft_bytes`; needs it.
    #[serde(default)]
    pub soft_grace: Option<Seconds>,
    /// Creates are refused at this number of files, where the provider can.
    #[serde(default)]
    pub hard_inodes: Option<u64>,
}

impl Limits {
    /// A hard byte limit alone.
    #[must_use]
    pub const fn hard(bytes: Bytes) -> Self {
        Self { hard_bytes: bytes, soft_bytes: None, soft_grace: None, hard_inodes: None }
    }

    /// Checks the limits among each other.
    ///
    /// # Errors
    /// Names the field below `quota`.
    pub fn check(&self) -> Result<(), FieldError> {
        if self.hard_bytes.0 == 0 {
            return Err(FieldError::new("quota.hard_bytes", "must be at least 1"));
        }
        if let Some(soft) = self.soft_bytes
            && soft > self.hard_bytes
        {
            let rule = format!("{} must not be above hard_bytes, {}", soft.0, self.hard_bytes.0);
            return Err(FieldError::new("quota.soft_bytes", rule));
        }
        if self.soft_grace.is_some() && self.soft_bytes.is_none() {
            return Err(FieldError::new("quota.soft_grace", "needs soft_bytes"));
        }
        if self.hard_inodes == Some(0) {
            return Err(FieldError::new("quota.hard_inodes", "must be at least 1"));
        }
        Ok(())
    }
}
