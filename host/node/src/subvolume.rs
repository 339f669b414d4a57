//! Subvolumes and their quotas, on roots that are btrfs.
//!
//! The program is the one that the node's configuration names; a step carries numbers and a path that was resolved beneath
//! the root already, and the program is handed the opened directory (`/proc/<pid>/fd/<n>`), so nothing that a tenant swaps
//! in between is followed. A quota of btrfs counts what the subvolume refers to and stops a writer with `EDQUOT`.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::beneath::{Beneath, BeneathError, Facts};

/// Inode number of every subvolume's root, and of nothing else that a user can make.
const SUBVOLUME_ROOT: u64 = 256;

/// Why a step on a subvolume did not work.
#[derive(Debug, thiserror::Error)]
pub enum SubvolumeError {
    /// It failed beneath the root.
    #[error(transparent)]
    Beneath(#[from] BeneathError),
    /// There is an ordinary directory.
    #[error("path {0:?} is a directory and no subvolume; it is not touched")]
    NotASubvolume(String),
    /// The program said no.
    #[error("{program}: {said}")]
    Program {
        /// The program.
        program: String,
        /// What it said.
        said: String,
    },
    /// The program's answer is not understood.
    #[error("{program} answered something else than a quota: {said}")]
    Answer {
        /// The program.
        program: String,
        /// What it said.
        said: String,
    },
}

/// How much a subvolume refers to, and how much it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes in use.
    pub used: u64,
    /// Bytes at which writes are refused; `None` for no limit.
    pub limit: Option<u64>,
}

/// The program that does what system calls alone cannot.
#[derive(Debug, Clone)]
pub struct Subvolumes {
    program: PathBuf,
}

impl Subvolumes {
    /// With the program of the node's configuration.
    #[must_use]
    pub const fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// Makes a subvolume at `path`, whose parent is there. One that is there already is kept.
    pub fn create(&self, root: &Beneath, path: &str) -> Result<Facts, SubvolumeError> {
        let at = Path::new(path);
        let name = at.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if root.stat(path)?.is_none() {
            let parent = root.directory(at.parent().and_then(Path::to_str).unwrap_or_default())?;
            self.run(&["subvolume", "create"], &opened(&parent).join(name))?;
        }
        let facts = root.stat(path)?.ok_or_else(|| BeneathError::Missing(path.to_owned()))?;
        if facts.inode == SUBVOLUME_ROOT { Ok(facts) } else { Err(SubvolumeError::NotASubvolume(path.to_owned())) }
    }

    /// Limits the bytes that the subvolume may refer to; `None` takes the limit away.
    pub fn set_quota(&self, root: &Beneath, path: &str, limit: Option<u64>) -> Result<(), SubvolumeError> {
        let directory = subvolume(root, path)?;
        let limit = limit.map_or_else(|| "none".to_owned(), |bytes| bytes.to_string());
        self.run(&["qgroup", "limit", &limit], &opened(&directory)).map(drop)
    }

    /// Reads use and limit.
    pub fn read_quota(&self, root: &Beneath, path: &str) -> Result<Quota, SubvolumeError> {
        let directory = subvolume(root, path)?;
        // Counts are brought up to date by a commit of the file system.
        self.run(&["filesystem", "sync"], &opened(&directory))?;
        let said = self.run(&["qgroup", "show", "--raw", "-r", "-f"], &opened(&directory))?;
        parse(&said).ok_or_else(|| SubvolumeError::Answer { program: self.program.display().to_string(), said })
    }

    fn run(&self, arguments: &[&str], path: &Path) -> Result<String, SubvolumeError> {
        let program = self.program.display().to_string();
        let output = Command::new(&self.program).args(arguments).arg(path).env_clear().stdin(Stdio::null()).output();
        let output =
            output.map_err(|error| SubvolumeError::Program { program: program.clone(), said: error.to_string() })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(SubvolumeError::Program { program, said: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
    }
}

fn subvolume(root: &Beneath, path: &str) -> Result<OwnedFd, SubvolumeError> {
    match root.stat(path)? {
        Some(facts) if facts.inode == SUBVOLUME_ROOT => Ok(root.directory(path)?),
        Some(_) => Err(SubvolumeError::NotASubvolume(path.to_owned())),
        None => Err(BeneathError::Missing(path.to_owned()).into()),
    }
}

/// The opened directory as another process of this user sees it.
fn opened(directory: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), directory.as_raw_fd()))
}

/// The row after the ruler: `0/256  <referenced>  <exclusive>  <limit or none>`.
fn parse(table: &str) -> Option<Quota> {
    let row = table.lines().skip_while(|line| !line.starts_with("---")).nth(1)?;
    let mut cells = row.split_whitespace().skip(1);
    let used = cells.next()?.parse().ok()?;
    let limit = match cells.nth(1)? {
        "none" => None,
        bytes => Some(bytes.parse().ok()?),
    };
    Some(Quota { used, limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_program_is_read_and_junk_is_not() {
        let table = "Qgroupid    Referenced    Exclusive  Max referenced   Path \n\
                     --------    ----------    ---------  --------------   ---- \n\
                     0/256            16384        16384        10485760   a\n";
        assert_eq!(parse(table), Some(Quota { used: 16384, limit: Some(10_485_760) }));
        assert_eq!(parse(&table.replace("10485760", "none")), Some(Quota { used: 16384, limit: None }));
        for junk in ["", "ERROR: quotas not enabled", &table.replace("16384", "a lot")] {
            assert_eq!(parse(junk), None);
        }
    }
}
