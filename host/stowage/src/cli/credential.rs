//! `stowage credential`.

use std::time::Duration;

use clap::{Args, Subcommand};
use stowage_client::proto as v1;

use super::connection::{Session, call, every};
use super::names::{CREDENTIAL, NAMESPACE, PROJECT, WORKLOAD, full};
use super::output::{Column, Format, many, one};
use super::values::{action, duration};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("KIND", "/kind"),
    ("STATE", "/state"),
    ("SCOPE", "/scope"),
    ("ACCESS KEY", "/accessKeyId"),
    ("WORKLOAD", "/workload"),
    ("EXPIRES", "/expireTime"),
];

const DETAILS: &[Column] = &[
    ("Name", "/name"),
    ("Kind", "/kind"),
    ("State", "/state"),
    ("Reason", "/stateReason"),
    ("Namespace", "/namespace"),
    ("Scope", "/scope"),
    ("Access key", "/accessKeyId"),
    ("Provider", "/provider"),
    ("Workload", "/workload"),
    ("Grants", "/grants"),
    ("Keys", "/keyCount"),
    ("Issued", "/createTime"),
    ("Expires", "/expireTime"),
    ("Revoked", "/revokeTime"),
];

const KEYS: &[Column] = &[
    ("Credential", "/credential"),
    ("Endpoint", "/endpoint"),
    ("Region", "/region"),
    ("Bucket", "/bucket"),
    ("Prefix", "/prefix"),
    ("Access key", "/accessKeyId"),
    ("Secret key", "/secretAccessKey"),
    ("Session token", "/sessionToken"),
    ("Expires", "/expireTime"),
];

/// Credentials.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Issues a credential for a prefix of a namespace, and prints its secret, once.
    ///
    /// It opens exactly the prefix and actions that are asked for, and no more than the project's grants hold. A
    /// temporary one ends by itself; a service account works until it is revoked or its workload is released.
    Issue(Box<Issue>),
    /// Shows one credential, without its secret.
    Get {
        /// TENANT/PROJECT/CREDENTIAL
        name: String,
    },
    /// Lists the credentials that were issued to a project, without their secrets.
    List {
        /// TENANT/PROJECT
        project: String,
    },
    /// Ends a credential before its time.
    ///
    /// A service account ends at once. Where the provider cannot end one temporary credential the answer says when it
    /// ends by itself, and which others would end with it under --parent.
    Revoke {
        /// TENANT/PROJECT/CREDENTIAL
        name: String,
        /// Ends everything beneath the same parent: all credentials on namespaces of the owning project at that provider.
        #[arg(long)]
        parent: bool,
    },
}

/// A credential to issue.
#[derive(Debug, Args)]
pub(crate) struct Issue {
    /// What it opens: TENANT/PROJECT/NAMESPACE
    namespace: String,
    /// To whom, when not to the project that owns the namespace: TENANT/PROJECT
    #[arg(long)]
    project: Option<String>,
    /// Beneath which prefix, such as datasets/; the whole namespace when absent.
    #[arg(long, default_value = "")]
    prefix: String,
    /// read, write, list, delete; joined by commas.
    #[arg(long = "action", value_parser = action, value_delimiter = ',', required = true)]
    actions: Vec<i32>,
    /// How long it works, such as 30min; one hour when absent.
    #[arg(long, value_parser = humantime::parse_duration, conflicts_with = "service_account")]
    ttl: Option<Duration>,
    /// The workload that owns it: TENANT/PROJECT/WORKLOAD
    #[arg(long)]
    workload: Option<String>,
    /// A service account, which works until it is revoked or its workload is released.
    #[arg(long, requires = "workload")]
    service_account: bool,
    /// Makes repeats safe: the same id gives the same answer for five minutes.
    #[arg(long, default_value = "")]
    request_id: String,
    /// Checks everything and issues nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut credentials = session.client.credentials();
    match command {
        Command::Issue(issue) => {
            let request = issue.wire()?;
            let answer = call!(credentials, issue_credential, request);
            shown(session.format, &answer)
        }
        Command::Get { name } => {
            let request = v1::GetCredentialRequest { name: full(CREDENTIAL, &name)? };
            one(session.format, &call!(credentials, get_credential, request), DETAILS)
        }
        Command::List { project } => {
            let request = v1::ListCredentialsRequest { parent: full(PROJECT, &project)?, ..Default::default() };
            many(session.format, &every!(credentials, list_credentials, request, credentials), COLUMNS)
        }
        Command::Revoke { name, parent } => {
            let request = v1::RevokeCredentialRequest {
                name: full(CREDENTIAL, &name)?,
                revoke_parent: parent,
                ..Default::default()
            };
            one(session.format, &call!(credentials, revoke_credential, request), DETAILS)
        }
    }
}

impl Issue {
    fn wire(self) -> anyhow::Result<v1::IssueCredentialRequest> {
        let namespace = full(NAMESPACE, &self.namespace)?;
        let owner = namespace.rsplitn(3, '/').last().unwrap_or_default().to_owned();
        let kind =
            if self.service_account { v1::CredentialKind::ServiceAccount } else { v1::CredentialKind::Temporary };
        let workload = self.workload.map(|workload| full(WORKLOAD, &workload)).transpose()?;
        Ok(v1::IssueCredentialRequest {
            parent: self.project.map_or(Ok(owner), |project| full(PROJECT, &project))?,
            credential: Some(v1::Credential {
                namespace,
                prefix: self.prefix,
                actions: self.actions,
                workload: workload.unwrap_or_default(),
                kind: kind.into(),
                ..Default::default()
            }),
            ttl: self.ttl.map(duration),
            request_id: self.request_id,
            validate_only: self.dry_run,
        })
    }
}

/// The keys, with a hint for people; the whole answer for programs.
fn shown(format: Format, answer: &v1::IssueCredentialResponse) -> anyhow::Result<()> {
    if format == Format::Json {
        return one(format, answer, &[]);
    }
    for keys in &answer.keys {
        one(format, keys, KEYS)?;
    }
    if answer.keys.is_empty() {
        return answer.credentials.iter().try_for_each(|credential| one(format, credential, DETAILS));
    }
    eprintln!("The secret is shown here and never again; keep it, or revoke the credential and issue another.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_goes_to_the_owning_project_unless_another_is_named() {
        let issue = |project: Option<&str>| Issue {
            namespace: "acme/vision/train".to_owned(),
            project: project.map(str::to_owned),
            prefix: "datasets/".to_owned(),
            actions: vec![1],
            ttl: None,
            workload: None,
            service_account: false,
            request_id: String::new(),
            dry_run: false,
        };
        assert_eq!(issue(None).wire().unwrap().parent, "tenants/acme/projects/vision");
        assert_eq!(issue(Some("acme/audio")).wire().unwrap().parent, "tenants/acme/projects/audio");
    }
}
