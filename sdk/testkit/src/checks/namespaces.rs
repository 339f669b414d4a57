//! Namespaces: idempotent by owner, marked, limited, counted, gone when deleted.

use stowage_ports::provider::{
    Answer, Call, Dimension, ErrorKind, Fault, Lifecycle, Limit, NativeRef, NodeResult, Progress, Usage, Usages,
};

use super::{Checked, holds, without};
use crate::{Broken, Subject, settle};

const INTERFACE: &str = "namespaces";

async fn found(subject: &Subject<'_>, owner: &str) -> Result<Option<NativeRef>, Broken> {
    let found = subject.provider.find_namespace(&subject.context(), owner).await;
    Ok(found.map_err(|f| Broken(format!("find failed: {f}")))?.value)
}

pub(super) async fn create_twice(subject: &Subject<'_>) -> Checked {
    if !subject.exports(INTERFACE) {
        return without(INTERFACE);
    }
    let made = subject.make("twice").await?;
    let again = subject.create(&made.owner, &made.spec).await?.done("the second create")?;
    holds(again == made.native, || format!("first {:?}, then {again:?}", made.native))?;
    holds(made.native.0.len() <= NativeRef::MAX_BYTES, || format!("a reference of {} bytes", made.native.0.len()))?;
    subject.delete(&made.native, "twice").await?.done("delete")?;
    Ok(None)
}

pub(super) async fn find(subject: &Subject<'_>) -> Checked {
    if !subject.exports(INTERFACE) {
        return without(INTERFACE);
    }
    let stranger = subject.owner("never-made");
    let before = found(subject, &stranger).await?;
    holds(before.is_none(), || format!("an owner that never made anything has {before:?}"))?;
    let made = subject.make("find").await?;
    let seen = found(subject, &made.owner).await?;
    holds(seen.as_ref() == Some(&made.native), || format!("made {:?}, found {seen:?}", made.native))?;
    subject.delete(&made.native, "find").await?.done("delete")?;
    Ok(None)
}

pub(super) async fn foreign_owner(subject: &Subject<'_>) -> Checked {
    if !subject.exports(INTERFACE) {
        return without(INTERFACE);
    }
    let made = subject.make("foreign").await?;
    let other = subject.owner("foreign-other");
    let refused = subject.create(&other, &made.spec).await?.refused("a create over another owner's namespace")?;
    holds(matches!(refused, ErrorKind::ForeignOwner(_) | ErrorKind::AlreadyExists), || {
        format!("refused as {refused:?}")
    })?;
    let still = found(subject, &made.owner).await?;
    holds(still.as_ref() == Some(&made.native), || format!("the namespace lost its owner: {still:?}"))?;
    subject.delete(&made.native, "foreign").await?.done("delete")?;
    Ok(None)
}

fn bytes(limits: &[Limit]) -> Option<u64> {
    limits.iter().find(|l| l.dimension == Dimension::Bytes).map(|l| l.value)
}

pub(super) async fn inspect(subject: &Subject<'_>) -> Checked {
    if !subject.exports(INTERFACE) {
        return without(INTERFACE);
    }
    let made = subject.make("inspect").await?;
    let state = subject.provider.inspect_namespace(&subject.context(), &made.native).await;
    let state = state.map_err(|f| Broken(format!("inspect failed: {f}")))?.value;
    holds(state.native == made.native, || format!("asked for {:?}, got {:?}", made.native, state.native))?;
    holds(state.lifecycle == Lifecycle::Ready, || format!("it is {:?}", state.lifecycle))?;
    holds(state.owner.as_deref() == Some(&*made.owner), || format!("its mark is {:?}", state.owner))?;
    let limit = bytes(&state.effective_limits);
    holds(limit.is_some_and(|l| l >= subject.limit_bytes), || {
        format!("asked for {} bytes, limited to {limit:?}", subject.limit_bytes)
    })?;
    subject.delete(&made.native, "inspect").await?.done("delete")?;
    Ok(None)
}

pub(super) async fn set_limits(subject: &Subject<'_>) -> Checked {
    if !subject.exports(INTERFACE) {
        return without(INTERFACE);
    }
    let made = subject.make("limits").await?;
    let raised = subject.limit_bytes.saturating_mul(2);
    let limits = [subject.bytes(raised)];
    let change = |call: Call| set_once(subject, call, &made.native, &limits);
    for _ in 0..2 {
        settle::<Progress, _, _>(subject, &subject.owner("limits-raise"), change).await?.done("set-limits")?;
    }
    let state = subject.provider.inspect_namespace(&subject.context(), &made.native).await;
    let limit = bytes(&state.map_err(|f| Broken(format!("inspect failed: {f}")))?.value.effective_limits);
    holds(limit.is_some_and(|l| l >= raised), || format!("raised to {raised} bytes, limited to {limit:?}"))?;
    subject.delete(&made.native, "limits").await?.done("delete")?;
    Ok(None)
}

