//! What the agent has mounted, written down before it is done, so that a restart knows what to look after.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One plan on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `tenants/…/mountPlans/…`.
    pub mount_plan: String,
    /// Where each mount is, in the plan's order.
    pub targets: Vec<PathBuf>,
    /// Staging mounts beneath them, taken away after them.
    pub staging: Vec<PathBuf>,
    /// Whether all of it was mounted; `false` while it is in the making.
    pub complete: bool,
}

/// The file of entries by mount id.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

impl Journal {
    /// Reads the journal, or begins one.
    pub fn open(path: PathBuf) -> std::io::Result<Self> {
        let entries = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(std::io::Error::other)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { path, entries })
    }

    /// All entries.
    #[must_use]
    pub const fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// Writes an entry; durable when it returns.
    pub fn put(&mut self, id: &str, entry: Entry) -> std::io::Result<()> {
        self.entries.insert(id.to_owned(), entry);
        self.save()
    }

    /// Forgets an entry.
    pub fn remove(&mut self, id: &str) -> std::io::Result<()> {
        if self.entries.remove(id).is_some() { self.save() } else { Ok(()) }
    }

    fn save(&self) -> std::io::Result<()> {
        let text = serde_json::to_vec_pretty(&self.entries).map_err(std::io::Error::other)?;
        write_durably(&self.path, &text)
    }
}

/// Replaces a file whole, readable by its owner alone.
pub fn write_durably(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let next = path.with_extension("next");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&next)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&next, path)?;
    std::fs::File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_a_reopen_and_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mounts.json");
        let entry = Entry { mount_plan: "p".into(), targets: vec!["/t".into()], staging: vec![], complete: false };
        Journal::open(path.clone()).unwrap().put("m1", entry.clone()).unwrap();
        assert_eq!(Journal::open(path.clone()).unwrap().entries().get("m1"), Some(&entry));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        Journal::open(path.clone()).unwrap().remove("m1").unwrap();
        assert!(Journal::open(path).unwrap().entries().is_empty());
    }
}
