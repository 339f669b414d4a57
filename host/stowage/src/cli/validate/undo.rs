//! Taking back what was made, the last first.
//!
//! A thing is written down before it is made, so that one whose answer was lost is taken back too; what is not there is
//! taken back already.

use std::cell::RefCell;

use stowage_client::{Failure, proto as v1};
use tonic::{Code, Status};

use super::Run;
use crate::cli::connection::{Session, call};

/// How often a running change is stopped before something is given up.
const BUSY_ATTEMPTS: u32 = 5;

/// Something that the run makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Made {
    Class(String),
    Project(String),
    Namespace(String),
    Workload(String),
    Grant(String),
    Credential(String),
}

impl Made {
    fn name(&self) -> &str {
        match self {
            Self::Class(name)
            | Self::Project(name)
            | Self::Namespace(name)
            | Self::Workload(name)
            | Self::Grant(name)
            | Self::Credential(name) => name,
        }
    }
}

/// What was made, in order.
#[derive(Debug, Default)]
pub(super) struct Undo(RefCell<Vec<Made>>);

impl Undo {
    pub(super) fn made(&self, made: Made) {
        self.0.borrow_mut().push(made);
    }
}

impl Run<'_> {
    /// Takes everything back. What cannot be is a failed row with its name.
    pub(super) async fn clean_up(&self) {
        let all: Vec<Made> = self.undo.0.take().into_iter().rev().collect();
        for made in &all {
            if let Err(error) = self.take_back(made).await {
                let follows = "it is left behind";
                self.journal.fail("cleanup", made.name(), format!("{error:#}"), follows, "delete it by hand");
            }
        }
        if !all.is_empty() {
            eprintln!("cleaned up");
        }
    }

    async fn take_back(&self, made: &Made) -> anyhow::Result<()> {
        for _ in 0..BUSY_ATTEMPTS {
            match self.take_back_once(made).await {
                Err(error) => match in_progress(&error) {
                    Some(operation) => self.stop(operation).await?,
                    None => return Err(error),
                },
                Ok(()) => return Ok(()),
            }
        }
        self.take_back_once(made).await
    }

    /// Stops a change that was running when the run was interrupted, and waits for its end, whatever that is.
    async fn stop(&self, operation: String) -> anyhow::Result<()> {
        let mut client = self.session.client.operations();
        // One that has ended meanwhile, or cannot be stopped any more, is waited for all the same.
        let _stopping = client.cancel_operation(v1::CancelOperationRequest { name: operation.clone() }).await;
        let found = call!(client, get_operation, v1::GetOperationRequest { name: operation });
        self.session.wait(found, self.args.timeout).await?;
        Ok(())
    }

    async fn take_back_once(&self, made: &Made) -> anyhow::Result<()> {
        let client = &self.session.client;
        let name = made.name().to_owned();
        let operation = match made {
            Made::Class(_) => {
                let request = v1::DeleteStorageClassRequest { name, ..Default::default() };
                return there(client.storage_classes().delete_storage_class(request).await);
            }
            Made::Project(_) => {
                let request = v1::DeleteProjectRequest { name, ..Default::default() };
                return there(client.tenants().delete_project(request).await);
            }
            Made::Credential(_) => return revoke(self.session, name).await,
            Made::Namespace(_) => {
                let data_policy = v1::DataPolicy::Purge.into();
                let request = v1::DeleteNamespaceRequest { name, data_policy, ..Default::default() };
                client.namespaces().delete_namespace(request).await
            }
            Made::Workload(_) => {
                let request = v1::ReleaseWorkloadRequest { name, ..Default::default() };
                client.workloads().release_workload(request).await
            }
            Made::Grant(_) => {
                let request = v1::RevokeGrantRequest { name, ..Default::default() };
                client.grants().revoke_grant(request).await
            }
        };
        match operation {
            Ok(operation) => self.done(operation.into_inner()).await.map(|_| ()),
            Err(status) => there::<()>(Err(status)),
        }
    }
}

/// The operation that holds what is to be taken back.
fn in_progress(error: &anyhow::Error) -> Option<String> {
    let failure = error.downcast_ref::<Failure>().filter(|failure| failure.reason == "OPERATION_IN_PROGRESS")?;
    failure.metadata.get("operation").cloned()
}

/// A credential that cannot be ended before its time ends by itself, and is no failure.
async fn revoke(session: &Session, name: String) -> anyhow::Result<()> {
    let request = v1::RevokeCredentialRequest { name, ..Default::default() };
    match session.client.credentials().revoke_credential(request).await {
        Err(status) if status.code() == Code::FailedPrecondition => Ok(()),
        answer => there(answer),
    }
}

/// What is not there is taken back already.
fn there<T>(answer: Result<tonic::Response<T>, Status>) -> anyhow::Result<()> {
    match answer {
        Ok(_) => Ok(()),
        Err(status) if status.code() == Code::NotFound => Ok(()),
        Err(status) => match Failure::from(status) {
            ended if ended.reason == "WORKLOAD_RELEASED" => Ok(()),
            failure => Err(failure.into()),
        },
    }
}
