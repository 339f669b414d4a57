//! Mounts and unmounts plans on this machine.
//!
//! A client file system is mounted whole at a private staging directory, and only the plan's part of it is bound to the
//! place that the workload sees, with `nosuid,nodev` and, where the plan says so, read-only. The part is looked up with
//! [`Beneath`] and bound through the opened directory, so a link that a tenant puts in the way leads nowhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, OFlags, StatxAttributes, StatxFlags};
use rustix::mount::{MountFlags, UnmountFlags};

use crate::beneath::{Beneath, BeneathError, Ownership, proc_path};
use crate::client::{ClientMount, ClientRefusal, command};
use crate::config::NodeConfig;
use crate::journal::{Entry, Journal};
use crate::orders::{MountOrder, Source};

/// A secret of the plan, redeemed.
#[derive(Clone)]
pub struct Delivered {
    /// Options for the mount program, such as `token=…`.
    pub options: Vec<(String, String)>,
    /// Environment of the mount program.
    pub environment: Vec<(String, String)>,
}

/// Why a plan is not mounted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The client kind's configuration refuses it.
    #[error(transparent)]
    Client(#[from] ClientRefusal),
    /// The path is refused or not there.
    #[error(transparent)]
    Beneath(#[from] BeneathError),
    /// The root is not configured for this provider.
    #[error("host-path root {root:?} is not configured on this node for {provider}: add it under [roots]")]
    Root {
        /// The root.
        root: String,
        /// The provider.
        provider: String,
    },
    /// The program said no.
    #[error("{program} failed: {said}")]
    Program {
        /// The program.
        program: String,
        /// What it said, without secrets.
        said: String,
    },
    /// The program did not end.
    #[error("{program} did not end within {seconds} s: is the storage client of this node healthy?")]
    Hung {
        /// The program.
        program: String,
        /// The time.
        seconds: u64,
    },
    /// The system said no.
    #[error("{what}: {source}")]
    System {
        /// At what.
        what: String,
        /// Why.
        source: std::io::Error,
    },
}

impl MountError {
    /// Stable reason for the report.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Client(ClientRefusal::UnknownKind(_)) => "UNKNOWN_CLIENT_KIND",
            Self::Client(_) => "PLAN_REFUSED",
            Self::Beneath(BeneathError::Path(_) | BeneathError::Escape(_)) => "PATH_ESCAPES",
            Self::Root { .. } => "UNKNOWN_SOURCE_ROOT",
            Self::Beneath(_) | Self::Program { .. } | Self::Hung { .. } | Self::System { .. } => "MOUNT_FAILED",
        }
    }
}

/// The mounts of this node.
#[derive(Debug)]
pub struct Mounter {
    config: NodeConfig,
    journal: Mutex<Journal>,
}

impl Mounter {
    /// Opens the journal.
    pub fn open(config: NodeConfig) -> std::io::Result<Self> {
        std::fs::create_dir_all(&config.state_dir)?;
        std::fs::create_dir_all(&config.mount_root)?;
        let journal = Journal::open(config.state_dir.join("mounts.json"))?;
        Ok(Self { config, journal: Mutex::new(journal) })
    }

    /// What was written down, by mount id.
    #[must_use]
    pub fn entries(&self) -> BTreeMap<String, Entry> {
        self.journal().entries().clone()
    }

    /// Nothing panics while it holds the journal, so a poisoned one is as good as any.
    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A directory that a client file system's root is mounted at for node steps, mounted if it is not yet.
    pub async fn source_root(
        &self,
        source: &Source,
        provider: &str,
        secrets: &Delivered,
    ) -> Result<Beneath, MountError> {
        match source {
            Source::HostPath { root, path } => {
                let (root, path) = (self.host_root(root, provider)?, path.clone());
                aside(move || {
                    let root = Beneath::open(&root)?;
                    root.make_directory(&path, Ownership::default())?;
                    Ok(root.narrowed(&path)?)
                })
                .await
            }
            Source::Client { mount, path } => {
                let staging = self.config.state_dir.join("sources").join(stage_name(mount));
                self.mount_client(mount, secrets, &staging).await?;
                let path = path.clone();
                aside(move || Ok(Beneath::open(&staging)?.narrowed(&path)?)).await
            }
        }
    }

