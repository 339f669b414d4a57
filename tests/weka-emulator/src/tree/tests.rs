//! Accounting under any sequence of operations.

use std::collections::BTreeMap;
use std::ffi::OsString;

use proptest::prelude::*;

use super::accounting::{BLOCK, Quota, QuotaStatus, UNLIMITED, round_up};
use super::blocks::{BlockFile, Content};
use super::node::{Ino, Kind, Maker};
use super::ops::OnExisting;
use super::volume::{Rules, Tree, Volume};
use crate::clock::Clock;

fn volume(budget: u64) -> (tempfile::TempDir, Volume) {
    let dir = tempfile::tempdir().unwrap();
    let store = BlockFile::create(&dir.path().join("blocks"), false).unwrap();
    let rules = Rules { file_metadata_blocks: 0, zero_grace_is_advisory: true, big_inodes: true };
    (dir, Volume::new(0, budget, rules, Clock::default(), store))
}

fn quota(hard: u64) -> Quota {
    Quota {
        hard,
        soft: 0,
        grace_secs: 0,
        owner: String::new(),
        active_at: Some(0),
        failed: false,
        over_soft_since: None,
    }
}

/// What a directory should be charged, counted afresh; each inode once, at its first link.
fn counted(tree: &Tree, dir: Ino) -> u64 {
    let node = tree.node(dir).unwrap();
    let mut sum = tree.own_cost(node);
    for (name, child) in node.children().into_iter().flatten() {
        let child_node = tree.node(*child).unwrap();
        if child_node.is_dir() {
            sum += counted(tree, *child);
        } else if child_node.links.first() == Some(&(dir, name.clone())) {
            sum += tree.own_cost(child_node);
        }
    }
    sum
}