async fn set_once(subject: &Subject<'_>, call: Call, native: &NativeRef, limits: &[Limit]) -> Answer<Progress> {
    subject.provider.set_namespace_limits(&subject.context(), &call, native, limits).await
}

/// Reads usage, with a node's help if the provider asks for it.
async fn read_usage(
    subject: &Subject<'_>,
    natives: &[NativeRef],
) -> Result<Vec<Result<Vec<Usage>, stowage_ports::provider::Error>>, Broken> {
    let mut results: Vec<NodeResult> = Vec::new();
    for _ in 0..2 {
        let read = subject.provider.read_usage(&subject.context(), natives, &results).await;
        match read.map_err(|f| Broken(format!("read-usage failed: {f}")))?.value {
            Usages::Done(usages) => return Ok(usages),
            Usages::NeedsNode(work) => match subject.node {
                Some(node) => results = node.work(&work).await,
                None => return Err(Broken("a node is needed, and the subject has none".to_owned())),
            },
            Usages::Other(word) => return Err(Broken(format!("an outcome that no host knows: {word:?}"))),
        }
    }
    Err(Broken("read-usage asked for a node again with its results in hand".to_owned()))
}

pub(super) async fn usage(subject: &Subject<'_>) -> Checked {
    if !subject.exports(INTERFACE) {
        return without(INTERFACE);
    }
    let first = subject.make("usage-1").await?;
    let second = subject.make("usage-2").await?;
    subject.delete(&second.native, "usage-2").await?.done("delete")?;
    let usages = read_usage(subject, &[second.native.clone(), first.native.clone(), second.native]).await?;
    let shape: Vec<bool> = usages.iter().map(Result::is_ok).collect();
    holds(shape == [false, true, false], || format!("of gone, made, gone these succeeded: {shape:?}"))?;
    for entry in usages.iter().flatten().flatten() {
        holds(entry.observed_at > 0, || format!("{:?} was never observed", entry.dimension))?;
    }
    let counted = usages.iter().flatten().flatten().any(|u| u.dimension == Dimension::Bytes);
    holds(counted, || "bytes are not counted".to_owned())?;
    subject.delete(&first.native, "usage-1").await?.done("delete")?;
    Ok(None)
}

pub(super) async fn delete(subject: &Subject<'_>) -> Checked {
    if !subject.exports(INTERFACE) {
        return without(INTERFACE);
    }
    let made = subject.make("delete").await?;
    subject.delete(&made.native, "delete").await?.done("delete")?;
    subject.delete(&made.native, "delete").await?.done("the same delete again")?;
    subject.delete(&made.native, "delete-later").await?.done("a later delete of what is gone")?;
    let seen = found(subject, &made.owner).await?;
    holds(seen.is_none(), || format!("it is gone, and its owner still finds {seen:?}"))?;
    match subject.provider.inspect_namespace(&subject.context(), &made.native).await {
        Ok(state) => holds(state.value.lifecycle == Lifecycle::Gone, || format!("it is {:?}", state.value.lifecycle))?,
        Err(failure) => holds(failure.error.kind == ErrorKind::NotFound, || format!("inspect of gone: {failure:?}"))?,
    }
    Ok(None)
}

pub(super) async fn unknown(subject: &Subject<'_>) -> Checked {
    if !subject.exports(INTERFACE) {
        return without(INTERFACE);
    }
    for reference in [&b"conformance-nobody-gave-this"[..], &[0xff, 0xfe, 0x00], b""] {
        let native = NativeRef(reference.to_vec());
        match subject.provider.inspect_namespace(&subject.context(), &native).await {
            Ok(state) => holds(state.value.lifecycle == Lifecycle::Gone, || format!("{native:?} is {state:?}"))?,
            Err(failure) => {
                holds(failure.fault != Fault::Plugin, || format!("{native:?} broke the adapter: {failure:?}"))?;
                let typed = matches!(failure.error.kind, ErrorKind::NotFound | ErrorKind::Invalid(_));
                holds(typed, || format!("{native:?} is {:?}", failure.error.kind))?;
            }
        }
    }
    Ok(None)
}
