//! Which operations are due, in memory. The store knows which are unfinished; a start-up fills this from there.

use std::collections::{BTreeSet, HashMap};

use parking_lot::Mutex;
use stowage_domain::{OperationId, UnixMillis};
use tokio::sync::Notify;

#[derive(Debug, Clone, Copy)]
enum Place {
    /// Due at this time.
    Due(UnixMillis),
    /// Being driven; `true` when it was woken meanwhile.
    Running(bool),
}

#[derive(Debug, Default)]
struct State {
    places: HashMap<OperationId, Place>,
    due: BTreeSet<(UnixMillis, OperationId)>,
    /// Those that wait until some node can do their work.
    any_node: BTreeSet<OperationId>,
}

/// The queue. An operation is in it once, and driven by one task at a time.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

impl Queue {
    /// Makes an operation due at `at`, or now if it is being driven.
    pub(crate) fn schedule(&self, id: &OperationId, at: UnixMillis) {
        let mut state = self.state.lock();
        match state.places.get(id).copied() {
            Some(Place::Running(_)) => {
                state.places.insert(id.clone(), Place::Running(true));
                return;
            }
            Some(Place::Due(before)) if before <= at => return,
            Some(Place::Due(before)) => {
                state.due.remove(&(before, id.clone()));
            }
            None => {}
        }
        state.places.insert(id.clone(), Place::Due(at));
        state.due.insert((at, id.clone()));
        drop(state);
        self.changed.notify_one();
    }

    /// Wakes an operation now.
    pub(crate) fn wake(&self, id: &OperationId) {
        self.schedule(id, UnixMillis(0));
    }

    /// Wakes those that wait until some node can do their work.
    pub(crate) fn wake_any_node(&self) {
        let waiting: Vec<OperationId> = std::mem::take(&mut self.state.lock().any_node).into_iter().collect();
        waiting.iter().for_each(|id| self.wake(id));
    }

    pub(crate) fn waits_for_any_node(&self, id: &OperationId) {
        self.state.lock().any_node.insert(id.clone());
    }

    /// Takes the first that is due, or tells when the next will be.
    pub(crate) fn take(&self, now: UnixMillis) -> Result<OperationId, Option<UnixMillis>> {
        let mut state = self.state.lock();
        match state.due.first().cloned() {
            Some((at, id)) if at <= now => {
                state.due.remove(&(at, id.clone()));
                state.places.insert(id.clone(), Place::Running(false));
                Ok(id)
            }
            Some((at, _)) => Err(Some(at)),
            None => Err(None),
        }
    }

    /// Puts a driven operation back: due again at `next`, or now if it was woken meanwhile, or out with `None`.
    pub(crate) fn put_back(&self, id: &OperationId, next: Option<UnixMillis>) {
        let mut state = self.state.lock();
        let woken = matches!(state.places.remove(id), Some(Place::Running(true)));
        drop(state);
        match next {
            Some(_) if woken => self.wake(id),
            Some(at) => self.schedule(id, at),
            None => {}
        }
    }

    /// Ends when something was scheduled.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Number of operations waiting and running.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.due.len(), state.places.len().saturating_sub(state.due.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> OperationId {
        OperationId::parse(text).unwrap()
    }

    #[test]
    fn an_operation_woken_while_it_is_driven_is_driven_again() {
        let queue = Queue::default();
        queue.schedule(&id("a"), UnixMillis(5));
        assert_eq!(queue.take(UnixMillis(4)), Err(Some(UnixMillis(5))));
        assert_eq!(queue.take(UnixMillis(5)), Ok(id("a")));
        queue.wake(&id("a"));
        assert_eq!(queue.take(UnixMillis(9)), Err(None));
        queue.put_back(&id("a"), Some(UnixMillis(100)));
        assert_eq!(queue.take(UnixMillis(9)), Ok(id("a")));
        queue.put_back(&id("a"), None);
        assert_eq!(queue.depth(), (0, 0));
    }

    #[test]
    fn the_earlier_of_two_times_counts() {
        let queue = Queue::default();
        queue.schedule(&id("a"), UnixMillis(5));
        queue.schedule(&id("a"), UnixMillis(9));
        assert_eq!(queue.take(UnixMillis(5)), Ok(id("a")));
    }
}
