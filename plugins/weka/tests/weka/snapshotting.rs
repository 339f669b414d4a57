//! Snapshots: of a filesystem that is a namespace, and of nothing else.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::{Fault, Rule};

use crate::bench::{Bench, DIRECTORY, FILESYSTEM, GIB, ORGANIZATION, kind, spec};
use crate::organization::spec_of;

fn take(bench: &Bench, owner: &str, namespace: &NativeRef, name: &str) -> Result<NativeRef> {
    bench.settle(owner, |call| <Weka as Snapshots>::create(call, namespace.clone(), name.to_owned()))
}

fn restore(bench: &Bench, owner: &str, snapshot: &NativeRef) -> Result<NativeRef> {
    bench.settle(owner, |call| Weka::restore(call, snapshot.clone()))
}

fn remove(bench: &Bench, owner: &str, snapshot: &NativeRef) -> Result<NativeRef> {
    bench.settle(owner, |call| <Weka as Snapshots>::delete(call, snapshot.clone()))
}

fn listed(bench: &Bench, namespace: &NativeRef) -> Vec<Snapshot> {
    let page = PageRequest { cursor: None, limit: 100 };
    bench.call(|| <Weka as Snapshots>::list_page(namespace.clone(), page)).unwrap().items
}

/// Where a namespace's files are: organization and filesystem.
fn place(bench: &Bench, namespace: &NativeRef) -> (Option<String>, String) {
    let location = bench.call(|| <Weka as Namespaces>::inspect(namespace.clone())).unwrap().location;
    match location.split_once('/') {
        Some((organization, filesystem)) => (Some(organization.to_owned()), filesystem.to_owned()),
        None => (None, location),
    }
}

fn write(bench: &Bench, namespace: &NativeRef, text: &str) {
    let (organization, filesystem) = place(bench, namespace);
    bench.control().write_file(organization.as_deref(), &filesystem, "/shared/f", text.as_bytes()).unwrap();
}

fn read(bench: &Bench, namespace: &NativeRef) -> String {
    let (organization, filesystem) = place(bench, namespace);
    let bytes = bench.control().read_file(organization.as_deref(), &filesystem, "/shared/f").unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Two namespaces side by side, by the isolation of `config`.
fn neighbours(config: &str) -> (Bench, NativeRef, NativeRef) {
    let bench = Bench::configured(config);
    let make = |owner: &str, id: &str| {
        let wanted = if config == ORGANIZATION {
            spec_of(&bench.ensure_tenant("acme", &[]).unwrap(), id, GIB)
        } else {
            spec(id, GIB)
        };
        bench.create(owner, &wanted).unwrap()
    };
    let (ours, neighbour) = (make("op-1", "aaaa-bbbb"), make("op-2", "cccc-dddd"));
    (bench, ours, neighbour)
}

#[test]
pub(crate) fn a_restore_sets_one_namespace_back_and_leaves_its_neighbour_alone() {
    for config in [FILESYSTEM, ORGANIZATION] {
        let (bench, ours, neighbour) = neighbours(config);
        write(&bench, &ours, "before");
        write(&bench, &neighbour, "before");
        let snapshot = take(&bench, "op-s", &ours, "epoch-1").unwrap();
        write(&bench, &ours, "after");
        write(&bench, &neighbour, "after");
        restore(&bench, "op-r", &snapshot).unwrap();
        assert_eq!((read(&bench, &ours), read(&bench, &neighbour)), ("before".to_owned(), "after".to_owned()));
    }
}

#[test]
pub(crate) fn snapshots_of_a_shared_filesystem_are_unsupported_beside_a_neighbours_data() {
    let (bench, ours, neighbour) = neighbours(DIRECTORY);
    let file = |id: &str| format!("/stowage/{id}/shared/f");
    bench.control().write_file(None, "gpuaas-kind-fs", &file("cccc-dddd"), b"the neighbour's").unwrap();
    let changes = bench.changes().len();
    assert_eq!(kind(take(&bench, "op-s", &ours, "epoch-1")), "Unsupported");
    let page = PageRequest { cursor: None, limit: 100 };
    assert_eq!(kind(bench.call(|| <Weka as Snapshots>::list_page(neighbour.clone(), page))), "Unsupported");
    assert_eq!(bench.changes().len(), changes, "nothing was asked of the cluster");
    assert_eq!(bench.control().read_file(None, "gpuaas-kind-fs", &file("cccc-dddd")).unwrap(), b"the neighbour's");
}

#[test]
fn a_snapshot_is_taken_once_listed_and_removed() {
    let (bench, ours, neighbour) = neighbours(FILESYSTEM);
    let snapshot = take(&bench, "op-s", &ours, "epoch-1").unwrap();
    assert_eq!(take(&bench, "op-s", &ours, "epoch-1").unwrap(), snapshot);
    assert_eq!(kind(take(&bench, "op-other", &ours, "epoch-1")), "ForeignOwner");
    let second = take(&bench, "op-t", &ours, "epoch-2").unwrap();
    let all = listed(&bench, &ours);
    let names: Vec<_> = all.iter().map(|snapshot| snapshot.name.as_str()).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"epoch-1") && names.contains(&"epoch-2"));
    assert!(all[0].created_at.is_some() && all[0].path.as_ref().unwrap().starts_with(".snapshots/sw-"), "{all:?}");
    assert!(listed(&bench, &neighbour).is_empty());
    for _ in 0..2 {
        remove(&bench, "op-d", &snapshot).unwrap();
    }
    assert_eq!(listed(&bench, &ours).iter().map(|s| &s.ref_).collect::<Vec<_>>(), [&second]);
    assert_eq!(kind(restore(&bench, "op-r", &snapshot)), "NotFound");
}

