//! Load, open, get and durable commits per second: `measure_sled DIRECTORY load ROWS | open | get ROWS READS | commits WRITERS
//! EACH`. Run it under `strace -f -c` to see the syncs. `STOWAGE_MAX_BATCH=1` makes it commit one at a time.
#![allow(clippy::unwrap_used, reason = "a measurement fails by panicking")]

use stowage_store::group::Grouping;
use stowage_store_sled::{Options, open};

#[tokio::main]
async fn main() {
    let mut options = Options::default();
    if let Ok(max_batch) = std::env::var("STOWAGE_MAX_BATCH") {
        options.grouping = Grouping { max_batch: max_batch.parse().unwrap() };
    }
    stowage_store::suite::load::measure(std::env::args().skip(1), |directory| open(directory, options).unwrap()).await;
}
