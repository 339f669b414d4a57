//! Everything about the API that is inferred rather than observed or documented: one table of switches.
//!
//! A reader of the vendor's documents could decide each of these another way, so a client must work with both. The
//! admin port shows the table (`GET /admin/switches`) and sets entries (`PATCH /admin/switches {"name": value}`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

macro_rules! switches {
    ($($(#[doc = $about:literal])+ $name:ident: $type:ty = $default:expr;)+) => {
        /// The switches and their values.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Switches {
            $($(#[doc = $about])+ pub $name: $type,)+
        }

        impl Default for Switches {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Switches {
            /// Each switch with its value, default and meaning.
            pub fn table(&self) -> Vec<Value> {
                let default = Self::default();
                vec![$(json!({
                    "name": stringify!($name),
                    "value": self.$name,
                    "default": default.$name,
                    "about": concat!($($about),+).trim(),
                }),)+]
            }
        }
    };
}

switches! {
    /// HTTP status of NoValidProtocolContainerToRunIn and S3RoleOnlyOperation.
    s3_refusal_status: u16 = 400;
    /// HTTP status of an object whose name is taken (400 or 409).
    duplicate_status: u16 = 400;
    /// HTTP status of resolvePath for a path that does not exist (400 or 404).
    path_missing_status: u16 = 400;
    /// HTTP status of "Directory has no quota" (500 or 404).
    quota_missing_status: u16 = 500;
    /// A second DELETE of a filesystem or snapshot answers 400 …DoesNotExistException instead of 404.
    second_delete_is_exception: bool = false;
    /// Where quota PUT and PATCH take their fields from: "both", "query" or "body".
    quota_fields_from: FieldsFrom = FieldsFrom::Both;
    /// GET of one quota shows total_bytes beside used_bytes.
    quota_get_shows_total: bool = false;
    /// Rows on one page of a quota list; 0 lists all at once.
    quota_page_rows: u64 = 0;
    /// next_token is a UUID string instead of a number.
    next_token_is_uuid: bool = false;
    /// A Data Services container runs: quotas can be put on directories that are not empty.
    data_services: bool = false;
    /// How long a new filesystem stays CREATING, in milliseconds.
    filesystem_create_ms: u64 = 50;
    /// How long a deleted filesystem stays REMOVING, in milliseconds.
    filesystem_remove_ms: u64 = 50;
    /// How long a deleted snapshot stays, in milliseconds.
    snapshot_remove_ms: u64 = 50;
    /// How long a quota on a directory that is not empty stays ADDING, in milliseconds; empty ones are ACTIVE at once.
    quota_coloring_ms: u64 = 100;
    /// Background tasks that may run at once.
    task_limit: u64 = 32;
    /// Quotas that may nest.
    quota_nesting: u64 = 4;
    /// A soft limit with a grace of 0 never stops a writer.
    zero_grace_is_advisory: bool = true;
    /// Blocks of 4096 bytes that each file, symlink or device costs beside its bytes; a directory always costs one.
    file_metadata_blocks: u64 = 0;
    /// Two of three inode numbers are above 2^53.
    big_inodes: bool = true;
    /// Filesystem capacities are rounded up to 4096, as quotas are.
    filesystem_capacity_rounds: bool = true;
    /// A filesystem cannot shrink below its used bytes.
    shrink_below_used_is_refused: bool = true;
    /// A filesystem with snapshots cannot be deleted.
    snapshots_hold_filesystem: bool = false;
    /// The filesystem row's field for the audit flag: "audit", "audit_enabled" or "" for none.
    audit_field: String = "audit".to_owned();
    /// GET …/mountToken exists (before 5.1 no document lists it, and one client says it is absent).
    mount_token_get: bool = true;
    /// Life of a mount token, in seconds.
    mount_token_secs: u64 = 3600;
    /// A mount token may be used for many mounts while it lives.
    mount_token_reusable: bool = true;
    /// A client that names no token may mount filesystems of the Root organization that do not require one.
    root_mounts_without_token: bool = true;
    /// Life of a refresh token, in seconds (documents say one year for 4.4, one month for 5.0).
    refresh_token_secs: u64 = 31_536_000;
    /// A refresh token stays valid after it was used.
    refresh_token_reusable: bool = true;
    /// Failed logins of unknown users count towards a lock-out of that name.
    unknown_users_lock_out: bool = true;
    /// The preset's admin must change the password (only a flag in the login answer).
    password_change_required: bool = false;
    /// Local users that the cluster can hold.
    user_limit: u64 = 1152;
    /// Filesystems that the cluster can hold.
    filesystem_limit: u64 = 1024;
    /// Snapshots that cannot be written, in the whole cluster.
    snapshot_limit: u64 = 24_576;
    /// Snapshots that can be written, in the whole cluster; live filesystems count too.
    writable_snapshot_limit: u64 = 14_336;
    /// Security policies of one organization.
    security_policy_limit: u64 = 128;
    /// From 5.1 on, clients of an organization that was made without enforce_mount_netspace_access=false cannot mount.
    netspace_enforced: bool = true;
    /// Organizations that the cluster can hold (older documents say 64).
    organization_limit: u64 = 256;
    /// The CSI role may create filesystems.
    csi_creates_filesystems: bool = false;
    /// The ReadOnly role may list organizations.
    read_only_lists_organizations: bool = true;
    /// GET /s3 shows a count instead of a list in s3_hosts.
    s3_hosts_is_count: bool = false;
    /// GET /s3 has internal_port, tls_enabled, anonymous_posix_uid/gid, domain and mount_options.
    s3_extra_fields: bool = true;
    /// What a Condition in an S3 policy does: "enforced", "ignored" (as if it were not there), "nevermatch" (its
    /// statement never applies) or "refused" (such a document is malformed).
    s3_conditions: Conditions = Conditions::Enforced;
    /// Whose bearer token may call POST /s3/sts: "both", "admin" (ClusterAdmin), "user" (the S3 user itself) or "none".
    sts_callers: StsCallers = StsCallers::Both;
    /// Live STS credentials that the cluster can hold.
    sts_session_limit: u64 = 5000;
    /// A session keeps the parent's policy of its issue; otherwise the parent's policy at request time counts.
    sessions_keep_parent_policy: bool = false;
    /// DELETE /s3/sts/{access_key} exists and ends one session; no document lists such a route.
    sts_session_revoke: bool = false;
    /// DELETE /users/{uid}/revoke of an S3 user ends its STS sessions too.
    user_revoke_ends_sessions: bool = false;
    /// A new password of an S3 user ends the STS sessions that were issued under the old one.
    new_password_ends_sessions: bool = false;
    /// The name and password of an S3 user are no S3 keys: only generated ones are (5.1 and newer make them).
    s3_keys_are_separate: bool = false;
    /// How long the key of a deleted service account works on, in milliseconds.
    service_account_linger_ms: u64 = 0;
    /// Service accounts that the cluster can hold.
    service_account_limit: u64 = 5000;
    /// Service accounts that one S3 user can have.
    service_accounts_per_user: u64 = 100;
    /// DELETE of an IAM policy that is attached: "detaches" it, leaves it "dangling" (a new policy of the same name takes
    /// effect at once) or is "refused".
    policy_delete_in_use: PolicyInUse = PolicyInUse::Detaches;
    /// GET /s3/policies lists "names", "objects" ({"name": …}) or a "map" of name to content.
    s3_policies_shape: PoliciesShape = PoliciesShape::Names;
    /// GET …/policyJson answers the document as a string instead of an object.
    bucket_policy_json_is_string: bool = false;
    /// POST /s3/buckets answers null instead of {"name": …}.
    bucket_create_answers_null: bool = false;
    /// Error code of the S3 port when a directory quota does not hold an object.
    s3_quota_code: String = "QuotaExceeded".to_owned();
    /// HTTP status of that error.
    s3_quota_status: u16 = 403;
    /// Error code of the S3 port for the key of an expired session ("ExpiredToken" or "InvalidAccessKeyId").
    s3_expired_code: String = "ExpiredToken".to_owned();
    /// The S3 port of releases before 5.0 has ListBuckets, HeadObject, DeleteObjects and CopyObject, which the documents
    /// list only from 5.0 on.
    s3_unlisted_calls: bool = true;
    /// The S3 port takes bodies with a trailing checksum, which newer SDKs send by default over TLS (documents know only
    /// MD5).
    s3_trailing_checksums: bool = false;
    /// Bytes of the whole cluster.
    cluster_total_bytes: u64 = 1_829_454_741_504;
}

/// Where a handler reads its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldsFrom {
    /// Query and body together; the body wins.
    Both,
    /// Only the query, as the OpenAPI file says.
    Query,
    /// Only the body, as clients in production send.
    Body,
}

/// What a `Condition` in an S3 policy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conditions {
    /// What it says.
    Enforced,
    /// Nothing: the statement applies as if it had none.
    Ignored,
    /// Its statement never applies.
    NeverMatch,
    /// A document with one is refused.
    Refused,
}

/// Whose bearer token may issue temporary credentials over REST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StsCallers {
    /// A ClusterAdmin's, and that of the S3 user whose keys are in the body.
    Both,
    /// A ClusterAdmin's only.
    Admin,
    /// That of the S3 user whose keys are in the body, only.
    User,
    /// Nobody's: what is left is AssumeRole over the S3 protocol.
    None,
}

/// What becomes of the attachments of an IAM policy that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyInUse {
    /// They go with it.
    Detaches,
    /// They stay and allow nothing until a policy of that name exists again.
    Dangling,
    /// The policy is not deleted.
    Refused,
}

