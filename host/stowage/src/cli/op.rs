//! `stowage op`.

use std::time::Duration;

use clap::Subcommand;
use stowage_client::{Failure, proto as v1};

use super::connection::{Session, call, every};
use super::names::{OPERATION, full};
use super::output::{Column, many, one};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("KIND", "/metadata/kind"),
    ("RESOURCE", "/metadata/resource"),
    ("STATE", "/metadata/state"),
    ("STEP", "/metadata/currentStep"),
    ("ATTEMPTS", "/metadata/attempts"),
];

const DETAILS: &[Column] = &[
    ("Name", "/name"),
    ("Kind", "/metadata/kind"),
    ("Resource", "/metadata/resource"),
    ("State", "/metadata/state"),
    ("Step", "/metadata/currentStep"),
    ("Steps done", "/metadata/stepsDone"),
    ("Attempts", "/metadata/attempts"),
    ("Waits for", "/metadata/waitingNode"),
    ("Next retry", "/metadata/nextRetryTime"),
    ("Last error", "/metadata/lastError/message"),
    ("Items", "/metadata/items"),
    ("Requester", "/metadata/requester"),
    ("Created", "/metadata/createTime"),
    ("Ended", "/metadata/endTime"),
    ("Error", "/error/message"),
];

/// Operations.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows one operation.
    Get {
        /// OPERATION
        name: String,
    },
    /// Lists operations, newest first.
    List {
        /// Only those that are not done.
        #[arg(long)]
        unfinished: bool,
        /// Only those of this tenant or project: tenants/TENANT or tenants/TENANT/projects/PROJECT; all when absent.
        #[arg(long, default_value = "")]
        parent: String,
    },
    /// Follows an operation to its end; fails if it failed.
    Wait {
        /// OPERATION
        name: String,
        /// Longest time, such as 90s.
        #[arg(long, default_value = "10m", value_parser = humantime::parse_duration)]
        timeout: Duration,
    },
    /// Asks an operation to stop where that is still possible.
    Cancel {
        /// OPERATION
        name: String,
    },
}

pub(crate) fn show(session: &Session, operation: &v1::Operation) -> anyhow::Result<()> {
    one(session.format, operation, DETAILS)
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut operations = session.client.operations();
    match command {
        Command::Get { name } => {
            let request = v1::GetOperationRequest { name: full(OPERATION, &name)? };
            show(session, &call!(operations, get_operation, request))
        }
        Command::List { unfinished, parent } => {
            let request = v1::ListOperationsRequest { parent, unfinished_only: unfinished, ..Default::default() };
            many(session.format, &every!(operations, list_operations, request, operations), COLUMNS)
        }
        Command::Wait { name, timeout } => {
            let request = v1::GetOperationRequest { name: full(OPERATION, &name)? };
            let operation = call!(operations, get_operation, request);
            let done = session.wait(operation, timeout).await?;
            show(session, &done)?;
            match done.result {
                Some(v1::operation::Result::Error(status)) => Err(Failure::from(&status).into()),
                _ => Ok(()),
            }
        }
        Command::Cancel { name } => {
            let request = v1::CancelOperationRequest { name: full(OPERATION, &name)? };
            show(session, &call!(operations, cancel_operation, request))
        }
    }
}
