//! What is missing says so.

use stowage_ports::provider::{Answer, AuditTarget, Call, ErrorKind, Fault, NativeRef, PageRequest};

use super::{Checked, holds, without};
use crate::{Broken, Subject};

const OPTIONAL: [&str; 7] = ["tenants", "namespaces", "snapshots", "mounts", "access", "audit", "jobs"];

/// One question of each optional interface; what it answers does not matter where the interface is there.
async fn ask(subject: &Subject<'_>, interface: &str) -> Result<(), Box<stowage_ports::provider::Failure>> {
    let (provider, context) = (subject.provider, subject.context());
    let native = NativeRef(b"conformance".to_vec());
    let page = PageRequest { cursor: None, limit: 1 };
    let call = Call { owner: subject.owner("unsupported"), attempt: 1, ..Call::default() };
    fn drop_value<T>(answer: Answer<T>) -> Result<(), Box<stowage_ports::provider::Failure>> {
        answer.map(|_| ())
    }
    match interface {
        "tenants" => drop_value(provider.inspect_tenant(&context, &native).await),
        "namespaces" => drop_value(provider.find_namespace(&context, &call.owner).await),
        "snapshots" => drop_value(provider.list_snapshots(&context, &native, &page).await),
        "mounts" => drop_value(provider.observe_mounts(&context, &[]).await),
        "access" => drop_value(provider.list_principals(&context, &page).await),
        "audit" => drop_value(provider.configure_audit(&context, &call, &AuditTarget::None).await),
        _ => drop_value(provider.cancel_job(&context, b"conformance").await),
    }
}

pub(super) async fn missing(subject: &Subject<'_>) -> Checked {
    let exported = subject.provider.interfaces();
    for name in exported {
        holds(OPTIONAL.contains(&name.as_str()), || format!("{name:?} is no optional interface of the contract"))?;
    }
    let mut missing = 0;
    for interface in OPTIONAL.into_iter().filter(|i| !subject.exports(i)) {
        missing += 1;
        match ask(subject, interface).await {
            Ok(()) => return Err(Broken(format!("`{interface}` is not exported and answered all the same"))),
            Err(failure) => holds(matches!(failure.error.kind, ErrorKind::Unsupported(_)), || {
                format!("`{interface}` is not exported and answered {:?}", failure.error.kind)
            })?,
        }
    }
    if missing == 0 { Ok(Some("the adapter exports everything".to_owned())) } else { Ok(None) }
}

pub(super) async fn unknown_job(subject: &Subject<'_>) -> Checked {
    if !subject.exports("jobs") {
        return without("jobs");
    }
    for handle in [&b"conformance"[..], &[0xff, 0xfe]] {
        if let Err(failure) = subject.provider.poll_job(&subject.context(), handle).await {
            holds(failure.fault != Fault::Plugin, || format!("an unknown job broke the adapter: {failure:?}"))?;
        }
    }
    Ok(None)
}
