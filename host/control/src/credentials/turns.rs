//! One at a time under the same name, inside a process.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

/// Locks by name; one that nobody holds or waits for is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Turns(parking_lot::Mutex<HashMap<String, Weak<Mutex<()>>>>);

impl Turns {
    /// Waits until nobody else has the turn of this name.
    pub(crate) async fn take(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock();
            turns.retain(|_, turn| turn.strong_count() > 0);
            match turns.get(name).and_then(Weak::upgrade) {
                Some(turn) => turn,
                None => {
                    let turn = Arc::new(Mutex::new(()));
                    turns.insert(name.to_owned(), Arc::downgrade(&turn));
                    turn
                }
            }
        };
        turn.lock_owned().await
    }
}
