//! The tree behind a filesystem: real writers through real mounts.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};

use rustix::io::Errno;
use serde_json::json;

use crate::support::{Bench, errno};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

#[tokio::test(flavor = "multi_thread")]
async fn an_active_quota_stops_a_real_writer_with_edquot_and_counts_its_bytes() {
    let bench = Bench::start().await;
    let quota = bench.dir_with_quota("gpuaas-kind-fs", "/projects/p1", MIB).await;
    let mount = bench.mount("gpuaas-kind-fs", "a");
    let mut file = File::create(mount.join("projects/p1/data")).unwrap();
    file.write_all(&vec![1; usize::try_from(MIB - 8192).unwrap()]).unwrap();
    file.write_all(&[2; 4096]).unwrap();
    assert_eq!(errno(file.write(&[3; 4096])), Errno::DQUOT.raw_os_error());
    assert_eq!(errno(fs::write(mount.join("projects/p1/other"), b"x")), Errno::DQUOT.raw_os_error());
    assert_eq!(file.metadata().unwrap().len(), MIB - 4096);
    assert_eq!(bench.data(&quota).await["used_bytes"], MIB);
    fs::write(mount.join("projects/free"), b"outside").unwrap();
    fs::remove_file(mount.join("projects/p1/other")).unwrap();
    fs::remove_file(mount.join("projects/p1/data")).unwrap();
    drop(file);
    fs::write(mount.join("projects/p1/again"), b"room").unwrap();
    assert_eq!(bench.data(&quota).await["used_bytes"], 8192);
}

