//! Tenants, where there are any.

use stowage_ports::provider::{Answer, Call, ErrorKind, NativeRef, Progress};

use super::{Checked, holds, without};
use crate::{Ended, Subject, settle};

async fn ensure(subject: &Subject<'_>, call: Call, name: &str) -> Answer<Progress> {
    subject.provider.ensure_tenant(&subject.context(), &call, name, &[]).await
}

async fn delete(subject: &Subject<'_>, call: Call, native: &NativeRef) -> Answer<Progress> {
    subject.provider.delete_empty_tenant(&subject.context(), &call, native).await
}

pub(super) async fn life(subject: &Subject<'_>) -> Checked {
    if !subject.exports("tenants") {
        return without("tenants");
    }
    let owner = subject.owner("tenant");
    let name = subject.spec("tenant").physical_id;
    let first = match settle::<Progress, _, _>(subject, &owner, |call| ensure(subject, call, &name)).await? {
        Ended::Refused(failure) if matches!(failure.error.kind, ErrorKind::Unsupported(_) | ErrorKind::NotReady(_)) => {
            return Ok(Some(failure.error.message));
        }
        ended => ended.done("ensure")?,
    };
    let again = settle::<Progress, _, _>(subject, &owner, |call| ensure(subject, call, &name)).await?;
    let again = again.done("the second ensure")?;
    holds(again == first, || format!("first {first:?}, then {again:?}"))?;
    let other = subject.owner("tenant-other");
    let refused = settle::<Progress, _, _>(subject, &other, |call| ensure(subject, call, &name)).await?;
    let refused = refused.refused("an ensure over another owner's tenant")?;
    holds(matches!(refused, ErrorKind::ForeignOwner(_) | ErrorKind::AlreadyExists), || {
        format!("refused as {refused:?}")
    })?;
    for _ in 0..2 {
        let owner = subject.owner("tenant-delete");
        settle::<Progress, _, _>(subject, &owner, |call| delete(subject, call, &first)).await?.done("delete-empty")?;
    }
    Ok(None)
}
