//! Everything that the adapter can say to the backend: one table, which `describe` hands out and admission pins.
//!
//! Paths are those of REST v2 (`/api/v2`). Reads are safe and may run in probes and plans; changes are not. A mount token
//! is asked for by GET and is still no safe exchange, because the answer is a new credential.

use stowage_provider_sdk::exchange::{At, Exchange, Keep, Place};

/// The endpoint that all of them go to.
pub(crate) const CONTROL: &str = "control";
/// The secret that logs in.
pub(crate) const ADMIN: &str = "admin";
/// The flow that logs in.
pub(crate) const LOGIN_FLOW: &str = "login";

const USERNAME: Place = &[At::Pointer("/username")];
const PASSWORD: Place = &[At::Pointer("/password")];
const SENT_REFRESH_TOKEN: Place = &[At::Pointer("/refresh_token")];
/// Where a login's token is.
pub(crate) const ACCESS_TOKEN: Place = &[At::Pointer("/data/access_token")];
/// Where a login's refresh token is.
pub(crate) const REFRESH_TOKEN: Place = &[At::Pointer("/data/refresh_token")];
/// Where a login's seconds of life are.
pub(crate) const EXPIRES_IN: Place = &[At::Pointer("/data/expires_in")];
const MOUNT_TOKEN_AT: Place = &[At::Pointer("/data/mount_token")];
const SESSION: &[(Place, Keep)] = &[(ACCESS_TOKEN, Keep::Session), (REFRESH_TOKEN, Keep::Session)];

macro_rules! exchanges {
    ($($(#[doc = $doc:literal])+ $name:ident = $exchange:expr;)+) => {
        $($(#[doc = $doc])+ pub(crate) const $name: Exchange = $exchange.doc(concat!($($doc),+).trim_ascii());)+
        /// Every exchange.
        pub(crate) const ALL: &[&Exchange] = &[$(&$name),+];
    };
}

const fn read(id: &'static str, path: &'static str) -> Exchange {
    Exchange::new(id).get(CONTROL, path).safe()
}

exchanges! {
    /// Logs in; run by the host alone.
    LOGIN = Exchange::new("login").post(CONTROL, "/api/v2/login").slots(&[USERNAME, PASSWORD]).sensitive(SESSION);
    /// Renews the session; run by the host alone.
    REFRESH = Exchange::new("login.refresh").post(CONTROL, "/api/v2/login/refresh").slots(&[SENT_REFRESH_TOKEN]).sensitive(SESSION);
    /// Whether the management server answers.
    HEALTHCHECK = read("healthcheck", "/api/v2/healthcheck");
    /// Who the adapter is: role and organization.
    WHOAMI = read("users.whoami", "/api/v2/users/whoami");
    /// How long logins live.
    TOKENS_EXPIRY = read("security.tokens-expiry", "/api/v2/security/defaultTokensExpiry");
    /// Whether the release has client fences.
    SECURITY_POLICIES = read("security.policies", "/api/v2/security/policies");
    /// Release, status and capacity.
    CLUSTER = read("cluster.get", "/api/v2/cluster");
    /// Clients that the cluster sees.
    CONTAINERS = read("containers.list", "/api/v2/containers");
    /// Roles of the cluster's processes: whether data services run.
    PROCESSES = read("processes.list", "/api/v2/processes");
    /// Background tasks, of which 32 may run.
    TASKS = read("tasks.list", "/api/v2/tasks");
    /// Organizations, for their counter.
    ORGANIZATIONS = read("organizations.list", "/api/v2/organizations");
    /// Users of the organization, for their counter.
    USERS = read("users.list", "/api/v2/users");
    /// Filesystems with their capacity.
    FILESYSTEMS = read("filesystems.list", "/api/v2/fileSystems");
    /// One filesystem.
    FILESYSTEM = read("filesystems.get", "/api/v2/fileSystems/{uid}");
    /// Makes a filesystem (isolation `filesystem`).
    FILESYSTEM_CREATE = Exchange::new("filesystems.create").post(CONTROL, "/api/v2/fileSystems");
    /// Resizes a filesystem of Stowage's, or makes it require authentication (isolation `filesystem`).
    FILESYSTEM_UPDATE = Exchange::new("filesystems.update").put(CONTROL, "/api/v2/fileSystems/{uid}");
    /// Removes a filesystem of Stowage's (isolation `filesystem`).
    FILESYSTEM_DELETE = Exchange::new("filesystems.delete").delete(CONTROL, "/api/v2/fileSystems/{uid}");
    /// Filesystem groups that new filesystems can be in.
    GROUPS = read("filesystem-groups.list", "/api/v2/fileSystemGroups");
    /// The inode of a directory.
    RESOLVE_PATH = read("paths.resolve", "/api/v2/fileSystems/{uid}/resolvePath");
    /// Directory quotas with their owners and usage, page by page.
    QUOTAS = read("quotas.list", "/api/v2/fileSystems/{uid}/quota");
    /// One directory quota.
    QUOTA = read("quotas.get", "/api/v2/fileSystems/{uid}/quota/{inode}");
    /// Puts a directory's quota, marked with its owner.
    QUOTA_PUT = Exchange::new("quotas.put").put(CONTROL, "/api/v2/fileSystems/{uid}/quota/{inode}");
    /// Removes a directory's quota; its data stays.
    QUOTA_DELETE = Exchange::new("quotas.delete").delete(CONTROL, "/api/v2/fileSystems/{uid}/quota/{inode}");
    /// A token to mount one filesystem. The host seals it; the adapter sees a handle.
    MOUNT_TOKEN = Exchange::new("mount-token.get").get(CONTROL, "/api/v2/fileSystems/{uid}/mountToken").idempotent()
        .sensitive(&[(MOUNT_TOKEN_AT, Keep::Sealed)]);
    /// State of the S3 service.
    S3 = read("s3.get", "/api/v2/s3");
    /// Where S3 audit goes.
    S3_AUDIT_WEBHOOK = read("s3.audit-webhook", "/api/v2/s3/auditWebhook");
    /// Buckets, for preflight.
    S3_BUCKETS = read("s3.buckets", "/api/v2/s3/buckets");
    /// IAM policies, for preflight.
    S3_POLICIES = read("s3.policies", "/api/v2/s3/policies");
    /// Which user has which policy, for preflight.
    S3_USER_POLICIES = read("s3.user-policies", "/api/v2/s3/userPolicies");
    /// Service accounts, for preflight.
    S3_SERVICE_ACCOUNTS = read("s3.service-accounts", "/api/v2/s3/serviceAccounts");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reads_without_credentials_in_their_answer_are_safe() {
        for exchange in ALL {
            let declared = exchange.declare();
            let may = declared.method == "GET" && declared.sensitive.is_empty();
            assert_eq!(declared.safe, may, "{}", declared.id);
            assert!(declared.doc.len() > 10 && declared.path_template.starts_with("/api/v2/"), "{}", declared.id);
        }
    }

    #[test]
    fn every_id_is_its_own() {
        let mut ids: Vec<_> = ALL.iter().map(|exchange| exchange.id()).collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
