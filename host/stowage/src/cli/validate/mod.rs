//! `stowage provider validate`: measures by use what a probe cannot see.
//!
//! It makes a disposable namespace with everything that a tenant would have (workloads, grants, mounts, credentials), uses
//! it, and takes everything back in reverse order, also after a failure or an interrupt. It is a client like any other: it
//! has no call that others have not. What it measures is recorded as evidence for the provider's capabilities.
//!
//! It only runs with `--mutating`, and refuses a namespace that is there: everything that it deletes, it has made.

mod files;
mod journal;
mod objects;
mod quota;
mod release;
mod signed;
mod site;
mod undo;

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use stowage_client::{Failure, proto as v1};

use super::{
    connection::{Session, call},
    names::{NAMESPACE, PROVIDER, full},
    provider::subject,
    report::{Report, now},
    values::bytes,
};
use journal::Journal;
use site::Site;
use undo::Undo;

/// What to measure, and with what.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// PROVIDER
    name: String,
    /// Allows changes at the provider; nothing is done without.
    #[arg(long)]
    mutating: bool,
    /// TENANT/PROJECT/NAMESPACE to make, use and delete with its data. The project must be there, the namespace must not.
    #[arg(long)]
    namespace: String,
    /// Storage class that leads to this provider; one is made from its labels, and deleted again, when absent.
    #[arg(long)]
    class: Option<String>,
    /// Node to mount on; again for the second. Online nodes are picked when absent.
    #[arg(long = "node")]
    nodes: Vec<String>,
    /// Command that runs a shell script, its last argument, on a node, such as 'ssh {node}'. Needed to measure files.
    #[arg(long)]
    on_node: Option<String>,
    /// Quota of the namespace; twice as much is written to measure it.
    #[arg(long, value_parser = bytes, default_value = "16MiB")]
    quota: u64,
    /// PEM file of the authority that signed the certificate of the provider's S3 service.
    #[arg(long)]
    s3_ca: Option<std::path::PathBuf>,
    /// Longest time for one change.
    #[arg(long, default_value = "5m", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Only reports, and records no evidence.
    #[arg(long)]
    no_record: bool,
}

/// What every measurement works with.
struct Run<'a> {
    session: &'a Session,
    args: &'a Validate,
    /// `providers/{provider}`.
    provider: String,
    /// `tenants/{tenant}/projects/{project}/namespaces/{namespace}`.
    namespace: String,
    journal: Journal,
    undo: Undo,
}

impl Run<'_> {
    /// The parent of the namespace.
    fn project(&self) -> &str {
        self.namespace.rsplit_once("/namespaces/").map_or("", |(project, _)| project)
    }

    /// The namespace's own id, which names everything else that is made.
    fn id(&self) -> &str {
        self.namespace.rsplit_once('/').map_or("", |(_, id)| id)
    }

    /// Follows a change to its end.
    async fn done(&self, operation: v1::Operation) -> anyhow::Result<v1::Operation> {
        let done = self.session.wait(operation, self.args.timeout).await?;
        match &done.result {
            Some(v1::operation::Result::Error(status)) => Err(Failure::from(status).into()),
            _ => Ok(done),
        }
    }
}

/// Runs every measurement, cleans up, records, and reports.
pub(crate) async fn run(session: &Session, args: &Validate) -> anyhow::Result<()> {
    if !args.mutating {
        bail!("this makes and deletes things at the provider: say --mutating if that is wanted");
    }
    let provider = full(PROVIDER, &args.name)?;
    let namespace = full(NAMESPACE, &args.namespace)?;
    refuse_what_is_there(session, &namespace).await?;
    let run = Run {
        session,
        args,
        provider: provider.clone(),
        namespace,
        journal: Journal::default(),
        undo: Undo::default(),
    };
    let interrupted = tokio::select! {
        () = measure(&run) => false,
        _ = tokio::signal::ctrl_c() => true,
    };
    if interrupted {
        run.journal.skip("interrupted", "the run was interrupted", "what was measured before holds", "run it again");
    }
    run.clean_up().await;
    run.record().await;
    let failed = run.journal.failures();
    let report = Report::new("validation", subject(session, &provider).await?, now(), run.journal.rows());
    report.show(session.format)?;
    if interrupted {
        bail!("the run was interrupted");
    }
    if failed > 0 {
        bail!("{failed} measurements failed");
    }
    Ok(())
}

async fn refuse_what_is_there(session: &Session, namespace: &str) -> anyhow::Result<()> {
    let request = v1::GetNamespaceRequest { name: namespace.to_owned(), ..Default::default() };
    match session.client.namespaces().get_namespace(request).await {
        Ok(_) => bail!("{namespace} is there: name one that is not, since it will be deleted with its data"),
        Err(status) if status.code() == tonic::Code::NotFound => Ok(()),
        Err(status) => Err(Failure::from(status).into()),
    }
}

async fn measure(run: &Run<'_>) {
    let Some(site) = Site::prepare(run).await else { return };
    if run.create_namespace(&site).await.is_none() {
        return;
    }
    let mounts = run.mounts(&site).await;
    run.files(&mounts).await;
    run.quota(&mounts).await;
    run.usage(&mounts).await;
    run.no_drift("drift.in-use").await;
    run.objects(&site).await;
    run.revoke(&mounts).await;
    run.release(&site, &mounts).await;
    run.delete_namespace().await;
    run.no_drift("drift.after-cleanup").await;
}

impl Run<'_> {
    /// Hands the measurements to the host as evidence.
    async fn record(&self) {
        let measurements = self.journal.measurements();
        if self.args.no_record || measurements.is_empty() {
            return;
        }
        let count = measurements.len();
        let request = v1::RecordEvidenceRequest { name: self.provider.clone(), measurements, ..Default::default() };
        let session = self.session;
        let answer = async {
            let recorded = call!(session.client.providers(), record_evidence, request);
            Ok((recorded.capabilities.len(), format!("{count} capabilities are measured")))
        };
        let asked = "RecordEvidence with every measurement above";
        let follows = "they count as probed or refuted until the backend has another release";
        let _recorded: Option<usize> = self.journal.step("evidence", asked, follows, answer).await;
    }
}
