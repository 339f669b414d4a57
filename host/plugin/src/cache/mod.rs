//! Compiled components on disk.
//!
//! Problem: compiled code is machine code; whoever can write the cache runs code in the host. Rule: a file counts only
//! if its MAC, over the key and the content, is right under a key file that only the host's user can read. Anything
//! else (altered, cut, of another runtime) is compiled again and counted as a rejection. The bytes that were verified are
//! the bytes that are mapped: the file is read once and never mapped from disk, where it could change afterwards.

mod key;
mod map;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use wasmtime::component::Component;

use crate::error::{AdmitError, EngineError};
use key::MacKey;

const MAGIC: &[u8; 16] = b"stowage-cwasm-1\n";
const MAC_BYTES: usize = 32;

/// What the cache did since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheStats {
    /// Found and used.
    pub hits: u64,
    /// Not found.
    pub misses: u64,
    /// Found and refused: altered, cut or not loadable.
    pub rejects: u64,
}

#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
    rejects: AtomicU64,
}

pub(crate) struct Cache {
    place: Option<(PathBuf, MacKey)>,
    compatibility: String,
    counts: Counts,
}

impl Cache {
    /// Opens the directory, making it (0700) and its key file (0600) at first use.
    pub(crate) fn open(directory: Option<PathBuf>, runtime: &wasmtime::Engine) -> Result<Self, EngineError> {
        let place = match directory {
            Some(directory) => {
                let key = MacKey::open(&directory)?;
                Some((directory, key))
            }
            None => None,
        };
        Ok(Self { place, compatibility: key::compatibility(runtime), counts: Counts::default() })
    }

    pub(crate) fn stats(&self) -> CacheStats {
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        CacheStats {
            hits: read(&self.counts.hits),
            misses: read(&self.counts.misses),
            rejects: read(&self.counts.rejects),
        }
    }

    /// The component of these bytes, whose digest is `digest`: from the cache or compiled now. Blocks.
    pub(crate) fn load(&self, runtime: &wasmtime::Engine, wasm: &[u8], digest: &str) -> Result<Component, AdmitError> {
        let Some((directory, key)) = &self.place else {
            self.counts.misses.fetch_add(1, Ordering::Relaxed);
            return compile(runtime, wasm).and_then(|code| map::component(runtime, &code).map_err(AdmitError::Compile));
        };
        let name = format!("{digest}-{}", self.compatibility);
        let path = directory.join(format!("{name}.cwasm"));
        match self.read(runtime, &path, &name, key) {
            Found::Good(component) => {
                self.counts.hits.fetch_add(1, Ordering::Relaxed);
                crate::telemetry::artefact("hits");
                return Ok(component);
            }
            Found::Nothing => {
                self.counts.misses.fetch_add(1, Ordering::Relaxed);
                crate::telemetry::artefact("misses");
            }
            Found::Bad(why) => {
                self.counts.rejects.fetch_add(1, Ordering::Relaxed);
                crate::telemetry::artefact("rejects");
                tracing::warn!(artefact = %path.display(), why, "compiled artefact refused; it is compiled again");
            }
        }
        let code = compile(runtime, wasm)?;
        if let Err(error) = write(directory, &path, &seal(key, &name, &code)) {
            tracing::warn!(artefact = %path.display(), %error, "compiled artefact could not be kept");
        }
        map::component(runtime, &code).map_err(AdmitError::Compile)
    }

    fn read(&self, runtime: &wasmtime::Engine, path: &Path, name: &str, key: &MacKey) -> Found {
        let Ok(bytes) = fs::read(path) else { return Found::Nothing };
        let Some(code) = unseal(key, name, &bytes) else { return Found::Bad("the MAC does not fit") };
        match map::component(runtime, code) {
            Ok(component) => Found::Good(component),
            Err(_) => Found::Bad("the runtime does not take it"),
        }
    }
}

enum Found {
    Good(Component),
    Nothing,
    Bad(&'static str),
}

fn compile(runtime: &wasmtime::Engine, wasm: &[u8]) -> Result<Vec<u8>, AdmitError> {
    let since = std::time::Instant::now();
    let code = runtime.precompile_component(wasm).map_err(|error| AdmitError::Compile(format!("{error:#}")))?;
    crate::telemetry::compiled(since.elapsed());
    Ok(code)
}

fn mac(key: &MacKey, name: &str, code: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).ok()?;
    mac.update(MAGIC);
    mac.update(&u64::try_from(name.len()).unwrap_or(u64::MAX).to_le_bytes());
    mac.update(name.as_bytes());
    mac.update(code);
    Some(mac)
}

fn seal(key: &MacKey, name: &str, code: &[u8]) -> Vec<u8> {
    let tag = mac(key, name, code).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default();
    [MAGIC.as_slice(), &tag, code].concat()
}

fn unseal<'a>(key: &MacKey, name: &str, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (tag, code) = rest.split_at_checked(MAC_BYTES)?;
    mac(key, name, code)?.verify_slice(tag).ok().map(|()| code)
}

fn write(directory: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let draft = directory.join(format!(".draft-{:016x}", rand::random::<u64>()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all(bytes).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        fs::remove_file(&draft).ok();
    }
    written
}
