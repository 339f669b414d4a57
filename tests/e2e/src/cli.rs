//! The `stowage` command as an operator or a platform service runs it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// What a command printed and how it ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The arguments, for failure messages.
    pub line: String,
    /// Whether it ended with 0.
    pub ok: bool,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Outcome {
    /// The output, or a panic with the error.
    pub fn success(self) -> String {
        assert!(self.ok, "{} failed:\n{}{}", self.line, self.out, self.err);
        self.out
    }

    /// The output as JSON, or a panic.
    #[must_use]
    pub fn json(self) -> Value {
        let line = self.line.clone();
        let text = self.success();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{line} printed no JSON ({error}):\n{text}"))
    }

    /// The error's text, or a panic if it worked.
    #[must_use]
    pub fn failure(self) -> String {
        assert!(!self.ok, "{} worked but should have been refused:\n{}", self.line, self.out);
        self.err
    }
}

/// Calls one host as one caller.
#[derive(Debug, Clone)]
pub struct Cli {
    program: PathBuf,
    server: String,
    token_file: PathBuf,
}

impl Cli {
    /// The built command, bound to a host and a caller's token.
    #[must_use]
    pub fn new(server: impl Into<String>, token_file: PathBuf) -> Self {
        Self { program: crate::binaries::program("stowage"), server: server.into(), token_file }
    }

    /// Runs a line of words; a word with spaces stands in single quotes.
    #[must_use]
    pub fn run(&self, line: &str) -> Outcome {
        let output = self.command(line).output().expect("stowage");
        Outcome {
            line: format!("stowage {line}"),
            ok: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, as JSON.
    #[must_use]
    pub fn json(&self, line: &str) -> Value {
        self.run(&format!("{line} -o json")).json()
    }

    /// The command of a line, not yet run.
    #[must_use]
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("STOWAGE_SERVER", &self.server).env("STOWAGE_TOKEN_FILE", &self.token_file).env("NO_COLOR", "1");
        command.args(words(line));
        command
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
