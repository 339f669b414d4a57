//! May this caller do this? Decided by the evaluator of the crate `rustfs-policy`, which is not the host's.
//!
//! A signed call is allowed if every policy behind its key allows it: the user's attached one, and for a service account
//! or a session its own as well. Without an attached policy nothing is allowed. An anonymous call is allowed by the
//! bucket's policy alone; a bucket's policy neither widens nor narrows a signed call (as in MinIO, which the real server
//! is derived from).
//!
//! Example: a session for `arn:aws:s3:::b/a/*` of a user with `arn:aws:s3:::b/*` reads `b/a/x` and not `b/c/x`. Not so:
//! a session policy wider than the parent's gives nothing beyond the parent's.

use std::collections::HashMap;

use rustfs_policy::policy::action::Action;
use rustfs_policy::policy::{Args, BucketPolicyArgs};

use crate::s3::documents::evaluators_name;
use crate::s3::identity::S3Key;
use crate::state::State;

/// Values of the condition keys of one call, without their `s3:` or `aws:`: `prefix`, `delimiter`, `max-keys`,
/// `SourceIp`, `SecureTransport`, `username`, ...
pub(crate) type ConditionValues = HashMap<String, Vec<String>>;

/// Whether the caller (`None`: anonymous) may do `action` (such as `s3:GetObject`) on a bucket, or on `key` in it if that
/// is not empty. An unknown action is never allowed.
pub(crate) fn authorize(
    state: &State,
    who: Option<&S3Key>,
    action: &str,
    bucket: &str,
    key: &str,
    conditions: &ConditionValues,
) -> bool {
    let Ok(action) = Action::try_from(evaluators_name(action)) else { return false };
    let reading = state.switches.s3_conditions;
    let Some(who) = who else {
        let policy = state.s3.bucket(bucket).and_then(|bucket| bucket.policy.as_ref());
        let policy = policy.and_then(|document| document.as_bucket(reading));
        let args =
            BucketPolicyArgs { account: "", groups: &None, action, bucket, conditions, is_owner: false, object: key };
        return policy.is_some_and(|policy| policy.is_allowed(&args));
    };
    let Some(policies) = &who.policies else { return false };
    let claims = HashMap::new();
    let args = Args {
        account: &who.username,
        groups: &None,
        action,
        bucket,
        conditions,
        is_owner: false,
        object: key,
        claims: &claims,
        deny_only: false,
    };
    policies.iter().all(|document| document.as_iam(reading).is_some_and(|policy| policy.is_allowed(&args)))
}
