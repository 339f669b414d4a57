//! Prints the story: numbered steps, commands as typed, outputs as they came.

use crate::cli::{Cli, Outcome};

/// Longest output shown of one command; the rest is counted.
const SHOWN_LINES: usize = 40;

/// Tells steps.
#[derive(Debug, Default)]
pub struct Teller {
    steps: usize,
}

impl Teller {
    /// Begins a step.
    pub fn step(&mut self, title: &str) {
        self.steps += 1;
        println!("\n── {}. {title}", self.steps);
    }

    /// How many steps were told.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// Runs a command, prints it and what it printed.
    pub fn show(&self, cli: &Cli, line: &str) -> Outcome {
        println!("   $ stowage {line}");
        let outcome = cli.run(line);
        self.indent(&outcome.out);
        self.indent(&outcome.err);
        outcome
    }

    /// Says what was seen.
    pub fn say(&self, text: &str) {
        self.indent(text);
    }

    fn indent(&self, text: &str) {
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        for line in lines.iter().take(SHOWN_LINES) {
            println!("     {line}");
        }
        if lines.len() > SHOWN_LINES {
            println!("     … {} more lines", lines.len() - SHOWN_LINES);
        }
    }
}
