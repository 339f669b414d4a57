//! Which pieces of work run now: as many at once as the node allows, and of one subject one after the other.
//!
//! A mount and the unmount of the same plan must not meet, and steps beneath one root keep the order in which the host gave
//! them out; everything else is free of each other. For example, a mount whose storage does not answer holds one of the
//! places, and the next plan is mounted beside it.
//!
//! The host hands work out again when its lease ends, also while it is still being done here. It is not begun a second time:
//! the newer claim takes the place of the older, and the report that comes at the end carries it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use stowage_proto::v1;

/// Pieces that may wait for their subjects here; more stay with the host.
const MOST_WAITING: usize = 256;

/// What must not run at the same time.
fn subject(work: &v1::NodeWork) -> String {
    match &work.mount {
        Some(plan) => format!("plan {}", plan.mount_id),
        None => format!("root {} {}", work.provider, work.source_root),
    }
}

/// Work that was claimed and is not done.
#[derive(Debug)]
pub struct Roster {
    places: usize,
    waiting: VecDeque<v1::NodeWork>,
    /// Subjects that are worked on.
    busy: BTreeSet<String>,
    /// The newest claim of each piece, by its name.
    claims: BTreeMap<String, String>,
}

impl Roster {
    /// A roster with so many places; 0 counts as 1.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places: places.max(1), waiting: VecDeque::new(), busy: BTreeSet::new(), claims: BTreeMap::new() }
    }

    /// Takes a claimed piece in; one that is in already gets its newer claim.
    pub fn add(&mut self, work: v1::NodeWork) {
        if self.claims.insert(work.name.clone(), work.claim.clone()).is_none() {
            self.waiting.push_back(work);
        }
    }

    /// How many more pieces may be claimed. Those that wait for their subject take no place from others, up to a bound.
    #[must_use]
    pub fn free(&self) -> usize {
        if self.waiting.len() < MOST_WAITING { self.places.saturating_sub(self.busy.len()) } else { 0 }
    }

    /// The oldest piece that can begin now.
    pub fn begin(&mut self) -> Option<v1::NodeWork> {
        if self.busy.len() >= self.places {
            return None;
        }
        let at = self.waiting.iter().position(|work| !self.busy.contains(&subject(work)))?;
        let work = self.waiting.remove(at)?;
        self.busy.insert(subject(&work));
        Some(work)
    }

    /// Ends a piece; answers the newest claim, under which it is to be reported.
    pub fn end(&mut self, work: &v1::NodeWork) -> String {
        self.busy.remove(&subject(work));
        self.claims.remove(&work.name).unwrap_or_else(|| work.claim.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(name: &str, plan: &str, claim: &str) -> v1::NodeWork {
        let mount = v1::NodeMount { mount_id: plan.to_owned(), ..Default::default() };
        v1::NodeWork { name: name.to_owned(), claim: claim.to_owned(), mount: Some(mount), ..Default::default() }
    }

    fn begun(roster: &mut Roster) -> Vec<String> {
        std::iter::from_fn(|| roster.begin()).map(|work| work.name).collect()
    }

    #[test]
    fn of_one_subject_one_runs_at_a_time_in_order_and_others_run_beside_it() {
        let mut roster = Roster::new(8);
        for (name, plan) in [("mount-a", "a"), ("unmount-a", "a"), ("mount-b", "b"), ("again-a", "a")] {
            roster.add(work(name, plan, "1"));
        }
        assert_eq!(begun(&mut roster), ["mount-a", "mount-b"]);
        roster.end(&work("mount-b", "b", "1"));
        assert_eq!(begun(&mut roster), [""; 0]);
        roster.end(&work("mount-a", "a", "1"));
        assert_eq!(begun(&mut roster), ["unmount-a"]);
        roster.end(&work("unmount-a", "a", "1"));
        assert_eq!(begun(&mut roster), ["again-a"]);
    }

    #[test]
    fn no_more_run_than_there_are_places() {
        let mut roster = Roster::new(2);
        for name in ["a", "b", "c"] {
            roster.add(work(name, name, "1"));
        }
        assert_eq!(begun(&mut roster), ["a", "b"]);
        assert_eq!(roster.free(), 0);
        roster.end(&work("a", "a", "1"));
        assert_eq!(begun(&mut roster), ["c"]);
        roster.end(&work("b", "b", "1"));
        assert_eq!(roster.free(), 1);
    }

    #[test]
    fn work_that_is_handed_out_again_while_it_runs_is_done_once_and_reported_under_the_newer_claim() {
        let mut roster = Roster::new(8);
        roster.add(work("a", "a", "old"));
        assert_eq!(begun(&mut roster), ["a"]);
        roster.add(work("a", "a", "new"));
        assert_eq!(begun(&mut roster), [""; 0]);
        assert_eq!(roster.end(&work("a", "a", "old")), "new");
        assert_eq!(begun(&mut roster), [""; 0]);
    }

    #[test]
    fn steps_beneath_one_root_keep_their_order() {
        let steps = |name: &str, root: &str| v1::NodeWork {
            name: name.to_owned(),
            provider: "providers/p".to_owned(),
            source_root: root.to_owned(),
            ..Default::default()
        };
        let mut roster = Roster::new(8);
        for (name, root) in [("one", "data"), ("two", "data"), ("other", "scratch")] {
            roster.add(steps(name, root));
        }
        assert_eq!(begun(&mut roster), ["one", "other"]);
    }
}
