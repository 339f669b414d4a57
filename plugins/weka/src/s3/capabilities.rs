//! What the probe tells of the S3 side: whether it can be had now, and the numbers that a host must keep to.

use stowage_provider_sdk::prelude::{Capability, Value};

use super::accounts::{MAX_ACCOUNTS, MAX_PER_USER};
use super::buckets::MAX_BUCKETS;
use super::document::MAX_BYTES;
use super::policies::MAX_POLICIES;
use super::sts::{MAX_LIVE, MAX_TTL_S, MIN_TTL_S};
use super::users::{MAX_NAME, MAX_USERS};
use super::{Lack, lack_now, reason_against};
use crate::rest::Rest;
use crate::survey::Survey;

const NAMESPACES: &str = "namespaces.s3";
const POLICY: &str = "policy";
const SESSION: &str = "credentials.session";
const KEY: &str = "credentials.access-key";
const REVOKE_SESSION: &str = "revoke.session";
const AUDIT: &str = "audit";

/// What holds for every cluster; the probe says whether S3 serves.
pub(crate) fn declared() -> Vec<Capability> {
    let mut all = vec![policy(Capability::supported(POLICY)), session(Capability::supported(SESSION))];
    all.push(key(Capability::supported(KEY)));
    all.push(no_single_revoke());
    all
}

/// What can be had of this cluster now.
pub(crate) fn probed(rest: &Rest, survey: &Survey) -> Vec<Capability> {
    let lack = match (&survey.s3, reason_against(rest)) {
        (Ok(s3), None) => lack_now(rest, s3),
        _ => None,
    };
    let mut all: Vec<_> =
        [NAMESPACES, POLICY, SESSION, KEY, AUDIT].iter().map(|id| standing(rest, survey, lack, id)).collect();
    for capability in &mut all {
        *capability = match capability.id.as_str() {
            NAMESPACES => capability.clone().with("bucket.max", Value::Number(MAX_BUCKETS)),
            POLICY => policy(capability.clone()),
            SESSION => session(capability.clone()),
            KEY => key(capability.clone()),
            // Events are dropped while nobody takes them, and the backend tells nobody.
            _ => capability.clone().with("audit.lossy", Value::Flag(true)),
        };
    }
    all.push(no_single_revoke());
    all
}

fn standing(rest: &Rest, survey: &Survey, lack: Option<Lack>, id: &str) -> Capability {
    if let Some(reason) = reason_against(rest) {
        return because(Capability::unsupported(id), reason);
    }
    let s3 = match &survey.s3 {
        Ok(s3) => s3,
        Err(cause) => return Capability::unknown(id).evidence(format_args!("GET s3: {}", cause.message)),
    };
    let seen = format!("GET s3: active {}, {} hosts", s3.active, s3.hosts());
    match lack {
        Some(lack) => Capability::unavailable(id, lack.reason, lack.remedy),
        None if rest.config.s3.endpoint.is_none() && (id == SESSION || id == KEY) => {
            Capability::unavailable(id, crate::access::NO_ENDPOINT, crate::access::NO_ENDPOINT_REMEDY)
        }
        None => Capability::supported(id),
    }
    .evidence(seen)
}

fn policy(capability: Capability) -> Capability {
    capability
        .with("policy.dialect", Value::Text("iam-json".to_owned()))
        .with("policy.max-bytes", Value::Number(MAX_BYTES))
        .with("policy.max", Value::Number(MAX_POLICIES))
        .with("policy.per-principal", Value::Number(1))
        .with("principal.max", Value::Number(MAX_USERS))
        .with("principal.name-max", Value::Number(MAX_NAME as u64))
}

fn session(capability: Capability) -> Capability {
    capability
        .with("session.min-ttl", Value::Seconds(MIN_TTL_S.into()))
        .with("session.max-ttl", Value::Seconds(MAX_TTL_S.into()))
        .with("session.max-live", Value::Number(MAX_LIVE))
        .with("policy.max-bytes", Value::Number(MAX_BYTES))
}

fn key(capability: Capability) -> Capability {
    capability
        .with("key.max-per-principal", Value::Number(MAX_PER_USER))
        .with("key.max", Value::Number(MAX_ACCOUNTS))
        .with("key.expires", Value::Flag(false))
        .with("policy.max-bytes", Value::Number(MAX_BYTES))
}

fn no_single_revoke() -> Capability {
    because(
        Capability::unsupported(REVOKE_SESSION),
        "a session ends with its time or with its parent, which ends all of the parent's",
    )
}

fn because(capability: Capability, reason: &str) -> Capability {
    Capability { extensions: vec![("reason".to_owned(), reason.to_owned())], ..capability }
}
