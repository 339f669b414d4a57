//! Mount plans: each prefix of a namespace as a path beneath the root that the node's own configuration binds.

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::*;

use crate::{Fake, audit, config::Config, gate::Gate, show, state, state::Namespace};

/// A plan in the state.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Plan {
    id: String,
    owner: String,
    namespace: String,
    node: String,
    /// Clients that are attached, by the request's extension `fake.attached` (addresses joined by commas).
    attached: Vec<String>,
    made_at: u64,
}

fn key(id: &str) -> String {
    format!("plan/{id}")
}

/// Refuses a prefix that would leave the namespace; the node does so again.
fn check_prefix(prefix: &str) -> Result<()> {
    let inside = prefix.is_empty() || prefix.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if inside {
        Ok(())
    } else {
        Err(error::invalid("prefixes", format_args!("{prefix:?} is not beneath the namespace")))
    }
}

impl Mounts for Fake {
    fn prepare(call: Call, request: MountRequest) -> Result<Prepared> {
        let config = Config::read()?;
        let namespace = Namespace::of(&request.namespace)?.value;
        let after = match Self::gate(&config, "mounts.prepare", &call, &namespace.labels)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        if namespace.lifecycle != Lifecycle::Ready {
            let remedy = format!("wait until namespace {} is ready", namespace.id);
            return Err(error::not_ready("namespaces.posix", "NAMESPACE_NOT_READY", remedy));
        }
        if request.prefixes.is_empty() {
            return Err(error::invalid("prefixes", "name at least one; an empty one is the whole namespace"));
        }
        let mut mounts = Vec::with_capacity(request.prefixes.len());
        for (prefix, mode) in request.prefixes {
            check_prefix(&prefix)?;
            mounts.push(OneMount {
                source: MountSource::host_path(&config.root, &namespace.path),
                subpath: prefix,
                mode,
                enforced_by: show::enforced_by(&config)?,
                options: vec![],
            });
        }
        let id = short_name(&call.owner, 20);
        let extensions = match &request.form {
            PlanForm::CsiVolume => vec![
                ("csi.driver".to_owned(), "fake.stowage".to_owned()),
                ("csi.volume-handle".to_owned(), namespace.id.clone()),
            ],
            PlanForm::Other(word) => return Err(error::invalid("form", format_args!("{word:?} is not known here"))),
            _ => vec![],
        };
        let attached = lookup(&request.extensions, "fake.attached").unwrap_or_default();
        let record = Plan {
            id: id.clone(),
            owner: call.owner,
            namespace: namespace.id,
            node: request.node,
            attached: attached.split(',').filter(|a| !a.is_empty()).map(str::to_owned).collect(),
            made_at: host::now_ms(),
        };
        host::kv::store(&key(&id), &record, None)?;
        audit::note(&config, "mount.prepare", Some(&record.namespace))?;
        after.finish_with(Prepared::Plan(MountPlan {
            ref_: id.into_bytes(),
            mounts,
            secrets: vec![],
            prerequisites: vec![],
            valid_until: None,
            extensions,
        }))
    }

    fn release(call: Call, plan: NativeRef) -> Result<Progress> {
        let config = Config::read()?;
        let id = state::text(&plan, "plan")?.to_owned();
        if host::kv::get(&key(&id))?.is_none() {
            return Ok(Progress::Done(plan));
        }
        let after = match Self::gate(&config, "mounts.release", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        host::kv::delete(&key(&id), None)?;
        audit::note(&config, "mount.release", None)?;
        after.finish(plan)
    }

    fn observe(plans: Vec<NativeRef>) -> Result<Vec<MountStatus>> {
        let config = Config::read()?;
        Self::ask(&config, "mounts.observe", &[])?;
        plans
            .into_iter()
            .map(|native| {
                let found = host::kv::load::<Plan>(&key(state::text(&native, "plans")?))?.map(|v| v.value);
                let real = match &found {
                    None => MountState::Revoked,
                    Some(plan) if plan.attached.is_empty() => MountState::Requested,
                    Some(_) => MountState::Mounted,
                };
                let clients = found.into_iter().flat_map(|plan| {
                    plan.attached.into_iter().map(move |client| Attachment {
                        id: format!("{}/{client}", plan.id).into_bytes(),
                        client,
                        since: Some(plan.made_at),
                        mode: None,
                        extensions: vec![],
                    })
                });
                Ok(MountStatus {
                    clients: clients.collect(),
                    state: show::mount_state(&config, real)?,
                    observed_at: host::now_ms(),
                    ref_: native,
                })
            })
            .collect()
    }

    fn detach(call: Call, attachment: Vec<u8>, _force: bool) -> Result<Progress> {
        let config = Config::read()?;
        let text = state::text(&attachment, "attachment")?.to_owned();
        let after = match Self::gate(&config, "mounts.detach", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let (id, client) =
            text.split_once('/').ok_or_else(|| error::invalid("attachment", "is not one of this adapter's"))?;
        if let Some(found) = host::kv::load::<Plan>(&key(id))? {
            let mut plan = found.value;
            plan.attached.retain(|a| a != client);
            host::kv::store(&key(id), &plan, Some(found.version))?;
        }
        after.finish(attachment)
    }
}
