//! Reservations: what the hard limits of namespaces add up to, for a tenant, a project or a provider.
//!
//! A ledger is charged in the same commit that makes or changes the namespace, and refunded only when the backend is known
//! not to have it. So at every commit a ledger equals the sum over the rows that it counts, and of N creates that race for
//! room for k exactly k succeed.

use serde::{Deserialize, Serialize};

use crate::Bytes;

/// What is reserved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Sum of the reserved bytes.
    pub reserved: Bytes,
    /// Number of namespaces.
    pub namespaces: u64,
}

/// There is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// The limit.
    pub limit: Bytes,
    /// What is taken already.
    pub reserved: Bytes,
    /// What was asked for on top.
    pub asked: Bytes,
}

impl Ledger {
    /// Takes room for one more namespace.
    ///
    /// # Errors
    /// [`Shortage`] when `limit` would be passed; nothing is taken then.
    pub fn open(self, bytes: Bytes, limit: Option<Bytes>) -> Result<Self, Shortage> {
        let grown = self.grow(Bytes(0), bytes, limit)?;
        Ok(Self { namespaces: grown.namespaces.saturating_add(1), ..grown })
    }

    /// Changes what one namespace has reserved. Shrinking always succeeds, even above the limit.
    ///
    /// # Errors
    /// [`Shortage`] when `limit` would be passed.
    pub fn grow(self, from: Bytes, to: Bytes, limit: Option<Bytes>) -> Result<Self, Shortage> {
        let others = self.reserved.0.saturating_sub(from.0);
        let next = others.checked_add(to.0);
        let fits = match (next, limit) {
            (None, _) => false,
            (Some(next), Some(limit)) => to <= from || next <= limit.0,
            (Some(_), None) => true,
        };
        if !fits {
            let limit = limit.unwrap_or(Bytes(u64::MAX));
            return Err(Shortage { limit, reserved: Bytes(others), asked: to });
        }
        Ok(Self { reserved: Bytes(next.unwrap_or(u64::MAX)), namespaces: self.namespaces })
    }

    /// Gives one namespace's room back.
    #[must_use]
    pub const fn close(self, bytes: Bytes) -> Self {
        Self { reserved: Bytes(self.reserved.0.saturating_sub(bytes.0)), namespaces: self.namespaces.saturating_sub(1) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_ledger_is_the_sum_of_its_open_rows_and_never_passes_its_limit(
            steps in prop::collection::vec((0u8..3, 0u64..100, 0usize..8), 0..60),
            limit in 0u64..400,
        ) {
            let (mut ledger, mut rows) = (Ledger::default(), Vec::<u64>::new());
            for (kind, bytes, at) in steps {
                match kind {
                    0 => if let Ok(next) = ledger.open(Bytes(bytes), Some(Bytes(limit))) {
                        ledger = next;
                        rows.push(bytes);
                    },
                    1 if at < rows.len() => if let Ok(next) = ledger.grow(Bytes(rows[at]), Bytes(bytes), Some(Bytes(limit))) {
                        ledger = next;
                        rows[at] = bytes;
                    },
                    2 if at < rows.len() => ledger = ledger.close(Bytes(rows.swap_remove(at))),
                    _ => {}
                }
                prop_assert_eq!(ledger.reserved.0, rows.iter().sum::<u64>());
                prop_assert_eq!(ledger.namespaces, rows.len() as u64);
                prop_assert!(ledger.reserved.0 <= limit);
            }
        }
    }

    #[test]
    fn a_sum_beyond_64_bits_is_a_shortage() {
        let ledger = Ledger { reserved: Bytes(u64::MAX - 1), namespaces: 1 };
        assert_eq!(ledger.open(Bytes(2), None).unwrap_err().asked, Bytes(2));
    }
}
