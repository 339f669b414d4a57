//! What every engine must pass.
//!
//! An engine's test file is one line: `stowage_store::engine_suite!(|directory| …)`, with a closure that opens a store in a
//! directory. Each behaviour becomes a test of its own, on a fresh directory. The suite knows the port only.
//!
//! The module is test support: it fails by panicking.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking, and their names say what they hold"
)]

mod commits;
pub mod crash;
pub mod load;
mod model;
mod races;
mod reads;
mod restart;
mod watches;

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
pub use commits::*;
pub use model::*;
pub use races::*;
pub use reads::*;
pub use restart::*;
use stowage_ports::store::{Commit, CommitError, Key, KeyRange, Precondition, Store, Version, WatchItem, Write};
pub use watches::*;

type Open = dyn Fn(&Path) -> Arc<dyn Store> + Send + Sync;

/// A directory, and how an engine is opened in it.
pub struct Site {
    directory: tempfile::TempDir,
    open: Box<Open>,
}

impl Site {
    pub fn new(open: impl Fn(&Path) -> Arc<dyn Store> + Send + Sync + 'static) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), open: Box::new(open) }
    }

    /// Opens the store; what was opened before must be gone.
    pub fn open(&self) -> Arc<dyn Store> {
        (self.open)(self.directory.path())
    }
}

/// Makes a test of each behaviour for the engine that `$open` opens: `|directory: &Path| -> Arc<dyn Store>`.
#[macro_export]
macro_rules! engine_suite {
    ($open:expr) => {
        $crate::engine_suite! { @tests $open;
            a_value_reads_back_with_the_version_of_its_commit,
            an_absent_key_is_none_and_not_an_error,
            a_scan_is_ordered_by_bytes_and_keeps_to_its_range_and_limit,
            pages_neither_repeat_nor_skip,
            an_empty_or_inverted_range_holds_nothing,
            large_values_and_empty_values_read_back,
            a_commit_is_one_version_for_all_its_writes,
            of_two_writes_to_one_key_the_later_counts,
            a_deleted_key_is_absent_and_deleting_it_again_is_no_error,
            a_conflict_names_the_first_failing_precondition_and_changes_nothing,
            at_holds_for_the_very_version_only,
            an_empty_range_precondition_sees_inserts_and_deletes,
            a_commit_without_writes_checks_its_preconditions,
            a_commit_over_the_limit_is_refused_and_the_limit_itself_is_not,
            a_write_to_the_empty_key_is_refused,
            of_many_racing_to_create_a_key_exactly_one_wins,
            compare_and_set_loses_no_increment,
            readers_never_see_half_of_a_commit,
            an_empty_range_guards_against_a_racing_insert,
            commits_in_flight_together_get_versions_of_their_own,
            a_watch_delivers_commits_of_its_range_in_order,
            a_watch_resumes_after_the_version_it_was_given,
            a_watch_from_before_the_restart_is_lost_and_from_now_is_not,
            a_watch_ends_when_the_store_is_closed,
            state_and_version_survive_a_restart,
            state_survives_being_dropped_without_close,
            versions_go_on_after_a_restart,
            a_closed_store_says_so,
            an_engine_behaves_as_an_ordered_map,
        }
    };
    (@tests $open:expr; $($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                $crate::suite::run($crate::suite::$name, $open);
            }
        )*
    };
}

/// Runs one behaviour on a runtime of its own.
pub fn run<F: Future<Output = ()>>(
    behaviour: impl Fn(Arc<Site>) -> F,
    open: impl Fn(&Path) -> Arc<dyn Store> + Send + Sync + 'static,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(behaviour(Arc::new(Site::new(open))));
}

fn key(text: &str) -> Key {
    Bytes::copy_from_slice(text.as_bytes())
}

fn put(name: &str, value: &str) -> Write {
    Write::Put(key(name), key(value))
}

fn delete(name: &str) -> Write {
    Write::Delete(key(name))
}

fn writes(writes: impl IntoIterator<Item = Write>) -> Commit {
    Commit { preconditions: Vec::new(), writes: writes.into_iter().collect() }
}

fn when(preconditions: impl IntoIterator<Item = Precondition>, writes: impl IntoIterator<Item = Write>) -> Commit {
    Commit { preconditions: preconditions.into_iter().collect(), writes: writes.into_iter().collect() }
}

/// Every row, as text.
async fn all(store: &Arc<dyn Store>) -> Vec<(String, String)> {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let rows = store.scan(KeyRange::prefix(b""), 10_000).await.unwrap();
    rows.iter().map(|(key, row)| (text(key), text(&row.value))).collect()
}

async fn value(store: &Arc<dyn Store>, name: &str) -> Option<String> {
    let row = store.get(name.as_bytes()).await.unwrap()?;
    Some(String::from_utf8(row.value.to_vec()).unwrap())
}

/// What should come soon, or the test fails instead of hanging.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("it did not happen within a minute")
}
