//! The record of a credential; never its secret.

use serde::{Deserialize, Serialize};
use stowage_domain::{
    Action, Actions, CredentialName, GrantName, Millis, NamespaceName, OperationName, ParentName, Prefix, ProviderName,
    UnixMillis, WorkloadName,
};

/// How long after a request it is settled whether it was carried out: twice what the provider may take.
pub(super) const SETTLE: Millis = Millis(2 * 60_000);

/// How long a credential lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// It ends by itself.
    Temporary,
    /// It works until it is revoked.
    ServiceAccount,
}

/// Where a credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialState {
    /// The provider is being asked, or its answer was lost.
    Issuing,
    /// It works.
    Live,
    /// It has ended by itself.
    Expired,
    /// It was ended.
    Revoked,
    /// It was not issued.
    Failed,
}

impl CredentialState {
    /// Whether nothing of it can work any more.
    #[must_use]
    pub const fn ended(self) -> bool {
        matches!(self, Self::Expired | Self::Revoked | Self::Failed)
    }
}

/// One credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credential {
    /// Its name.
    pub name: CredentialName,
    /// Never used again, unlike the name.
    pub uid: String,
    /// What it opens.
    pub namespace: NamespaceName,
    /// Where.
    pub provider: ProviderName,
    /// Its bucket there.
    pub bucket: String,
    /// Below which prefix.
    pub prefix: Prefix,
    /// What it allows.
    pub actions: Actions,
    /// The workload that owns it.
    #[serde(default)]
    pub workload: Option<WorkloadName>,
    /// How long it lives.
    pub kind: CredentialKind,
    /// Where it stands.
    pub state: CredentialState,
    /// Why, for people.
    #[serde(default)]
    pub state_reason: String,
    /// The grants that it rests on; empty for ownership alone.
    #[serde(default)]
    pub grants: Vec<GrantName>,
    /// Its mark at the provider.
    pub owner: String,
    /// Times that the provider was asked for it.
    pub attempts: u32,
    /// When it was last asked.
    pub asked_at: UnixMillis,
    /// Keys that the provider may hold for it: what the ledgers count.
    pub keys: u32,
    /// The adapter's reference, once it is known.
    #[serde(default)]
    pub native: Option<Vec<u8>>,
    /// The public part, once it is known.
    #[serde(default)]
    pub access_key_id: String,
    /// URL of the S3 service, once it is known.
    #[serde(default)]
    pub endpoint: String,
    /// Region to sign for.
    #[serde(default)]
    pub region: String,
    /// Handle of the secret part while it can still be answered.
    #[serde(default)]
    pub secret: Option<String>,
    /// Handle of the session token.
    #[serde(default)]
    pub token: Option<String>,
    /// When it ends by itself; of a lost answer: when it would at the latest.
    #[serde(default)]
    pub expires_at: Option<UnixMillis>,
    /// When the host looks at it next.
    #[serde(default)]
    pub due_at: Option<UnixMillis>,
    /// The operation that ends it now.
    #[serde(default)]
    pub operation: Option<OperationName>,
    /// When it was asked for.
    pub created_at: UnixMillis,
    /// When it was revoked.
    #[serde(default)]
    pub revoked_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: UnixMillis,
}

impl Credential {
    /// Where it stands at a time: one whose end has passed is expired, whether that was written down or not.
    #[must_use]
    pub fn state_at(&self, now: UnixMillis) -> CredentialState {
        match self.expires_at {
            Some(end) if end <= now && !self.state.ended() => CredentialState::Expired,
            _ => self.state,
        }
    }

    /// Until when the provider may still be carrying a request out: a key that is not there yet may come.
    pub(super) fn may_come_until(&self) -> Option<UnixMillis> {
        (self.state == CredentialState::Issuing).then(|| self.asked_at.plus(SETTLE))
    }

    /// What its key hangs beneath at the provider.
    #[must_use]
    pub fn parent(&self) -> ParentName {
        self.namespace.project_name().parent(&self.provider)
    }

    /// What it opens, in a line without any secret, such as `read, list on p1234567-0123456789/datasets/`.
    #[must_use]
    pub fn scope(&self) -> String {
        let word = |action: &Action| match action {
            Action::Read => "read",
            Action::Write => "write",
            Action::List => "list",
            Action::Delete => "delete",
            Action::Admin => "admin",
        };
        let words: Vec<&str> = self.actions.iter().map(word).collect();
        format!("{} on {}/{}", words.join(", "), self.bucket, self.prefix)
    }
}
