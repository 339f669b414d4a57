//! Limits between the contract's words and the three numbers of a quota.
//!
//! A quota has a hard limit, a soft limit and a grace, and 0 means "no limit" in the first two. All three are always sent:
//! a number left out once kept its old value. The backend rounds up to whole blocks of 4096 bytes, so what was asked for
//! is compared with tolerance, never for equality.

use stowage_provider_sdk::prelude::{Dimension, Enforcement, Limit, LimitScope, Result, error};

use crate::api::Quota;

/// The numbers of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Numbers {
    /// Writes fail beyond it; 0 for none.
    pub(crate) hard: u64,
    /// The grace runs beyond it; 0 for none.
    pub(crate) soft: u64,
    /// Seconds from the soft limit until writes fail.
    pub(crate) grace: u64,
}

/// A grace that never ends, as the API writes it.
pub(crate) const UNLIMITED_GRACE: u64 = 4_294_967_295;
/// Limits from here on mean "no limit": the largest number that the vendor's own clients send.
pub(crate) const UNLIMITED_BYTES: u64 = 9_223_372_036_854_775_807;
/// What the backend rounds up to.
pub(crate) const ROUNDING: u64 = 4096;

/// The numbers that say these limits.
pub(crate) fn numbers(limits: &[Limit]) -> Result<Numbers> {
    let mut numbers = Numbers::default();
    for (index, limit) in limits.iter().enumerate() {
        let field = format!("limits.{index}");
        if limit.dimension != Dimension::Bytes {
            return Err(error::unsupported("quota.inodes"));
        }
        if limit.scope != LimitScope::Namespace {
            return Err(error::unsupported("quota of a principal or tenant"));
        }
        if limit.value == 0 {
            return Err(error::invalid(
                &field,
                "is 0, which the backend reads as no limit; leave the limit out instead",
            ));
        }
        if limit.value >= UNLIMITED_BYTES {
            return Err(error::too_large("quota.bytes", limit.value, UNLIMITED_BYTES));
        }
        let (place, grace) = match &limit.enforcement {
            Enforcement::Block => (&mut numbers.hard, None),
            Enforcement::SoftThenBlock(0) => {
                return Err(error::invalid(
                    &field,
                    "has a grace of 0 s, which the backend reads as advisory; use `block`",
                ));
            }
            Enforcement::SoftThenBlock(grace) => (&mut numbers.soft, Some((*grace).min(UNLIMITED_GRACE))),
            Enforcement::Notify => (&mut numbers.soft, Some(UNLIMITED_GRACE)),
            Enforcement::Other(word) => return Err(error::unsupported(word)),
        };
        if *place != 0 {
            return Err(error::invalid(
                &field,
                "is a second limit of its kind; the backend has one hard and one soft limit",
            ));
        }
        *place = limit.value;
        if let Some(grace) = grace {
            numbers.grace = grace;
        }
    }
    if numbers.hard != 0 && numbers.soft > numbers.hard {
        return Err(error::invalid("limits", "has a soft limit above the hard one"));
    }
    Ok(numbers)
}

/// The limits that a quota has in effect.
pub(crate) fn effective(quota: &Quota) -> Vec<Limit> {
    let set = |value: u64| value != 0 && value < UNLIMITED_BYTES;
    let mut limits = Vec::new();
    if set(quota.hard_limit_bytes) {
        limits.push(bytes(quota.hard_limit_bytes, Enforcement::Block));
    }
    // The vendor's own clients set both to the same number for a plain hard limit.
    if set(quota.soft_limit_bytes) && quota.soft_limit_bytes != quota.hard_limit_bytes {
        let enforcement = match quota.grace_seconds {
            0 | UNLIMITED_GRACE.. => Enforcement::Notify,
            grace => Enforcement::SoftThenBlock(grace),
        };
        limits.push(bytes(quota.soft_limit_bytes, enforcement));
    }
    limits
}

/// A limit of the namespace's bytes.
pub(crate) const fn bytes(value: u64, enforcement: Enforcement) -> Limit {
    Limit { dimension: Dimension::Bytes, scope: LimitScope::Namespace, enforcement, value, extensions: Vec::new() }
}

/// Whether the quota says these numbers, but for the backend's rounding up.
pub(crate) fn says(quota: &Quota, wanted: Numbers) -> bool {
    let graces = wanted.soft == 0 || quota.grace_seconds == wanted.grace;
    graces && rounded(quota.hard_limit_bytes, wanted.hard) && rounded(quota.soft_limit_bytes, wanted.soft)
}

/// Whether `seen` is `wanted` rounded up.
pub(crate) fn rounded(seen: u64, wanted: u64) -> bool {
    seen == wanted || (wanted != 0 && seen >= wanted && seen - wanted < ROUNDING)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stowage_provider_sdk::prelude::ErrorKind;

    use super::*;

    fn quota(numbers: Numbers) -> Quota {
        Quota {
            hard_limit_bytes: numbers.hard.next_multiple_of(ROUNDING),
            soft_limit_bytes: numbers.soft.next_multiple_of(ROUNDING),
            grace_seconds: numbers.grace,
            ..Quota::default()
        }
    }

    proptest! {
        #[test]
        fn limits_survive_the_backends_rounding(hard in 1..1_u64 << 60, part in 1..100_u64, grace in 1..1_000_000_u64) {
            let soft = (hard / 100 * part).max(1);
            let limits = [bytes(hard, Enforcement::Block), bytes(soft, Enforcement::SoftThenBlock(grace))];
            let wanted = numbers(&limits).unwrap();
            let seen = quota(wanted);
            prop_assert!(says(&seen, wanted));
            let back = effective(&seen);
            prop_assert!(rounded(back[0].value, hard));
            let other = quota(Numbers { hard: hard + ROUNDING, ..wanted });
            prop_assert!(!says(&other, wanted));
        }
    }

    #[test]
    fn what_the_backend_cannot_say_is_refused_with_its_reason() {
        let inodes = Limit { dimension: Dimension::Inodes, ..bytes(5, Enforcement::Block) };
        assert!(matches!(numbers(&[inodes]).unwrap_err().kind, ErrorKind::Unsupported(_)));
        for limits in [
            vec![bytes(0, Enforcement::Block)],
            vec![bytes(9, Enforcement::SoftThenBlock(0))],
            vec![bytes(9, Enforcement::Block), bytes(8, Enforcement::Block)],
            vec![bytes(9, Enforcement::Block), bytes(10, Enforcement::Notify)],
        ] {
            assert!(matches!(numbers(&limits).unwrap_err().kind, ErrorKind::Invalid(_)), "{limits:?}");
        }
        assert!(matches!(numbers(&[bytes(u64::MAX, Enforcement::Block)]).unwrap_err().kind, ErrorKind::TooLarge(_)));
    }

    #[test]
    fn sentinels_and_zero_are_no_limit() {
        for value in [0, UNLIMITED_BYTES, u64::MAX] {
            let seen = Quota { hard_limit_bytes: value, ..Quota::default() };
            assert!(effective(&seen).is_empty(), "{value}");
        }
    }

    #[test]
    fn a_clients_hard_limit_with_an_equal_soft_one_is_one_limit() {
        let seen = Quota { hard_limit_bytes: 4096, soft_limit_bytes: 4096, ..Quota::default() };
        assert_eq!(effective(&seen), [bytes(4096, Enforcement::Block)]);
    }
}
