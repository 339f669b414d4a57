//! Mounting a view with `mount(2)` itself: no `fusermount3` is needed, but root (`CAP_SYS_ADMIN`) and `/dev/fuse` are.
//!
//! The mount is made in the emulator's own mount namespace, or in that of another process: a thread of its own enters
//! the namespace, so a node agent that lives in a private one sees its mount and nobody else does. Unmounting detaches
//! (`MNT_DETACH`), so an open file in it cannot hold up the emulator's exit. After a `kill -9` of the emulator the mount
//! stays and answers `ENOTCONN` until someone unmounts it.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use fuser::{BackgroundSession, Config, Session, SessionACL};
use rustix::mount::{MountFlags, UnmountFlags};
use rustix::thread::{LinkNameSpaceType, UnshareFlags};

use super::fuse::View;

/// What is mounted where.
#[derive(Debug)]
pub(crate) struct Mounted {
    target: PathBuf,
    /// The namespace it lives in, when that is not the emulator's own.
    namespace: Option<File>,
    /// Serves the kernel; its thread ends when the last user of the mount is gone.
    session: BackgroundSession,
}

/// What the mount looks like in `/proc/mounts`.
#[derive(Clone, Debug)]
pub(crate) struct Appearance {
    /// The source column: the filesystem's name.
    pub(crate) source: String,
    pub(crate) read_only: bool,
    pub(crate) no_suid: bool,
    pub(crate) no_dev: bool,
    pub(crate) no_exec: bool,
}

/// Runs `work` in a mount namespace, on a thread that ends with it.
fn within<T: Send>(namespace: Option<&File>, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let Some(namespace) = namespace else { return work() };
    let enter_and_work = || {
        leave_shared_cwd()?;
        rustix::thread::move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Mount))?;
        work()
    };
    thread::scope(|scope| scope.spawn(enter_and_work).join())
        .unwrap_or_else(|_| Err(io::Error::other("the mounting thread panicked")))
}

/// A thread that shares its working directory with others may not change its mount namespace.
#[allow(deprecated, reason = "only FILES makes this call unsafe; the named replacement is an unsafe fn")]
fn leave_shared_cwd() -> io::Result<()> {
    Ok(rustix::thread::unshare(UnshareFlags::FS)?)
}

impl Mounted {
    /// Mounts `view` at `target`, in the mount namespace of `process` when one is named.
    pub(crate) fn mount(view: View, target: &Path, process: Option<u32>, look: &Appearance) -> io::Result<Self> {
        let namespace = process.map(|id| File::open(format!("/proc/{id}/ns/mnt"))).transpose()?;
        let device = File::options().read(true).write(true).open("/dev/fuse")?;
        within(namespace.as_ref(), || attach(&device, target, look))?;
        let mut config = Config::default();
        config.acl = SessionACL::All;
        match Session::from_fd(view, OwnedFd::from(device), SessionACL::All, config).and_then(Session::spawn) {
            Ok(session) => Ok(Self { target: target.to_path_buf(), namespace, session }),
            Err(error) => {
                detach(namespace.as_ref(), target).ok();
                Err(error)
            }
        }
    }

    /// Whether anyone still uses the mount; a client that ran `umount` ends it.
    pub(crate) fn is_alive(&self) -> bool {
        !self.session.guard.is_finished()
    }
}

/// Detaches a mount; one that is already gone is fine.
fn detach(namespace: Option<&File>, target: &Path) -> io::Result<()> {
    within(namespace, || match rustix::mount::unmount(target, UnmountFlags::DETACH) {
        Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    })
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if !self.is_alive() {
            return;
        }
        if let Err(error) = detach(self.namespace.as_ref(), &self.target) {
            tracing::warn!(target = %self.target.display(), %error, "could not unmount");
        }
    }
}

fn attach(device: &File, target: &Path, look: &Appearance) -> io::Result<()> {
    let place = target.metadata()?;
    if !place.is_dir() {
        return Err(io::Error::other("the mount target is not a directory"));
    }
    let mode = place.permissions().mode();
    let data =
        format!("fd={},rootmode={mode:o},user_id=0,group_id=0,allow_other,default_permissions", device.as_raw_fd());
    let mut flags = MountFlags::empty();
    flags.set(MountFlags::RDONLY, look.read_only);
    flags.set(MountFlags::NOSUID, look.no_suid);
    flags.set(MountFlags::NODEV, look.no_dev);
    flags.set(MountFlags::NOEXEC, look.no_exec);
    let data = CString::new(data)?;
    rustix::mount::mount(look.source.as_str(), target, "fuse.wekafs", flags, data.as_c_str())?;
    Ok(())
}
