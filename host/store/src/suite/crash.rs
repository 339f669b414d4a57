//! Killing a process in the middle of its commits.
//!
//! A test calls [`survives_sigkill`] with its own name. It starts its own binary again with that name and a directory in
//! the environment; there the call writes until it is killed. Each writer numbers its commits, and reports a number only
//! when its commit was answered. After the kill every reported number must be there, and whole.
//!
//! Keep these tests in a test binary of their own. A process that is being started holds for a moment all files of the
//! one that starts it, and with them the lock of any store that is open there, whichever thread opened it; a test beside
//! that opens its store again just then would find it in use.
//!
//! A kill loses nothing that was written to the kernel; so this holds order, atomicity and recovery. That a commit is also
//! synced before it is answered is held by counting system calls; see `docs/adr/0003-state-store.md`.

use std::{
    io::{BufRead, BufReader, Write as _},
    process::{Command, Stdio},
};

use self::lcg::Lcg;

use super::*;

const DIRECTORY: &str = "STOWAGE_CRASH_DIRECTORY";
/// Held by each of these tests, for the reason above.
static ALONE: parking_lot::Mutex<()> = parking_lot::Mutex::new(());

/// Names a file of reported lines; then the directory is only checked against them. See `docs/adr/0003-power-cut.py`.
const REPORTS: &str = "STOWAGE_CRASH_REPORTS";
const LIMITED: &str = "STOWAGE_CRASH_UNTIL_REFUSED";
const WRITERS: u64 = 4;
const ROUNDS: u64 = 6;
/// Rows that a writer keeps: older ones are deleted in the commit that adds a new one.
const KEPT: u64 = 40;
/// Rows that a writer keeps when the disk is to become full.
const KEPT_ALL: u64 = u64::MAX;

/// A small generator of its own, so that a failing round can be played again.
mod lcg {
    pub(super) struct Lcg(pub(super) u64);

    impl Lcg {
        pub(super) fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % limit
        }
    }
}