/// How the list of IAM policies looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoliciesShape {
    /// Strings.
    Names,
    /// Objects with a name.
    Objects,
    /// An object with the names as keys.
    Map,
}

impl Switches {
    /// Sets the named switches; an unknown name or a wrong type changes nothing.
    pub fn set(&mut self, changes: &Map<String, Value>) -> Result<(), serde_json::Error> {
        let mut all = serde_json::to_value(&*self)?;
        if let Some(all) = all.as_object_mut() {
            all.extend(changes.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        *self = serde_json::from_value(all)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_and_wrong_types_change_nothing() {
        let mut switches = Switches::default();
        let set = |switches: &mut Switches, changes: Value| switches.set(changes.as_object().unwrap());
        set(&mut switches, json!({ "duplicate_status": 409, "quota_fields_from": "query" })).unwrap();
        assert_eq!(switches.duplicate_status, 409);
        assert_eq!(switches.quota_fields_from, FieldsFrom::Query);
        assert!(set(&mut switches, json!({ "duplicate_status": 400, "no_such_switch": 1 })).is_err());
        assert!(set(&mut switches, json!({ "duplicate_status": "many" })).is_err());
        assert_eq!(switches.duplicate_status, 409);
    }

    #[test]
    fn every_switch_has_a_meaning() {
        for row in Switches::default().table() {
            assert!(row.get("about").and_then(Value::as_str).is_some_and(|about| about.len() > 20), "{row}");
        }
    }
}
