//! One TOML file per secret in a directory that only the host's user can read.
//!
//! The name's segments are folders: `providers/weka-kind/admin` is `providers/weka-kind/admin.toml`, a table of strings.
//! [`SecretName`] has no empty, dotted or upper-case segment, so no name leaves the directory. Folders are 0700 and files
//! 0600; one that group or others may enter or read is refused with the `chmod` that repairs it, and symbolic links are
//! not followed below the root. A write goes to a new file, is synced, renamed over the old one, and the folder is
//! synced: after a crash there is the old secret or the new one.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rustix::fs::OFlags;
use secrecy::{ExposeSecret, SecretString};
use stowage_ports::{SecretError, SecretName, Secrets};
use tokio::sync::Mutex;
use zeroize::{Zeroize as _, Zeroizing};

/// Largest file that is read, in bytes: a secret is a few keys, never a blob.
const LARGEST_FILE: u64 = 256 * 1024;

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Others may enter it.
    #[error("secret directory {path} has mode {mode:03o} and may be read by others: run `chmod 700 {path}`")]
    TooOpen {
        /// The directory.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not there and cannot be made, or cannot be read.
    #[error("secret directory {path} cannot be used: {source}")]
    Io {
        /// The directory.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}

/// A directory of secrets.
pub struct FileSecrets {
    root: Arc<PathBuf>,
    /// One writer at a time: a put keeps the fields that it does not name.
    writing: Mutex<()>,
}

impl FileSecrets {
    /// Opens `root`, making it with mode 0700 when it is not there.
    ///
    /// # Errors
    /// [`OpenError`] when group or others may enter it, or when it cannot be made or read.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let root = root.into();
        let io = |source| OpenError::Io { path: root.display().to_string(), source };
        if !root.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(&root).map_err(io)?;
        }
        let meta = fs::metadata(&root).map_err(io)?;
        if !meta.is_dir() {
            return Err(io(io::Error::from(io::ErrorKind::NotADirectory)));
        }
        if meta.mode() & 0o077 != 0 {
            return Err(OpenError::TooOpen { path: root.display().to_string(), mode: meta.mode() & 0o777 });
        }
        Ok(Self { root: Arc::new(root), writing: Mutex::new(()) })
    }

    fn path_of(&self, name: &SecretName) -> PathBuf {
        self.root.join(format!("{name}.toml"))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
    ) -> Result<T, SecretError> {
        tokio::task::spawn_blocking(work).await.map_err(|e| SecretError::Io(e.to_string()))?
    }
}

#[async_trait]
impl Secrets for FileSecrets {
    async fn get(&self, name: &SecretName, field: &str) -> Result<SecretString, SecretError> {
        let (root, path, name, field) = (Arc::clone(&self.root), self.path_of(name), name.clone(), field.to_owned());
        self.blocking(move || {
            let missing = || SecretError::Missing { name: name.to_string(), field: field.clone() };
            let mut fields = read(&root, &path)?.ok_or_else(missing)?;
            let found = fields.remove(&field).map(SecretString::from).ok_or_else(missing);
            fields.into_values().for_each(|mut v| v.zeroize());
            found
        })
        .await
    }

    async fn put(&self, name: &SecretName, fields: Vec<(String, SecretString)>) -> Result<(), SecretError> {
        let _one = self.writing.lock().await;
        let (root, path) = (Arc::clone(&self.root), self.path_of(name));
        self.blocking(move || {
            let mut all = read(&root, &path)?.unwrap_or_default();
            all.extend(fields.iter().map(|(k, v)| (k.clone(), v.expose_secret().to_owned())));
            let written = write(&root, &path, &all);
            all.into_values().for_each(|mut v| v.zeroize());
            written
        })
        .await
    }

    async fn delete(&self, name: &SecretName) -> Result<(), SecretError> {
        let _one = self.writing.lock().await;
        let path = self.path_of(name);
        self.blocking(move || match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(&path, &e)),
            Err(_) => Ok(()),
            Ok(()) => sync_folder(&path),
        })
        .await
    }
}

fn failed(path: &Path, error: &io::Error) -> SecretError {
    SecretError::Io(format!("{}: {error}", path.display()))
}

/// Refuses a folder between root and file that is a link or that others may enter.
fn check_folders(root: &Path, path: &Path) -> Result<(), SecretError> {
    let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    for folder in folders {
        let meta = match if folder == root { fs::metadata(folder) } else { fs::symlink_metadata(folder) } {
            Ok(meta) => meta,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(failed(folder, &e)),
        };
        if !meta.is_dir() {
            return Err(SecretError::Io(format!("{} is not a directory: remove it", folder.display())));
        }
        if meta.mode() & 0o077 != 0 {
            let shown = folder.display();
            return Err(SecretError::Io(format!("{shown} may be read by others: run `chmod 700 {shown}`")));
        }
    }
    Ok(())
}

