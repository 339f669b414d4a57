//! Mount plans, with what a node, Kubernetes or a person makes of them.

use stowage_control::{Form, Mode, Mount, MountState, PrefixAccess};
use stowage_domain::{Prefix, UnixMillis};

use stowage_ports::provider::{
    AccessMode, Delivery, EnforcedBy, MountPlan, MountSecret, MountSource, OneMount, Prerequisite,
};
use stowage_proto::v1;

use super::{kubernetes, shell, time, unknown_value};
use crate::refusal::Refusal;

/// A plan of the contract.
pub(crate) fn to(mount: &Mount, etag: String) -> v1::MountPlan {
    let plan = mount.plan.as_ref();
    let shown = |form: Form| plan.filter(|_| mount.form == form);
    v1::MountPlan {
        name: mount.name.to_string(),
        uid: mount.uid.clone(),
        namespace: mount.namespace.to_string(),
        node: mount.node.as_ref().map(ToString::to_string).unwrap_or_default(),
        prefixes: mount.prefixes.iter().map(prefix_to).collect(),
        form: form_to(mount.form).into(),
        multi_writer: mount.multi_writer,
        state: state_to(mount.state).into(),
        state_reason: mount.state_reason.clone(),
        mounts: plan.map(mounts_to).unwrap_or_default(),
        secrets: plan.map(secrets_to).unwrap_or_default(),
        prerequisites: plan.map(prerequisites_to).unwrap_or_default(),
        valid_until: plan.and_then(|plan| plan.valid_until).map(|at| time::to(UnixMillis(at))),
        commands: shown(Form::Human).map(|plan| shell::commands(&mount.name, plan)).unwrap_or_default(),
        kubernetes_manifests: shown(Form::Kubernetes)
            .map(|plan| kubernetes::manifests(&mount.name, plan))
            .unwrap_or_default(),
        notices: mount.notices.clone(),
        grants: mount.grants.iter().map(ToString::to_string).collect(),
        mount_paths: mount.paths.clone(),
        report_time: mount.reported_at.map(time::to),
        create_time: Some(time::to(mount.created_at)),
        update_time: Some(time::to(mount.updated_at)),
        etag,
    }
}

const fn form_to(form: Form) -> v1::PlanForm {
    match form {
        Form::Node => v1::PlanForm::Node,
        Form::Kubernetes => v1::PlanForm::Kubernetes,
        Form::Human => v1::PlanForm::Human,
    }
}

/// Who carries a plan out.
pub(crate) fn form_from(number: i32) -> Result<Form, Refusal> {
    match v1::PlanForm::try_from(number) {
        Ok(v1::PlanForm::Node) => Ok(Form::Node),
        Ok(v1::PlanForm::Kubernetes) => Ok(Form::Kubernetes),
        Ok(v1::PlanForm::Human) => Ok(Form::Human),
        Ok(v1::PlanForm::Unspecified) | Err(_) => Err(unknown_value("mount_plan.form", number)),
    }
}

fn prefix_to(part: &PrefixAccess) -> v1::PrefixAccess {
    let mode = match part.mode {
        Mode::ReadOnly => v1::AccessMode::ReadOnly,
        Mode::ReadWrite => v1::AccessMode::ReadWrite,
    };
    v1::PrefixAccess { prefix: part.prefix.as_str().to_owned(), mode: mode.into() }
}

/// Which parts and how.
pub(crate) fn prefixes_from(parts: &[v1::PrefixAccess]) -> Result<Vec<PrefixAccess>, Refusal> {
    if parts.is_empty() {
        return Err(Refusal::field(
            "mount_plan.prefixes",
            "must name at least one part; an empty prefix is the whole namespace",
        ));
    }
    let one = |(index, part): (usize, &v1::PrefixAccess)| {
        let field = format!("mount_plan.prefixes[{index}]");
        let mode = match v1::AccessMode::try_from(part.mode) {
            Ok(v1::AccessMode::ReadOnly) => Mode::ReadOnly,
            Ok(v1::AccessMode::ReadWrite) => Mode::ReadWrite,
            Ok(v1::AccessMode::Unspecified) | Err(_) => return Err(unknown_value(&format!("{field}.mode"), part.mode)),
        };
        Ok(PrefixAccess { prefix: Prefix::parse(&format!("{field}.prefix"), &part.prefix)?, mode })
    };
    parts.iter().enumerate().map(one).collect()
}

const fn state_to(state: MountState) -> v1::MountState {
    match state {
        MountState::Preparing => v1::MountState::Preparing,
        MountState::Requested => v1::MountState::Requested,
        MountState::Mounted => v1::MountState::Mounted,
        MountState::Stale => v1::MountState::Stale,
        MountState::Failed => v1::MountState::Failed,
        MountState::Revoked => v1::MountState::Revoked,
        MountState::Releasing => v1::MountState::Releasing,
        MountState::Released => v1::MountState::Released,
    }
}

