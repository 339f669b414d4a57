//! Work beneath one directory that no path can leave.
//!
//! Every lookup goes through `openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)`: `..` above the
//! root, an absolute path and a symbolic link anywhere on the way are refused by the kernel, also when a tenant swaps a
//! directory for a link between two of our calls. A check by string comparison before an ordinary `open` would lose
//! exactly that race.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Name of the file that bears a directory's owner mark.
pub const MARK_FILE: &str = ".stowage-owner";
/// Directory, directly beneath a root, that removed data passes through.
pub const TRASH: &str = ".stowage-trash";

// Without NOFOLLOW: `openat2` itself refuses a link, and then says so instead of "not a directory".
const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// Why a step beneath a root failed.
#[derive(Debug, thiserror::Error)]
pub enum BeneathError {
    /// The path is absolute, climbs, or has an empty part.
    #[error("path {0:?} is refused: it must be relative, without `..`, and not lead through the trash")]
    Path(String),
    /// The kernel refused to resolve it: a symbolic link, or an escape from the root.
    #[error("path {0:?} is refused: it leads through a symbolic link or out of its root")]
    Escape(String),
    /// There is nothing.
    #[error("path {0:?} does not exist")]
    Missing(String),
    /// The directory bears another owner's mark.
    #[error("path {path:?} bears the mark of another owner ({found:?}); it is not touched")]
    ForeignMark {
        /// The path.
        path: String,
        /// The mark that it bears; empty when it bears none.
        found: String,
    },
    /// Anything else that the system says.
    #[error("path {path:?}: {errno}")]
    System {
        /// The path.
        path: String,
        /// The system's word.
        errno: Errno,
    },
}

/// What `stat` sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Inode number.
    pub inode: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// Whether it is a directory.
    pub directory: bool,
}

/// Ownership and permissions to give to a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ownership {
    /// Owner; unchanged when absent.
    pub uid: Option<u32>,
    /// Group; unchanged when absent.
    pub gid: Option<u32>,
    /// Permission bits; unchanged when absent.
    pub mode: Option<u32>,
}

/// An opened root.
#[derive(Debug)]
pub struct Beneath {
    root: OwnedFd,
}

impl Beneath {
    /// Opens `root`, which the node's own configuration names.
    pub fn open(root: &Path) -> Result<Self, BeneathError> {
        let root_fd = fs::open(root, DIRECTORY | OFlags::RDONLY, Mode::empty()).map_err(|errno| system(root, errno))?;
        Ok(Self { root: root_fd })
    }

    /// The directory at `path` as a root of its own.
    pub fn narrowed(&self, path: &str) -> Result<Self, BeneathError> {
        self.directory(path).map(|root| Self { root })
    }

    /// Opens the directory at `path`; an empty path is the root.
    pub fn directory(&self, path: &str) -> Result<OwnedFd, BeneathError> {
        let path = relative(path)?;
        resolve(self.root.as_fd(), &path, DIRECTORY | OFlags::RDONLY)
    }

    /// Makes the directory and those above it, and gives the last one its ownership. One that is there already is kept.
    pub fn make_directory(&self, path: &str, ownership: Ownership) -> Result<Facts, BeneathError> {
        let path = relative(path)?;
        let mut current = resolve(self.root.as_fd(), Path::new("."), DIRECTORY | OFlags::RDONLY)?;
        for part in path.components() {
            let name = Path::new(part.as_os_str());
            match fs::mkdirat(&current, name, Mode::from_raw_mode(0o755)) {
                Ok(()) => sync(&current, &path)?,
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(system(&path, errno)),
            }
            current =
                resolve(current.as_fd(), name, DIRECTORY | OFlags::RDONLY).map_err(|error| whole(error, &path))?;
        }
        if ownership.uid.is_some() || ownership.gid.is_some() {
            let uid = ownership.uid.map(fs::Uid::from_raw);
            let gid = ownership.gid.map(fs::Gid::from_raw);
            fs::fchown(&current, uid, gid).map_err(|errno| system(&path, errno))?;
        }
        if let Some(mode) = ownership.mode {
            fs::fchmod(&current, Mode::from_raw_mode(mode & 0o7777)).map_err(|errno| system(&path, errno))?;
        }
        facts(&current, &path)
    }

