//! `stowage grant`.

use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};
use stowage_client::proto as v1;

use super::connection::{Follow, Session, call, every};
use super::names::{GRANT, NAMESPACE, PROJECT, WORKLOAD, full};
use super::output::{Column, many, one};
use super::values::{action, from_now};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("TO", "/grantee"),
    ("PREFIX", "/prefix"),
    ("ACTIONS", "/actions"),
    ("STATE", "/state"),
    ("EXPIRES", "/expireTime"),
];

/// Grants.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lets someone do something in a namespace.
    Create(Create),
    /// Shows one grant.
    Get {
        /// TENANT/PROJECT/NAMESPACE/GRANT
        name: String,
    },
    /// Lists the grants on a namespace.
    List {
        /// TENANT/PROJECT/NAMESPACE
        namespace: String,
    },
    /// Takes a grant back; mounts that rest on it are unmounted.
    Revoke {
        /// TENANT/PROJECT/NAMESPACE/GRANT
        name: String,
        #[command(flatten)]
        follow: Follow,
    },
}

/// A grant to make.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// TENANT/PROJECT/NAMESPACE
    namespace: String,
    /// Last part of the grant's name; chosen by the host when absent.
    #[arg(long, default_value = "")]
    id: String,
    /// user:ID, group:ID, service:ID, workload:TENANT/PROJECT/WORKLOAD or project:TENANT/PROJECT
    #[arg(long)]
    to: String,
    /// Beneath which prefix, such as shared/; the whole namespace when absent.
    #[arg(long, default_value = "")]
    prefix: String,
    /// read, write, list, delete, admin; joined by commas.
    #[arg(long = "action", value_parser = action, value_delimiter = ',', required = true)]
    actions: Vec<i32>,
    /// Ends after this time, such as 30days.
    #[arg(long, value_parser = humantime::parse_duration)]
    expires_in: Option<Duration>,
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut grants = session.client.grants();
    match command {
        Command::Create(create) => {
            let grant = v1::Grant {
                grantee: Some(grantee(&create.to)?),
                prefix: create.prefix,
                actions: create.actions,
                expire_time: create.expires_in.map(from_now),
                ..Default::default()
            };
            let request = v1::CreateGrantRequest {
                parent: full(NAMESPACE, &create.namespace)?,
                grant_id: create.id,
                grant: Some(grant),
                ..Default::default()
            };
            one(session.format, &call!(grants, create_grant, request), COLUMNS)
        }
        Command::Get { name } => {
            let request = v1::GetGrantRequest { name: full(GRANT, &name)? };
            one(session.format, &call!(grants, get_grant, request), COLUMNS)
        }
        Command::List { namespace } => {
            let request = v1::ListGrantsRequest { parent: full(NAMESPACE, &namespace)?, ..Default::default() };
            many(session.format, &every!(grants, list_grants, request, grants), COLUMNS)
        }
        Command::Revoke { name, follow } => {
            let request = v1::RevokeGrantRequest { name: full(GRANT, &name)?, ..Default::default() };
            let operation = call!(grants, revoke_grant, request);
            match session.follow(operation, &follow).await? {
                Some(response) => one(session.format, &response.to_msg::<v1::Grant>()?, COLUMNS),
                None => Ok(()),
            }
        }
    }
}

fn grantee(text: &str) -> anyhow::Result<v1::Grantee> {
    use v1::grantee::Who;
    let who = match text.split_once(':') {
        Some(("user", id)) => Who::User(id.to_owned()),
        Some(("group", id)) => Who::Group(id.to_owned()),
        Some(("service", id)) => Who::Service(id.to_owned()),
        Some(("workload", name)) => Who::Workload(full(WORKLOAD, name)?),
        Some(("project", name)) => Who::Project(full(PROJECT, name)?),
        _ => bail!("{text:?} is nobody: write user:ID, group:ID, service:ID, workload:T/P/W or project:T/P"),
    };
    Ok(v1::Grantee { who: Some(who) })
}
