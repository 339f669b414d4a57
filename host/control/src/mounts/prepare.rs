//! Preparing a plan at its provider and handing it to its node.

use stowage_domain::{Millis, MountName, Namespace, Node, StorageClass};
use stowage_ports::{
    SecretName,
    provider::{self as port, MountPlan, MountRequest, NativeRef, PlanForm, Prepared},
};
use stowage_store::Transaction;

use super::{Form, Mount, MountState, SecretHandle};
use crate::{
    Control, ControlError, Operation, Problem, Response, Result, Status, StepName, Stored, convert,
    operations::{CallKind, Called, Flow, Policy, Stepping, progress, sort},
    rows::{Reads, Writes, unindex_mount},
    work::Order,
};

/// Where sealed values of an adapter's answers are kept, below which each handle is a secret with the field `value`.
pub(super) const SEALED: &str = "sealed";

impl Control {
    pub(super) async fn mount_of(&self, name: &MountName) -> Result<Stored<Mount>> {
        self.tables.find::<Mount>(name).await?.ok_or_else(|| {
            ControlError::new(Status::Internal, "MOUNT_LOST", format!("{name} has an operation and no record"))
        })
    }

    pub(crate) async fn step_prepare_mount(&self, operation: &mut Operation, name: &MountName) -> Result<Stepping> {
        let stored = self.mount_of(name).await?;
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(Flow::Retry { problem: error.0, after: None, few: false }.alone()),
        };
        let Some(request) = self.mount_request(&stored.value).await? else {
            let what = "it is not there any more, or has no native object";
            let error = ControlError::precondition("NAMESPACE_NOT_READY", &stored.value.namespace, what);
            return Ok(Flow::fail(error).alone());
        };
        let (cx, call) = (operation.context(), operation.call());
        let answer = self.guard(operation, provider.prepare_mount(&cx, &call, &request)).await;
        let plan = match sort(operation, CallKind::Make, answer) {
            Called::Value(Prepared::Plan(plan)) => plan,
            Called::Value(Prepared::Pending(job)) => return Ok(Flow::Job(job).alone()),
            Called::Value(Prepared::NeedsNode(work)) => return Ok(Flow::Steps(work).alone()),
            Called::Value(Prepared::Other(word)) => {
                let message = format!("the provider answered {word:?}, which this host does not know");
                return Ok(Flow::fail(ControlError::new(Status::Internal, "PROVIDER_CONTRACT", message)).alone());
            }
            // The same call under the same owner gives the same plan, whether the first was applied or not.
            Called::Flow(flow) | Called::Unknown(flow) => return Ok(flow.alone()),
            Called::Gone => return Ok(Flow::Again.alone()),
        };
        let mut mount = stored.value;
        let mut change = Transaction::new();
        mount.updated_at = self.now();
        let accepted = within(&request, &plan).and_then(|()| secrets(&mount, &plan));
        match accepted {
            Ok(secrets) => mount.secrets = secrets,
            // Refused, but known: what was prepared is released.
            Err(message) => {
                mount.plan = Some(plan);
                change.update(&mount, stored.version);
                let error = ControlError::new(Status::Internal, "PLAN_REFUSED", message);
                return Ok((Flow::fail(error), change));
            }
        }
        mount.notices = notices(&plan);
        mount.plan = Some(plan);
        mount.state = MountState::Requested;
        let flow = if mount.form == Form::Node {
            Flow::Next(StepName::NodeMount)
        } else {
            mount.operation = None;
            Flow::done(Response::Mount(Box::new(mount.clone())))
        };
        change.update(&mount, stored.version);
        Ok((flow, change))
    }

    async fn mount_request(&self, mount: &Mount) -> Result<Option<MountRequest>> {
        let Some(namespace) = self.tables.find::<Namespace>(&mount.namespace).await? else { return Ok(None) };
        let Some(native) = namespace.value.native else { return Ok(None) };
        let node = match &mount.node {
            Some(node) => self.tables.find::<Node>(node).await?.map(|node| node.value),
            None => None,
        };
        let class = match &namespace.value.class {
            Some(class) => self.tables.find::<StorageClass>(class).await?,
            None => None,
        };
        let options = class.map(|class| class.value.mount_options).unwrap_or_default();
        Ok(Some(MountRequest {
            namespace: NativeRef(native.reference),
            workload: mount.name.workload.to_string(),
            node: mount.node.as_ref().map(|node| node.node.to_string()).unwrap_or_default(),
            node_addresses: node.map(|node| node.addresses).unwrap_or_default(),
            prefixes: mount
                .prefixes
                .iter()
                .map(|access| {
                    let prefix = access.prefix.as_str().trim_end_matches('/').to_owned();
                    (prefix, convert::access_mode(access.mode))
                })
                .collect(),
            multi_writer: mount.multi_writer,
            form: match mount.form {
                Form::Node | Form::Human => PlanForm::NodeMount,
                Form::Kubernetes => PlanForm::CsiVolume,
            },
            extensions: options.iter().map(|(key, value)| (format!("mount.option.{key}"), value.to_owned())).collect(),
        }))
    }

    /// First the plan goes to the node; then, when it has reported, the mount stands or is taken back.
    pub(crate) async fn step_node_mount(&self, operation: &mut Operation, name: &MountName) -> Result<Stepping> {
        let stored = self.mount_of(name).await?;
        let mut mount = stored.value;
        let mut change = Transaction::new();
        mount.updated_at = self.now();
        let (Some(node), Some(plan)) = (mount.node.clone(), mount.plan.clone()) else {
            let what = "it has no node or no plan";
            return Ok(Flow::fail(ControlError::precondition("PLAN_REFUSED", name, what)).alone());
        };
        let Some(outcome) = operation.node_outcome.clone() else {
            mount.ordered = true;
            change.update(&mount, stored.version);
            let order = Order::Mount { mount: name.clone(), mount_id: mount.mount_id(), plan };
            let patience = Policy::of(operation.purpose.kind()).node_patience;
            let patience = Millis(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX));
            return Ok((Flow::Assign(node, Box::new(order), patience), change));
        };
        if let Some((reason, message)) = outcome.failure() {
            let error = ControlError::new(Status::FailedPrecondition, &reason, format!("{node}: {message}"));
            return Ok(Flow::fail(error.with("node", &node)).alone());
        }
        mount.paths = outcome.paths();
        mount.state = MountState::Mounted;
        mount.state_reason.clear();
        mount.reported_at = Some(self.now());
        mount.operation = None;
        change.update(&mount, stored.version);
        Ok((Flow::done(Response::Mount(Box::new(mount))), change))
    }

    /// Takes back a plan that failed or was cancelled: first from the node, if it has it, then from the provider.
    pub(crate) async fn step_undo_mount(&self, operation: &mut Operation, name: &MountName) -> Result<Stepping> {
        let stored = self.mount_of(name).await?;
        let mut mount = stored.value;
        if let (true, Some(node), Some(plan), None) = (mount.ordered, &mount.node, &mount.plan, &operation.node_outcome)
        {
            let order =
                Order::Unmount { mount: name.clone(), mount_id: mount.mount_id(), plan: plan.clone(), force: true };
            return Ok(Flow::Assign(node.clone(), Box::new(order), self.config.unmount_patience).alone());
        }
        if mount.plan.is_none() && operation.error.as_ref().is_none_or(|error| !told(&error.reason)) {
            match self.prepared_before(operation, &mount).await? {
                Ok(Some(plan)) => {
                    mount.secrets = secrets(&mount, &plan).unwrap_or_default();
                    mount.plan = Some(plan);
                    let mut change = Transaction::new();
                    change.update(&mount, stored.version);
                    return Ok((Flow::Again, change));
                }
                Ok(None) => {}
                Err(flow) => return Ok(flow.alone()),
            }
        }
        if let Some(flow) = self.release_at_provider(operation, &mount).await? {
            return Ok(flow.alone());
        }
        self.forget_secrets(&mount).await?;
        let mut change = Transaction::new();
        unindex_mount(&mut change, &mount);
        mount.operation = None;
        mount.updated_at = self.now();
        mount.state = MountState::Failed;
        if let Some(problem) = &operation.error {
            mount.state_reason.clone_from(&problem.message);
        }
        change.update(&mount, stored.version);
        Ok((Flow::undone(operation), change))
    }

    /// The plan of a prepare whose answer was never seen. Plans cannot be looked for, so the same call is made again under
    /// the same owner: what it answers is what there is to release.
    async fn prepared_before(
        &self,
        operation: &Operation,
        mount: &Mount,
    ) -> Result<std::result::Result<Option<MountPlan>, Box<Flow>>> {
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(Err(Box::new(Flow::Retry { problem: error.0, after: None, few: false }))),
        };
        let Some(request) = self.mount_request(mount).await? else { return Ok(Ok(None)) };
        let (cx, call) = (operation.context(), operation.call());
        let answer = self.guard(operation, provider.prepare_mount(&cx, &call, &request)).await;
        Ok(match sort(operation, CallKind::Make, answer) {
            Called::Value(Prepared::Plan(plan)) => Ok(Some(plan)),
            Called::Value(Prepared::Pending(job)) => Err(Box::new(Flow::Job(job))),
            Called::Value(Prepared::NeedsNode(_) | Prepared::Other(_)) | Called::Gone | Called::Flow(Flow::Fail(_)) => {
                Ok(None)
            }
            Called::Flow(flow) | Called::Unknown(flow) => Err(Box::new(flow)),
        })
    }

    /// Releases the plan at its provider; `None` when nothing of it is left there.
    pub(super) async fn release_at_provider(&self, operation: &Operation, mount: &Mount) -> Result<Option<Flow>> {
        let Some(plan) = &mount.plan else { return Ok(None) };
        let provider = match self.provider_of(operation).await {
            Ok(provider) => provider,
            Err(error) => return Ok(Some(Flow::Retry { problem: error.0, after: None, few: false })),
        };
        let mut call = operation.call();
        // What a node reported of the unmount is nothing that the adapter asked for.
        call.node_results.retain(|result| !result.id.bytes().all(|b| b.is_ascii_digit()));
        let cx = operation.context();
        let answer = self.guard(operation, provider.release_mount(&cx, &call, &plan.native)).await;
        Ok(match sort(operation, CallKind::Remove, answer) {
            Called::Value(released) => progress(released).err(),
            Called::Gone => None,
            Called::Flow(Flow::Fail(problem)) if problem.status == Status::Unimplemented => None,
            Called::Flow(Flow::Fail(problem)) => Some(Flow::Retry { problem, after: None, few: false }),
            Called::Flow(flow) | Called::Unknown(flow) => Some(flow),
        })
    }

    /// The mount could not be made or released and nothing more is tried.
    pub(crate) async fn mount_failed(
        &self,
        name: &MountName,
        change: &mut Transaction,
        problem: &Problem,
    ) -> Result<()> {
        let Some(Stored { value: mut mount, version }) = self.tables.find::<Mount>(name).await? else { return Ok(()) };
        unindex_mount(change, &mount);
        mount.state = MountState::Failed;
        mount.state_reason.clone_from(&problem.message);
        mount.operation = None;
        mount.updated_at = self.now();
        change.update(&mount, version);
        Ok(())
    }
}

