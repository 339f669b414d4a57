//! How a backend shows what it holds, for those who compare.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use stowage_ports::provider as port;

use super::backend::Holdings;

/// What a test scripts of the way a backend shows itself.
#[derive(Default)]
pub(crate) struct Script {
    /// What it calls itself; `model-1` when nothing is scripted.
    pub(crate) instance: Option<String>,
    /// Its release; `1` when nothing is scripted.
    pub(crate) release: Option<String>,
    /// Items of one page; all when nothing is scripted.
    pub(crate) page: Option<usize>,
    /// The page, from 0, that fails.
    pub(crate) breaks_at: Option<usize>,
    /// What it says of every mount.
    pub(crate) mounts: Option<port::MountState>,
    /// Items that a list leaves out, though they are there.
    pub(crate) hides: Vec<String>,
    /// Marks that are shown otherwise than they are.
    pub(crate) marks: BTreeMap<String, Option<String>>,
    /// Calls for a page so far.
    pub(crate) lists: AtomicUsize,
    /// Calls about single namespaces so far.
    pub(crate) looks: AtomicUsize,
}

impl Script {
    pub(super) fn look(&self) {
        self.looks.fetch_add(1, Ordering::Relaxed);
    }

    /// Pages and single looks so far.
    pub(crate) fn asked(&self) -> (usize, usize) {
        (self.lists.load(Ordering::Relaxed), self.looks.load(Ordering::Relaxed))
    }
}

/// A page of what is held.
pub(super) fn page(
    holds: &Holdings,
    request: &port::PageRequest,
) -> Result<port::Page<port::NamespaceState>, port::Error> {
    holds.script.lists.fetch_add(1, Ordering::Relaxed);
    let number = request.cursor.as_ref().map_or(0, |cursor| usize::from(cursor[0]));
    if holds.script.breaks_at == Some(number) {
        return Err(super::backend::error(port::ErrorKind::Unreachable));
    }
    let size = holds.script.page.unwrap_or(usize::MAX);
    let shown: Vec<&String> = holds.namespaces.keys().filter(|id| !holds.script.hides.contains(id)).collect();
    let mut pages = shown.chunks(size.min(shown.len().max(1))).skip(number);
    let items = pages.next().unwrap_or_default().iter().map(|id| state(holds, id)).collect();
    let next = pages.next().map(|_| vec![u8::try_from(number + 1).unwrap()]);
    Ok(port::Page { items, next })
}

/// One thing that is held.
pub(super) fn state(holds: &Holdings, id: &str) -> port::NamespaceState {
    let held = &holds.namespaces[id];
    let mark = holds.script.marks.get(id).cloned().unwrap_or_else(|| Some(held.owner.clone()));
    port::NamespaceState {
        native: port::NativeRef(id.as_bytes().to_vec()),
        lifecycle: if held.ready { port::Lifecycle::Ready } else { port::Lifecycle::Creating },
        protocols: Vec::new(),
        effective_limits: held.limits.clone(),
        owner: mark,
        location: format!("model:/{id}"),
        revision: None,
        extensions: Vec::new(),
    }
}