/// Writes, is killed at random points, and opens again, several times in one directory. `test` is the caller's full name
/// as the test binary knows it.
pub fn survives_sigkill(test: &str, open: impl Fn(&Path) -> Arc<dyn Store>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        let store = open(Path::new(&directory));
        let Some(reports) = std::env::var_os(REPORTS) else { return write_until_killed(store) };
        let mut answered = Answered::default();
        std::fs::read_to_string(reports).unwrap().lines().for_each(|line| answered.read(line));
        return runtime.block_on(check(store, &answered, KEPT));
    }
    let _alone = ALONE.lock();
    let directory = tempfile::tempdir().unwrap();
    let mut random = Lcg(0x5704_a6e5);
    for round in 0..ROUNDS {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = again(&mut command, test, directory.path()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let enough = 1 + random.below(400);
        let mut answered = Answered::default();
        for line in lines.by_ref() {
            answered.read(&line.unwrap());
            if answered.count == enough {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        lines.for_each(|line| answered.read(&line.unwrap()));
        assert!(answered.count >= enough, "round {round}: the child ended by itself");
        runtime.block_on(check(open(directory.path()), &answered, KEPT));
    }
}

/// Writes under a limit on file size, which stands for a full disk, until the store refuses; then without it everything
/// that was answered must be there.
pub fn a_full_disk_is_a_typed_error(test: &str, open: impl Fn(&Path) -> Arc<dyn Store>) {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        return write_until_killed(open(Path::new(&directory)));
    }
    let _alone = ALONE.lock();
    let directory = tempfile::tempdir().unwrap();
    // 12 MiB per file; the signal that comes with the limit is ignored, so that a write fails with EFBIG.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f $((12 * 2048)) && exec \"$0\" \"$@\""]);
    command.arg(std::env::current_exe().unwrap()).env(LIMITED, "1");
    let output = again(&mut command, test, directory.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let mut answered = Answered::default();
    text.lines().for_each(|line| answered.read(line));
    assert!(answered.count > 0, "nothing was written: {text}");
    assert!(text.contains("refused: the state store failed"), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    tokio::runtime::Runtime::new().unwrap().block_on(check(open(directory.path()), &answered, KEPT_ALL));
}

fn again<'a>(command: &'a mut Command, test: &str, directory: &Path) -> &'a mut Command {
    command.args(["--exact", test, "--nocapture"]).env(DIRECTORY, directory);
    command.stdout(Stdio::piped()).stderr(Stdio::piped())
}

/// The last number that each writer has reported.
#[derive(Default)]
struct Answered {
    count: u64,
    last: [Option<u64>; WRITERS as usize],
}

impl Answered {
    fn read(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("answered ") else { return };
        // The last line may be cut off by the kill.
        let Some((writer, number)) = rest.strip_suffix('.').and_then(|rest| rest.split_once(' ')) else { return };
        self.last[writer.parse::<usize>().unwrap()] = Some(number.parse().unwrap());
        self.count += 1;
    }
}

/// Row sizes from a few bytes to beyond what a log keeps inline.
fn content(writer: u64, number: u64) -> Bytes {
    let size = match number % 50 {
        0 => 300_000,
        n if n % 10 == 0 => 20_000,
        n => 10 + n * 20,
    };
    let mut random = Lcg(writer << 32 | number);
    Bytes::from((0..size).map(|_| random.below(256) as u8).collect::<Vec<_>>())
}

fn row(side: &str, writer: u64, number: u64) -> Key {
    key(&format!("{side}/{writer}/{number:010}"))
}

fn write_until_killed(store: Arc<dyn Store>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(Arc::clone(&store), writer))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

/// Two rows per commit on both ends of the key space, and the rows of [`KEPT`] commits ago removed.
async fn write(store: Arc<dyn Store>, writer: u64) {
    let until_refused = std::env::var_os(LIMITED).is_some();
    let kept = if until_refused { KEPT_ALL } else { KEPT };
    let mut number = 1 + last_number(&store, writer).await;
    loop {
        let content = content(writer, number);
        let mut commit = writes([
            Write::Put(row("left", writer, number), content.clone()),
            Write::Put(row("right", writer, number), content),
        ]);
        if let Some(old) = number.checked_sub(kept) {
            commit.writes.extend(["left", "right"].map(|side| Write::Delete(row(side, writer, old))));
        }
        let answer = store.commit(commit).await;
        let mut out = std::io::stdout().lock();
        match answer {
            Ok(_) => writeln!(out, "answered {writer} {number}.").unwrap(),
            Err(error) if until_refused => {
                writeln!(out, "refused: {error}").unwrap();
                return;
            }
            Err(error) => panic!("{error}"),
        }
        number += 1;
    }
}

async fn numbers(store: &Arc<dyn Store>, side: &str, writer: u64) -> Vec<u64> {
    let rows = store.scan(KeyRange::prefix(format!("{side}/{writer}/").as_bytes()), 100_000).await.unwrap();
    rows.iter()
        .map(|(stored, found)| {
            let name = std::str::from_utf8(stored).unwrap();
            let number = name.rsplit('/').next().unwrap().parse().unwrap();
            assert_eq!(found.value, content(writer, number), "{name} is torn");
            number
        })
        .collect()
}

async fn last_number(store: &Arc<dyn Store>, writer: u64) -> u64 {
    numbers(store, "left", writer).await.last().copied().unwrap_or(0)
}

async fn check(store: Arc<dyn Store>, answered: &Answered, kept: u64) {
    let mut last_version = Version(0);
    for writer in 0..WRITERS {
        let left = numbers(&store, "left", writer).await;
        assert_eq!(left, numbers(&store, "right", writer).await, "half of a commit of writer {writer}");
        let last = left.last().copied().unwrap_or(0);
        let reported = answered.last[writer as usize].unwrap_or(0);
        assert!(last >= reported, "writer {writer}: {reported} was answered and {last} is the last one there");
        // At most one commit was under way and could not be reported.
        assert!(reported == 0 || last <= reported + 1, "writer {writer}: {last} is there and {reported} was answered");
        let want: Vec<u64> = (last.saturating_sub(kept - 1).max(1)..=last).collect();
        assert_eq!(left, want, "rows of writer {writer} are missing or back again");
        if let Some(number) = left.last() {
            let found = store.get(&row("left", writer, *number)).await.unwrap().unwrap();
            last_version = last_version.max(found.version);
        }
    }
    assert_eq!(store.version(), last_version, "the version is not that of the last commit");
}