/// Whether the reason tells that the provider has made nothing.
fn told(reason: &str) -> bool {
    const TOLD: [&str; 10] = [
        "PROVIDER_INVALID",
        "PROVIDER_UNSUPPORTED",
        "PROVIDER_NOT_FOUND",
        "PROVIDER_NOT_READY",
        "PROVIDER_PERMISSION_DENIED",
        "PROVIDER_FOREIGN_OWNER",
        "PROVIDER_TOO_LARGE",
        "PROVIDER_QUOTA_EXCEEDED",
        "PROVIDER_CAPACITY_EXHAUSTED",
        "NAMESPACE_NOT_READY",
    ];
    TOLD.contains(&reason)
}

/// A plan may hold no more than was asked: as many mounts, each with its prefix and mode.
fn within(request: &MountRequest, plan: &MountPlan) -> std::result::Result<(), String> {
    for mount in &plan.mounts {
        let asked = request.prefixes.iter().any(|(prefix, mode)| {
            let narrower = *mode == port::AccessMode::ReadWrite && mount.mode == port::AccessMode::ReadOnly;
            ends_in(&mount.subpath, prefix) && (mount.mode == *mode || narrower)
        });
        if !asked {
            return Err(format!(
                "the provider's plan mounts {:?} as {:?}, which was not asked for; it is refused",
                mount.subpath, mount.mode
            ));
        }
    }
    if plan.mounts.len() > request.prefixes.len() || (plan.mounts.is_empty() && request.form == PlanForm::NodeMount) {
        return Err(format!(
            "the provider's plan has {} mounts for {} prefixes",
            plan.mounts.len(),
            request.prefixes.len()
        ));
    }
    Ok(())
}

