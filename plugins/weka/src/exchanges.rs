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
/// Where an organization's first administrator stands in what makes it.
pub(crate) const ADMINISTRATOR: [Place; 2] = [USERNAME, PASSWORD];
const SENT_REFRESH_TOKEN: Place = &[At::Pointer("/refresh_token")];
/// Where a login's token is.
pub(crate) const ACCESS_TOKEN: Place = &[At::Pointer("/data/access_token")];
/// Where a login's refresh token is.
pub(crate) const REFRESH_TOKEN: Place = &[At::Pointer("/data/refresh_token")];
/// Where a login's seconds of life are.
pub(crate) const EXPIRES_IN: Place = &[At::Pointer("/data/expires_in")];
/// The S3 side's own endpoint, for the S3 protocol.
pub(crate) const S3_ENDPOINT: &str = "s3";
/// The host-made secret of a parent S3 user, as it is declared; a call names the one of its own parent.
pub(crate) const PARENT: &str = "parent";

const SENT_ACCESS_KEY: Place = &[At::Pointer("/access_key")];
const SENT_SECRET_KEY: Place = &[At::Pointer("/secret_key")];
/// Where a parent's keys stand in what asks for a temporary credential.
pub(crate) const PARENT_KEYS: [Place; 2] = [SENT_ACCESS_KEY, SENT_SECRET_KEY];
/// Where a parent's password stands in what makes it.
pub(crate) const PARENT_PASSWORD: Place = PASSWORD;
/// Where the token of the audit's receiver stands.
pub(crate) const SENT_AUTH_TOKEN: Place = &[At::Pointer("/auth_token")];
/// What an issued key's secret parts are: with the envelope, and without it as the API's description has them.
const KEY_SECRETS: &[(Place, Keep)] =
    &[(&[At::Pointer("/data/secret_key")], Keep::Sealed), (&[At::Pointer("/secret_key")], Keep::Sealed)];
const GENERATED_SECRETS: &[(Place, Keep)] =
    &[(&[At::Pointer("/data/secretKey")], Keep::Sealed), (&[At::Pointer("/secretKey")], Keep::Sealed)];