    /// Mounts a plan; what is mounted already is kept. Returns where.
    pub async fn mount(
        &self,
        id: &str,
        mount_plan: &str,
        provider: &str,
        orders: &[MountOrder],
        secrets: &Delivered,
    ) -> Result<Vec<PathBuf>, MountError> {
        let at = |kind: &Path, index: usize| kind.join(id).join(index.to_string());
        let staging_root = self.config.state_dir.join("plans");
        let targets: Vec<_> = (0..orders.len()).map(|index| at(&self.config.mount_root, index)).collect();
        let staged = |(_, order): &(usize, &MountOrder)| matches!(order.source, Source::Client { .. });
        let staging = orders.iter().enumerate().filter(staged).map(|(index, _)| at(&staging_root, index)).collect();
        let entry = Entry { mount_plan: mount_plan.to_owned(), targets: targets.clone(), staging, complete: false };
        self.write(id, entry.clone())?;
        for ((index, order), target) in orders.iter().enumerate().zip(&targets) {
            let (root, path) = match &order.source {
                Source::Client { mount, path } => {
                    let staging = at(&staging_root, index);
                    self.mount_client(mount, secrets, &staging).await?;
                    (staging, path)
                }
                Source::HostPath { root, path } => (self.host_root(root, provider)?, path),
            };
            let (path, target, read_only) = (joined(path, &order.subpath), target.clone(), order.read_only);
            aside(move || {
                let directory = Beneath::open(&root)?.directory(&path)?;
                bind(&proc_path(&directory), &target, read_only)
            })
            .await?;
        }
        self.write(id, Entry { complete: true, ..entry })?;
        Ok(targets)
    }

    /// Unmounts a plan; what is gone already is no error. With `force` busy mounts are detached. Blocks as long as the
    /// system does.
    pub fn unmount(&self, id: &str, force: bool) -> Result<(), MountError> {
        let Some(entry) = self.journal().entries().get(id).cloned() else { return Ok(()) };
        for place in entry.targets.iter().chain(&entry.staging) {
            unmount(place, force)?;
            remove_empty(place)?;
        }
        for kind in [&self.config.mount_root, &self.config.state_dir.join("plans")] {
            remove_empty(&kind.join(id))?;
        }
        let secrets = self.config.state_dir.join("secrets").join(id);
        match std::fs::remove_dir_all(&secrets) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(system(&secrets, error)),
        }
        self.journal().remove(id).map_err(|error| system(&self.config.state_dir, error))
    }

    /// Whether every mount of a written plan is there.
    #[must_use]
    pub fn is_mounted(entry: &Entry) -> bool {
        entry.complete && entry.targets.iter().all(|target| is_mount_point(target))
    }

    /// Unmounts the sources of node steps: at the end of the agent.
    pub fn unmount_sources(&self) {
        let sources = self.config.state_dir.join("sources");
        for entry in std::fs::read_dir(&sources).into_iter().flatten().flatten() {
            if let Err(error) = unmount(&entry.path(), true) {
                tracing::warn!(%error, "a source stays mounted");
            }
        }
    }

    fn write(&self, id: &str, entry: Entry) -> Result<(), MountError> {
        self.journal().put(id, entry).map_err(|error| system(&self.config.state_dir, error))
    }

    fn host_root(&self, root: &str, provider: &str) -> Result<PathBuf, MountError> {
        let bound = self.config.roots.get(root).filter(|bound| bound.providers.iter().any(|p| p == provider));
        let refused = || MountError::Root { root: root.to_owned(), provider: provider.to_owned() };
        bound.map(|bound| bound.path.clone()).ok_or_else(refused)
    }

    async fn mount_client(&self, order: &ClientMount, secrets: &Delivered, at: &Path) -> Result<(), MountError> {
        std::fs::create_dir_all(at).map_err(|error| system(at, error))?;
        if is_mount_point(at) {
            return Ok(());
        }
        let line = command(self.config.clients.get(&order.kind), order, &secrets.options, at)?;
        let program = line.program.display().to_string();
        let child = tokio::process::Command::new(&line.program)
            .args(&line.arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .envs(secrets.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let seconds = self.config.mount_timeout_s;
        let output = tokio::time::timeout(Duration::from_secs(seconds), child)
            .await
            .map_err(|_| MountError::Hung { program: program.clone(), seconds })?
            .map_err(|error| system(&line.program, error))?;
        if output.status.success() {
            return Ok(());
        }
        let mut said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        for (_, value) in secrets.options.iter().chain(&secrets.environment).filter(|(_, value)| !value.is_empty()) {
            said = said.replace(value.as_str(), "[secret]");
        }
        Err(MountError::Program { program, said })
    }
}

/// Runs what may block as long as a file system does, beside the agent's other work.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MountError> + Send + 'static,
) -> Result<T, MountError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| MountError::System { what: "a thread".to_owned(), source: error.into() })?
}

fn bind(source: &Path, target: &Path, read_only: bool) -> Result<(), MountError> {
    std::fs::create_dir_all(target).map_err(|error| system(target, error))?;
    let mut flags = MountFlags::BIND | MountFlags::NOSUID | MountFlags::NODEV;
    if read_only {
        flags |= MountFlags::RDONLY;
    }
    if !is_mount_point(target) {
        rustix::mount::mount_bind(source, target).map_err(|errno| system(target, errno.into()))?;
    }
    // The kernel takes a bind mount's flags only in a second step; repeated, it repairs a try that was cut off between.
    let flagged = rustix::mount::mount_remount(target, flags, "");
    if flagged.is_err() {
        unmount(target, true)?;
    }
    flagged.map_err(|errno| system(target, errno.into()))
}

