//! Between the contract's messages and the domain's records.
//!
//! From the contract: everything is checked for its shape here, with the field's path in the refusal; whether it is allowed
//! is decided behind. To the contract: nothing is decided, and nothing secret exists to be shown.

pub(crate) mod classes;
pub(crate) mod credentials;
pub(crate) mod drifts;
pub(crate) mod errors;
pub(crate) mod grants;
pub(crate) mod kubernetes;
pub(crate) mod mounts;
pub(crate) mod names;
pub(crate) mod namespaces;
pub(crate) mod nodes;
pub(crate) mod operations;
pub(crate) mod plugins;
pub(crate) mod providers;
pub(crate) mod shell;
pub(crate) mod tenants;
pub(crate) mod time;
pub(crate) mod usage;
pub(crate) mod workloads;

use std::collections::BTreeMap;

use stowage_domain::{Bytes, Labels, Protocol};
use stowage_proto::v1;

use crate::refusal::Refusal;

/// Labels as a map.
pub(crate) fn labels_to(labels: &Labels) -> BTreeMap<String, String> {
    labels.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// A map as labels.
pub(crate) fn labels_from(field: &str, map: BTreeMap<String, String>) -> Result<Labels, Refusal> {
    Ok(Labels::parse(field, map)?)
}

/// Protocols as numbers of the contract.
pub(crate) fn protocols_to(protocols: &[Protocol]) -> Vec<i32> {
    let one = |protocol: &Protocol| match protocol {
        Protocol::Posix => v1::Protocol::Posix.into(),
        Protocol::S3 => v1::Protocol::S3.into(),
    };
    protocols.iter().map(one).collect()
}

/// Numbers of the contract as protocols, without repeats.
pub(crate) fn protocols_from(field: &str, numbers: &[i32]) -> Result<Vec<Protocol>, Refusal> {
    let mut protocols = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        let protocol = match v1::Protocol::try_from(*number) {
            Ok(v1::Protocol::Posix) => Protocol::Posix,
            Ok(v1::Protocol::S3) => Protocol::S3,
            Ok(v1::Protocol::Unspecified) | Err(_) => return Err(unknown_value(&format!("{field}[{index}]"), *number)),
        };
        if !protocols.contains(&protocol) {
            protocols.push(protocol);
        }
    }
    Ok(protocols)
}

/// A limit where 0 means none.
pub(crate) fn bound_from(bytes: u64) -> Option<Bytes> {
    (bytes > 0).then_some(Bytes(bytes))
}

/// The refusal of a message that is needed.
pub(crate) fn needed(field: &str) -> Refusal {
    Refusal::field(field, "is required")
}

/// The refusal of an enum's number.
pub(crate) fn unknown_value(field: &str, number: i32) -> Refusal {
    let problem =
        if number == 0 { "is required".to_owned() } else { format!("{number} is not a value that this host knows") };
    Refusal::field(field, problem)
}

/// An empty text as nothing.
pub(crate) fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_lose_repeats_and_name_the_wrong_one() {
        assert_eq!(protocols_from("p", &[2, 1, 2]).unwrap(), [Protocol::S3, Protocol::Posix]);
        assert_eq!(protocols_from("p", &[1, 9]).unwrap_err(), unknown_value("p[1]", 9));
        assert_eq!(protocols_to(&[Protocol::S3]), [2]);
    }
}
