//! Watching rows instead of commits.

use futures_util::{Stream, StreamExt, stream};
use stowage_ports::store::{Version, WatchItem, Write};

use crate::{Error, Record, Segments, Tables, tables};

/// What a watcher of a table receives.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<R> {
    /// The row was written.
    Put(R, Version),
    /// The row with this key inside the table was deleted.
    Deleted(Segments, Version),
    /// A row was written that does not read back; the watch goes on.
    Unreadable(Error, Version),
    /// The watcher fell behind, or its start is no longer kept. Take [`Tables::version`], list again, and watch from that
    /// version. The watch has ended.
    Lost,
}

impl Tables {
    /// Changes after `from` to rows whose keys begin with `prefix`, in commit order.
    pub fn changes<R: Record>(
        &self,
        prefix: &Segments,
        from: Version,
    ) -> impl Stream<Item = Change<R>> + Send + Unpin + use<R> {
        let range = tables::table_key(R::TABLE, prefix).range();
        let watch = self.store().watch(range.clone(), from);
        watch.flat_map(move |item| {
            let changes: Vec<Change<R>> = match item {
                WatchItem::Lost => vec![Change::Lost],
                WatchItem::Applied(commit) => {
                    let writes = commit.writes.iter().filter(|write| range.contains(write.key()));
                    writes.map(|write| change(write, commit.version)).collect()
                }
            };
            stream::iter(changes)
        })
    }
}

fn change<R: Record>(write: &Write, version: Version) -> Change<R> {
    match write {
        Write::Put(key, value) => match tables::decode_row(key, value) {
            Ok(row) => Change::Put(row, version),
            Err(error) => Change::Unreadable(error, version),
        },
        Write::Delete(key) => match tables::inner_key(R::TABLE, key) {
            Ok(key) => Change::Deleted(key, version),
            Err(error) => Change::Unreadable(error, version),
        },
    }
}
