//! `stowage`: the host (`serve`), its first steps (`init`, `token`), and the command line that calls it.

mod cli;
mod init;
mod serve;
mod token;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// The storage control plane for GPU clouds.
#[derive(Debug, Parser)]
#[command(name = "stowage", version, max_term_width = 110)]
struct Arguments {
    #[command(flatten)]
    connection: cli::Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Remote(cli::Remote),
    /// Runs a host.
    Serve(serve::Serve),
    /// Makes a directory that a host can start from: configuration, secret store, an operator's token.
    Init(init::Init),
    /// Who may call a host: its token file.
    #[command(subcommand)]
    Token(token::Command),
    /// Prints the completion script of a shell.
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::Completion { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "stowage", &mut std::io::stdout());
            Ok(())
        }
        Command::Serve(serve) => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(serve::run(serve))
        }
        Command::Init(init) => init::run(&init),
        Command::Token(command) => token::run(&command),
        Command::Remote(command) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(cli::run(&arguments.connection, command))
        }
    }
}
