//! Lists against the obvious way: all keys, sorted, filtered and cut.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::facts::Facts;
use super::keys::Key;
use super::listing::{Ask, Entry};
use super::objects::Writer;
use crate::clock::Clock;
use crate::tree::blocks::{BlockFile, Content};
use crate::tree::volume::{Rules, Volume};

const WRITER: Writer = Writer { uid: 1000, gid: 1000 };

fn volume() -> (tempfile::TempDir, Volume) {
    let dir = tempfile::tempdir().unwrap();
    let store = BlockFile::create(&dir.path().join("blocks"), false).unwrap();
    let rules = Rules { file_metadata_blocks: 0, zero_grace_is_advisory: true, big_inodes: true };
    (dir, Volume::new(0, 1 << 30, rules, Clock::default(), store))
}

/// Every entry after `after`, the obvious way.
fn expected(keys: &BTreeSet<String>, prefix: &str, delimiter: &str, after: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for key in keys.iter().filter(|key| key.starts_with(prefix) && key.as_str() > after) {
        let cut = if delimiter.is_empty() { None } else { key[prefix.len()..].find(delimiter) };
        let entry = cut.map_or(key.clone(), |cut| key[..prefix.len() + cut + delimiter.len()].to_owned());
        if entries.last() != Some(&entry) && entry != after {
            entries.push(entry);
        }
    }
    entries
}

fn key() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "a-b", "a0", "b", "a.c", "ab", "é"]);
    prop::collection::vec(segment, 1..4).prop_map(|segments| segments.join("/"))
}

proptest! {
    #[test]
    fn pages_put_together_are_the_sorted_keys(
        keys in prop::collection::vec(key(), 0..25),
        prefix in prop::sample::select(vec!["", "a", "a/", "a/b", "a-b/", "z"]),
        delimiter in prop::sample::select(vec!["", "/", "b", "-"]),
        start in prop::sample::select(vec!["", "a", "a/", "a/a", "a0/b", "zz"]),
        limit in 1..6_usize,
    ) {
        let (_dir, volume) = volume();
        let mut tree = volume.lock();
        let bucket = tree.make_dirs("/bucket", WRITER.dir()).unwrap();
        let mut stored = BTreeSet::new();
        for key in &keys {
            let parsed = Key::parse(key).unwrap();
            if tree.put_object(bucket, &parsed, Content::default(), WRITER, Facts::default()).is_ok() {
                stored.insert(key.clone());
            }
        }
        let mut listed: Vec<String> = Vec::new();
        let mut after = start.to_owned();
        loop {
            let page = tree.list_objects(bucket, &Ask { prefix, delimiter, after: &after, limit });
            prop_assert!(page.entries.len() <= limit);
            listed.extend(page.entries.iter().map(|entry| entry.text().to_owned()));
            if !page.more {
                break;
            }
            after = listed.last().unwrap().clone();
        }
        prop_assert_eq!(listed, expected(&stored, prefix, delimiter, start));
        for key in &stored {
            tree.remove_object(bucket, &Key::parse(key).unwrap()).unwrap();
        }
        prop_assert_eq!(tree.node(bucket).unwrap().subtree, 4096, "removed objects leave nothing behind");
    }
}

#[test]
fn an_empty_directory_is_an_object_and_a_put_one_stays_one() {
    let (_dir, volume) = volume();
    let mut tree = volume.lock();
    let bucket = tree.make_dirs("/bucket", WRITER.dir()).unwrap();
    tree.make_dirs("/bucket/posix", WRITER.dir()).unwrap();
    let put = |tree: &mut crate::tree::volume::Tree, key: &str| {
        tree.put_object(bucket, &Key::parse(key).unwrap(), Content::default(), WRITER, Facts::default()).unwrap()
    };
    let marker = put(&mut tree, "put/");
    let inner = put(&mut tree, "put/x");
    let page = tree.list_objects(bucket, &Ask { prefix: "", delimiter: "", after: "", limit: 10 });
    let texts: Vec<&str> = page.entries.iter().map(Entry::text).collect();
    assert_eq!(texts, ["posix/", "put/", "put/x"]);
    assert_ne!(marker, inner);
    tree.remove_object(bucket, &Key::parse("put/x").unwrap()).unwrap();
    assert_eq!(tree.object(bucket, &Key::parse("put/").unwrap()), Ok(marker));
}

#[test]
fn a_quota_that_the_new_object_does_not_fit_in_leaves_the_old_one_and_no_directories() {
    let (_dir, volume) = volume();
    let mut tree = volume.lock();
    let bucket = tree.make_dirs("/bucket", WRITER.dir()).unwrap();
    let quota = crate::tree::accounting::Quota {
        hard: 4 * 4096,
        soft: 0,
        grace_secs: 0,
        owner: String::new(),
        active_at: Some(0),
        failed: false,
        over_soft_since: None,
    };
    tree.quotas.insert(bucket, quota);
    let bytes = |tree: &crate::tree::volume::Tree, len: usize| {
        let mut content = Content::default();
        content.write(&tree.store, 0, &vec![7; len]).unwrap();
        content
    };
    let key = Key::parse("d/e/f").unwrap();
    let full = bytes(&tree, 3 * 4096);
    let refused = tree.put_object(bucket, &key, full, WRITER, Facts::default());
    assert_eq!(refused, Err(rustix::io::Errno::DQUOT));
    assert_eq!(tree.node(bucket).unwrap().subtree, 4096);
    let small = bytes(&tree, 4096);
    let kept = tree.put_object(bucket, &key, small, WRITER, Facts::default()).unwrap();
    let again = bytes(&tree, 4096);
    let replaced = tree.put_object(bucket, &key, again, WRITER, Facts::default()).unwrap();
    assert_ne!(kept, replaced, "a full quota takes a new object of the same size");
    let more = bytes(&tree, 8192);
    assert_eq!(tree.put_object(bucket, &key, more, WRITER, Facts::default()), Err(rustix::io::Errno::DQUOT));
    assert_eq!(tree.object(bucket, &key), Ok(replaced));
}
