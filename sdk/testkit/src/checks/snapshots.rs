//! Snapshots, where there are any.

use stowage_ports::provider::{Answer, Call, ErrorKind, NativeRef, PageRequest, Progress};

use super::{Checked, holds, without};
use crate::{Broken, Ended, Subject, settle};

async fn create(subject: &Subject<'_>, call: Call, namespace: &NativeRef) -> Answer<Progress> {
    subject.provider.create_snapshot(&subject.context(), &call, namespace, "conformance").await
}

async fn delete(subject: &Subject<'_>, call: Call, native: &NativeRef) -> Answer<Progress> {
    subject.provider.delete_snapshot(&subject.context(), &call, native).await
}

async fn listed(subject: &Subject<'_>, namespace: &NativeRef) -> Result<Vec<NativeRef>, Broken> {
    let page = PageRequest { cursor: None, limit: 100 };
    let page = subject.provider.list_snapshots(&subject.context(), namespace, &page).await;
    let page = page.map_err(|f| Broken(format!("list-page failed: {f}")))?.value;
    Ok(page.items.into_iter().map(|s| s.native).collect())
}

pub(super) async fn life(subject: &Subject<'_>) -> Checked {
    if !subject.exports("snapshots") || !subject.exports("namespaces") {
        return without("snapshots");
    }
    let made = subject.make("snapshots").await?;
    let owner = subject.owner("snapshot");
    let first = match settle::<Progress, _, _>(subject, &owner, |call| create(subject, call, &made.native)).await? {
        Ended::Refused(failure) if matches!(failure.error.kind, ErrorKind::Unsupported(_) | ErrorKind::NotReady(_)) => {
            subject.delete(&made.native, "snapshots").await?.done("delete")?;
            return Ok(Some(failure.error.message));
        }
        ended => ended.done("create")?,
    };
    let again = settle::<Progress, _, _>(subject, &owner, |call| create(subject, call, &made.native)).await?;
    let again = again.done("the second create")?;
    holds(again == first, || format!("first {first:?}, then {again:?}"))?;
    let seen = listed(subject, &made.native).await?;
    holds(seen == [first.clone()], || format!("made {first:?}, listed {seen:?}"))?;
    for _ in 0..2 {
        let owner = subject.owner("snapshot-delete");
        settle::<Progress, _, _>(subject, &owner, |call| delete(subject, call, &first)).await?.done("delete")?;
    }
    let left = listed(subject, &made.native).await?;
    holds(left.is_empty(), || format!("deleted, and still listed: {left:?}"))?;
    subject.delete(&made.native, "snapshots").await?.done("delete")?;
    Ok(None)
}
