//! `stowage project`.

use clap::Subcommand;
use stowage_client::proto as v1;

use super::connection::{Session, call, every};
use super::names::{PROJECT, TENANT, full, split};
use super::output::{Column, many, one};
use super::values::{bytes, mode};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("UID", "/posixIdentity/uid"),
    ("GID", "/posixIdentity/gid"),
    ("QUOTA", "/byteQuota"),
    ("RESERVED", "/bytesReserved"),
];

/// Projects.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a project.
    Create {
        /// TENANT/PROJECT
        name: String,
        /// User id that owns its files; never 0.
        #[arg(long)]
        uid: u32,
        /// Group id that owns them.
        #[arg(long)]
        gid: u32,
        /// Permission bits of its namespaces' directories, in octal.
        #[arg(long, value_parser = mode, default_value = "0770")]
        mode: u32,
        /// Bytes that all its namespaces may reserve; no limit when absent.
        #[arg(long, value_parser = bytes)]
        quota: Option<u64>,
        /// For people.
        #[arg(long, default_value = "")]
        display_name: String,
    },
    /// Lists the projects of a tenant.
    List {
        /// TENANT
        tenant: String,
    },
    /// Shows one project.
    Get {
        /// TENANT/PROJECT
        name: String,
    },
    /// Deletes a project that has no namespaces and workloads.
    Delete {
        /// TENANT/PROJECT
        name: String,
    },
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut tenants = session.client.tenants();
    match command {
        Command::Create { name, uid, gid, mode, quota, display_name } => {
            let (parent, project_id) = split(PROJECT, &name)?;
            let project = v1::Project {
                display_name,
                posix_identity: Some(v1::PosixIdentity { uid, gid, mode }),
                byte_quota: quota,
                ..Default::default()
            };
            let request = v1::CreateProjectRequest { parent, project_id, project: Some(project), ..Default::default() };
            one(session.format, &call!(tenants, create_project, request), COLUMNS)
        }
        Command::List { tenant } => {
            let request = v1::ListProjectsRequest { parent: full(TENANT, &tenant)?, ..Default::default() };
            many(session.format, &every!(tenants, list_projects, request, projects), COLUMNS)
        }
        Command::Get { name } => {
            let request = v1::GetProjectRequest { name: full(PROJECT, &name)? };
            one(session.format, &call!(tenants, get_project, request), COLUMNS)
        }
        Command::Delete { name } => {
            let request = v1::DeleteProjectRequest { name: full(PROJECT, &name)?, ..Default::default() };
            tenants.delete_project(request).await.map_err(stowage_client::Failure::from)?;
            Ok(())
        }
    }
}
