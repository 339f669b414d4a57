//! Grants: who may do what below which prefix, until when.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{FieldError, GrantName, Prefix, ProjectName, UnixMillis, WorkloadName};

/// What a grant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Read bytes.
    Read,
    /// Write bytes.
    Write,
    /// List names.
    List,
    /// Delete.
    Delete,
    /// Pass grants on.
    Admin,
}

/// A set of actions.
pub type Actions = BTreeSet<Action>;

/// Who may.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Principal {
    /// A user, by the platform's id.
    User(String),
    /// A group, by the platform's id.
    Group(String),
    /// A service, by the platform's id.
    Service(String),
    /// One workload.
    Workload(WorkloadName),
    /// All of a project.
    Project(ProjectName),
}

impl Principal {
    /// One text for each principal, such as `user:ada`: the key of the index and the word of the audit.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::User(id) => format!("user:{id}"),
            Self::Group(id) => format!("group:{id}"),
            Self::Service(id) => format!("service:{id}"),
            Self::Workload(name) => format!("workload:{name}"),
            Self::Project(name) => format!("project:{name}"),
        }
    }

    /// Reads `user:ada`, `group:…` or `service:…`.
    ///
    /// # Errors
    /// Names `field` and the forms.
    pub fn parse_actor(field: &str, text: &str) -> Result<Self, FieldError> {
        let checked = |id: &str| {
            let fits = !id.is_empty() && id.len() <= 128 && !id.chars().any(|c| c.is_control() || c.is_whitespace());
            fits.then(|| id.to_owned())
        };
        let parsed = match text.split_once(':') {
            Some(("user", id)) => checked(id).map(Self::User),
            Some(("group", id)) => checked(id).map(Self::Group),
            Some(("service", id)) => checked(id).map(Self::Service),
            _ => None,
        };
        parsed.ok_or_else(|| FieldError::new(field, format!("{text:?} must be user:<id>, group:<id> or service:<id>")))
    }
}

/// A permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its name, which tells the namespace.
    pub name: GrantName,
    /// Never used again, unlike the name.
    pub uid: String,
    /// Who may.
    pub principal: Principal,
    /// Below which prefix.
    pub prefix: Prefix,
    /// What.
    pub actions: Actions,
    /// When it ends by itself.
    #[serde(default)]
    pub expires_at: Option<UnixMillis>,
    /// When it was taken back.
    #[serde(default)]
    pub revoked_at: Option<UnixMillis>,
    /// Who made it.
    pub grantor: String,
    /// When it was made.
    pub created_at: UnixMillis,
}

impl Grant {
    /// Whether it counts at this time.
    #[must_use]
    pub fn active_at(&self, now: UnixMillis) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}
