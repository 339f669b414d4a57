//! Who owns and pays.

use serde::{Deserialize, Serialize};

use crate::{Bytes, FieldError, Labels, ProjectName, TenantName, UnixMillis};

/// The POSIX owner of a project's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PosixIdentity {
    /// User id; never 0.
    pub uid: u32,
    /// Group id; never 0.
    pub gid: u32,
    /// Permission bits of roots and prefixes, such as `0o770`.
    pub mode: u32,
}

impl PosixIdentity {
    /// Permission bits when none are given.
    pub const DEFAULT_MODE: u32 = 0o770;

    /// Checks that it is no super-user and that the mode has permission bits only.
    ///
    /// # Errors
    /// Names the field below `posix_identity`.
    pub fn check(&self) -> Result<(), FieldError> {
        for (field, id) in [("posix_identity.uid", self.uid), ("posix_identity.gid", self.gid)] {
            if id == 0 || id == u32::MAX {
                return Err(FieldError::new(field, format!("{id} is reserved: choose 1 to 4294967294")));
            }
        }
        if self.mode > 0o7777 || self.mode & 0o700 != 0o700 {
            let rule = format!("{:#o} must be at most 0o7777 and let the owner read, write and enter", self.mode);
            return Err(FieldError::new("posix_identity.mode", rule));
        }
        Ok(())
    }
}

/// A customer of the region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its name.
    pub name: TenantName,
    /// Never used again, unlike the name.
    pub uid: String,
    /// For people.
    #[serde(default)]
    pub display_name: String,
    /// Most bytes that the hard limits of its namespaces may add up to.
    #[serde(default)]
    pub byte_quota: Option<Bytes>,
    /// Whether namespaces may be shared with other tenants that allow it too.
    #[serde(default)]
    pub cross_tenant_sharing: bool,
    /// The platform's own.
    #[serde(default)]
    pub labels: Labels,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}

/// A project of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its name.
    pub name: ProjectName,
    /// Never used again, unlike the name.
    pub uid: String,
    /// For people.
    #[serde(default)]
    pub display_name: String,
    /// Owner of its files.
    pub posix: PosixIdentity,
    /// Most bytes that the hard limits of its namespaces may add up to.
    #[serde(default)]
    pub byte_quota: Option<Bytes>,
    /// The platform's own.
    #[serde(default)]
    pub labels: Labels,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}
