//! Steps from the layout of older programs to the present one. Never remove or reorder one.

use async_trait::async_trait;
use stowage_domain::Namespace;
use stowage_store::{Error, Segments, Tables, Transaction, schema::Migration};

use super::{Row, index_native};

/// Rows of one commit, two writes each.
const ROWS_AT_ONCE: usize = 50;

/// Every step, in order: hand it to `stowage_store::schema::open`.
#[must_use]
pub fn migrations() -> &'static [&'static dyn Migration] {
    &[&NativeIndexes]
}

/// Marks and places at providers lead to namespaces.
struct NativeIndexes;

#[async_trait]
impl Migration for NativeIndexes {
    fn name(&self) -> &'static str {
        "index namespaces by mark and place"
    }

    async fn run(&self, tables: &Tables) -> Result<(), Error> {
        let mut walk = tables.walk::<Row<Namespace>>(Segments::new());
        while let Some(page) = walk.next().await? {
            for some in page.chunks(ROWS_AT_ONCE) {
                let mut change = Transaction::new();
                some.iter().for_each(|(Row(namespace), _)| index_native(&mut change, namespace));
                change.commit(tables).await?;
            }
        }
        Ok(())
    }
}
