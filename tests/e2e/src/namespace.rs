//! A private mount namespace: what a region mounts, and the mount helper that it installs, nobody else sees.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Holds the namespace open until it is dropped.
pub struct MountNamespace {
    holder: Child,
}

impl MountNamespace {
    /// Makes a namespace in which `/usr/sbin` also holds the files of `sbin`, where mount(8) looks for `mount.<type>`.
    #[must_use]
    pub fn new(sbin: &Path, work: &Path) -> Self {
        std::fs::create_dir_all(work).expect("overlay work directory");
        let script = "mount -t overlay overlay -o \"lowerdir=/usr/sbin,upperdir=$1,workdir=$2\" /usr/sbin && echo ready && exec cat";
        let mut holder = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "--", "sh", "-c", script, "sh"])
            .args([sbin, work])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare (util-linux) and root are needed for a mount namespace");
        let mut line = String::new();
        BufReader::new(holder.stdout.take().expect("piped")).read_line(&mut line).expect("holder's word");
        assert_eq!(line.trim(), "ready", "the mount namespace could not be made: is this root, and is overlay there?");
        Self { holder }
    }

    /// A command that runs inside, and is killed when the thread that starts it ends.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()));
        command.args(["--", "setpriv", "--pdeathsig", "KILL", "--"]).arg(program);
        command
    }

    /// The words before a shell script that runs inside.
    #[must_use]
    pub fn shell(&self) -> String {
        format!("nsenter --mount=/proc/{}/ns/mnt -- sh -c", self.holder.id())
    }

    /// How a path inside is seen from outside.
    #[must_use]
    pub fn path(&self, inside: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(inside.strip_prefix("/").expect("absolute"))
    }
}

impl Drop for MountNamespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
