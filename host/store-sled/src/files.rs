//! Making sled's files durable.
//!
//! sled keeps a log in `db`, values too large for a log segment in `blobs/`, its parameters in `conf`, and snapshots of its
//! page table in `snap.*`, which it syncs itself and can do without. After each batch the log is synced with `fdatasync`,
//! and so is each blob that has appeared, with its directory entry. A blob that sled has removed was replaced by a later
//! batch; rows of up to 60 KiB make none.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use parking_lot::Mutex;

#[derive(Debug)]
pub(crate) struct Files {
    log: File,
    blobs: PathBuf,
    synced_blobs: Mutex<HashSet<OsString>>,
}

impl Files {
    /// Syncs all files that sled made in `directory`.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        let files = Self {
            log: File::open(directory.join("db"))?,
            blobs: directory.join("blobs"),
            synced_blobs: Mutex::default(),
        };
        sync_path(&directory.join("conf"))?;
        files.log.sync_all()?;
        files.sync_blobs()?;
        sync_path(&files.blobs)?;
        Ok(files)
    }

    /// Everything that sled has written survives a power cut when this returns. Call it after sled's `flush`.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.sync_blobs()?;
        self.log.sync_data()
    }

    fn sync_blobs(&self) -> io::Result<()> {
        let mut synced = self.synced_blobs.lock();
        let mut present = HashSet::new();
        let mut appeared = false;
        for entry in fs::read_dir(&self.blobs)? {
            let name = entry?.file_name();
            if !synced.contains(&name) {
                match sync_path(&self.blobs.join(&name)) {
                    // sled has replaced and removed it meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    other => other?,
                }
                appeared = true;
            }
            present.insert(name);
        }
        *synced = present;
        if appeared { sync_path(&self.blobs) } else { Ok(()) }
    }
}

fn sync_path(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
