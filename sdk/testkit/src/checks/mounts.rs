//! Mount plans.

use stowage_ports::provider::{
    AccessMode, Answer, Call, ErrorKind, MountPlan, MountRequest, NativeRef, PlanForm, Prepared, Progress, Protocol,
};

use super::{Checked, holds, without};
use crate::{Broken, Subject, settle};

async fn prepare(subject: &Subject<'_>, call: Call, request: &MountRequest) -> Answer<Prepared> {
    subject.provider.prepare_mount(&subject.context(), &call, request).await
}

async fn release(subject: &Subject<'_>, call: Call, plan: &NativeRef) -> Answer<Progress> {
    subject.provider.release_mount(&subject.context(), &call, plan).await
}

async fn prepared(subject: &Subject<'_>, request: &MountRequest) -> Result<MountPlan, Broken> {
    let owner = subject.owner("plan-prepare");
    settle::<Prepared, _, _>(subject, &owner, |call| prepare(subject, call, request)).await?.done("prepare")
}

pub(super) async fn plan(subject: &Subject<'_>) -> Checked {
    if !subject.exports("mounts") || !subject.exports("namespaces") {
        return without("mounts");
    }
    if !subject.protocols.contains(&Protocol::Posix) {
        return Ok(Some("the subject's namespaces are not mounted".to_owned()));
    }
    let made = subject.make("plan").await?;
    let request = MountRequest {
        namespace: made.native.clone(),
        workload: "conformance".to_owned(),
        node: "node-1".to_owned(),
        node_addresses: vec!["127.0.0.1".to_owned()],
        prefixes: vec![("shared".to_owned(), AccessMode::ReadOnly)],
        multi_writer: false,
        form: PlanForm::NodeMount,
        extensions: vec![],
    };
    let first = prepared(subject, &request).await?;
    holds(first.mounts.len() == 1, || format!("one prefix was asked for, {} mounts were planned", first.mounts.len()))?;
    for mount in &first.mounts {
        holds(mount.mode == AccessMode::ReadOnly, || format!("read-only was asked for, planned {:?}", mount.mode))?;
        let leaves = mount.subpath.split('/').any(|part| part == "..");
        holds(!leaves, || format!("the plan leaves the namespace by {:?}", mount.subpath))?;
    }
    let again = prepared(subject, &request).await?;
    holds(again.native == first.native, || format!("first {:?}, then {:?}", first.native, again.native))?;
    holds(again.mounts == first.mounts, || "the same request gave other mounts".to_owned())?;
    for (prefix, why) in [("../other", "leaves the namespace"), ("/etc", "is absolute")] {
        let outside = MountRequest { prefixes: vec![(prefix.to_owned(), AccessMode::ReadOnly)], ..request.clone() };
        let owner = subject.owner("plan-outside");
        let ended = settle::<Prepared, _, _>(subject, &owner, |call| prepare(subject, call, &outside)).await?;
        let kind = ended.refused(&format!("a plan whose prefix {why}"))?;
        holds(matches!(kind, ErrorKind::Invalid(_)), || format!("a prefix that {why} is {kind:?}"))?;
    }
    for _ in 0..2 {
        let owner = subject.owner("plan-release");
        settle::<Progress, _, _>(subject, &owner, |call| release(subject, call, &first.native))
            .await?
            .done("release")?;
    }
    subject.delete(&made.native, "plan").await?.done("delete")?;
    Ok(None)
}