/// Whether the last parts of `path` are `prefix`; an empty prefix is any directory's.
fn ends_in(path: &str, prefix: &str) -> bool {
    let path = path.trim_matches('/');
    prefix.is_empty() || path == prefix || path.strip_suffix(prefix).is_some_and(|rest| rest.ends_with('/'))
}

fn secrets(mount: &Mount, plan: &MountPlan) -> std::result::Result<Vec<SecretHandle>, String> {
    let one = |secret: &port::MountSecret| {
        let handle = &secret.handle;
        let name = match handle.starts_with(&format!("{SEALED}/")) {
            true => handle.clone(),
            false => format!("{SEALED}/{}/{handle}", mount.provider.provider),
        };
        let own = format!("{SEALED}/{}/", mount.provider.provider);
        if !name.starts_with(&own) || SecretName::parse(&name).is_err() {
            return Err(format!("the provider's plan names a secret that is not its own: {handle:?}"));
        }
        Ok(SecretHandle { handle: handle.clone(), secret: name, redeemed_at: None })
    };
    plan.secrets.iter().map(one).collect()
}

/// What the reader must know: what the server does not enforce, and what the adapter says.
fn notices(plan: &MountPlan) -> Vec<String> {
    let mut notices: Vec<String> =
        plan.extensions.iter().filter(|(key, _)| key == "trust.note").map(|(_, text)| text.clone()).collect();
    if plan.mounts.iter().any(|mount| mount.enforced_by == port::EnforcedBy::MountOptionOnly) {
        notices.push("the node is trusted: only its mount options keep the workload within its mode".to_owned());
    }
    notices
}

impl Mount {
    /// Short id, safe as the name of a directory and never used again.
    #[must_use]
    pub fn mount_id(&self) -> String {
        let short: String = self.uid.chars().take(16).collect();
        format!("m-{short}")
    }
}
