//! `stowage token`: who may call a host, kept as hashes in its token file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use sha2::{Digest as _, Sha256};
use stowage_control::{TokenEntry, TokenFile, TokenKind};
use stowage_ports::Role;

use crate::init::write_private;

/// Tokens of a host on this machine. The host reads the file when it starts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a token, adds its hash to the file and prints it, once.
    Add {
        /// The host's token file.
        #[arg(long, default_value = "tokens.json")]
        file: PathBuf,
        #[command(flatten)]
        new: New,
    },
    /// Lists who has a token.
    List {
        /// The host's token file.
        #[arg(long, default_value = "tokens.json")]
        file: PathBuf,
    },
    /// Takes all tokens of a subject out of the file.
    Remove {
        /// The host's token file.
        #[arg(long, default_value = "tokens.json")]
        file: PathBuf,
        /// Whose.
        #[arg(long)]
        subject: String,
    },
}

/// A token to make.
#[derive(Debug, Default, Args)]
pub(crate) struct New {
    /// Who it is: the name in the audit.
    #[arg(long)]
    pub(crate) subject: String,
    /// operator, platform, admin, member or viewer; again for more.
    #[arg(long = "role", required = true)]
    pub(crate) roles: Vec<String>,
    /// A person instead of a service.
    #[arg(long)]
    pub(crate) user: bool,
    /// The only tenant that it may touch.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// The only project of that tenant.
    #[arg(long, requires = "tenant")]
    pub(crate) project: Option<String>,
    /// A group, for grants; again for more.
    #[arg(long = "group")]
    pub(crate) groups: Vec<String>,
}

/// Runs a command.
pub(crate) fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Add { file, new } => println!("{}", add(file, new)?),
        Command::List { file } => {
            for entry in TokenFile::read(file)?.tokens {
                let scope = [entry.tenant, entry.project].into_iter().flatten().collect::<Vec<_>>().join("/");
                println!(
                    "{}  {:?}  {}",
                    entry.subject,
                    entry.roles,
                    if scope.is_empty() { "everywhere" } else { &scope }
                );
            }
        }
        Command::Remove { file, subject } => {
            let mut tokens = TokenFile::read(file)?;
            let before = tokens.tokens.len();
            tokens.tokens.retain(|entry| &entry.subject != subject);
            ensure!(tokens.tokens.len() < before, "{subject:?} has no token in {}", file.display());
            save(file, &tokens)?;
        }
    }
    Ok(())
}

/// Adds a token to the file, which is made when it is not there, and answers it.
pub(crate) fn add(file: &Path, new: &New) -> anyhow::Result<String> {
    let mut tokens = if file.exists() { TokenFile::read(file)? } else { TokenFile::default() };
    let token = format!("stw_{}", hex::encode(rand::random::<[u8; 32]>()));
    tokens.tokens.push(TokenEntry {
        sha256: hex::encode(Sha256::digest(&token)),
        subject: new.subject.clone(),
        kind: if new.user { TokenKind::User } else { TokenKind::Service },
        roles: new.roles.iter().map(|role| parse(role)).collect::<Result<_, _>>()?,
        tenant: new.tenant.clone(),
        project: new.project.clone(),
        groups: new.groups.clone(),
    });
    save(file, &tokens)?;
    Ok(token)
}

fn save(file: &Path, tokens: &TokenFile) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(tokens).context("the tokens cannot be written")?;
    write_private(file, &format!("{text}\n"))
}

fn parse(role: &str) -> anyhow::Result<Role> {
    Ok(match role {
        "operator" => Role::Operator,
        "platform" => Role::Platform,
        "admin" => Role::Admin,
        "member" => Role::Member,
        "viewer" => Role::Viewer,
        _ => bail!("{role:?} is not a role: operator, platform, admin, member or viewer"),
    })
}
