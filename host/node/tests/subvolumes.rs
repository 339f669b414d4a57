//! The verbs on a real btrfs: a quota that stops a writer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use stowage_node::beneath::Beneath;
use stowage_node::subvolume::Subvolumes;
use stowage_node::verbs::{Step, StepResult, run};

/// A file system of 256 MiB on a loop device, gone at the end.
struct Btrfs {
    directory: tempfile::TempDir,
}

fn done(command: &mut Command) {
    let output = command.output().expect("btrfs-progs and util-linux are needed: `make setup`");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Btrfs {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let image = directory.path().join("image");
        std::fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
        done(Command::new("mkfs.btrfs").arg("-q").arg(&image));
        std::fs::create_dir(directory.path().join("root")).unwrap();
        let this = Self { directory };
        done(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(this.root()));
        done(Command::new("btrfs").args(["quota", "enable"]).arg(this.root()));
        this
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }
}

impl Drop for Btrfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.root()).status();
    }
}

fn one(root: &Path, verb: &str, path: &str, args: &[(&str, &str)]) -> StepResult {
    let args = args.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let step = Step { id: "1".into(), verb: verb.into(), path: path.into(), args };
    let subvolumes = Subvolumes::new("/usr/bin/btrfs".into());
    run(&Beneath::open(root).unwrap(), &subvolumes, &[step]).remove(0)
}

fn value(result: &StepResult, key: &str) -> Option<u64> {
    assert_eq!(result.error, None);
    result.values.iter().find(|(name, _)| name == key).map(|(_, value)| value.parse().unwrap())
}

#[test]
fn a_subvolume_is_made_once_limited_filled_read_and_removed() {
    let btrfs = Btrfs::new();
    let root = btrfs.root();
    for _ in 0..2 {
        let made = one(&root, "create-subvolume", "ns", &[("mark", "o1"), ("mode", "0770")]);
        assert_eq!(value(&made, "inode"), Some(256));
    }
    let set = one(&root, "set-quota", "ns", &[("bytes", "8388608")]);
    assert_eq!(value(&set, "limit-bytes"), Some(8 << 20));
    let inodes = one(&root, "set-quota", "ns", &[("inodes", "10")]).error.unwrap();
    assert!(inodes.starts_with("invalid-argument"), "{inodes}");

    let mut file = std::fs::File::create(root.join("ns/big")).unwrap();
    let chunk = vec![7_u8; 1 << 20];
    let stopped = (0..32).find_map(|_| file.write_all(&chunk).and_then(|()| file.sync_data()).err());
    assert_eq!(stopped.expect("the quota stops the writer").raw_os_error(), Some(122), "EDQUOT");

    let read = one(&root, "read-quota", "ns", &[]);
    assert_eq!(value(&read, "limit-bytes"), Some(8 << 20));
    let used = value(&read, "used-bytes").unwrap();
    assert!((4 << 20..=8 << 20).contains(&used), "used {used}");

    assert_eq!(one(&root, "set-quota", "ns", &[]).error, None);
    assert_eq!(value(&one(&root, "read-quota", "ns", &[]), "limit-bytes"), None);

    let foreign = one(&root, "remove-subvolume", "ns", &[("mark", "o2")]).error.unwrap();
    assert!(foreign.starts_with("foreign-mark"), "{foreign}");
    assert_eq!(one(&root, "remove-subvolume", "ns", &[("mark", "o1")]).error, None);
    assert!(!root.join("ns").exists());
}

#[test]
fn an_ordinary_directory_is_no_subvolume_and_a_link_is_not_followed() {
    let btrfs = Btrfs::new();
    let root = btrfs.root();
    std::fs::create_dir(root.join("plain")).unwrap();
    std::os::unix::fs::symlink("/etc", root.join("link")).unwrap();
    for (verb, path, code) in [
        ("create-subvolume", "plain", "not-a-subvolume"),
        ("set-quota", "plain", "not-a-subvolume"),
        ("read-quota", "absent", "not-found"),
        ("create-subvolume", "link/x", "path-refused"),
        ("create-subvolume", "../x", "path-refused"),
    ] {
        let error = one(&root, verb, path, &[]).error.unwrap_or_else(|| panic!("{verb} {path} worked"));
        assert!(error.starts_with(code), "{verb} {path}: {error}");
    }
}
