//! The S3 side: whether it can be had, its buckets, its policies, its keys.
//!
//! All of it but two reads runs inside an S3 protocol container, which a cluster may lack, lose or restart. So readiness is
//! asked before anything is made, and every refusal for lack of a container is `not-ready` with what to do, never a
//! failure. Up to release 5.0 the S3 side lives in organization Root alone, and a bucket is a directory: a namespace that
//! is a filesystem or an organization of its own has no S3.

pub(crate) mod accounts;
pub(crate) mod buckets;
pub(crate) mod capabilities;
pub(crate) mod document;
pub(crate) mod lifecycle;
pub(crate) mod policies;
pub(crate) mod sts;
pub(crate) mod users;

use serde::de::DeserializeOwned;
use serde_json::Value;
use stowage_provider_sdk::prelude::{Error, Exchange, Request, Result, error};

use crate::api::{Junk, S3Cluster, envelope};
use crate::classify::S3_REMEDY;
use crate::config::Isolation;
use crate::exchanges::{S3, S3_CONTAINERS_READY};
use crate::rest::{Rest, unreadable};

/// Why this configuration has no S3; `None` when it may have.
pub(crate) fn reason_against(rest: &Rest) -> Option<&'static str> {
    match rest.config.isolation {
        _ if !rest.config.s3.enabled => Some("S3 is switched off in the provider's configuration"),
        Isolation::Filesystem => {
            Some("a bucket is a directory, and the S3 service cannot enter a filesystem that requires authentication")
        }
        Isolation::Organization => {
            Some("the S3 service lives in organization Root, and reaches no other one's filesystems")
        }
        Isolation::Directory if !rest.config.in_root() => Some("the S3 service lives in organization Root"),
        Isolation::Directory => None,
    }
}

/// Whether this configuration can have S3 at all.
pub(crate) fn offered(rest: &Rest) -> Result<()> {
    match reason_against(rest) {
        None => Ok(()),
        Some(reason) => {
            let refused = error::unsupported("namespaces.s3");
            Err(Error { message: format!("namespaces.s3 is not supported: {reason}"), ..refused })
        }
    }
}

/// What the S3 service lacks, as a stable reason and what to do; `None` when it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lack {
    pub(crate) reason: &'static str,
    pub(crate) remedy: &'static str,
}

impl Lack {
    /// As the error of a call.
    pub(crate) fn error(self) -> Error {
        error::not_ready("namespaces.s3", self.reason, self.remedy)
    }
}

/// What the state of the service lacks.
pub(crate) fn lack(s3: &S3Cluster) -> Option<Lack> {
    if s3.hosts() == 0 {
        return Some(Lack { reason: "S3_NOT_ENABLED", remedy: S3_REMEDY });
    }
    if !s3.active {
        let remedy = "configure S3 on the cluster with a data and a configuration filesystem; its containers are there";
        return Some(Lack { reason: "S3_NOT_CONFIGURED", remedy });
    }
    None
}

const STARTING: Lack = Lack {
    reason: "S3_CONTAINERS_NOT_READY",
    remedy: "wait until one S3 container is ready, or look into why none starts",
};

/// Whether the S3 service serves now: switched on, with at least one container that is ready.
pub(crate) fn ready(rest: &Rest) -> Result<()> {
    offered(rest)?;
    let s3: S3Cluster = rest.one(&S3, rest.request(), "reading the S3 service")?;
    if let Some(lack) = lack(&s3) {
        return Err(lack.error());
    }
    match containers_ready(rest)? {
        Some(false) => Err(STARTING.error()),
        _ => Ok(()),
    }
}

/// Whether any S3 container is ready; `None` when the cluster does not tell.
pub(crate) fn containers_ready(rest: &Rest) -> Result<Option<bool>> {
    let response = rest.send(&S3_CONTAINERS_READY, rest.request(), "asking whether the S3 containers are ready")?;
    let data = envelope::data(response.body()).map_err(|cause| unreadable(&S3_CONTAINERS_READY, "reading", &cause))?;
    Ok(match data {
        Value::Object(containers) if !containers.is_empty() => {
            Some(containers.values().any(|ready| ready == &Value::Bool(true)))
        }
        _ => None,
    })
}

/// As [`lack`], with the containers asked: what the probe tells.
pub(crate) fn lack_now(rest: &Rest, s3: &S3Cluster) -> Option<Lack> {
    lack(s3).or_else(|| matches!(containers_ready(rest), Ok(Some(false))).then_some(STARTING))
}

/// Rows of a list that stands in `data`, in a field of it, or without envelope at all: the API's description and its
/// clients disagree.
pub(crate) fn rows<T: DeserializeOwned>(
    rest: &Rest,
    exchange: &Exchange,
    request: Request,
    field: &str,
    doing: &str,
) -> Result<Vec<T>> {
    let response = rest.send(exchange, request, doing)?;
    rows_in(response.body(), field).map_err(|cause| unreadable(exchange, doing, &cause))
}

fn rows_in<T: DeserializeOwned>(body: &[u8], field: &str) -> Result<Vec<T>, Junk> {
    let list = match envelope::data(body)? {
        Value::Object(mut fields) => fields.remove(field),
        other => Some(other),
    };
    match list {
        Some(list @ Value::Array(_)) => {
            serde_json::from_value(list).map_err(|_| Junk("the list's rows have another shape".to_owned()))
        }
        // A list that is null is empty; one that is not there at all is not.
        Some(Value::Null) => Ok(Vec::new()),
        _ => Err(Junk("the answer holds no list".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(text: &str) -> S3Cluster {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_missing_has_its_own_reason() {
        let reason = |text| lack(&s3(text)).map(|lack| lack.reason);
        assert_eq!(reason(r#"{"active":false,"s3_hosts":[]}"#), Some("S3_NOT_ENABLED"));
        assert_eq!(reason(r#"{"active":true,"s3_hosts":0}"#), Some("S3_NOT_ENABLED"));
        assert_eq!(reason(r#"{"active":false,"s3_hosts":["HostId<1>"]}"#), Some("S3_NOT_CONFIGURED"));
        assert_eq!(reason(r#"{"active":true,"s3_hosts":1}"#), None);
    }

    #[test]
    fn a_list_is_found_in_each_form_and_junk_is_none() {
        for body in [r#"{"data":{"buckets":["a"]}}"#, r#"{"buckets":["a"]}"#, r#"{"data":["a"]}"#, r#"["a"]"#] {
            assert_eq!(rows_in::<String>(body.as_bytes(), "buckets").unwrap(), ["a"], "{body}");
        }
        for body in ["", "{}", r#"{"data":null}"#, r#"{"data":{"other":[]}}"#, r#"{"data":{"buckets":[1]}}"#] {
            let read = rows_in::<String>(body.as_bytes(), "buckets");
            assert!(read.is_err() || body.contains("null"), "{body}");
        }
    }
}
