//! Where file bytes lie: one sparse file per filesystem, cut into slots of 64 KiB.
//!
//! A slot is reference counted. A snapshot copies only the map from position to slot; the first write to a shared slot
//! moves it (copy on write). Dropping the last holder gives the slot back; where the tree is kept over a restart, it is
//! used again only after the next save (see [`super::saved`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

/// Bytes in one slot.
const SLOT: usize = 64 * 1024;

/// The backing file of one filesystem.
#[derive(Debug)]
pub(crate) struct BlockFile {
    file: File,
    /// Slots that are given back wait for a save.
    kept: bool,
    room: Mutex<Room>,
}

#[derive(Debug, Default)]
struct Room {
    free: Vec<u64>,
    /// Given back since the last save.
    returned: Vec<u64>,
    next: u64,
}

/// One slot in use.
#[derive(Debug)]
struct Slot {
    index: u64,
    store: Arc<BlockFile>,
}

impl Slot {
    fn position(&self) -> u64 {
        self.index.saturating_mul(SLOT as u64)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut room = self.store.room.lock();
        let whereto = if self.store.kept { &mut room.returned } else { &mut room.free };
        whereto.push(self.index);
    }
}

impl BlockFile {
    /// Makes an empty backing file, replacing one that is there.
    pub(crate) fn create(path: &Path, kept: bool) -> io::Result<Arc<Self>> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        Ok(Arc::new(Self { file, kept, room: Mutex::default() }))
    }

    /// Opens the backing file of a tree that was saved; [`Slots`] says which slots it uses.
    pub(crate) fn open(path: &Path) -> io::Result<Arc<Self>> {
        let file = File::options().read(true).write(true).open(path)?;
        Ok(Arc::new(Self { file, kept: true, room: Mutex::default() }))
    }

    /// Slots that were given back and that a save, begun now, will no longer name.
    pub(crate) fn returned(&self) -> Vec<u64> {
        std::mem::take(&mut self.room.lock().returned)
    }

    /// After that save: they may be used again, unless it failed.
    pub(crate) fn hand_out_again(&self, returned: Vec<u64>, saved: bool) {
        let mut room = self.room.lock();
        if saved { room.free.extend(returned) } else { room.returned.extend(returned) }
    }

    fn take(self: &Arc<Self>) -> Slot {
        let mut room = self.room.lock();
        let index = room.free.pop().unwrap_or_else(|| {
            let next = room.next;
            room.next = room.next.saturating_add(1);
            next
        });
        Slot { index, store: Arc::clone(self) }
    }
}

/// The content of one regular file; cloning shares the slots.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    len: u64,
    slots: BTreeMap<u64, Arc<Slot>>,
}

/// The slots of a tree that is read back: files that shared one before share it again.
pub(crate) struct Slots {
    store: Arc<BlockFile>,
    used: HashMap<u64, Arc<Slot>>,
}

impl Slots {
    pub(crate) fn of(store: &Arc<BlockFile>) -> Self {
        Self { store: Arc::clone(store), used: HashMap::new() }
    }

    fn slot(&mut self, index: u64) -> Arc<Slot> {
        let store = &self.store;
        Arc::clone(self.used.entry(index).or_insert_with(|| Arc::new(Slot { index, store: Arc::clone(store) })))
    }

    /// Says that every slot in use is known: the others are free.
    pub(crate) fn settle(self) {
        let used: BTreeSet<u64> = self.used.keys().copied().collect();
        let next = used.last().map_or(0, |last| last.saturating_add(1));
        let mut room = self.store.room.lock();
        room.free = (0..next).filter(|index| !used.contains(index)).collect();
        room.next = next;
    }
}

/// The part of `[offset, offset + len)` that lies in one slot.
struct Piece {
    slot: u64,
    within: usize,
    len: usize,
}

fn pieces(offset: u64, len: usize) -> impl Iterator<Item = Piece> {
    let mut at = offset;
    let mut left = len;
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let within = usize::try_from(at % SLOT as u64).unwrap_or_default();
        let len = left.min(SLOT - within);
        let piece = Piece { slot: at / SLOT as u64, within, len };
        at = at.saturating_add(len as u64);
        left -= len;
        Some(piece)
    })
}

impl Content {
    /// Position and slot of each piece that is no hole.
    pub(crate) fn indices(&self) -> Vec<(u64, u64)> {
        self.slots.iter().map(|(position, slot)| (*position, slot.index)).collect()
    }

