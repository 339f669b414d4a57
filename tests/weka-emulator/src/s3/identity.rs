//! From an access key to who it is: what the data plane asks first on every signed request.

use crate::clock::Millis;
use crate::organizations::ROOT;
use crate::s3::documents::Document;
use crate::state::State;
use crate::uid::Uid;
use crate::users::{Role, User};

/// What sort of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// The name and password of an S3 user, or the keys that were generated for it (5.1).
    User,
    /// A service account of one.
    ServiceAccount,
    /// A session of one.
    Session,
}

/// A known access key, with everything that is needed to check and serve a request signed with it.
#[derive(Clone, Debug)]
pub(crate) struct S3Key {
    pub(crate) secret: String,
    pub(crate) kind: KeyKind,
    /// The S3 user itself, or the parent.
    pub(crate) user: Uid,
    /// Name of that user.
    pub(crate) username: String,
    /// Who owns what is written with this key.
    pub(crate) posix_uid: u32,
    /// Its group.
    pub(crate) posix_gid: u32,
    /// Must come with every request of a session.
    pub(crate) session_token: Option<String>,
    /// End of a session, on the emulator's clock.
    pub(crate) expires: Option<Millis>,
    /// All of these must allow a call. `None`: no policy is attached and nothing is allowed.
    pub(crate) policies: Option<Vec<Document>>,
}

impl S3Key {
    pub(crate) fn is_expired(&self, now: Millis) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl State {
    /// The S3 user of this name. S3 lives in the Root organization.
    pub(crate) fn s3_user(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.org_id == ROOT && user.role == Role::S3 && user.username == username)
    }

    /// Who an access key is. An expired session is known too; ask [`S3Key::is_expired`].
    pub(crate) fn s3_key(&self, access_key: &str) -> Option<S3Key> {
        let of = |user: &User, kind, secret: &str| S3Key {
            secret: secret.to_owned(),
            kind,
            user: user.uid,
            username: user.username.clone(),
            posix_uid: u32::try_from(user.posix_uid).unwrap_or(u32::MAX),
            posix_gid: u32::try_from(user.posix_gid).unwrap_or(u32::MAX),
            session_token: None,
            expires: None,
            policies: self.s3.policy_of(user.uid).map(|policy| vec![policy]),
        };
        let parent_of = |uid: Uid| self.users.iter().find(|user| user.uid == uid && user.role == Role::S3);
        if let Some(user) = self.s3_user(access_key).filter(|_| !self.switches.s3_keys_are_separate) {
            return Some(of(user, KeyKind::User, &user.password));
        }
        if let Some(key) = self.s3.issued_keys.get(access_key) {
            return Some(of(parent_of(key.user)?, KeyKind::User, &key.secret));
        }
        if let Some(account) = self.s3.service_accounts.get(access_key) {
            let linger = self.switches.service_account_linger_ms;
            let parent = parent_of(account.parent).filter(|_| account.works(self.now(), linger))?;
            let mut key = of(parent, KeyKind::ServiceAccount, &account.secret);
            key.narrow(account.policy.as_ref());
            return Some(key);
        }
        let session = self.s3.sessions.get(access_key)?;
        let mut key = of(parent_of(session.parent)?, KeyKind::Session, &session.secret);
        if self.switches.sessions_keep_parent_policy {
            key.policies = Some(vec![session.parent_policy.clone()]);
        }
        key.narrow(session.policy.as_ref());
        key.session_token = Some(session.token.clone());
        key.expires = Some(session.expires);
        Some(key)
    }
}

impl S3Key {
    fn narrow(&mut self, policy: Option<&Document>) {
        if let Some(policies) = &mut self.policies {
            policies.extend(policy.cloned());
        }
    }
}
