//! The S3 side: buckets, parents, policies, sessions, keys and audit, on a cluster that serves S3.

pub(crate) mod auditing;
pub(crate) mod bucketing;
mod cutting;
mod keeping;
mod matrix;
pub(crate) mod parenting;
pub(crate) mod policing;
pub(crate) mod sessioning;
mod vanishing;

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::Result;
use stowage_provider_sdk::prelude::*;
use weka_emulator::{Options, Preset};

use crate::bench::{Bench, GIB, call, spec};

/// A provider with S3 over the development filesystem.
pub(crate) const CONFIG: &str = r#"{"filesystem":"gpuaas-kind-fs","s3":{"endpoint":"https://s3.example:9000/"}}"#;
/// The project's parent, and the host's name of its secret.
pub(crate) const PARENT: &str = "sw-ab12cd34";
pub(crate) const SECRET: &str = "made/weka/sw-ab12cd34";
/// A namespace of the project.
pub(crate) const NAMESPACE: &str = "ab12cd34-ef56gh78ij";

/// A cluster that serves S3, and a host that has made the parent's secret.
pub(crate) fn ready() -> Bench {
    with(CONFIG)
}

pub(crate) fn with(config: &str) -> Bench {
    let bench = Bench::with(config, Options { preset: Preset::S3Ready, ..Options::default() });
    bench.host.give(SECRET, PARENT, "Made-by-the-host-1");
    bench
}

pub(crate) fn served(protocols: &[Protocol]) -> NamespaceSpec {
    NamespaceSpec { protocols: protocols.to_vec(), ..spec(NAMESPACE, GIB) }
}

pub(crate) fn both() -> NamespaceSpec {
    served(&[Protocol::Posix, Protocol::S3])
}

pub(crate) fn principal(name: &str) -> PrincipalSpec {
    PrincipalSpec {
        name: name.to_owned(),
        kind: PrincipalKind::Parent,
        parent: None,
        posix: Some(PosixIdentity { uid: 2001, gid: 2002, mode: 0o770 }),
        secret: Some(format!("made/weka/{name}")),
        extensions: Vec::new(),
    }
}

/// The project's parent.
pub(crate) fn parent(bench: &Bench) -> NativeRef {
    bench.settle("parent", |call| Weka::ensure_principal(call, principal(PARENT))).unwrap()
}

/// All of the project's buckets.
pub(crate) fn envelope() -> Policy {
    document(&["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "ab12cd34-*/*")
}

/// These actions on these objects.
pub(crate) fn document(actions: &[&str], resource: &str) -> Policy {
    let document = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": [format!("arn:aws:s3:::{resource}")] }],
    });
    Policy::IamJson(document.to_string().into_bytes())
}

/// The project's parent, with its policy.
pub(crate) fn parent_with_policy(bench: &Bench) -> NativeRef {
    let native = parent(bench);
    apply(bench, &native, Some(envelope())).unwrap();
    native
}

pub(crate) fn apply(bench: &Bench, native: &NativeRef, policy: Option<Policy>) -> Result<NativeRef> {
    bench.settle("policy", |call| Weka::apply_policy(call, policy.clone(), AttachPoint::Principal(native.clone())))
}

pub(crate) fn session_request(parent: &NativeRef) -> SessionRequest {
    SessionRequest {
        principal: parent.clone(),
        parent_secret: None,
        session_name: "training".to_owned(),
        policy: document(&["s3:GetObject"], "ab12cd34-ef56gh78ij/shared/*"),
        ttl_s: 3600,
    }
}

pub(crate) fn key_request(parent: &NativeRef) -> KeyRequest {
    KeyRequest {
        principal: parent.clone(),
        parent_secret: None,
        policy: Some(document(&["s3:GetObject"], "ab12cd34-ef56gh78ij/shared/*")),
        expires_at: None,
    }
}

pub(crate) fn issue(bench: &Bench, owner: &str, request: CredentialRequest) -> Result<Issued> {
    match bench.call(|| Weka::issue_credential(call(owner), request))? {
        Issue::Issued(issued) => Ok(issued),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn pair(issued: &Issued) -> &KeyPair {
    match &issued.credential {
        Credential::AccessKey(pair) => pair,
        other => panic!("{other:?}"),
    }
}

/// Ids of the parent's keys, in the order of the list.
pub(crate) fn key_ids(bench: &Bench, parent: Option<&NativeRef>, limit: u32) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = None;
    loop {
        let page = PageRequest { cursor: cursor.clone(), limit };
        let page = bench.call(|| Weka::list_credentials(parent.cloned(), page)).unwrap();
        ids.extend(page.items.into_iter().map(|item| item.id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return ids,
        }
    }
}