    /// What [`Self::indices`] described.
    pub(crate) fn restored(len: u64, indices: Vec<(u64, u64)>, slots: &mut Slots) -> Self {
        Self { len, slots: indices.into_iter().map(|(position, index)| (position, slots.slot(index))).collect() }
    }

    /// Length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Reads up to `len` bytes; short at the end of the file, zeros in holes.
    pub(crate) fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let readable = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX).min(len);
        let mut bytes = Vec::with_capacity(readable);
        for piece in pieces(offset, readable) {
            let start = bytes.len();
            bytes.resize(start + piece.len, 0);
            if let (Some(slot), Some(room)) = (self.slots.get(&piece.slot), bytes.get_mut(start..)) {
                slot.store.file.read_exact_at(room, slot.position() + piece.within as u64)?;
            }
        }
        Ok(bytes)
    }

    /// Writes at `offset`, growing the file as needed.
    pub(crate) fn write(&mut self, store: &Arc<BlockFile>, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut rest = data;
        for piece in pieces(offset, data.len()) {
            let (now, later) = rest.split_at_checked(piece.len).unwrap_or((rest, &[]));
            rest = later;
            self.write_piece(store, &piece, now)?;
        }
        self.len = self.len.max(offset.saturating_add(data.len() as u64));
        Ok(())
    }

    fn write_piece(&mut self, store: &Arc<BlockFile>, piece: &Piece, data: &[u8]) -> io::Result<()> {
        if let Some(slot) = self.slots.get(&piece.slot).filter(|slot| Arc::strong_count(slot) == 1) {
            return store.file.write_all_at(data, slot.position() + piece.within as u64);
        }
        let mut whole = vec![0_u8; SLOT];
        if let Some(shared) = self.slots.get(&piece.slot) {
            store.file.read_exact_at(&mut whole, shared.position())?;
        }
        if let Some(room) = whole.get_mut(piece.within..piece.within + data.len()) {
            room.copy_from_slice(data);
        }
        let slot = store.take();
        store.file.write_all_at(&whole, slot.position())?;
        self.slots.insert(piece.slot, Arc::new(slot));
        Ok(())
    }

    /// Cuts or extends the file; what is added reads as zeros.
    pub(crate) fn truncate(&mut self, store: &Arc<BlockFile>, len: u64) -> io::Result<()> {
        if len < self.len {
            let first_dropped = len.div_ceil(SLOT as u64);
            self.slots.split_off(&first_dropped);
            let within = usize::try_from(len % SLOT as u64).unwrap_or_default();
            let last = len / SLOT as u64;
            if within != 0 && self.slots.contains_key(&last) {
                let zeros = vec![0_u8; SLOT - within];
                self.write_piece(store, &Piece { slot: last, within, len: zeros.len() }, &zeros)?;
            }
        }
        self.len = len;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Arc<BlockFile>) {
        let dir = tempfile::tempdir().unwrap();
        let store = BlockFile::create(&dir.path().join("blocks"), false).unwrap();
        (dir, store)
    }

    #[test]
    fn holes_read_as_zeros_and_writes_cross_slots() {
        let (_dir, store) = store();
        let mut content = Content::default();
        let data: Vec<u8> = (0..SLOT + 10).map(|n| u8::try_from(n % 251).unwrap()).collect();
        content.write(&store, SLOT as u64 - 5, &data).unwrap();
        assert_eq!(content.len(), (2 * SLOT + 5) as u64);
        assert_eq!(content.read(0, 4).unwrap(), vec![0; 4]);
        assert_eq!(content.read(SLOT as u64 - 5, data.len() + 99).unwrap(), data);
    }

    #[test]
    fn a_copy_keeps_its_bytes_when_the_original_is_written() {
        let (_dir, store) = store();
        let mut content = Content::default();
        content.write(&store, 0, b"before").unwrap();
        let copy = content.clone();
        content.write(&store, 0, b"after!").unwrap();
        assert_eq!(copy.read(0, 6).unwrap(), b"before");
        assert_eq!(content.read(0, 6).unwrap(), b"after!");
    }

    #[test]
    fn what_a_truncate_cuts_off_does_not_come_back() {
        let (_dir, store) = store();
        let mut content = Content::default();
        content.write(&store, 0, &[7; 100]).unwrap();
        content.truncate(&store, 10).unwrap();
        content.truncate(&store, 100).unwrap();
        let mut expected = vec![7; 10];
        expected.resize(100, 0);
        assert_eq!(content.read(0, 100).unwrap(), expected);
    }
}