#[tokio::test(flavor = "multi_thread")]
async fn truncate_mkdir_and_fallocating_holes_are_charged_too() {
    let bench = Bench::start().await;
    bench.dir_with_quota("default", "/q", 16 * KIB).await;
    let mount = bench.mount("default", "a");
    let file = File::create(mount.join("q/sparse")).unwrap();
    assert_eq!(errno(file.set_len(64 * KIB)), Errno::DQUOT.raw_os_error());
    file.set_len(8 * KIB).unwrap();
    fs::create_dir(mount.join("q/d1")).unwrap();
    assert_eq!(errno(fs::create_dir(mount.join("q/d2"))), Errno::DQUOT.raw_os_error());
    assert_eq!(errno(file.write_at(b"x", MIB)), Errno::DQUOT.raw_os_error());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_mounts_of_one_filesystem_share_bytes_and_accounting() {
    let bench = Bench::start().await;
    let quota = bench.dir_with_quota("default", "/shared", 64 * KIB).await;
    let one = bench.mount("default", "one");
    let two = bench.mount("default", "two");
    fs::write(one.join("shared/a"), vec![7; 32 * 1024]).unwrap();
    assert_eq!(fs::read(two.join("shared/a")).unwrap(), vec![7; 32 * 1024]);
    assert_eq!(errno(fs::write(two.join("shared/b"), vec![8; 32 * 1024])), Errno::DQUOT.raw_os_error());
    let mut appender = OpenOptions::new().append(true).open(two.join("shared/a")).unwrap();
    appender.write_all(b"tail").unwrap();
    assert_eq!(fs::metadata(one.join("shared/a")).unwrap().len(), 32 * 1024 + 4);
    assert_eq!(bench.data(&quota).await["used_bytes"], 4096 + 36 * 1024);
}

#[tokio::test(flavor = "multi_thread")]
async fn df_shows_the_hard_quota_as_the_size_of_its_directory() {
    let bench = Bench::start().await;
    bench.dir_with_quota("default", "/small", 40 * KIB).await;
    let mount = bench.mount("default", "a");
    fs::write(mount.join("small/f"), vec![0; 8192]).unwrap();
    let inside = rustix::fs::statvfs(mount.join("small")).unwrap();
    assert_eq!(inside.f_blocks * inside.f_frsize, 40 * KIB);
    assert_eq!(inside.f_bavail * inside.f_frsize, 28 * KIB);
    let outside = rustix::fs::statvfs(&mount).unwrap();
    assert_eq!(outside.f_blocks * outside.f_frsize, 100_000_000_000 / 4096 * 4096);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_over_a_quota_boundary_is_exdev_and_within_it_works() {
    let bench = Bench::start().await;
    bench.dir_with_quota("default", "/q", MIB).await;
    let mount = bench.mount("default", "a");
    fs::write(mount.join("out"), b"1").unwrap();
    fs::create_dir(mount.join("q/sub")).unwrap();
    fs::write(mount.join("q/in"), b"2").unwrap();
    assert_eq!(errno(fs::rename(mount.join("out"), mount.join("q/out"))), Errno::XDEV.raw_os_error());
    assert_eq!(errno(fs::rename(mount.join("q/in"), mount.join("in"))), Errno::XDEV.raw_os_error());
    fs::rename(mount.join("q/in"), mount.join("q/sub/in")).unwrap();
    assert_eq!(fs::read(mount.join("q/sub/in")).unwrap(), b"2");
    fs::rename(mount.join("out"), mount.join("moved")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filesystems_own_size_is_enospc() {
    let bench = Bench::start().await;
    let body = json!({ "name": "tiny", "group_name": "default", "total_capacity": 1_u64 << 30 });
    assert_eq!(bench.post("/fileSystems", body).await.0, 200);
    bench.control().clock().advance(1000);
    let mount = bench.mount("tiny", "a");
    let file = File::create(mount.join("f")).unwrap();
    assert_eq!(errno(file.set_len(2 << 30)), Errno::NOSPC.raw_os_error());
    file.set_len(512 << 20).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soft_limit_stops_writers_after_its_grace() {
    let bench = Bench::start().await;
    bench.control().make_dir("default", "/soft", weka_emulator::Owner::default()).unwrap();
    let inode = bench.inode("default", "/soft").await;
    let quota = format!("/fileSystems/{}/quota/{inode}", bench.fs_uid("default"));
    let limits = json!({ "hard_limit_bytes": MIB, "soft_limit_bytes": 8192, "grace_seconds": 60 });
    assert_eq!(bench.put(&quota, limits).await.0, 200);
    let mount = bench.mount("default", "a");
    fs::write(mount.join("soft/a"), vec![0; 16384]).unwrap();
    fs::write(mount.join("soft/b"), vec![0; 4096]).unwrap();
    bench.control().clock().advance(61_000);
    assert_eq!(errno(fs::write(mount.join("soft/c"), vec![0; 4096])), Errno::DQUOT.raw_os_error());
    fs::remove_file(mount.join("soft/a")).unwrap();
    fs::remove_file(mount.join("soft/b")).unwrap();
    fs::remove_file(mount.join("soft/c")).unwrap();
    fs::write(mount.join("soft/d"), vec![0; 4096]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_behaves_like_a_posix_file_system() {
    let bench = Bench::start().await;
    let mount = bench.mount("default", "a");
    let path = mount.join("dir/file");
    fs::create_dir(mount.join("dir")).unwrap();
    fs::write(&path, b"hello world").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::chown(&path, Some(1000), Some(2000)).unwrap();
    let meta = fs::metadata(&path).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid(), meta.gid()), (0o640, 1000, 2000));
    std::os::unix::fs::symlink("file", mount.join("dir/sym")).unwrap();
    fs::hard_link(&path, mount.join("dir/hard")).unwrap();
    assert_eq!(fs::read(mount.join("dir/sym")).unwrap(), b"hello world");
    assert_eq!(fs::metadata(mount.join("dir/hard")).unwrap().nlink(), 2);
    rustix::fs::setxattr(&path, "user.mark", b"mine", rustix::fs::XattrFlags::CREATE).unwrap();
    let mut value = [0; 16];
    let len = rustix::fs::getxattr(&path, "user.mark", &mut value).unwrap();
    assert_eq!(&value[..len], b"mine");
    let mut open = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::remove_file(mount.join("dir/hard")).unwrap();
    open.seek(SeekFrom::Start(6)).unwrap();
    let mut rest = String::new();
    open.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "world");
    assert_eq!(errno(fs::remove_dir(mount.join("dir"))), Errno::NOTEMPTY.raw_os_error());
    for n in 0..500 {
        fs::write(mount.join(format!("dir/many-{n}")), b"").unwrap();
    }
    fs::remove_dir_all(mount.join("dir")).unwrap();
    assert_eq!(fs::read_dir(&mount).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_survive_the_round_trip_and_programs_run_from_the_mount() {
    let bench = Bench::start().await;
    let mount = bench.mount("default", "a");
    let data: Vec<u8> = (0..5 * 1024 * 1024_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(mount.join("big"), &data).unwrap();
    assert!(fs::read(mount.join("big")).unwrap() == data);
    fs::copy("/bin/true", mount.join("true")).unwrap();
    assert!(std::process::Command::new(mount.join("true")).status().unwrap().success());
}
