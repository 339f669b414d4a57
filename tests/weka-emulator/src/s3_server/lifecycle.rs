//! Lifecycle rules over the S3 protocol: the same rules as over REST, so expiration in whole days is all there is.

use std::collections::BTreeMap;

use s3s::dto::{
    BucketLifecycleConfiguration, ExpirationStatus, GetBucketLifecycleConfigurationOutput, LifecycleExpiration,
    LifecycleRule as Shown, LifecycleRuleAndOperator, LifecycleRuleFilter, Tag,
};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::Plane;
use crate::s3::buckets::LifecycleRule;
use crate::s3::keys;
use crate::s3::lifecycle::MOST_RULES;

fn shown(id: &str, rule: &LifecycleRule) -> Shown {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Tag { key: Some(name.to_owned()), value: Some(value.to_owned()) }
    };
    let tags: Vec<Tag> = rule.tags.split('&').filter(|tag| !tag.is_empty()).map(pair).collect();
    let prefix = Some(rule.prefix.clone());
    let filter = if tags.is_empty() {
        LifecycleRuleFilter { prefix, ..LifecycleRuleFilter::default() }
    } else {
        let and = LifecycleRuleAndOperator { prefix, tags: Some(tags), ..LifecycleRuleAndOperator::default() };
        LifecycleRuleFilter { and: Some(and), ..LifecycleRuleFilter::default() }
    };
    let days = i32::try_from(rule.expiry_days).ok();
    let status = if rule.enabled { ExpirationStatus::ENABLED } else { ExpirationStatus::DISABLED };
    Shown {
        id: Some(id.to_owned()),
        expiration: Some(LifecycleExpiration { days, ..LifecycleExpiration::default() }),
        filter: Some(filter),
        status: ExpirationStatus::from_static(status),
        abort_incomplete_multipart_upload: None,
        noncurrent_version_expiration: None,
        noncurrent_version_transitions: None,
        prefix: None,
        transitions: None,
    }
}

fn taken(given: Shown) -> S3Result<(String, LifecycleRule)> {
    let days = given.expiration.as_ref().and_then(|expiration| expiration.days);
    let days = days.and_then(|days| u64::try_from(days).ok()).filter(|days| *days >= 1);
    let has_more = given.transitions.is_some()
        || given.noncurrent_version_expiration.is_some()
        || given.noncurrent_version_transitions.is_some()
        || given.abort_incomplete_multipart_upload.is_some();
    let Some(expiry_days) = days.filter(|_| !has_more) else {
        let message = "Only an expiration in whole days is supported";
        return Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message));
    };
    let filter = given.filter.unwrap_or_default();
    let and = filter.and.unwrap_or_default();
    let tags = and.tags.unwrap_or_default().into_iter().chain(filter.tag);
    let tags: Vec<String> =
        tags.map(|tag| format!("{}={}", tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
    let rule = LifecycleRule {
        expiry_days,
        prefix: and.prefix.or(filter.prefix).or(given.prefix).unwrap_or_default(),
        tags: tags.join("&"),
        enabled: given.status.as_str() == ExpirationStatus::ENABLED,
    };
    Ok((given.id.unwrap_or_else(|| keys::access_key().to_ascii_lowercase()), rule))
}

impl Plane {
    pub(crate) fn bucket_lifecycle(&self, bucket: &str) -> S3Result<GetBucketLifecycleConfigurationOutput> {
        let rules = self.place(bucket)?.bucket.lifecycle;
        if rules.is_empty() {
            return Err(S3Error::new(S3ErrorCode::NoSuchLifecycleConfiguration));
        }
        let rules = rules.iter().map(|(id, rule)| shown(id, rule)).collect();
        Ok(GetBucketLifecycleConfigurationOutput { rules: Some(rules), transition_default_minimum_object_size: None })
    }

    /// Replaces all rules.
    pub(crate) fn set_bucket_lifecycle(&self, bucket: &str, given: BucketLifecycleConfiguration) -> S3Result<()> {
        if given.rules.len() > MOST_RULES {
            return Err(S3Error::new(S3ErrorCode::InvalidArgument));
        }
        let rules: BTreeMap<String, LifecycleRule> = given.rules.into_iter().map(taken).collect::<S3Result<_>>()?;
        let mut state = self.state.lock();
        let bucket = state.s3.buckets.get_mut(bucket).ok_or_else(|| S3Error::new(S3ErrorCode::NoSuchBucket))?;
        bucket.lifecycle = rules;
        Ok(())
    }
}