/// A state that a node may report.
pub(crate) fn reported_state_from(field: &str, number: i32) -> Result<MountState, Refusal> {
    match v1::MountState::try_from(number) {
        Ok(v1::MountState::Mounted) => Ok(MountState::Mounted),
        Ok(v1::MountState::Stale) => Ok(MountState::Stale),
        Ok(v1::MountState::Failed) => Ok(MountState::Failed),
        Ok(v1::MountState::Released) => Ok(MountState::Released),
        _ => Err(Refusal::field(field, "must be MOUNTED, STALE, FAILED or RELEASED")),
    }
}

/// The mounts of a plan.
pub(crate) fn mounts_to(plan: &MountPlan) -> Vec<v1::Mount> {
    plan.mounts.iter().map(mount_to).collect()
}

fn mount_to(mount: &OneMount) -> v1::Mount {
    let mode = match mount.mode {
        AccessMode::ReadOnly => v1::AccessMode::ReadOnly,
        AccessMode::ReadWrite => v1::AccessMode::ReadWrite,
        AccessMode::Other(_) => v1::AccessMode::Unspecified,
    };
    let enforced_by = match mount.enforced_by {
        EnforcedBy::ServerPolicy => v1::EnforcedBy::ServerPolicy,
        EnforcedBy::Credential => v1::EnforcedBy::Credential,
        EnforcedBy::MountOptionOnly => v1::EnforcedBy::MountOptionOnly,
        EnforcedBy::Other(_) => v1::EnforcedBy::Unspecified,
    };
    let option = |(key, value): &(String, String)| v1::MountOption { key: key.clone(), value: value.clone() };
    v1::Mount {
        source: Some(source_to(&mount.source)),
        subpath: mount.subpath.clone(),
        mode: mode.into(),
        enforced_by: enforced_by.into(),
        options: mount.options.iter().map(option).collect(),
    }
}

/// What is mounted. A kind that this contract has no word for has no `kind`; a node refuses it.
pub(crate) fn source_to(source: &MountSource) -> v1::MountSource {
    use v1::mount_source::Kind;
    let kind = match source.clone() {
        MountSource::Client { client_kind, servers, filesystem, path } => {
            Some(Kind::Client(v1::ClientSource { client_kind, servers, filesystem, path }))
        }
        MountSource::Nfs { servers, export_path, versions, transport } => {
            Some(Kind::Nfs(v1::NfsSource { servers, export_path, versions, transport }))
        }
        MountSource::HostPath { root, path } => Some(Kind::HostPath(v1::HostPathSource { root, path })),
        MountSource::Object { endpoint, region, bucket, prefix, path_style } => {
            Some(Kind::Object(v1::ObjectSource { endpoint, region, bucket, prefix, path_style }))
        }
        MountSource::Block { transport, targets } => Some(Kind::Block(v1::BlockSource { transport, targets })),
        MountSource::Other(_) => None,
    };
    v1::MountSource { kind }
}

/// The handles of a plan's secrets.
pub(crate) fn secrets_to(plan: &MountPlan) -> Vec<v1::MountSecret> {
    plan.secrets.iter().map(secret_to).collect()
}

fn secret_to(secret: &MountSecret) -> v1::MountSecret {
    use v1::mount_secret::Deliver;
    let deliver = match secret.deliver.clone() {
        Delivery::OptionKey(key) => Some(Deliver::OptionKey(key)),
        Delivery::File(key) => Some(Deliver::FileOptionKey(key)),
        Delivery::Environment(name) => Some(Deliver::Environment(name)),
        Delivery::Other(_) => None,
    };
    v1::MountSecret { handle: secret.handle.clone(), deliver }
}

/// What a node must have for a plan.
pub(crate) fn prerequisites_to(plan: &MountPlan) -> Vec<v1::Prerequisite> {
    let one = |needed: &Prerequisite| v1::Prerequisite {
        kind: needed.kind.clone(),
        min_version: needed.min_version.clone().unwrap_or_default(),
    };
    plan.prerequisites.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_without_parts_or_mode_is_refused_at_its_field() {
        assert!(prefixes_from(&[]).is_err());
        let bad = v1::PrefixAccess { prefix: "datasets/".to_owned(), mode: 0 };
        assert_eq!(prefixes_from(&[bad]).unwrap_err(), unknown_value("mount_plan.prefixes[0].mode", 0));
        let escape = v1::PrefixAccess { prefix: "../other".to_owned(), mode: 1 };
        assert!(format!("{:?}", prefixes_from(&[escape]).unwrap_err()).contains("mount_plan.prefixes[0].prefix"));
    }

    #[test]
    fn a_node_may_not_report_that_a_grant_was_revoked() {
        assert!(reported_state_from("s", v1::MountState::Revoked.into()).is_err());
        assert_eq!(reported_state_from("s", v1::MountState::Mounted.into()).unwrap(), MountState::Mounted);
    }
}
