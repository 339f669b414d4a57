//! `stowage init`: a directory with all that a host needs to start on this machine.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;

use crate::token::{self, New};

/// What to make.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The directory to make.
    directory: PathBuf,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// Address of the Prometheus endpoint; none when absent.
    #[arg(long)]
    metrics: Option<SocketAddr>,
}

/// Makes the directory, its configuration, its secret store and an operator's token.
pub(crate) fn run(init: &Init) -> anyhow::Result<()> {
    let home = &init.directory;
    let config = home.join("stowage.toml");
    ensure!(!config.exists(), "{} is there already: nothing was changed", config.display());
    for part in [home.clone(), home.join("secrets"), home.join("plugins")] {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&part);
        made.with_context(|| format!("cannot make {}", part.display()))?;
    }
    let metrics = init.metrics.map(|listen| format!("\n[metrics]\nlisten = \"{listen}\"\n")).unwrap_or_default();
    let installation = hex::encode(rand::random::<[u8; 8]>());
    let text = format!(
        "# Paths are relative to this file. Every key and its default: `docs/configuration.md`.\n\
         # Part of the name of everything that this host makes at a backend; never change it.\n\
         installation = \"{installation}\"\n\n[server]\nlisten = \"{}\"\naddress_file = \"address\"\n\n\
         [auth]\ntoken_file = \"tokens.json\"\n\n[state]\nengine = \"sled\"\ndirectory = \"state\"\n\n\
         [plugins]\ndirectory = \"plugins\"\ncache = \"cache\"\n\n[secrets]\ndirectory = \"secrets\"\n{metrics}",
        init.listen
    );
    write_private(&config, &text)?;
    let operator = New { subject: "operator".to_owned(), roles: vec!["operator".to_owned()], ..New::default() };
    let token = token::add(&home.join("tokens.json"), &operator)?;
    write_private(&home.join("operator.token"), &token)?;
    println!("Made {}. Start the host and call it:\n", home.display());
    println!("  stowage serve --config {}", config.display());
    println!(
        "  export STOWAGE_SERVER=http://{} STOWAGE_TOKEN_FILE={}",
        init.listen,
        home.join("operator.token").display()
    );
    println!("  stowage plugin list");
    Ok(())
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, content: &str) -> anyhow::Result<()> {
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(content.as_bytes()));
    written.with_context(|| format!("cannot write {}", path.display()))
}
