//! The cache's MAC key and the part of a file's name that stands for the runtime.

use std::fs;
use std::hash::{Hash as _, Hasher};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::EngineError;

const KEY_FILE: &str = "cache.key";
const KEY_BYTES: usize = 32;

pub(crate) struct MacKey([u8; KEY_BYTES]);

impl MacKey {
    /// Reads the directory's key, or makes one. A key that others can read is refused.
    pub(crate) fn open(directory: &Path) -> Result<Self, EngineError> {
        let path = directory.join(KEY_FILE);
        let problem = |problem: String| EngineError::Cache { path: path.display().to_string(), problem };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|e| problem(e.to_string()))?;
        match Self::make(&path) {
            Ok(key) => Ok(key),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::read(&path).map_err(problem),
            Err(error) => Err(problem(error.to_string())),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Written beside and linked into place, so that nobody reads half a key.
    fn make(path: &Path) -> std::io::Result<Self> {
        if path.exists() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let key: [u8; KEY_BYTES] = rand::random();
        let draft = path.with_extension(format!("draft-{:016x}", rand::random::<u64>()));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        let made = file.write_all(&key).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, path));
        fs::remove_file(&draft).ok();
        made.map(|()| Self(key))
    }

    fn read(path: &Path) -> Result<Self, String> {
        let mut file = fs::File::open(path).map_err(|error| error.to_string())?;
        let mode = file.metadata().map_err(|error| error.to_string())?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(format!("its mode is {:o}: make it 600, or remove it to have a new one made", mode & 0o777));
        }
        let mut key = [0; KEY_BYTES];
        file.read_exact(&mut key).map_err(|_| "it is too short: remove it to have a new one made".to_owned())?;
        Ok(Self(key))
    }
}

/// Names the runtime's version, settings and target: artefacts of another are never looked at.
pub(crate) fn compatibility(runtime: &wasmtime::Engine) -> String {
    struct Wide(Sha256);
    impl Hasher for Wide {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut wide = Wide(Sha256::new());
    runtime.precompile_compatibility_hash().hash(&mut wide);
    let digest = wide.0.finalize();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
