//! S3 as the cluster keeps it: the service, buckets, policies, keys and the audit webhook.
//!
//! The REST routes under `/s3` and the data plane on port 9000 work on this one state. A bucket is a directory of a real
//! tree; an S3 user is a [`crate::users::User`] of the role S3 whose name is the access key and whose password is the
//! secret; service accounts and sessions are children of such a user and never may more than it. Who may do what is
//! decided in [`authorize`].
//!
//! What a route looks at, in this order (observed): the role, then whether a container runs the protocol, then the rest.

pub(crate) mod authorize;
#[cfg(test)]
mod authorize_tests;
pub(crate) mod bucket_policy;
pub(crate) mod bucket_routes;
pub(crate) mod buckets;
pub(crate) mod debug;
pub(crate) mod documents;
mod expiry;
pub(crate) mod gate;
pub(crate) mod identity;
pub(crate) mod issued_keys;
pub(crate) mod keys;
pub(crate) mod lifecycle;
pub(crate) mod policies;
pub(crate) mod service;
pub(crate) mod service_accounts;
pub(crate) mod sts;
pub(crate) mod webhook;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::Millis;
use crate::uid::Uid;
use buckets::Bucket;
use documents::Document;
use issued_keys::IssuedKey;
pub(crate) use service::Service;
use service_accounts::ServiceAccount;
use sts::StsSession;
use webhook::Webhook;

/// All of S3 but its users.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct S3 {
    /// Containers that could run the protocol.
    pub(crate) containers: Vec<(u64, Uid)>,
    pub(crate) service: Option<Service>,
    pub(crate) webhook: Webhook,
    /// By name, which is unique in the whole cluster.
    pub(crate) buckets: BTreeMap<String, Bucket>,
    /// IAM policies that were made; the predefined ones are in [`policies`].
    pub(crate) policies: BTreeMap<String, Document>,
    /// The one policy that a user may have.
    pub(crate) attached: BTreeMap<Uid, String>,
    /// By access key.
    pub(crate) service_accounts: BTreeMap<String, ServiceAccount>,
    /// By access key.
    pub(crate) sessions: BTreeMap<String, StsSession>,
    /// By access key; 5.1 and newer.
    pub(crate) issued_keys: BTreeMap<String, IssuedKey>,
    /// When lifecycle rules were looked at last.
    pub(crate) walked: Millis,
    /// Log levels other than the default.
    pub(crate) debug_levels: BTreeMap<Uid, u64>,
}

impl S3 {
    /// Containers that do run the protocol.
    pub(crate) fn running(&self) -> Vec<(u64, Uid)> {
        let Some(service) = &self.service else { return Vec::new() };
        let runs = |uid: &Uid| service.members.as_ref().is_none_or(|members| members.contains(uid));
        self.containers.iter().filter(|(_, uid)| runs(uid)).copied().collect()
    }

    /// Whether clients can be served: the service is configured and a container runs it.
    pub(crate) fn is_ready(&self) -> bool {
        !self.running().is_empty()
    }

    /// A bucket by its name.
    pub(crate) fn bucket(&self, name: &str) -> Option<&Bucket> {
        self.buckets.get(name)
    }

    /// How many there are of what has a limit; only what is live counts.
    pub(crate) fn counts(&self, now: Millis) -> Value {
        json!({
            "buckets": self.buckets.len(),
            "policies": self.policies.len(),
            "service_accounts": self.service_accounts.values().filter(|account| account.deleted.is_none()).count(),
            "sessions": self.sessions.values().filter(|session| now < session.expires).count(),
        })
    }

    /// Takes away everything that hangs on a user: attachment, keys, service accounts, sessions.
    pub(crate) fn forget_user(&mut self, user: Uid) {
        self.attached.remove(&user);
        self.issued_keys.retain(|_, key| key.user != user);
        self.service_accounts.retain(|_, account| account.parent != user);
        self.end_sessions_of(user);
    }

    /// Ends every session of a user.
    pub(crate) fn end_sessions_of(&mut self, user: Uid) {
        self.sessions.retain(|_, session| session.parent != user);
    }
}