fn read(root: &Path, path: &Path) -> Result<Option<BTreeMap<String, String>>, SecretError> {
    check_folders(root, path)?;
    let no_follow = OFlags::NOFOLLOW.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(no_follow).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(path, &e)),
    };
    let meta = file.metadata().map_err(|e| failed(path, &e))?;
    let shown = path.display();
    if meta.mode() & 0o077 != 0 {
        return Err(SecretError::Io(format!("{shown} may be read by others: run `chmod 600 {shown}`")));
    }
    if meta.len() > LARGEST_FILE {
        return Err(SecretError::Io(format!(
            "{shown} is larger than {LARGEST_FILE} bytes: a secret holds a few fields"
        )));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(LARGEST_FILE).read_to_string(&mut text).map_err(|e| failed(path, &e))?;
    // The parser's own message quotes the line, so it is not passed on.
    toml::from_str(&text).map(Some).map_err(|_| SecretError::Io(format!("{shown} must be a TOML table of strings")))
}

fn write(root: &Path, path: &Path, fields: &BTreeMap<String, String>) -> Result<(), SecretError> {
    let folder = path.parent().unwrap_or(root);
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| failed(folder, &e))?;
        for made in folder.ancestors().take_while(|f| f.starts_with(root) && *f != root) {
            sync_folder(made)?;
        }
    }
    let text =
        Zeroizing::new(toml::to_string(fields).map_err(|_| SecretError::Io("a field cannot be written".into()))?);
    // Dot names cannot be secret names, so the new file never shadows one.
    let stem = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = folder.join(format!(".{stem}.new"));
    let work = || -> io::Result<()> {
        match fs::remove_file(&fresh) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    work().map_err(|e| failed(path, &e))?;
    sync_folder(path)
}

/// Makes a change of names in the folder of `path` durable.
fn sync_folder(path: &Path) -> Result<(), SecretError> {
    let folder = path.parent().unwrap_or(path);
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| failed(folder, &e))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn name(text: &str) -> SecretName {
        SecretName::parse(text).unwrap()
    }

    fn field(key: &str, value: &str) -> (String, SecretString) {
        (key.to_owned(), SecretString::from(value))
    }

    #[tokio::test]
    async fn what_was_put_is_read_back_by_a_store_opened_anew_and_other_fields_stay() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("secrets");
        let admin = name("providers/weka-kind/admin");
        let store = FileSecrets::open(&root).unwrap();
        store.put(&admin, vec![field("username", "root"), field("password", "one\"'\n")]).await.unwrap();
        store.put(&admin, vec![field("password", "two")]).await.unwrap();

        let again = FileSecrets::open(&root).unwrap();
        assert_eq!(again.get(&admin, "username").await.unwrap().expose_secret(), "root");
        assert_eq!(again.get(&admin, "password").await.unwrap().expose_secret(), "two");
        again.delete(&admin).await.unwrap();
        again.delete(&admin).await.unwrap();
        assert!(matches!(again.get(&admin, "password").await, Err(SecretError::Missing { .. })));
    }

    #[tokio::test]
    async fn files_are_0600_in_folders_of_0700_and_no_half_file_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let store = FileSecrets::open(dir.path().join("s")).unwrap();
        store.put(&name("a/b"), vec![field("x", "y")]).await.unwrap();
        let mode = |p: &str| fs::metadata(dir.path().join(p)).unwrap().mode() & 0o777;
        assert_eq!((mode("s"), mode("s/a"), mode("s/a/b.toml")), (0o700, 0o700, 0o600));
        assert_eq!(fs::read_dir(dir.path().join("s/a")).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_directory_or_file_that_others_may_read_is_refused_with_the_fix() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("s");
        let store = FileSecrets::open(&root).unwrap();
        store.put(&name("a/b"), vec![field("x", "y")]).await.unwrap();

        let file = root.join("a/b.toml");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let error = store.get(&name("a/b"), "x").await.unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();

        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o755)).unwrap();
        let error = store.get(&name("a/b"), "x").await.unwrap_err().to_string();
        assert!(error.contains("chmod 700"), "{error}");

        fs::set_permissions(&root, fs::Permissions::from_mode(0o750)).unwrap();
        let error = FileSecrets::open(&root).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("chmod 700"), "{error}");
    }

    #[tokio::test]
    async fn a_link_is_not_followed_and_a_broken_file_does_not_show_its_text() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("s");
        let store = FileSecrets::open(&root).unwrap();
        fs::write(dir.path().join("elsewhere.toml"), "x = \"y\"").unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere.toml"), root.join("link.toml")).unwrap();
        assert!(matches!(store.get(&name("link"), "x").await, Err(SecretError::Io(_))));

        fs::write(root.join("bad.toml"), "password = hunter2-is-not-quoted").unwrap();
        fs::set_permissions(root.join("bad.toml"), fs::Permissions::from_mode(0o600)).unwrap();
        let error = store.get(&name("bad"), "password").await.unwrap_err().to_string();
        assert!(error.contains("TOML") && !error.contains("hunter2"), "{error}");
    }

    #[tokio::test]
    async fn writers_at_the_same_time_lose_no_field() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(FileSecrets::open(dir.path().join("s")).unwrap());
        let many = (0..16).map(|i| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.put(&name("n"), vec![field(&format!("f{i}"), "v")]).await.unwrap() })
        });
        for one in many.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        for i in 0..16 {
            store.get(&name("n"), &format!("f{i}")).await.unwrap();
        }
    }
}
