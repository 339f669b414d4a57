//! A node's hands, for providers that need one.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Component, Path, PathBuf},
};

use async_trait::async_trait;
use stowage_ports::provider::{NodeResult, NodeStep, NodeWork};

/// Does node work.
#[async_trait]
pub trait NodeHands: Send + Sync {
    /// Runs the steps in order; the first failure stops, and its result is the last.
    async fn work(&self, work: &NodeWork) -> Vec<NodeResult>;
}

/// Name of the file that bears a directory's mark.
const MARK_FILE: &str = ".stowage-owner";

/// Runs the directory verbs beneath one directory, whatever the source. It is for tests: it refuses paths that leave the
/// directory by their text, and does not guard against links.
#[derive(Debug, Clone)]
pub struct DirectoryNode {
    root: PathBuf,
}

impl DirectoryNode {
    /// Beneath this directory.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn step(&self, step: &NodeStep) -> Result<Vec<(String, String)>, String> {
        let relative = Path::new(&step.path);
        if relative.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Err(format!("path-refused: {:?} leaves the root", step.path));
        }
        let path = self.root.join(relative);
        let argument = |name: &str| step.args.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
        match step.verb.as_str() {
            "make-directory" => {
                fs::create_dir_all(&path).map_err(|e| system(&e))?;
                if let Some(mark) = argument("mark") {
                    match mark_of(&path)? {
                        Some(found) if found != mark => return Err(format!("foreign-mark: it is {found}'s")),
                        Some(_) => {}
                        None => fs::write(path.join(MARK_FILE), mark).map_err(|e| system(&e))?,
                    }
                }
                if let Some(mode) = argument("mode") {
                    let mode = u32::from_str_radix(mode, 8).map_err(|_| "invalid-argument: `mode`".to_owned())?;
                    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(|e| system(&e))?;
                }
                let metadata = fs::metadata(&path).map_err(|e| system(&e))?;
                Ok(vec![("inode".to_owned(), metadata.ino().to_string())])
            }
            "remove-directory" => {
                if !path.exists() {
                    return Ok(vec![]);
                }
                if let Some(mark) = argument("mark")
                    && mark_of(&path)?.as_deref() != Some(mark)
                {
                    return Err("foreign-mark: it does not bear this mark".to_owned());
                }
                fs::remove_dir_all(&path).map_err(|e| system(&e))?;
                Ok(vec![])
            }
            "stat" => {
                let exists = ("exists".to_owned(), path.exists().to_string());
                let Ok(metadata) = fs::metadata(&path) else { return Ok(vec![exists]) };
                let kind = if metadata.is_dir() { "directory" } else { "file" };
                let mut seen = vec![
                    exists,
                    ("type".to_owned(), kind.to_owned()),
                    ("inode".to_owned(), metadata.ino().to_string()),
                    ("uid".to_owned(), metadata.uid().to_string()),
                    ("gid".to_owned(), metadata.gid().to_string()),
                    ("mode".to_owned(), format!("{:04o}", metadata.mode() & 0o7777)),
                ];
                seen.extend(mark_of(&path)?.map(|mark| ("mark".to_owned(), mark)));
                Ok(seen)
            }
            verb => Err(format!("unsupported-verb: {verb:?}")),
        }
    }
}

fn mark_of(path: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(path.join(MARK_FILE)) {
        Ok(mark) => Ok(Some(mark)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(system(&e)),
    }
}

fn system(error: &io::Error) -> String {
    format!("system: {error}")
}

#[async_trait]
impl NodeHands for DirectoryNode {
    async fn work(&self, work: &NodeWork) -> Vec<NodeResult> {
        let mut results = Vec::with_capacity(work.steps.len());
        for step in &work.steps {
            let (values, error) = match self.step(step) {
                Ok(values) => (values, None),
                Err(error) => (vec![], Some(error)),
            };
            let failed = error.is_some();
            results.push(NodeResult { id: step.id.clone(), values, error });
            if failed {
                break;
            }
        }
        results
    }
}