    /// What is at `path`, or `None`.
    pub fn stat(&self, path: &str) -> Result<Option<Facts>, BeneathError> {
        let path = relative(path)?;
        match resolve(self.root.as_fd(), &path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC) {
            Ok(found) => facts(&found, &path).map(Some),
            Err(BeneathError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The owner mark of the directory at `path`; `None` when it bears none.
    pub fn mark(&self, path: &str) -> Result<Option<String>, BeneathError> {
        let directory = self.directory(path)?;
        let file =
            match resolve(directory.as_fd(), Path::new(MARK_FILE), OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC)
            {
                Ok(file) => file,
                Err(BeneathError::Missing(_)) => return Ok(None),
                Err(error) => return Err(whole(error, Path::new(path))),
            };
        let mut text = vec![0_u8; 512];
        let read = rustix::io::read(&file, &mut text).map_err(|errno| system(Path::new(path), errno))?;
        text.truncate(read);
        Ok(Some(String::from_utf8_lossy(&text).trim().to_owned()))
    }

    /// Marks the directory at `path` for `owner`, durably. The same mark again is no error; another one is.
    pub fn put_mark(&self, path: &str, owner: &str) -> Result<(), BeneathError> {
        let directory = self.directory(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match fs::openat(&directory, MARK_FILE, flags, Mode::from_raw_mode(0o444)) {
            Ok(file) => {
                let mut file = std::fs::File::from(file);
                let written = file.write_all(owner.as_bytes()).and_then(|()| file.sync_all());
                written.map_err(|error| system(Path::new(path), Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
                sync(&directory, Path::new(path))
            }
            // An empty file is a mark whose writer was killed before it could sign it: nobody else's.
            Err(Errno::EXIST) => match self.mark(path)?.unwrap_or_default() {
                found if found == owner => Ok(()),
                found if found.is_empty() => {
                    fs::unlinkat(&directory, MARK_FILE, AtFlags::empty())
                        .map_err(|errno| system(Path::new(path), errno))?;
                    self.put_mark(path, owner)
                }
                found => Err(BeneathError::ForeignMark { path: path.to_owned(), found }),
            },
            Err(errno) => Err(system(Path::new(path), errno)),
        }
    }

    /// Moves the directory into the trash, then empties the trash. With `owner` only if it bears that mark. A directory
    /// that is gone is no error, and what an earlier try left in the trash goes too.
    pub fn remove_directory(&self, path: &str, owner: Option<&str>) -> Result<(), BeneathError> {
        let relative_path = relative(path)?;
        if relative_path.as_os_str() == "." {
            return Err(BeneathError::Path(path.to_owned()));
        }
        if self.stat(path)?.is_some() {
            if let Some(owner) = owner {
                let found = self.mark(path)?.unwrap_or_default();
                if found != owner {
                    return Err(BeneathError::ForeignMark { path: path.to_owned(), found });
                }
            }
            let parent = relative_path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let name = relative_path.file_name().unwrap_or_default();
            let parent = resolve(self.root.as_fd(), parent, DIRECTORY | OFlags::RDONLY)?;
            let trash = self.trash()?;
            let kept =
                fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| system(&relative_path, errno))?;
            let buried = format!("{:x}", kept.st_ino);
            fs::renameat(&parent, name, &trash, buried.as_str()).map_err(|errno| system(&relative_path, errno))?;
            sync(&parent, &relative_path)?;
        }
        self.empty_trash()
    }

    /// Removes what is in the trash.
    pub fn empty_trash(&self) -> Result<(), BeneathError> {
        let trash = self.trash()?;
        remove_children(&trash, Path::new(TRASH))
    }

    fn trash(&self) -> Result<OwnedFd, BeneathError> {
        match fs::mkdirat(&self.root, TRASH, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(system(Path::new(TRASH), errno)),
        }
        resolve(self.root.as_fd(), Path::new(TRASH), DIRECTORY | OFlags::RDONLY)
    }
}

/// A path under `/proc` that stands for an opened directory: what `mount(2)` takes, without a second lookup.
#[must_use]
pub fn proc_path(directory: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()))
}

fn relative(path: &str) -> Result<PathBuf, BeneathError> {
    let refused = || BeneathError::Path(path.to_owned());
    if path.starts_with('/') || path.contains('\0') {
        return Err(refused());
    }
    let mut clean = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) if name != OsStr::new(TRASH) => clean.push(name),
            Component::CurDir => {}
            _ => return Err(refused()),
        }
    }
    Ok(if clean.as_os_str().is_empty() { PathBuf::from(".") } else { clean })
}

fn resolve(from: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, BeneathError> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    fs::openat2(from, path, flags, Mode::empty(), how).map_err(|errno| match errno {
        Errno::LOOP | Errno::XDEV => BeneathError::Escape(path.display().to_string()),
        Errno::NOENT => BeneathError::Missing(path.display().to_string()),
        errno => system(path, errno),
    })
}

fn facts(opened: &OwnedFd, path: &Path) -> Result<Facts, BeneathError> {
    let stat = fs::fstat(opened).map_err(|errno| system(path, errno))?;
    let directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    Ok(Facts { inode: stat.st_ino, uid: stat.st_uid, gid: stat.st_gid, mode: stat.st_mode & 0o7777, directory })
}

fn sync(directory: &OwnedFd, path: &Path) -> Result<(), BeneathError> {
    match fs::fsync(directory) {
        // A file system in user space may not know fsync on a directory.
        Ok(()) | Err(Errno::INVAL | Errno::NOSYS) => Ok(()),
        Err(errno) => Err(system(path, errno)),
    }
}

