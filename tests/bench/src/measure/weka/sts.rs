//! One temporary credential: through the whole host, through the port alone, and by the bare call.
//!
//! Through the host it is the answer to `IssueCredential` of `stowage serve` as it is installed: the decision on the grants,
//! two durable commits with their audit entries, and the secret store's files. Through the port it is adapter, sandbox and
//! way out with secrets in memory. So the difference of the two is what the host does to be able to account for it.
//!
//! Each credential lives for an hour and a cluster holds 5000, so a round is a number of calls and not a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail, ensure};
use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use stowage_client::{Client, Failure, proto};
use stowage_ports::provider::{
    AttachPoint, Call, CredentialRequest, Issue, NativeRef, Policy, PosixIdentity, PrincipalKind, PrincipalSpec,
    Progress, Provider,
};
use stowage_proto::json_to_struct;

use super::bound::{self, PROVIDER, context};
use super::made::MemorySecrets;
use super::node::Node;
use crate::emulator::{ADMIN, Emulator};
use crate::host::Host;
use crate::measure::Setting;
use crate::report::{Figure, Target};
use crate::rounds::{Pace, Subject, calls};

pub(in crate::measure) const FIGURES: [&str; 5] = [
    "weka_issue_sts",
    "weka_issue_sts_p99",
    "weka_issue_sts_port",
    "weka_issue_sts_new_connections",
    "weka_issue_sts_exchanges",
];

const NEAR_THE_BACKEND: Target = Target::AtMost(1.5);
/// The parent that the port and the bare client issue beneath.
const PARENT: &str = "sw-bench000";
const PASSWORD: &str = "Parent-Secret-4711";
const TTL_S: u32 = 3600;

pub(in crate::measure) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let emulator = Arc::new(Emulator::start("s3-ready", &setting.scratch, None).await?);
    let host = Host::start(&setting.scratch.join("host")).await?;
    let namespace = host.prepare_weka(&emulator).await?;
    let issuing = Issuing { client: host.client.clone(), namespace };
    let port = Port::prepare(&emulator).await?;
    let bare = Bare { emulator: Arc::clone(&emulator), token: emulator.log_in().await?, body: body() };
    // The first credential makes the parent.
    issuing.once().await?;
    emulator.forget_requests().await?;
    issuing.once().await?;
    let exchanges = emulator.requests().await?;
    ensure!(exchanges == ["POST /api/v2/s3/sts"], "one credential took {exchanges:?}");

    let sides: [Arc<dyn Subject>; 3] = [Arc::new(issuing), Arc::new(port), Arc::new(bare)];
    let mut seen = [Vec::new(), Vec::new(), Vec::new()];
    let mut made = 0;
    for turn in 0..=setting.plan.rounds {
        for (side, seen) in sides.iter().zip(&mut seen) {
            let before = emulator.connections().await?;
            let pace = calls(setting.plan.calls, side).await?;
            if turn > 0 {
                made += emulator.connections().await? - before;
                seen.push(pace);
            }
        }
    }
    host.stop().await?;
    let [through, port, bare] = seen.map(|paces| Pace::median(&paces));
    Ok(vec![
        Figure::by("weka_issue_sts", through.p50, "µs", bare.p50).target(NEAR_THE_BACKEND),
        Figure::by("weka_issue_sts_p99", through.p99, "µs", bare.p99),
        Figure::by("weka_issue_sts_port", port.p50, "µs", bare.p50),
        Figure::alone("weka_issue_sts_new_connections", made as f64, "connections"),
        Figure::alone("weka_issue_sts_exchanges", exchanges.len() as f64, "exchanges"),
    ])
}

