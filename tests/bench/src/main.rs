//! Measures speed and size, each as a ratio to a baseline of the same run.
//!
//! A figure of one machine tells little about another, so nearly every figure here is a ratio: to the same logic in a
//! sidecar process, to the bare runtime, to an empty echo, to a serial committer. Both sides of a ratio take turns (A B A B
//! …), so that a slow moment of the machine meets both, and each side's value is the median of its rounds.
//!
//! Counter-example: measuring A for ten seconds and then B for ten has shown twice the truth on a machine whose neighbour
//! began to work in between.
#![forbid(unsafe_code)]

mod adapter;
mod emulator;
mod host;
mod measure;
mod process;
mod report;
mod rounds;
mod sidecar;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures speed and size as ratios to baselines of the same run.
#[derive(Debug, Parser)]
#[command(name = "stowage-bench", version)]
struct Arguments {
    /// Where the figures are written, as a list of {name, value, unit, baseline, ratio}; scratch files lie beside it
    #[arg(long, value_name = "FILE", default_value = "target/bench/report.json")]
    report: PathBuf,
    /// Only the groups that have a figure with this in its name
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Few and short rounds: whether everything runs, not how fast
    #[arg(long)]
    quick: bool,
    /// Names of all figures, and nothing is measured
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this binary is when it is started by itself.
#[derive(Debug, Subcommand)]
enum Role {
    /// The baseline of plugin calls: the adapter in a process of its own
    #[command(hide = true)]
    Sidecar {
        /// The Unix socket to listen on; without one a TCP port is chosen
        socket: Option<PathBuf>,
    },
    /// An engine with two plugins, for its size
    #[command(hide = true)]
    Resident {
        /// A directory for compiled code
        artefacts: PathBuf,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Sidecar { socket }) => sidecar::serve(socket.as_deref()).await,
        Some(Role::Resident { artefacts }) => measure::memory::resident(artefacts).await,
        None if arguments.list => {
            measure::names().for_each(|name| println!("{name}"));
            Ok(())
        }
        None => {
            let plan = if arguments.quick { rounds::Plan::QUICK } else { rounds::Plan::FULL };
            measure::all(&arguments.report, plan, arguments.filter.as_deref()).await
        }
    }
}
