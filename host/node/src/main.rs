//! `stowage-node`: runs the agent of one node.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use stowage_node::agent::Agent;
use stowage_node::config::NodeConfig;
use stowage_node::mounting::Mounter;
use stowage_node::session;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The agent of one node: mounts what the host plans for it.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The node's configuration.
    #[arg(long, default_value = "/etc/stowage/node.toml", env = "STOWAGE_NODE_CONFIG")]
    config: PathBuf,
    /// Checks the configuration, prints what it allows and ends.
    #[arg(long)]
    check: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stowage-node: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let config = NodeConfig::load(&arguments.config)?;
    if arguments.check {
        println!("{config:#?}");
        return Ok(());
    }
    let filter = EnvFilter::try_from_env("STOWAGE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Only one provider is compiled in, so a second installation cannot be of another.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mounter = Mounter::open(config.clone())?;
    let client = session::open(&config).await?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    tracing::info!(node = config.name, server = config.server, "agent runs");
    Agent::new(config, client, mounter).run(stop).await;
    Ok(())
}
