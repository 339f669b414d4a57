//! Namespaces, tenants and snapshots.

use super::{Breach, FromGuest, Reader, ToGuest, exports, port, wit};

impl ToGuest<wit::NamespaceSpec> for port::NamespaceSpec {
    fn to_guest(&self) -> wit::NamespaceSpec {
        wit::NamespaceSpec {
            tenant: self.tenant.to_guest(),
            project: self.project.clone(),
            name: self.name.clone(),
            physical_id: self.physical_id.clone(),
            protocols: self.protocols.to_guest(),
            limits: self.limits.to_guest(),
            prefixes: self.prefixes.clone(),
            posix: self.posix.to_guest(),
            labels: self.labels.clone(),
            extensions: self.extensions.clone(),
        }
    }
}

impl ToGuest<wit::PosixIdentity> for port::PosixIdentity {
    fn to_guest(&self) -> wit::PosixIdentity {
        wit::PosixIdentity { uid: self.uid, gid: self.gid, mode: self.mode }
    }
}

impl FromGuest<wit::NamespaceState> for port::NamespaceState {
    fn from_guest(answer: wit::NamespaceState, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            native: reader.native("namespace-state.ref", answer.ref_)?,
            lifecycle: port::Lifecycle::from_guest(answer.lifecycle, reader)?,
            protocols: Vec::from_guest(answer.protocols, reader)?,
            effective_limits: Vec::from_guest(answer.effective_limits, reader)?,
            owner: reader.maybe(answer.owner),
            location: reader.text(answer.location),
            revision: reader.maybe(answer.revision),
            extensions: reader.extensions(answer.extensions),
        })
    }
}

impl FromGuest<wit::Lifecycle> for port::Lifecycle {
    fn from_guest(answer: wit::Lifecycle, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(match answer {
            wit::Lifecycle::Creating => Self::Creating,
            wit::Lifecycle::Ready => Self::Ready,
            wit::Lifecycle::Hidden => Self::Hidden,
            wit::Lifecycle::Deleting => Self::Deleting,
            wit::Lifecycle::Recoverable(until) => Self::Recoverable(until),
            wit::Lifecycle::Gone => Self::Gone,
            wit::Lifecycle::Unknown => Self::Unknown,
            wit::Lifecycle::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<exports::namespaces::Page> for port::Page<port::NamespaceState> {
    fn from_guest(answer: exports::namespaces::Page, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self { items: Vec::from_guest(answer.items, reader)?, next: reader.cursor(answer.next)? })
    }
}

impl FromGuest<exports::namespaces::Usages> for port::Usages {
    fn from_guest(answer: exports::namespaces::Usages, reader: &Reader<'_>) -> Result<Self, Breach> {
        use exports::namespaces::Usages as Wit;
        Ok(match answer {
            Wit::Done(rows) => {
                let rows = rows.into_iter().map(|row| match row {
                    Ok(usage) => Ok(Ok(Vec::from_guest(usage, reader)?)),
                    Err(error) => Ok(Err(port::Error::from_guest(error, reader)?)),
                });
                Self::Done(rows.collect::<Result<_, Breach>>()?)
            }
            Wit::NeedsNode(work) => Self::NeedsNode(port::NodeWork::from_guest(work, reader)?),
            Wit::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<exports::tenants::TenantState> for port::TenantState {
    fn from_guest(answer: exports::tenants::TenantState, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            native: reader.native("tenant-state.ref", answer.ref_)?,
            owner: reader.maybe(answer.owner),
            limits: Vec::from_guest(answer.limits, reader)?,
            usage: Vec::from_guest(answer.usage, reader)?,
            extensions: reader.extensions(answer.extensions),
        })
    }
}

impl FromGuest<exports::snapshots::Snapshot> for port::Snapshot {
    fn from_guest(answer: exports::snapshots::Snapshot, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            native: reader.native("snapshot.ref", answer.ref_)?,
            name: reader.id("snapshot.name", answer.name)?,
            created_at: answer.created_at,
            path: reader.maybe(answer.path),
            extensions: reader.extensions(answer.extensions),
        })
    }
}

impl FromGuest<exports::snapshots::Page> for port::Page<port::Snapshot> {
    fn from_guest(answer: exports::snapshots::Page, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self { items: Vec::from_guest(answer.items, reader)?, next: reader.cursor(answer.next)? })
    }
}