const SESSION_SECRETS: &[(Place, Keep)] = &[
    (&[At::Pointer("/data/secret_key")], Keep::Sealed),
    (&[At::Pointer("/secret_key")], Keep::Sealed),
    (&[At::Pointer("/data/session_token")], Keep::Sealed),
    (&[At::Pointer("/session_token")], Keep::Sealed),
];
const ASSUMED_SECRETS: &[(Place, Keep)] = &[
    (&[At::Xml("AssumeRoleResponse/AssumeRoleResult/Credentials/SecretAccessKey")], Keep::Sealed),
    (&[At::Xml("AssumeRoleResponse/AssumeRoleResult/Credentials/SessionToken")], Keep::Sealed),
];
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
    /// Client fences, and whether the release has them.
    SECURITY_POLICIES = read("security.policies", "/api/v2/security/policies");
    /// Makes a fence for one plan's node.
    SECURITY_POLICY_CREATE = Exchange::new("security.policies.create").post(CONTROL, "/api/v2/security/policies");
    /// Removes a fence of Stowage's.
    SECURITY_POLICY_DELETE = Exchange::new("security.policies.delete").delete(CONTROL, "/api/v2/security/policies/{policy}");
    /// Fences of a filesystem.
    FENCES = read("filesystems.fences", "/api/v2/fileSystems/{uid}/securityPolicy");
    /// Puts a fence of Stowage's on a filesystem of Stowage's.
    FENCE_ATTACH = Exchange::new("filesystems.fences.attach").post(CONTROL, "/api/v2/fileSystems/{uid}/securityPolicy/attach").idempotent();
    /// Takes a fence of Stowage's off a filesystem.
    FENCE_DETACH = Exchange::new("filesystems.fences.detach").post(CONTROL, "/api/v2/fileSystems/{uid}/securityPolicy/detach").idempotent();
    /// Release, status and capacity.
    CLUSTER = read("cluster.get", "/api/v2/cluster");
    /// Clients that the cluster sees.
    CONTAINERS = read("containers.list", "/api/v2/containers");
    /// Roles of the cluster's processes: whether data services run.
    PROCESSES = read("processes.list", "/api/v2/processes");
    /// Background tasks, of which 32 may run.
    TASKS = read("tasks.list", "/api/v2/tasks");
    /// Organizations: a tenant's, and their counter.
    ORGANIZATIONS = read("organizations.list", "/api/v2/organizations");
    /// One organization.
    ORGANIZATION = read("organizations.get", "/api/v2/organizations/{uid}");
    /// Makes a tenant's organization with its administrator, whose name and password the host puts in.
    ORGANIZATION_CREATE = Exchange::new("organizations.create").post(CONTROL, "/api/v2/organizations").slots(&[USERNAME, PASSWORD]);
    /// Sets the capacity that a tenant's organization may use.
    ORGANIZATION_LIMITS = Exchange::new("organizations.limits").put(CONTROL, "/api/v2/organizations/{uid}/limits");
    /// Ends every login and mount token of a tenant's organization; mounts in being go on.
    ORGANIZATION_REVOKE = Exchange::new("organizations.revoke").delete(CONTROL, "/api/v2/organizations/{uid}/revoke");
    /// Removes a tenant's organization that holds no filesystem any more.
    ORGANIZATION_DELETE = Exchange::new("organizations.delete").delete(CONTROL, "/api/v2/organizations/{uid}");
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
    /// A token to mount one filesystem, read-only if asked (5.1). The host seals it; the adapter sees a handle.
    MOUNT_TOKEN_ASK = Exchange::new("mount-token.ask").post(CONTROL, "/api/v2/fileSystems/{uid}/mountToken").idempotent()
        .sensitive(&[(MOUNT_TOKEN_AT, Keep::Sealed)]);
    /// Snapshots of filesystems.
    SNAPSHOTS = read("snapshots.list", "/api/v2/snapshots");
    /// One snapshot.
    SNAPSHOT = read("snapshots.get", "/api/v2/snapshots/{uid}");
    /// Takes a snapshot of a namespace's own filesystem.
    SNAPSHOT_CREATE = Exchange::new("snapshots.create").post(CONTROL, "/api/v2/snapshots");
    /// Removes a snapshot of Stowage's.
    SNAPSHOT_DELETE = Exchange::new("snapshots.delete").delete(CONTROL, "/api/v2/snapshots/{uid}");
    /// Puts a namespace's own filesystem back to a snapshot of it.
    SNAPSHOT_RESTORE = Exchange::new("snapshots.restore").post(CONTROL, "/api/v2/snapshots/{filesystem}/{uid}/restore");
    /// State of the S3 service.
    S3 = read("s3.get", "/api/v2/s3");
    /// Where S3 audit goes.
    S3_AUDIT_WEBHOOK = read("s3.audit-webhook", "/api/v2/s3/auditWebhook");
    /// Whether the S3 containers serve.
    S3_CONTAINERS_READY = read("s3.containers-ready", "/api/v2/s3/containersAreReady");
    /// Sends the S3 audit to an address, with a token that the host puts in.
    S3_AUDIT_ENABLE = Exchange::new("s3.audit-webhook.enable").post(CONTROL, "/api/v2/s3/auditWebhook/enable").idempotent()
        .slots(&[SENT_AUTH_TOKEN]);
    /// Stops sending the S3 audit.
    S3_AUDIT_DISABLE = Exchange::new("s3.audit-webhook.disable").post(CONTROL, "/api/v2/s3/auditWebhook/disable").idempotent();
    /// Makes a parent S3 user; the host puts its secret in.
    USER_CREATE = Exchange::new("users.create").post(CONTROL, "/api/v2/users").slots(&[PASSWORD]);
    /// Sets the POSIX ids that a parent S3 user writes as.
    USER_UPDATE = Exchange::new("users.update").put(CONTROL, "/api/v2/users/{uid}");
    /// Removes a parent S3 user, and with it every credential that it has issued.
    USER_DELETE = Exchange::new("users.delete").delete(CONTROL, "/api/v2/users/{uid}");
    /// Makes a parent S3 user's generated keys anew (5.1). The host seals the secret; the adapter sees a handle.
    USER_KEYS_RESET = Exchange::new("users.reset-s3-keys").post(CONTROL, "/api/v2/users/{uid}/s3/resetCredentials")
        .sensitive(GENERATED_SECRETS);
    /// Buckets with their directories.
    S3_BUCKETS = read("s3.buckets", "/api/v2/s3/buckets");
    /// Makes a bucket over a namespace's directory.
    S3_BUCKET_CREATE = Exchange::new("s3.buckets.create").post(CONTROL, "/api/v2/s3/buckets");
    /// Takes the bucket from a namespace's directory; its data stays.
    S3_BUCKET_UNLINK = Exchange::new("s3.buckets.unlink").delete(CONTROL, "/api/v2/s3/buckets/{bucket}");
    /// Who may use a bucket without a key: one of the predefined words.
    S3_BUCKET_ACCESS = read("s3.buckets.access", "/api/v2/s3/buckets/{bucket}/policy");
    /// Takes all access without a key from a bucket.
    S3_BUCKET_ACCESS_PUT = Exchange::new("s3.buckets.access.put").put(CONTROL, "/api/v2/s3/buckets/{bucket}/policy");
    /// A bucket's own policy document.
    S3_BUCKET_POLICY = read("s3.buckets.policy", "/api/v2/s3/buckets/{bucket}/policyJson");
    /// Puts a bucket's own policy document.
    S3_BUCKET_POLICY_PUT = Exchange::new("s3.buckets.policy.put").put(CONTROL, "/api/v2/s3/buckets/{bucket}/policyJson");
    /// The rules by which a bucket's objects age.
    S3_RULES = read("s3.rules", "/api/v2/s3/buckets/{bucket}/lifecycle/rules");
    /// Adds a rule by which objects age.
    S3_RULE_ADD = Exchange::new("s3.rules.add").post(CONTROL, "/api/v2/s3/buckets/{bucket}/lifecycle/rules");
    /// Removes one such rule.
    S3_RULE_DELETE = Exchange::new("s3.rules.delete").delete(CONTROL, "/api/v2/s3/buckets/{bucket}/lifecycle/rules/{rule}");
    /// IAM policies.
    S3_POLICIES = read("s3.policies", "/api/v2/s3/policies");
    /// One IAM policy with its document.
    S3_POLICY = read("s3.policies.get", "/api/v2/s3/policies/{policy}");
    /// Makes an IAM policy for a parent S3 user.
    S3_POLICY_CREATE = Exchange::new("s3.policies.create").post(CONTROL, "/api/v2/s3/policies");
    /// Removes an IAM policy that no user has any more.
    S3_POLICY_DELETE = Exchange::new("s3.policies.delete").delete(CONTROL, "/api/v2/s3/policies/{policy}");
    /// Gives a parent S3 user its policy in place of the one that it has.
    S3_POLICY_ATTACH = Exchange::new("s3.policies.attach").post(CONTROL, "/api/v2/s3/policies/attach").idempotent();
    /// Takes the policy from a parent S3 user.
    S3_POLICY_DETACH = Exchange::new("s3.policies.detach").post(CONTROL, "/api/v2/s3/policies/detach").idempotent();
    /// Which user has which policy.
    S3_USER_POLICIES = read("s3.user-policies", "/api/v2/s3/userPolicies");
    /// Service accounts of the S3 user that asks.
    S3_SERVICE_ACCOUNTS = read("s3.service-accounts", "/api/v2/s3/serviceAccounts");
    /// One service account with its policy.
    S3_SERVICE_ACCOUNT = read("s3.service-accounts.get", "/api/v2/s3/serviceAccounts/{key}");
    /// Makes a service account, as its parent S3 user. The host seals the secret; the adapter sees a handle.
    S3_SERVICE_ACCOUNT_CREATE = Exchange::new("s3.service-accounts.create").post(CONTROL, "/api/v2/s3/serviceAccounts")
        .sensitive(KEY_SECRETS);
    /// Removes a service account, as its parent S3 user.
    S3_SERVICE_ACCOUNT_DELETE = Exchange::new("s3.service-accounts.delete").delete(CONTROL, "/api/v2/s3/serviceAccounts/{key}");
    /// Issues a temporary credential over REST. The host puts the parent's keys in and seals what is secret of the answer.
    S3_STS = Exchange::new("s3.sts").post(CONTROL, "/api/v2/s3/sts").slots(&[SENT_ACCESS_KEY, SENT_SECRET_KEY])
        .sensitive(SESSION_SECRETS);
    /// Issues a temporary credential over the S3 protocol, signed with the parent's keys by the host.
    S3_ASSUME_ROLE = Exchange::new("s3.assume-role").post(S3_ENDPOINT, "/").sensitive(ASSUMED_SECRETS);
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
            assert!(declared.doc.len() > 10 && !declared.path_template.is_empty(), "{}", declared.id);
            let rest = declared.path_template.starts_with("/api/v2/");
            assert_eq!(rest, declared.purpose == CONTROL, "{}", declared.id);
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
