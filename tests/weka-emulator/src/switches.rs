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