fn document() -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::bench000-data/set/*"] },
        { "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::bench000-data"],
          "Condition": { "StringLike": { "s3:prefix": ["set/*"] } } },
    ] })
}

fn body() -> Value {
    json!({ "access_key": PARENT, "secret_key": PASSWORD, "duration": TTL_S, "policy_file_content": document() })
}

/// Through the whole host.
struct Issuing {
    client: Client,
    namespace: String,
}

#[async_trait]
impl Subject for Issuing {
    async fn once(&self) -> Result<()> {
        let parent = self.namespace.split("/namespaces/").next().unwrap_or_default().to_owned();
        let credential = proto::Credential {
            namespace: self.namespace.clone(),
            prefix: "set/".to_owned(),
            actions: vec![proto::Action::Read.into(), proto::Action::List.into()],
            kind: proto::CredentialKind::Temporary.into(),
            ..Default::default()
        };
        let request = proto::IssueCredentialRequest { parent, credential: Some(credential), ..Default::default() };
        let issued = self.client.credentials().issue_credential(request).await.map_err(Failure::from)?.into_inner();
        ensure!(issued.keys.iter().all(|keys| !keys.session_token.is_empty()) && issued.keys.len() == 1, "no keys");
        Ok(())
    }
}

/// Through the port alone.
struct Port {
    provider: Arc<dyn Provider>,
    parent: NativeRef,
    secret: String,
    made: AtomicU64,
}

impl Port {
    async fn prepare(emulator: &Emulator) -> Result<Self> {
        let secret = format!("made/{PROVIDER}/{PARENT}");
        let provider = bound::bind(emulator, MemorySecrets::default().with_login(&secret, (PARENT, PASSWORD))).await?;
        let call = Call { owner: "bench-parent".to_owned(), attempt: 1, ..Call::default() };
        let spec = PrincipalSpec {
            name: PARENT.to_owned(),
            kind: PrincipalKind::Parent,
            parent: None,
            posix: Some(PosixIdentity { uid: 1000, gid: 1000, mode: 0o770 }),
            secret: Some(secret.clone()),
            extensions: Vec::new(),
        };
        let Progress::Done(parent) = provider.ensure_principal(&context(), &call, &spec).await?.value else {
            bail!("the parent is not made at once");
        };
        let policy = Policy::IamJson(document().to_string().into_bytes());
        provider.apply_policy(&context(), &call, Some(&policy), &AttachPoint::Principal(parent.clone())).await?;
        Ok(Self { provider, parent, secret, made: AtomicU64::new(0) })
    }
}

#[async_trait]
impl Subject for Port {
    async fn once(&self) -> Result<()> {
        let owner = format!("bench-{}", self.made.fetch_add(1, Ordering::Relaxed));
        let call = Call { owner, attempt: 1, ..Call::default() };
        let request = CredentialRequest::Session {
            principal: self.parent.clone(),
            parent_secret: Some(self.secret.clone()),
            session_name: "bench".to_owned(),
            policy: Policy::IamJson(document().to_string().into_bytes()),
            ttl_s: TTL_S,
        };
        match self.provider.issue_credential(&context(), &call, &request).await?.value {
            Issue::Issued(_) => Ok(()),
            other => bail!("{other:?}"),
        }
    }
}

/// The bare call.
struct Bare {
    emulator: Arc<Emulator>,
    token: String,
    body: Value,
}

#[async_trait]
impl Subject for Bare {
    async fn once(&self) -> Result<()> {
        let issued = self.emulator.call(&self.token, Method::POST, "/s3/sts", &self.body).await?;
        ensure!(issued.pointer("/data/session_token").is_some_and(Value::is_string), "no keys");
        Ok(())
    }
}

impl Host {
    /// Binds the WEKA adapter to the emulator and makes a namespace that S3 serves; answers its name.
    async fn prepare_weka(&self, emulator: &Arc<Emulator>) -> Result<String> {
        self.write_secret("providers/weka/admin", ADMIN)?;
        let endpoint =
            |url: &str| proto::EndpointBinding { urls: vec![url.to_owned()], plain_http: true, ..Default::default() };
        let provider = proto::Provider {
            plugin: "plugins/weka".to_owned(),
            config: bound::config(emulator).as_object().map(json_to_struct),
            endpoints: [("control".to_owned(), endpoint(&emulator.rest)), ("s3".to_owned(), endpoint(&emulator.s3))]
                .into(),
            secrets: [("admin".to_owned(), "providers/weka/admin".to_owned())].into(),
            ..Default::default()
        };
        self.make_project().await?;
        self.make_provider(PROVIDER, provider).await?;
        self.make_class(&[proto::Protocol::Posix, proto::Protocol::S3]).await?;
        let node = Node::join(self, emulator).await?;
        tokio::select! {
            worked = node.work() => match worked {
                Ok(()) => bail!("the node has ended"),
                Err(error) => Err(error),
            },
            made = self.make_namespace("datasets") => made,
        }
    }
}
