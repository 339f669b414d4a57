//! Direct object access: a bucket over the namespace, credentials, what they open and what not, and how they end.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use stowage_client::{Failure, proto as v1};
use tonic::Code;

use super::{Run, signed::Bucket, site::Site, undo::Made};
use crate::cli::connection::call;

/// The prefix that credentials are issued for.
const PREFIX: &str = "shared/";
/// The shortest life that is asked for.
const LIFE_S: i64 = 900;
/// How long a credential that was ended may work on.
const END_PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const BETWEEN: Duration = Duration::from_millis(500);

const SESSION: &str = "credentials.session";
const ACCOUNT: &str = "credentials.access-key";

impl Run<'_> {
    /// Measures object access where the provider has it.
    pub(super) async fn objects(&self, site: &Site) {
        for needed in ["namespaces.s3", SESSION] {
            if !site.can(needed) {
                let (why, remedy) = site.lack(needed);
                self.journal.skip("objects", why, "object access was not measured", &remedy);
                return;
            }
        }
        if self.bucket().await.is_none() {
            return;
        }
        let bucket = match Bucket::open(self.args.s3_ca.as_deref()) {
            Ok(bucket) => bucket,
            Err(error) => {
                self.journal.fail("objects.client", "an S3 client", format!("{error:#}"), "nothing was measured", "");
                return;
            }
        };
        if let Some((name, keys)) = self.issue(v1::CredentialKind::Temporary, "").await {
            self.journal.measured(SESSION, true, "a temporary credential was issued");
            self.scope(&bucket, &keys).await;
            self.end_session(&bucket, &name, &keys).await;
        }
        if site.can(ACCOUNT) {
            self.account(&bucket).await;
        } else {
            let (why, remedy) = site.lack(ACCOUNT);
            self.journal.skip("objects.account", why, "service accounts were not measured", &remedy);
        }
        let why = "the host has no call that changes the policy of a live credential";
        self.journal.skip("objects.policy-change", why, "a live credential is said to keep its policy", "");
        let why = "the host has no call that shows the provider's own audit events";
        self.journal.skip("objects.audit-event", why, "the provider's audit is taken as its probe says", "");
    }

    async fn bucket(&self) -> Option<()> {
        let open = async {
            let request = v1::SetNamespaceProtocolsRequest {
                name: self.namespace.clone(),
                protocols: vec![v1::Protocol::Posix.into(), v1::Protocol::S3.into()],
                ..Default::default()
            };
            let mut client = self.session.client.namespaces();
            self.done(call!(client, set_namespace_protocols, request)).await?;
            let request = v1::GetNamespaceRequest { name: self.namespace.clone(), ..Default::default() };
            let namespace = call!(client, get_namespace, request);
            Ok(((), format!("bucket {}", namespace.bucket)))
        };
        let asked = "SetNamespaceProtocols to posix and s3";
        let opened = self.journal.step("objects.bucket", asked, "the same files are objects", open).await;
        self.journal.confirmed("namespaces.s3", &opened, "a bucket was opened over a namespace");
        opened
    }

    async fn issue(&self, kind: v1::CredentialKind, workload: &str) -> Option<(String, v1::CredentialKeys)> {
        let all = [v1::Action::Read, v1::Action::List, v1::Action::Write, v1::Action::Delete];
        let request = v1::IssueCredentialRequest {
            parent: self.project().to_owned(),
            credential: Some(v1::Credential {
                namespace: self.namespace.clone(),
                prefix: PREFIX.to_owned(),
                actions: all.map(i32::from).to_vec(),
                workload: workload.to_owned(),
                kind: kind.into(),
                ..Default::default()
            }),
            ttl: (kind == v1::CredentialKind::Temporary).then_some(prost_types::Duration { seconds: LIFE_S, nanos: 0 }),
            ..Default::default()
        };
        let issue = async {
            let issued = call!(self.session.client.credentials(), issue_credential, request);
            let credential = issued.credentials.into_iter().next().context("no credential was answered")?;
            self.undo.made(Made::Credential(credential.name.clone()));
            let keys = issued.keys.into_iter().next().context("no keys were answered")?;
            let seen = match &credential.expire_time {
                Some(end) => format!("{} until {end}", credential.scope),
                None => format!("{} without an end", credential.scope),
            };
            Ok(((credential.name, keys), seen))
        };
        let check = format!("objects.issue-{}", word(kind));
        let asked = format!("IssueCredential for {PREFIX} with every action");
        self.journal.step(&check, asked, "a client gets keys for one prefix", issue).await
    }

    /// Uses a credential inside its prefix and outside.
    async fn scope(&self, bucket: &Bucket, keys: &v1::CredentialKeys) {
        let inside = format!("{PREFIX}validate-object");
        let list = format!("list-type=2&prefix={}", PREFIX.replace('/', "%2F"));
        let follows = "keys open what they are for";
        let works = async {
            for (method, key, query) in
                [("PUT", inside.as_str(), ""), ("GET", &inside, ""), ("GET", "", &list), ("DELETE", &inside, "")]
            {
                let body: &'static [u8] = if method == "PUT" { b"validate" } else { b"" };
                let said = bucket.call(keys, method, key, query, body).await?;
                if !said.yes() {
                    bail!("{method} {key}{query} was answered {}: {}", said.status, said.text);
                }
            }
            Ok(((), "put, got, listed and deleted".to_owned()))
        };
        if self.journal.step("objects.inside", "four calls inside the prefix", follows, works).await.is_none() {
            return;
        }
        let closed = async {
            let foreign = "list-type=2&prefix=users%2F";
            for (method, key, query) in [
                ("PUT", "users/validate-object", ""),
                ("GET", "users/validate-object", ""),
                ("GET", "", foreign),
                ("GET", "", "list-type=2"),
            ] {
                let said = bucket.call(keys, method, key, query, b"").await?;
                if said.yes() {
                    let _deleted = bucket.call(keys, "DELETE", key, "", b"").await;
                    self.journal.measured(SESSION, false, "a temporary credential opened more than its prefix");
                    bail!("{method} {key}{query} was answered {}", said.status);
                }
            }
            Ok(((), "four calls were refused".to_owned()))
        };
        let asked = "calls outside the prefix, and a list of the whole bucket";
        if self.journal.step("objects.outside", asked, "prefix conditions hold", closed).await.is_some() {
            let holds = v1::capability_value::Kind::Flag(true);
            self.journal.constraint(SESSION, "policy.prefix-conditions", holds);
        }
    }

    /// Ends a temporary credential before its time, if that can be done.
    async fn end_session(&self, bucket: &Bucket, name: &str, keys: &v1::CredentialKeys) {
        let request = v1::RevokeCredentialRequest { name: name.to_owned(), ..Default::default() };
        let asked = "RevokeCredential of one temporary credential";
        let default_life = match self.session.client.credentials().revoke_credential(request).await {
            Err(status) if status.code() == Code::FailedPrecondition => {
                let seen = Failure::from(status).to_string();
                self.journal.note("objects.end-session", asked, &seen, "it ends with its time, or with its parent");
                self.journal.measured("revoke.session", false, "one temporary credential could not be ended");
                LIFE_S
            }
            Err(status) => {
                let seen = Failure::from(status).to_string();
                self.journal.fail("objects.end-session", asked, seen, "revoking was not measured", "");
                LIFE_S
            }
            Ok(_) => {
                let stopped = self.stops(bucket, keys, ("objects.end-session", asked), "revoke.session").await;
                self.journal.confirmed("revoke.session", &stopped, "one temporary credential was ended");
                if stopped.is_some() { 3600 } else { LIFE_S }
            }
        };
        // What cannot be ended should not live long: the host takes this for requests without a lifetime.
        let seconds = u64::try_from(default_life).unwrap_or_default();
        self.journal.constraint(SESSION, "session.default-ttl", v1::capability_value::Kind::Seconds(seconds));
    }

    /// Makes a service account for a workload, uses it, and sees how fast it stops.
    async fn account(&self, bucket: &Bucket) {
        let workload_id = format!("{}-account", self.id());
        let workload = format!("{}/workloads/{workload_id}", self.project());
        self.undo.made(Made::Workload(workload.clone()));
        let request = v1::RegisterWorkloadRequest {
            parent: self.project().to_owned(),
            workload_id,
            workload: Some(v1::Workload { kind: "app".to_owned(), ..Default::default() }),
            ..Default::default()
        };
        let register = async {
            call!(self.session.client.workloads(), register_workload, request);
            Ok(((), "registered".to_owned()))
        };
        let asked = "RegisterWorkload";
        if self.journal.step("workload.account", asked, "it owns its account", register).await.is_none() {
            return;
        }
        let issued = self.issue(v1::CredentialKind::ServiceAccount, &workload).await;
        self.journal.confirmed(ACCOUNT, &issued, "a service account was made for a workload");
        let Some((name, keys)) = issued else { return };
        let list = format!("list-type=2&prefix={}", PREFIX.replace('/', "%2F"));
        let used = async {
            let said = bucket.call(&keys, "GET", "", &list, b"").await?;
            if !said.yes() {
                bail!("a list of its prefix was answered {}: {}", said.status, said.text);
            }
            Ok(((), "its prefix was listed".to_owned()))
        };
        if self.journal.step("objects.account", "a list with its keys", "it works", used).await.is_none() {
            return;
        }
        let revoke = async {
            let request = v1::RevokeCredentialRequest { name, ..Default::default() };
            let ended = call!(self.session.client.credentials(), revoke_credential, request);
            Ok(((), ended.state().as_str_name().to_owned()))
        };
        let asked = "RevokeCredential of the service account";
        if self.journal.step("objects.account-delete", asked, "it is deleted", revoke).await.is_none() {
            return;
        }
        let row = ("objects.account-stops", "calls with its keys");
        if let Some(took) = self.stops(bucket, &keys, row, ACCOUNT).await {
            let seconds = v1::capability_value::Kind::Seconds(took.as_secs());
            self.journal.constraint(ACCOUNT, "key.revoke-latency", seconds);
        }
    }

    /// Calls until the keys are refused; answers how long that took.
    async fn stops(
        &self,
        bucket: &Bucket,
        keys: &v1::CredentialKeys,
        (check, asked): (&str, &str),
        capability: &str,
    ) -> Option<Duration> {
        let began = Instant::now();
        let list = format!("list-type=2&prefix={}", PREFIX.replace('/', "%2F"));
        let wait = async {
            loop {
                let said = bucket.call(keys, "GET", "", &list, b"").await?;
                if said.denied() {
                    let took = began.elapsed();
                    return Ok((took, format!("refused with {} after {:.1} s", said.status, took.as_secs_f64())));
                }
                if began.elapsed() > END_PATIENCE {
                    self.journal.measured(capability, false, "keys that were ended worked on");
                    bail!("it is answered {} after {END_PATIENCE:?}", said.status);
                }
                tokio::time::sleep(BETWEEN).await;
            }
        };
        self.journal.step(check, asked, "what was ended stops", wait).await
    }
}

const fn word(kind: v1::CredentialKind) -> &'static str {
    match kind {
        v1::CredentialKind::ServiceAccount => "account",
        v1::CredentialKind::Temporary | v1::CredentialKind::Unspecified => "session",
    }
}