fn remove_children(directory: &OwnedFd, shown: &Path) -> Result<(), BeneathError> {
    let entries = fs::Dir::read_from(directory).map_err(|errno| system(shown, errno))?;
    for entry in entries {
        let entry = entry.map_err(|errno| system(shown, errno))?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        match fs::unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR | Errno::PERM) => {
                let child = fs::openat(directory, name, DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY, Mode::empty())
                    .map_err(|errno| system(shown, errno))?;
                remove_children(&child, shown)?;
                fs::unlinkat(directory, name, AtFlags::REMOVEDIR).map_err(|errno| system(shown, errno))?;
            }
            Err(errno) => return Err(system(shown, errno)),
        }
    }
    Ok(())
}

fn system(path: &Path, errno: Errno) -> BeneathError {
    BeneathError::System { path: path.display().to_string(), errno }
}

fn whole(error: BeneathError, path: &Path) -> BeneathError {
    let path = path.display().to_string();
    match error {
        BeneathError::Escape(_) => BeneathError::Escape(path),
        BeneathError::Missing(_) => BeneathError::Missing(path),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, Beneath) {
        let directory = tempfile::tempdir().unwrap();
        let beneath = Beneath::open(directory.path()).unwrap();
        (directory, beneath)
    }

    #[test]
    fn a_path_that_climbs_is_absolute_or_names_the_trash_is_refused() {
        let (_keep, root) = root();
        for path in ["../etc", "a/../../b", "/etc", ".stowage-trash/x", "a/.stowage-trash", "a\0b"] {
            let error = root.make_directory(path, Ownership::default()).unwrap_err();
            assert!(matches!(error, BeneathError::Path(_)), "{path}: {error}");
        }
    }

    #[test]
    fn a_symbolic_link_on_the_way_or_at_the_end_is_refused() {
        let (directory, root) = root();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), directory.path().join("link")).unwrap();
        for path in ["link", "link/inner"] {
            let error = root.make_directory(path, Ownership::default()).unwrap_err();
            assert!(matches!(error, BeneathError::Escape(_) | BeneathError::System { .. }), "{path}: {error}");
            assert!(root.directory(path).is_err());
        }
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn making_a_directory_twice_keeps_it_and_sets_its_mode() {
        let (directory, root) = root();
        let first = root.make_directory("a/b", Ownership { mode: Some(0o770), ..Ownership::default() }).unwrap();
        std::fs::write(directory.path().join("a/b/data"), b"x").unwrap();
        let second = root.make_directory("a/b", Ownership { mode: Some(0o750), ..Ownership::default() }).unwrap();
        assert_eq!(first.inode, second.inode);
        assert_eq!(second.mode, 0o750);
        assert!(directory.path().join("a/b/data").exists());
    }

    #[test]
    fn a_mark_is_kept_for_its_owner_and_refused_to_another() {
        let (_keep, root) = root();
        root.make_directory("ns", Ownership::default()).unwrap();
        assert_eq!(root.mark("ns").unwrap(), None);
        root.put_mark("ns", "owner-1").unwrap();
        root.put_mark("ns", "owner-1").unwrap();
        assert_eq!(root.mark("ns").unwrap().as_deref(), Some("owner-1"));
        assert!(matches!(root.put_mark("ns", "owner-2"), Err(BeneathError::ForeignMark { .. })));
    }

    #[test]
    fn a_mark_whose_writer_died_before_signing_can_be_signed() {
        let (directory, root) = root();
        root.make_directory("ns", Ownership::default()).unwrap();
        std::fs::write(directory.path().join("ns").join(MARK_FILE), b"").unwrap();
        root.put_mark("ns", "owner-1").unwrap();
        assert_eq!(root.mark("ns").unwrap().as_deref(), Some("owner-1"));
    }

    #[test]
    fn removal_needs_the_right_mark_and_follows_no_link_out() {
        let (directory, root) = root();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("precious"), b"x").unwrap();
        root.make_directory("ns/deep/er", Ownership::default()).unwrap();
        root.put_mark("ns", "owner-1").unwrap();
        std::os::unix::fs::symlink(outside.path(), directory.path().join("ns/deep/link")).unwrap();

        assert!(matches!(root.remove_directory("ns", Some("owner-2")), Err(BeneathError::ForeignMark { .. })));
        assert!(directory.path().join("ns/deep/er").exists());

        root.remove_directory("ns", Some("owner-1")).unwrap();
        assert!(!directory.path().join("ns").exists());
        assert!(outside.path().join("precious").exists());
        root.remove_directory("ns", Some("owner-1")).unwrap();
        assert_eq!(std::fs::read_dir(directory.path().join(TRASH)).unwrap().count(), 0);
    }

    #[test]
    fn the_root_itself_is_never_removed() {
        let (_keep, root) = root();
        assert!(matches!(root.remove_directory("", None), Err(BeneathError::Path(_))));
    }
}
