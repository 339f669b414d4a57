//! A kill at any point, and a full disk.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{path::Path, sync::Arc};

use stowage_ports::store::Store;
use stowage_store_redb::{Options, open};

fn store(directory: &Path) -> Arc<dyn Store> {
    Arc::new(open(directory, Options::default()).unwrap())
}

#[test]
fn everything_answered_survives_sigkill() {
    stowage_store::suite::crash::survives_sigkill("everything_answered_survives_sigkill", store);
}

#[test]
fn a_full_disk_is_a_typed_error_and_loses_nothing_answered() {
    stowage_store::suite::crash::a_full_disk_is_a_typed_error(
        "a_full_disk_is_a_typed_error_and_loses_nothing_answered",
        store,
    );
}
