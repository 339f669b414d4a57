//! The suite that every engine must pass.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{path::Path, sync::Arc};

use stowage_ports::store::Store;
use stowage_store_sled::{OpenError, Options, open};

fn store(directory: &Path) -> Arc<dyn Store> {
    Arc::new(open(directory, Options::default()).unwrap())
}

stowage_store::engine_suite!(store);

#[test]
fn a_second_opener_is_told_that_the_directory_is_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path(), Options::default()).unwrap();
    let second = open(directory.path(), Options::default()).unwrap_err();
    assert!(matches!(&second, OpenError::InUse(path) if path == directory.path()), "{second}");
    drop(first);
    open(directory.path(), Options::default()).unwrap();
}

#[test]
fn a_path_that_is_no_directory_is_refused_and_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state");
    std::fs::write(&file, "x").unwrap();
    let error = open(&file, Options::default()).unwrap_err();
    assert!(matches!(&error, OpenError::Directory { path, .. } if *path == file), "{error}");
}

#[test]
fn files_that_are_no_state_are_refused_and_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("conf");
    let junk = vec![b'x'; 100_000];
    std::fs::write(&file, &junk).unwrap();
    let error = open(directory.path(), Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::Engine { .. }), "{error}");
    assert!(std::fs::read(&file).unwrap() == junk, "the file was changed");
}
