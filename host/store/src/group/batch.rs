//! A batch under construction: what earlier commits of it will have written.

use std::{collections::BTreeMap, ops::Bound};

use stowage_ports::store::{Applied, Commit, CommitError, Key, KeyRange, Precondition, StoreError, Version, Write};

use super::Engine;

/// Commits that were accepted and are not in the engine yet.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) commits: Vec<Applied>,
    /// What the batch does to a key: written at a version, or deleted.
    pending: BTreeMap<Key, Option<Version>>,
}

impl Batch {
    /// Accepts the commit as `next`, if its preconditions hold after the commits before it. One without writes is a check
    /// only: it gets no version of its own.
    pub(super) fn add(&mut self, engine: &impl Engine, commit: Commit, next: Version) -> Result<bool, CommitError> {
        for (index, precondition) in commit.preconditions.iter().enumerate() {
            if !self.holds(engine, precondition)? {
                return Err(CommitError::Conflict(index));
            }
        }
        if commit.writes.is_empty() {
            return Ok(false);
        }
        for write in &commit.writes {
            let after = match write {
                Write::Put(..) => Some(next),
                Write::Delete(_) => None,
            };
            self.pending.insert(write.key().clone(), after);
        }
        self.commits.push(Applied { version: next, writes: commit.writes.into() });
        Ok(true)
    }

    fn holds(&self, engine: &impl Engine, precondition: &Precondition) -> Result<bool, StoreError> {
        match precondition {
            Precondition::Absent(key) => Ok(self.version_of(engine, key)?.is_none()),
            Precondition::At(key, version) => Ok(self.version_of(engine, key)? == Some(*version)),
            Precondition::EmptyRange(range) => self.is_empty(engine, range),
        }
    }

    fn version_of(&self, engine: &impl Engine, key: &Key) -> Result<Option<Version>, StoreError> {
        match self.pending.get(key) {
            Some(pending) => Ok(*pending),
            None => Ok(engine.get(key)?.map(|found| found.version)),
        }
    }

    fn is_empty(&self, engine: &impl Engine, range: &KeyRange) -> Result<bool, StoreError> {
        if range.start >= range.end {
            return Ok(true);
        }
        let bounds = (Bound::Included(&range.start), Bound::Excluded(&range.end));
        let mut deleted = 0usize;
        for (_, pending) in self.pending.range::<Key, _>(bounds) {
            if pending.is_some() {
                return Ok(false);
            }
            deleted = deleted.saturating_add(1);
        }
        // If more keys are stored than the batch deletes in the range, one of them stays.
        let stored = engine.scan(range, deleted.saturating_add(1))?;
        Ok(stored.iter().all(|(key, _)| self.pending.contains_key(key)))
    }
}
