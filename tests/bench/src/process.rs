//! Other processes: this binary again in another role, and what a process uses.
//!
//! A role ends when its input is closed, so none outlives a bench that was killed. What the two say to each other are
//! lines: the role says one when it is ready, and answers each line that it is told.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A tick of `/proc/PID/stat`: 1/100 s on every Linux, whatever the kernel's own clock is.
const TICK: Duration = Duration::from_millis(10);
/// For a role that does not answer. Admitting two plugins compiles them, which takes some seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a process uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage(u32);

impl Usage {
    /// Of a child that runs.
    pub(crate) fn of(child: &Child) -> Result<Self> {
        child.id().map(Self).context("the child has ended already")
    }

    /// Its resident memory, in bytes.
    pub(crate) fn resident_bytes(self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes << 10)
    }

    /// CPU time that it has used, user and system.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // The name in parentheses may hold anything; the twelfth and thirteenth field behind it are the times.
        let (_, fields) = stat.rsplit_once(')').context("no name")?;
        let ticks: Vec<u32> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
        ensure!(ticks.len() == 2, "no times");
        Ok(TICK * ticks.iter().sum())
    }
}

/// This binary in another role, ready.
pub(crate) struct Role {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// What it said when it was ready.
    pub(crate) greeting: String,
}

impl Role {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(arguments: &[&OsStr]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().context("the child has no input")?;
        let output = BufReader::new(child.stdout.take().context("the child has no output")?).lines();
        let mut role = Self { child, input, output, greeting: String::new() };
        role.greeting = role.answer().await.with_context(|| format!("starting {arguments:?}"))?;
        Ok(role)
    }

    /// Says a line and waits for the answer.
    pub(crate) async fn tell(&mut self, line: &str) -> Result<String> {
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<String> {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await.context("the child is silent")??;
        line.context("the child has ended")
    }

    /// What it uses.
    pub(crate) fn usage(&self) -> Result<Usage> {
        Usage::of(&self.child)
    }
}

/// The role's side: says that it is ready, then answers each line until there is none.
pub(crate) async fn serve<A: AsyncFnMut(&str) -> Result<String>>(greeting: &str, mut answer: A) -> Result<()> {
    println!("{greeting}");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        println!("{}", answer(&line).await?);
    }
    Ok(())
}

/// For a role that is told nothing.
pub(crate) async fn until_input_closes(greeting: &str) -> Result<()> {
    serve(greeting, async |line: &str| bail!("{line:?} is not known here")).await
}
