//! Old values for readers while new ones are on their way to the disk.

use std::{collections::BTreeMap, ops::Bound};

use stowage_ports::store::{Key, KeyRange, StoreError, Versioned};

/// For each key of the batch under way, what was there before it.
#[derive(Debug, Default)]
pub(crate) struct Shadow(BTreeMap<Key, Option<Versioned>>);

type Row = (Key, Versioned);

impl Shadow {
    pub(crate) fn new(before: BTreeMap<Key, Option<Versioned>>) -> Self {
        Self(before)
    }

    /// `Some` when the key is being written: what to show in its place.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<Versioned>> {
        self.0.get(key).cloned()
    }

    /// The first `limit` rows of the range as they were before the batch; `stored` is what the engine shows now.
    pub(crate) fn scan(
        &self,
        stored: impl Iterator<Item = Result<Row, StoreError>>,
        range: &KeyRange,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let bounds = (Bound::Included(&range.start), Bound::Excluded(&range.end));
        let mut before = self.0.range::<Key, _>(bounds).peekable();
        let mut rows = Vec::new();
        for row in stored {
            let row = row?;
            // What the batch has deleted and what it has overwritten, up to this row.
            while let Some((key, old)) = before.next_if(|(key, _)| **key < row.0) {
                rows.extend(old.clone().map(|old| (key.clone(), old)));
            }
            match before.next_if(|(key, _)| **key == row.0) {
                Some((key, old)) => rows.extend(old.clone().map(|old| (key.clone(), old))),
                None => rows.push(row),
            }
            if rows.len() >= limit {
                break;
            }
        }
        if rows.len() < limit {
            rows.extend(before.filter_map(|(key, old)| Some((key.clone(), old.clone()?))));
        }
        rows.truncate(limit);
        Ok(rows)
    }
}