#[derive(Clone, Debug)]
enum Step {
    Dir(usize, usize),
    File(usize, usize, u64),
    Grow(usize, u64),
    Cut(usize, u64),
    Link(usize, usize, usize),
    Rename(usize, usize, usize),
    Remove(usize),
    Freeze(u64),
    Restore(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..12_usize;
    prop_oneof![
        (n.clone(), n.clone()).prop_map(|(at, name)| Step::Dir(at, name)),
        (n.clone(), n.clone(), 0..40_000_u64).prop_map(|(at, name, len)| Step::File(at, name, len)),
        (n.clone(), 0..80_000_u64).prop_map(|(at, len)| Step::Grow(at, len)),
        (n.clone(), 0..80_000_u64).prop_map(|(at, len)| Step::Cut(at, len)),
        (n.clone(), n.clone(), n.clone()).prop_map(|(file, at, name)| Step::Link(file, at, name)),
        (n.clone(), n.clone(), n.clone()).prop_map(|(what, at, name)| Step::Rename(what, at, name)),
        n.prop_map(Step::Remove),
        (1..4_u64).prop_map(Step::Freeze),
        (1..4_u64).prop_map(Step::Restore),
    ]
}

/// The live inodes that fit, in a stable order.
fn live(tree: &Tree, dirs: bool) -> Vec<Ino> {
    let mut all: Vec<Ino> = tree
        .nodes
        .iter()
        .filter(|(ino, node)| node.snapshot.is_none() && node.is_dir() == dirs && **ino != tree.snapshot_dir)
        .map(|(ino, _)| *ino)
        .collect();
    all.sort_unstable();
    all
}

fn pick(from: &[Ino], at: usize) -> Option<Ino> {
    (!from.is_empty()).then(|| from[at % from.len()])
}

fn name(at: usize) -> OsString {
    format!("n{at}").into()
}

/// Runs a step; a refusal is fine, wrong accounting is not.
fn run(tree: &mut Tree, step: &Step) -> Option<()> {
    let dirs = live(tree, true);
    let files = live(tree, false);
    match *step {
        Step::Dir(at, to) => tree.make(pick(&dirs, at)?, &name(to), Kind::Dir(BTreeMap::new()), Maker::ROOT).map(drop),
        Step::File(at, to, len) => {
            let made = tree.make(pick(&dirs, at)?, &name(to), Kind::File(Content::default()), Maker::ROOT);
            made.and_then(|ino| tree.truncate(ino, len))
        }
        Step::Grow(at, len) => tree.write(pick(&files, at)?, Some(len), b"data"),
        Step::Cut(at, len) => tree.truncate(pick(&files, at)?, len),
        Step::Link(file, at, to) => tree.link(pick(&files, file)?, pick(&dirs, at)?, &name(to)),
        Step::Rename(what, at, to) => {
            let mut all = dirs.clone();
            all.extend(&files);
            let (parent, old) = tree.node(pick(&all, what)?).ok()?.links.first()?.clone();
            tree.rename((parent, &old), (pick(&dirs, at)?, &name(to)), OnExisting::Replace)
        }
        Step::Remove(what) => {
            let mut all = dirs.clone();
            all.extend(&files);
            let (parent, old) = tree.node(pick(&all, what)?).ok()?.links.first()?.clone();
            if tree.unlink(parent, &old).is_ok() { Ok(()) } else { tree.rmdir(parent, &old) }
        }
        Step::Freeze(view) => tree.freeze(view, &format!("s{view}"), false, None),
        Step::Restore(view) => tree.restore(view),
    }
    .ok()
}

proptest! {
    #[test]
    fn every_directory_is_charged_exactly_for_what_lies_beneath(steps in proptest::collection::vec(step(), 1..60)) {
        let (_dir, volume) = volume(600_000);
        let mut tree = volume.lock();
        let limited = tree.make_dirs("/q/deep", Maker::ROOT).unwrap();
        tree.quotas.insert(limited, quota(100_000));
        for step in &steps {
            run(&mut tree, step);
            for dir in live(&tree, true) {
                prop_assert_eq!(tree.node(dir).unwrap().subtree, counted(&tree, dir), "after {:?}", step);
            }
            prop_assert!(tree.used() <= 600_000);
            // A second link can hand a file to a directory that would not have had room for it.
            let linked = steps.iter().any(|step| matches!(step, Step::Link(..)));
            for (ino, quota) in tree.quotas.iter().filter(|_| !linked) {
                prop_assert!(tree.node(*ino).unwrap().subtree <= quota.hard);
            }
        }
    }
}

#[test]
fn limits_round_up_to_whole_blocks_as_documented() {
    assert_eq!(round_up(10_000_000_000), 10_000_003_072);
    assert_eq!(round_up(20_000_000_000), 20_000_002_048);
    assert_eq!(round_up(1_000_000_000), 1_000_001_536);
    assert_eq!(round_up(4096), 4096);
    assert_eq!(round_up(UNLIMITED), UNLIMITED);
}

#[test]
fn inode_numbers_lie_below_2_53_between_and_above_2_63() {
    let (_dir, volume) = volume(1 << 30);
    let mut tree = volume.lock();
    let numbers: Vec<Ino> = (0..6).map(|_| tree.next_ino()).collect();
    assert!(numbers.iter().any(|ino| *ino < 1 << 53));
    assert!(numbers.iter().any(|ino| (1 << 53..1 << 63).contains(ino)));
    assert!(numbers.iter().any(|ino| *ino > 1 << 63));
}

#[test]
fn a_quota_that_is_being_added_stops_nobody() {
    let (_dir, volume) = volume(1 << 30);
    let mut tree = volume.lock();
    let dir = tree.make_dirs("/d", Maker::ROOT).unwrap();
    tree.quotas.insert(dir, Quota { active_at: None, ..quota(BLOCK) });
    let file = tree.make(dir, &name(0), Kind::File(Content::default()), Maker::ROOT).unwrap();
    assert_eq!(tree.quotas[&dir].status(1), QuotaStatus::Adding);
    tree.truncate(file, 100_000).unwrap();
    tree.quotas.insert(dir, quota(BLOCK));
    assert_eq!(tree.truncate(file, 200_000), Err(rustix::io::Errno::DQUOT));
    tree.truncate(file, 50_000).unwrap();
}
