//! `stowage workload`.

use std::time::Duration;

use clap::{Args, Subcommand};
use stowage_client::proto as v1;

use super::connection::{Follow, Session, call, every};
use super::names::{NODE, PROJECT, WORKLOAD, full, split};
use super::output::{Column, many, one};
use super::values::{from_now, map, pair};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("KIND", "/kind"),
    ("PRINCIPAL", "/principal"),
    ("STATE", "/state"),
    ("NODES", "/nodes"),
    ("CREATED", "/createTime"),
];

/// Workloads.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a workload known, so that it can mount.
    Register(Register),
    /// Shows one workload.
    Get {
        /// TENANT/PROJECT/WORKLOAD
        name: String,
    },
    /// Lists the workloads of a project.
    List {
        /// TENANT/PROJECT
        project: String,
    },
    /// Unmounts and releases everything that a workload has.
    Release {
        /// TENANT/PROJECT/WORKLOAD
        name: String,
        #[command(flatten)]
        follow: Follow,
    },
}

/// A workload to register.
#[derive(Debug, Args)]
pub(crate) struct Register {
    /// TENANT/PROJECT/WORKLOAD
    name: String,
    /// What it is, such as job, notebook or app.
    #[arg(long, default_value = "job")]
    kind: String,
    /// Whose it is; the caller when absent.
    #[arg(long, default_value = "")]
    principal: String,
    /// Node that it runs on; again for more.
    #[arg(long = "node")]
    nodes: Vec<String>,
    /// It is released by itself after this time, such as 12h.
    #[arg(long, value_parser = humantime::parse_duration)]
    expires_in: Option<Duration>,
    /// KEY=VALUE
    #[arg(long = "label", value_parser = pair)]
    labels: Vec<(String, String)>,
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut workloads = session.client.workloads();
    match command {
        Command::Register(register) => {
            let (parent, workload_id) = split(WORKLOAD, &register.name)?;
            let workload = v1::Workload {
                kind: register.kind,
                principal: register.principal,
                nodes: register.nodes.iter().map(|node| full(NODE, node)).collect::<Result<_, _>>()?,
                expire_time: register.expires_in.map(from_now),
                labels: map(register.labels),
                ..Default::default()
            };
            let request =
                v1::RegisterWorkloadRequest { parent, workload_id, workload: Some(workload), ..Default::default() };
            one(session.format, &call!(workloads, register_workload, request), COLUMNS)
        }
        Command::Get { name } => {
            let request = v1::GetWorkloadRequest { name: full(WORKLOAD, &name)? };
            one(session.format, &call!(workloads, get_workload, request), COLUMNS)
        }
        Command::List { project } => {
            let request = v1::ListWorkloadsRequest { parent: full(PROJECT, &project)?, ..Default::default() };
            many(session.format, &every!(workloads, list_workloads, request, workloads), COLUMNS)
        }
        Command::Release { name, follow } => {
            let request = v1::ReleaseWorkloadRequest { name: full(WORKLOAD, &name)?, ..Default::default() };
            let operation = call!(workloads, release_workload, request);
            let operation_name = operation.name.clone();
            if session.follow(operation, &follow).await?.is_some() {
                let request = v1::GetOperationRequest { name: operation_name };
                super::op::show(session, &call!(session.client.operations(), get_operation, request))?;
            }
            Ok(())
        }
    }
}
