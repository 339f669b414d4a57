//! Which change makes which event. Names and severities are those of the vendor's list of events.

/// One kind of event.
#[derive(Debug)]
pub(crate) struct EventKind {
    /// The route whose success makes it; empty for those that come from elsewhere.
    pub(crate) route: &'static str,
    pub(crate) name: &'static str,
    pub(crate) category: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) description: &'static str,
}

/// Severities, the least first.
pub(crate) const SEVERITIES: [&str; 6] = ["DEBUG", "INFO", "WARNING", "MINOR", "MAJOR", "CRITICAL"];

macro_rules! kinds {
    ($($category:ident { $($route:literal $name:ident $severity:ident $description:literal;)+ })+) => {
        /// Every kind.
        pub(crate) const KINDS: &[EventKind] = &[$($(EventKind {
            route: $route,
            name: stringify!($name),
            category: stringify!($category),
            severity: stringify!($severity),
            description: $description,
        },)+)+];
    };
}

kinds! {
    User {
        "POST /login" UserLoggedIn INFO "A user logged in";
        "" UserLoginFailed INFO "A login failed";
        "" UserLoginLocked MINOR "A user was locked out after failed logins";
        "POST /users" UserCreated INFO "A user was made";
        "PUT /users/{uid}" UserRoleChanged INFO "A user was changed";
        "DELETE /users/{uid}" UserDeleted INFO "A user was deleted";
        "PUT /users/password" UserPasswordChanged INFO "A user changed its password";
        "PUT /users/{uid}/password" UserPasswordChangedByAnotherUser INFO "An administrator changed a user's password";
    }
    Filesystem {
        "POST /fileSystems" FilesystemAdded INFO "A filesystem was made";
        "PUT /fileSystems/{uid}" FilesystemUpdated INFO "A filesystem was changed";
        "DELETE /fileSystems/{uid}" FilesystemRemoved INFO "A filesystem was removed";
        "POST /fileSystemGroups" FilesystemGroupAdded INFO "A filesystem group was made";
        "PUT /fileSystemGroups/{uid}" FilesystemGroupUpdated INFO "A filesystem group was changed";
        "DELETE /fileSystemGroups/{uid}" FilesystemGroupDeleted INFO "A filesystem group was deleted";
        "POST /snapshots" SnapshotCreated INFO "A snapshot was taken";
        "PUT /snapshots/{uid}" SnapshotParamsUpdated INFO "A snapshot was changed";
        "DELETE /snapshots/{uid}" SnapshotDeleted INFO "A snapshot was deleted";
        "POST /snapshots/{uid}/copy" SnapshotContentCopied INFO "A snapshot was copied";
        "POST /snapshots/{fs_uid}/{uid}/restore" SnapshotFilesystemRestored INFO "A filesystem was restored from a snapshot";
    }
    Security {
        "PUT /security/caCert" CaCertSet INFO "The certificate of an authority was set";
        "DELETE /security/caCert" CaCertUnset INFO "The certificate of an authority was removed";
    }
    Licensing {
        "POST /license" NewLicenseInstalled INFO "A licence was installed";
        "DELETE /license" LicensingReset INFO "The licence was reset";
    }
    System {
        "POST /tasks/{uid}/abort" ClusterTaskAborted INFO "A task was aborted";
        "POST /tasks/{uid}/pause" ClusterTaskPaused INFO "A task was paused";
        "POST /tasks/{uid}/resume" ClusterTaskResumed INFO "A task was resumed";
        "PUT /tasks/limits" ClusterTasksCpuLimitUpdated INFO "The processor limit of tasks was set";
        "PUT /mountDefaults" QOSConfigSet INFO "Throughput limits of mounts were set";
        "DELETE /mountDefaults" QOSConfigReset INFO "Throughput limits of mounts were reset";
    }
    Custom {
        "POST /events/custom" CustomEvent INFO "A user's own event";
    }
    S3 {
        "POST /s3" S3ClusterCreated INFO "S3 was configured";
        "PUT /s3" S3ClusterUpdated INFO "The configuration of S3 was changed";
        "DELETE /s3" S3ClusterDestroyed INFO "The configuration of S3 was removed";
        "" S3ClusterStatusActiveEvent INFO "S3 serves";
        "" S3ClusterStatusInactiveEvent CRITICAL "S3 does not serve";
        "POST /s3/buckets" S3CreateBucketEvent INFO "A bucket was made";
        "DELETE /s3/buckets/{bucket}" S3DestroyBucketEvent INFO "A bucket was destroyed";
        "PUT /s3/buckets/{bucket}/policy" S3SetBucketPolicyEvent INFO "A bucket's policy was set";
        "PUT /s3/buckets/{bucket}/policyJson" S3SetBucketPolicyEvent INFO "A bucket's policy was set";
        "POST /s3/buckets/{bucket}/lifecycle/rules" S3AddBucketILMRuleEvent INFO "A lifecycle rule was added";
        "DELETE /s3/buckets/{bucket}/lifecycle/rules/{rule}" S3RemoveBucketILMRuleEvent INFO "A lifecycle rule was removed";
        "DELETE /s3/buckets/{bucket}/lifecycle/rules" S3ResetBucketILMRuleEvent INFO "All lifecycle rules were removed";
        "POST /s3/policies" S3CreateIAMPolicyEvent INFO "An IAM policy was made";
        "DELETE /s3/policies/{policy}" S3RemoveIAMPolicyEvent INFO "An IAM policy was removed";
        "POST /s3/policies/attach" S3AttachIAMPolicyEvent INFO "An IAM policy was attached to a user";
        "POST /s3/policies/detach" S3DetachIAMPolicyEvent INFO "An IAM policy was detached from a user";
        "POST /s3/sts" S3AsssumeRoleEvent INFO "Temporary S3 credentials were issued";
        "POST /s3/serviceAccounts" S3CreateServiceAccountEvent INFO "An S3 service account was made";
        "DELETE /s3/serviceAccounts/{access_key}" S3RemoveServiceAccountEvent INFO "An S3 service account was removed";
        "POST /s3/auditWebhook/enable" S3AuditWebhookEnabledEvent INFO "The S3 audit webhook was enabled";
        "POST /s3/auditWebhook/disable" S3AuditWebhookDisabledEvent INFO "The S3 audit webhook was disabled";
    }
}
