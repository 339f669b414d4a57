//! Numbers that must not collide: project ids, export ids, uids.
//!
//! A held number is two rows: owner → number and number → owner. Both are required to be absent when it is taken, so two
//! takers never get the same number and one owner never gets two, also when several hosts share the store. Numbers are
//! handed out in a round, so that a number which was just given back is the last to be used again: backends often clean
//! up under a number long after its owner has gone.

use std::{collections::BTreeSet, ops::RangeInclusive, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use stowage_ports::{
    guest_state::GuestStateError,
    store::{Commit, CommitError, KeyRange, Precondition, Store, Versioned, Write},
};
use tokio::sync::Notify;

use super::failed;
use crate::Segments;

const OWNERS: &str = "guest-pool-owner";
const NUMBERS: &str = "guest-pool-number";
/// Rows of one scan while a free number is searched.
const SEARCH_PAGE: usize = 256;
/// How often a taker tries anew when another host was quicker.
const ATTEMPTS: u32 = 100;

pub(super) struct Pool {
    store: Arc<dyn Store>,
    name: String,
    owners: Segments,
    numbers: Segments,
    range: RangeInclusive<u32>,
    round: Mutex<Round>,
    /// Told when a chosen number is let go, committed or not.
    settled: Notify,
}

/// Where the search goes on, and what takers of this process are about to commit.
struct Round {
    next: u32,
    taking: BTreeSet<u32>,
}

/// A number that no other taker of this process will choose until this is dropped.
struct Chosen<'a> {
    pool: &'a Pool,
    number: u32,
}

/// What a search found.
enum Search<'a> {
    Chosen(Chosen<'a>),
    /// Every free number is chosen by another taker of this process, who may yet let it go.
    Busy,
    Full,
}

impl Drop for Chosen<'_> {
    fn drop(&mut self) {
        self.pool.round.lock().taking.remove(&self.number);
        self.pool.settled.notify_waiters();
    }
}

impl Pool {
    pub(super) fn new(store: Arc<dyn Store>, instance: &str, name: &str, range: RangeInclusive<u32>) -> Self {
        let round = Mutex::new(Round { next: *range.start(), taking: BTreeSet::new() });
        Self {
            store,
            name: name.to_owned(),
            owners: Segments::of([OWNERS, instance, name]),
            numbers: Segments::of([NUMBERS, instance, name]),
            range,
            round,
            settled: Notify::new(),
        }
    }

    pub(super) async fn take(&self, owner: &str) -> Result<u32, GuestStateError> {
        let owner_key = self.owners.clone().text(owner).key();
        for _ in 0..ATTEMPTS {
            if let Some(held) = self.store.get(&owner_key).await.map_err(failed)? {
                return self.number(&held);
            }
            let Some(chosen) = self.choose().await? else {
                // The last number may have gone to this very owner, who asked twice at once.
                return match self.store.get(&owner_key).await.map_err(failed)? {
                    Some(held) => self.number(&held),
                    None => Err(self.full()),
                };
            };
            let number_key = self.number_key(chosen.number);
            let commit = Commit {
                preconditions: vec![Precondition::Absent(owner_key.clone()), Precondition::Absent(number_key.clone())],
                writes: vec![
                    Write::Put(owner_key.clone(), Bytes::copy_from_slice(&chosen.number.to_be_bytes())),
                    Write::Put(number_key, Bytes::copy_from_slice(owner.as_bytes())),
                ],
            };
            match self.store.commit(commit).await {
                Ok(_) => return Ok(chosen.number),
                Err(CommitError::Conflict(_)) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(GuestStateError::Conflict(owner.to_owned()))
    }

    pub(super) async fn give_back(&self, owner: &str) -> Result<(), GuestStateError> {
        let owner_key = self.owners.clone().text(owner).key();
        let Some(held) = self.store.get(&owner_key).await.map_err(failed)? else { return Ok(()) };
        let number_key = self.number_key(self.number(&held)?);
        let commit = Commit {
            preconditions: vec![Precondition::At(owner_key.clone(), held.version)],
            writes: vec![Write::Delete(owner_key), Write::Delete(number_key)],
        };
        match self.store.commit(commit).await {
            // A conflict means that someone else gave it back between the read and the commit.
            Ok(_) | Err(CommitError::Conflict(_)) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// A number with no row that no other taker of this process has chosen; `None` when all have rows.
    async fn choose(&self) -> Result<Option<Chosen<'_>>, GuestStateError> {
        loop {
            // Made before the search, so that nothing that settles during it is missed.
            let settled = self.settled.notified();
            match self.search().await? {
                Search::Chosen(chosen) => return Ok(Some(chosen)),
                Search::Busy => settled.await,
                Search::Full => return Ok(None),
            }
        }
    }

    /// Searches from where the round stands to the end, and then from the start.
    async fn search(&self) -> Result<Search<'_>, GuestStateError> {
        let next = self.round.lock().next;
        let mut busy = false;
        for part in [next..=*self.range.end(), *self.range.start()..=next] {
            match self.search_in(part).await? {
                Search::Full => {}
                Search::Busy => busy = true,
                chosen @ Search::Chosen(_) => return Ok(chosen),
            }
        }
        Ok(if busy { Search::Busy } else { Search::Full })
    }

    async fn search_in(&self, part: RangeInclusive<u32>) -> Result<Search<'_>, GuestStateError> {
        let mut from = *part.start();
        let mut busy = false;
        while from <= *part.end() {
            let range = KeyRange {
                start: self.number_key(from),
                end: self.numbers.clone().number(u64::from(*part.end()).saturating_add(1)).key(),
            };
            let rows = self.store.scan(range, SEARCH_PAGE).await.map_err(failed)?;
            let held: BTreeSet<u32> =
                rows.iter().filter_map(|(key, _)| u32::try_from(Segments::parse(key)?.number_at(3)?).ok()).collect();
            let scanned_to = match held.last() {
                Some(last) if rows.len() == SEARCH_PAGE => *last,
                _ => *part.end(),
            };
            match self.claim((from..=scanned_to).filter(|number| !held.contains(number))) {
                Search::Full => {}
                Search::Busy => busy = true,
                chosen @ Search::Chosen(_) => return Ok(chosen),
            }
            match scanned_to.checked_add(1) {
                Some(next) => from = next,
                None => break,
            }
        }
        Ok(if busy { Search::Busy } else { Search::Full })
    }

    /// Claims the first of the free numbers that no other taker of this process has.
    fn claim(&self, free: impl Iterator<Item = u32>) -> Search<'_> {
        let mut round = self.round.lock();
        let mut busy = false;
        for number in free {
            if !round.taking.insert(number) {
                busy = true;
                continue;
            }
            round.next = if number < *self.range.end() { number.saturating_add(1) } else { *self.range.start() };
            return Search::Chosen(Chosen { pool: self, number });
        }
        if busy { Search::Busy } else { Search::Full }
    }

    fn full(&self) -> GuestStateError {
        let end = u64::from(*self.range.end()).saturating_add(1);
        GuestStateError::Full { what: "pool", limit: end.saturating_sub(u64::from(*self.range.start())) }
    }

    fn number_key(&self, number: u32) -> stowage_ports::store::Key {
        self.numbers.clone().number(u64::from(number)).key()
    }

    fn number(&self, held: &Versioned) -> Result<u32, GuestStateError> {
        held.value.as_ref().try_into().map(u32::from_be_bytes).map_err(|_| {
            GuestStateError::Store(format!(
                "a number of pool {:?} does not read back; restore from a backup",
                self.name
            ))
        })
    }
}
