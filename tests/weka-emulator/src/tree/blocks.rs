//! Where file bytes lie: one sparse file per filesystem, cut into slots of 64 KiB.
//!
//! A slot is reference counted. A snapshot copies only the map from position to slot; the first write to a shared slot
//! moves it (copy on write). Dropping the last holder gives the slot back.

use std::collections::BTreeMap;
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
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    free: Vec<u64>,
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
        self.store.slots.lock().free.push(self.index);
    }
}

impl BlockFile {
    /// Makes an empty backing file, replacing one that is there.
    pub(crate) fn create(path: &Path) -> io::Result<Arc<Self>> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        Ok(Arc::new(Self { file, slots: Mutex::default() }))
    }

    fn take(self: &Arc<Self>) -> Slot {
        let mut slots = self.slots.lock();
        let index = slots.free.pop().unwrap_or_else(|| {
            let next = slots.next;
            slots.next = slots.next.saturating_add(1);
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
        let store = BlockFile::create(&dir.path().join("blocks")).unwrap();
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