#[test]
pub(crate) fn a_repeated_restore_of_the_same_operation_keeps_what_was_written_since() {
    let (bench, ours, _) = neighbours(FILESYSTEM);
    write(&bench, &ours, "before");
    let snapshot = take(&bench, "op-s", &ours, "epoch-1").unwrap();
    restore(&bench, "op-r", &snapshot).unwrap();
    write(&bench, &ours, "since");
    restore(&bench, "op-r", &snapshot).unwrap();
    assert_eq!(read(&bench, &ours), "since");
    restore(&bench, "op-again", &snapshot).unwrap();
    assert_eq!(read(&bench, &ours), "before");
}

#[test]
fn a_snapshot_of_others_is_listed_and_never_removed() {
    let (bench, ours, _) = neighbours(FILESYSTEM);
    take(&bench, "op-s", &ours, "epoch-1").unwrap();
    let renamed = String::from_utf8(listed(&bench, &ours)[0].ref_.clone()).unwrap().replace("epoch-1", "daily");
    assert_eq!(kind(remove(&bench, "op-d", &renamed.into_bytes())), "ForeignOwner");
    assert_eq!(listed(&bench, &ours).len(), 1);
}

#[test]
pub(crate) fn a_filesystem_that_its_snapshots_hold_is_removed_after_them() {
    let (bench, ours, neighbour) = neighbours(FILESYSTEM);
    bench.switch("snapshots_hold_filesystem", true);
    take(&bench, "op-s", &ours, "epoch-1").unwrap();
    take(&bench, "op-t", &ours, "epoch-2").unwrap();
    take(&bench, "op-u", &neighbour, "epoch-1").unwrap();
    bench.delete("op-d", &ours, &DataPolicy::Purge).unwrap();
    assert_eq!(bench.listed(10).len(), 1);
    assert_eq!(listed(&bench, &neighbour).len(), 1, "the neighbour's stay");
}

#[test]
pub(crate) fn snapshots_that_are_being_removed_make_others_wait() {
    let (bench, ours, _) = neighbours(FILESYSTEM);
    let snapshot = take(&bench, "op-s", &ours, "epoch-1").unwrap();
    bench.switch("snapshot_remove_ms", 60_000);
    let first = bench.call(|| <Weka as Snapshots>::delete(crate::bench::call("op-d"), snapshot.clone())).unwrap();
    assert!(matches!(first, Progress::Pending(_)), "{first:?}");
    assert_eq!(kind(take(&bench, "op-t", &ours, "epoch-2")), "ConflictRetry");
}

#[test]
pub(crate) fn a_full_task_table_puts_a_removal_off() {
    let (bench, ours, _) = neighbours(FILESYSTEM);
    let snapshot = take(&bench, "op-s", &ours, "epoch-1").unwrap();
    bench.control().add_fault(Rule::new(Fault::TooManyTasks).on("DELETE", "/snapshots/*").times(1));
    assert_eq!(kind(remove(&bench, "op-d", &snapshot)), "Throttled");
    remove(&bench, "op-d", &snapshot).unwrap();
    assert!(listed(&bench, &ours).is_empty());
}
