//! Mount requests, plans and states.

use super::{Breach, FromGuest, Reader, ToGuest, exports, port, wit};

impl ToGuest<wit::MountRequest> for port::MountRequest {
    fn to_guest(&self) -> wit::MountRequest {
        wit::MountRequest {
            namespace: self.namespace.to_guest(),
            workload: self.workload.clone(),
            node: self.node.clone(),
            node_addresses: self.node_addresses.clone(),
            prefixes: self.prefixes.iter().map(|(prefix, mode)| (prefix.clone(), mode.to_guest())).collect(),
            multi_writer: self.multi_writer,
            form: self.form.to_guest(),
            extensions: self.extensions.clone(),
        }
    }
}

impl FromGuest<wit::MountSource> for port::MountSource {
    fn from_guest(answer: wit::MountSource, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(match answer {
            wit::MountSource::Nfs(nfs) => Self::Nfs {
                servers: reader.texts(nfs.servers),
                export_path: reader.text(nfs.export_path),
                versions: reader.texts(nfs.versions),
                transport: reader.text(nfs.transport),
            },
            wit::MountSource::Client(client) => Self::Client {
                client_kind: reader.id("client-source.client-kind", client.client_kind)?,
                servers: reader.texts(client.servers),
                filesystem: reader.text(client.filesystem),
                path: reader.text(client.path),
            },
            wit::MountSource::HostPath(host) => {
                Self::HostPath { root: reader.text(host.root), path: reader.text(host.path) }
            }
            wit::MountSource::Block(block) => {
                Self::Block { transport: reader.text(block.transport), targets: reader.texts(block.targets) }
            }
            wit::MountSource::Object(object) => Self::Object {
                endpoint: reader.text(object.endpoint),
                region: reader.text(object.region),
                bucket: reader.text(object.bucket),
                prefix: reader.text(object.prefix),
                path_style: object.path_style,
            },
            wit::MountSource::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<exports::mounts::Prepared> for port::Prepared {
    fn from_guest(answer: exports::mounts::Prepared, reader: &Reader<'_>) -> Result<Self, Breach> {
        use exports::mounts::Prepared as Wit;
        Ok(match answer {
            Wit::Plan(plan) => Self::Plan(port::MountPlan::from_guest(plan, reader)?),
            Wit::Pending(job) => Self::Pending(port::Job::from_guest(job, reader)?),
            Wit::NeedsNode(work) => Self::NeedsNode(port::NodeWork::from_guest(work, reader)?),
            Wit::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<wit::MountPlan> for port::MountPlan {
    fn from_guest(answer: wit::MountPlan, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            native: reader.native("mount-plan.ref", answer.ref_)?,
            mounts: Vec::from_guest(answer.mounts, reader)?,
            secrets: Vec::from_guest(answer.secrets, reader)?,
            prerequisites: Vec::from_guest(answer.prerequisites, reader)?,
            valid_until: answer.valid_until,
            extensions: reader.extensions(answer.extensions),
        })
    }
}

impl FromGuest<wit::OneMount> for port::OneMount {
    fn from_guest(answer: wit::OneMount, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            source: port::MountSource::from_guest(answer.source, reader)?,
            subpath: reader.text(answer.subpath),
            mode: port::AccessMode::from_guest(answer.mode, reader)?,
            enforced_by: port::EnforcedBy::from_guest(answer.enforced_by, reader)?,
            options: reader.extensions(answer.options),
        })
    }
}

impl FromGuest<wit::MountSecret> for port::MountSecret {
    fn from_guest(answer: wit::MountSecret, reader: &Reader<'_>) -> Result<Self, Breach> {
        let deliver = match answer.deliver {
            wit::Delivery::OptionKey(key) => port::Delivery::OptionKey(reader.text(key)),
            wit::Delivery::File(option) => port::Delivery::File(reader.text(option)),
            wit::Delivery::Environment(name) => port::Delivery::Environment(reader.text(name)),
            wit::Delivery::Other(text) => port::Delivery::Other(reader.text(text)),
        };
        Ok(Self { handle: reader.id("mount-secret.handle", answer.handle)?, deliver })
    }
}

impl FromGuest<wit::Prerequisite> for port::Prerequisite {
    fn from_guest(answer: wit::Prerequisite, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self { kind: reader.text(answer.kind), min_version: reader.maybe(answer.min_version) })
    }
}

impl FromGuest<wit::MountStatus> for port::MountStatus {
    fn from_guest(answer: wit::MountStatus, reader: &Reader<'_>) -> Result<Self, Breach> {
        let state = match answer.state {
            wit::MountState::Requested => port::MountState::Requested,
            wit::MountState::Mounted => port::MountState::Mounted,
            wit::MountState::Stale => port::MountState::Stale,
            wit::MountState::Failed(why) => port::MountState::Failed(reader.text(why)),
            wit::MountState::Revoked => port::MountState::Revoked,
            wit::MountState::Other(text) => port::MountState::Other(reader.text(text)),
        };
        Ok(Self {
            native: reader.native("mount-status.ref", answer.ref_)?,
            state,
            clients: Vec::from_guest(answer.clients, reader)?,
            observed_at: answer.observed_at,
        })
    }
}

impl FromGuest<wit::Attachment> for port::Attachment {
    fn from_guest(answer: wit::Attachment, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            id: reader.handle("attachment.id", answer.id)?,
            client: reader.text(answer.client),
            since: answer.since,
            mode: Option::from_guest(answer.mode, reader)?,
            extensions: reader.extensions(answer.extensions),
        })
    }
}