fn unmount(place: &Path, force: bool) -> Result<(), MountError> {
    let flags = UnmountFlags::NOFOLLOW | if force { UnmountFlags::DETACH } else { UnmountFlags::empty() };
    while is_mount_point(place) {
        rustix::mount::unmount(place, flags).map_err(|errno| system(place, errno.into()))?;
    }
    Ok(())
}

/// `rmdir`, so that nothing but an empty mount point can ever go.
fn remove_empty(place: &Path) -> Result<(), MountError> {
    match std::fs::remove_dir(place) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(system(place, error)),
    }
}

/// The kernel's own knowledge is enough: a server that does not answer is not asked.
fn is_mount_point(place: &Path) -> bool {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(opened) = rustix::fs::open(place, flags, rustix::fs::Mode::empty()) else { return false };
    let seen = rustix::fs::statx(
        &opened,
        "",
        AtFlags::EMPTY_PATH | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC,
        StatxFlags::empty(),
    );
    seen.is_ok_and(|seen| seen.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

fn joined(path: &str, subpath: &str) -> String {
    [path, subpath].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/")
}

/// One staging directory for each client kind, server set and file system.
fn stage_name(mount: &ClientMount) -> String {
    let text = format!("{}-{}-{}", mount.kind, mount.servers.join("+"), mount.filesystem);
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+') { c } else { '_' };
    text.chars().map(safe).collect()
}

fn system(what: &Path, source: std::io::Error) -> MountError {
    MountError::System { what: what.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounter(root: &Path, providers: &str) -> Mounter {
        let text = format!(
            "name = \"n\"\nserver = \"http://127.0.0.1:1\"\nstate_dir = \"{0}/state\"\nmount_root = \"{0}/mounts\"\n\
             [roots.data]\npath = \"{0}/data\"\nproviders = [{providers}]\n",
            root.display()
        );
        std::fs::create_dir_all(root.join("data/ns/shared")).unwrap();
        Mounter::open(NodeConfig::parse(&text, "node.toml").unwrap()).unwrap()
    }

    fn order(path: &str, subpath: &str, read_only: bool) -> MountOrder {
        let source = Source::HostPath { root: "data".into(), path: path.into() };
        MountOrder { source, subpath: subpath.into(), read_only }
    }

    const NOTHING: Delivered = Delivered { options: vec![], environment: vec![] };

    #[tokio::test]
    async fn a_plan_s_mounts_appear_with_their_modes_and_go_again() {
        let root = tempfile::tempdir().unwrap();
        let mounter = mounter(root.path(), "\"providers/fake\"");
        let orders = [order("ns", "", false), order("ns", "shared", true)];
        let targets = mounter.mount("m1", "plan", "providers/fake", &orders, &NOTHING).await.unwrap();
        std::fs::write(targets[0].join("shared/x"), b"1").unwrap();
        assert_eq!(std::fs::read(targets[1].join("x")).unwrap(), b"1");
        let refused = std::fs::write(targets[1].join("y"), b"1").unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
        assert!(Mounter::is_mounted(&mounter.entries()["m1"]));

        let again = mounter.mount("m1", "plan", "providers/fake", &orders, &NOTHING).await.unwrap();
        assert_eq!(again, targets);
        mounter.unmount("m1", false).unwrap();
        assert!(!targets[0].exists() && root.path().join("data/ns/shared/x").exists());
        mounter.unmount("m1", false).unwrap();
    }

    #[tokio::test]
    async fn a_root_of_another_provider_or_none_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let mounter = mounter(root.path(), "\"providers/other\"");
        let error =
            mounter.mount("m1", "plan", "providers/fake", &[order("ns", "", false)], &NOTHING).await.unwrap_err();
        assert_eq!(error.reason(), "UNKNOWN_SOURCE_ROOT");
    }

    #[tokio::test]
    async fn a_link_inside_the_namespace_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let mounter = mounter(root.path(), "\"providers/fake\"");
        std::os::unix::fs::symlink("/etc", root.path().join("data/ns/evil")).unwrap();
        for subpath in ["evil", "../../..", "evil/ssl"] {
            let orders = [order("ns", subpath, true)];
            let error = mounter.mount("m1", "plan", "providers/fake", &orders, &NOTHING).await.unwrap_err();
            assert_eq!(error.reason(), "PATH_ESCAPES", "{subpath}: {error}");
            mounter.unmount("m1", false).unwrap();
        }
    }
}
