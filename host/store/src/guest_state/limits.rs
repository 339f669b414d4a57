//! How much an adapter may keep.

use parking_lot::Mutex;
use stowage_ports::guest_state::GuestStateError;

/// The longest key, in bytes of UTF-8. Part of the plugin contract, so it is no setting.
pub(super) const KEY_BYTES: usize = 256;

/// The limits of one instance's key-value space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuestLimits {
    /// Sum over all keys and values.
    pub bytes: u64,
    /// Number of keys.
    pub keys: u64,
    /// The largest value. Engines keep values of up to 1 MiB well; etcd refuses requests over 1.5 MiB.
    pub value_bytes: u64,
}

impl Default for GuestLimits {
    /// 64 MiB in 100,000 keys, values up to 256 KiB: some hundred bytes for each of 100,000 namespaces.
    fn default() -> Self {
        Self { bytes: 64 << 20, keys: 100_000, value_bytes: 256 << 10 }
    }
}

pub(super) fn check_key(key: &str) -> Result<(), GuestStateError> {
    if key.is_empty() || key.len() > KEY_BYTES {
        return Err(GuestStateError::Full { what: "key length", limit: KEY_BYTES as u64 });
    }
    Ok(())
}

/// Bytes and keys in use or reserved by a write under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) bytes: u64,
    pub(super) keys: u64,
}

impl Use {
    pub(super) fn of(key: &str, value_len: usize) -> Self {
        Self { bytes: (key.len() as u64).saturating_add(value_len as u64), keys: 1 }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.keys = self.keys.saturating_add(other.keys);
    }

    fn sub(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_sub(other.bytes);
        self.keys = self.keys.saturating_sub(other.keys);
    }
}

/// What is in use, checked against the limits before each write.
#[derive(Debug)]
pub(super) struct Meter {
    limits: GuestLimits,
    used: Mutex<Use>,
}

impl Meter {
    pub(super) fn new(limits: GuestLimits, used: Use) -> Self {
        Self { limits, used: Mutex::new(used) }
    }

    /// Takes the room for `new` in place of `old`. The old room is only free once the write is done, so it is given back
    /// by [`Meter::release`] afterwards; after a failed write, `new` is.
    pub(super) fn reserve(&self, old: Use, new: Use) -> Result<(), GuestStateError> {
        let mut used = self.used.lock();
        let mut after = *used;
        after.add(new);
        let mut lasting = after;
        lasting.sub(old);
        if lasting.bytes > self.limits.bytes && new.bytes > old.bytes {
            return Err(GuestStateError::Full { what: "bytes", limit: self.limits.bytes });
        }
        if lasting.keys > self.limits.keys && new.keys > old.keys {
            return Err(GuestStateError::Full { what: "keys", limit: self.limits.keys });
        }
        *used = after;
        Ok(())
    }

    pub(super) fn release(&self, room: Use) {
        self.used.lock().sub(room);
    }
}
