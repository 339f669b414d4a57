//! Where security policies are attached: to filesystems, to organizations, and to what joins the cluster.

use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data};
use crate::state::State;
use crate::uid::Uid;

/// Policies on one filesystem (documented by a client).
const MOST_ATTACHED: usize = 16;

/// What must be allowed before a container joins the cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Joins {
    backend: Vec<Uid>,
    pub(crate) client: Vec<Uid>,
}

/// The policies that a PUT, attach or detach names: uids of the caller's organization.
fn named(state: &State, call: &Call) -> Result<Vec<Uid>, Refusal> {
    let org = call.org()?;
    let texts = call.texts("policies")?.ok_or_else(|| Refusal::missing(&["policies"]))?;
    let find = |text: &String| {
        let policy = state.policies.iter().find(|policy| policy.org_id == org && policy.uid.to_string() == *text);
        policy.map(|policy| policy.uid).ok_or_else(|| Refusal::no_uid(text))
    };
    texts.iter().map(find).collect()
}

/// How an attachment list changes.
#[derive(Clone, Copy, Debug)]
enum Change {
    Set,
    Attach,
    Detach,
    Clear,
}

fn apply(attached: &mut Vec<Uid>, change: Change, named: &[Uid]) -> Result<(), Refusal> {
    let mut next = attached.clone();
    match change {
        Change::Set => next = named.to_vec(),
        Change::Attach => next.extend(named.iter().filter(|uid| !attached.contains(uid))),
        Change::Detach => next.retain(|uid| !named.contains(uid)),
        Change::Clear => next.clear(),
    }
    if next.len() > MOST_ATTACHED {
        return Err(Refusal::message(400, "Too many security policies: 16 can be attached"));
    }
    *attached = next;
    Ok(())
}

fn change_filesystem(state: &mut State, call: &Call, change: Change) -> Answer {
    let named = if matches!(change, Change::Clear) { Vec::new() } else { named(state, call)? };
    apply(&mut state.filesystem_mut(call)?.policies, change, &named)?;
    of_filesystem(state, call)
}

/// `GET /fileSystems/{uid}/securityPolicy`
pub(crate) fn of_filesystem(state: &mut State, call: &Call) -> Answer {
    data(state.policy_rows(&state.filesystem(call)?.policies))
}

/// `PUT /fileSystems/{uid}/securityPolicy`
pub(crate) fn set_on_filesystem(state: &mut State, call: &Call) -> Answer {
    change_filesystem(state, call, Change::Set)
}

/// `POST /fileSystems/{uid}/securityPolicy/attach`
pub(crate) fn attach_to_filesystem(state: &mut State, call: &Call) -> Answer {
    change_filesystem(state, call, Change::Attach)
}

/// `POST /fileSystems/{uid}/securityPolicy/detach`
pub(crate) fn detach_from_filesystem(state: &mut State, call: &Call) -> Answer {
    change_filesystem(state, call, Change::Detach)
}

/// `DELETE /fileSystems/{uid}/securityPolicy`
pub(crate) fn clear_filesystem(state: &mut State, call: &Call) -> Answer {
    change_filesystem(state, call, Change::Clear)
}

fn change_organization(state: &mut State, call: &Call, change: Change) -> Answer {
    let named = if matches!(change, Change::Clear) { Vec::new() } else { named(state, call)? };
    apply(&mut state.organization_of_mut(call)?.policies, change, &named)?;
    of_organization(state, call)
}

/// `GET /organizations/{uid}/securityPolicy`
pub(crate) fn of_organization(state: &mut State, call: &Call) -> Answer {
    data(state.policy_rows(&state.organization_of(call)?.policies))
}

/// `PUT /organizations/{uid}/securityPolicy`
pub(crate) fn set_on_organization(state: &mut State, call: &Call) -> Answer {
    change_organization(state, call, Change::Set)
}

/// `POST /organizations/{uid}/securityPolicy/attach`
pub(crate) fn attach_to_organization(state: &mut State, call: &Call) -> Answer {
    change_organization(state, call, Change::Attach)
}

/// `POST /organizations/{uid}/securityPolicy/detach`
pub(crate) fn detach_from_organization(state: &mut State, call: &Call) -> Answer {
    change_organization(state, call, Change::Detach)
}

/// `DELETE /organizations/{uid}/securityPolicy`
pub(crate) fn clear_organization(state: &mut State, call: &Call) -> Answer {
    change_organization(state, call, Change::Clear)
}

impl Joins {
    /// How often a policy is attached here.
    pub(crate) fn references(&self, policy: Uid) -> usize {
        let on = |attached: &[Uid]| usize::from(attached.contains(&policy));
        on(&self.backend).saturating_add(on(&self.client))
    }

    fn of(&mut self, call: &Call) -> Result<&mut Vec<Uid>, Refusal> {
        match call.place("mode") {
            "backend" => Ok(&mut self.backend),
            "client" => Ok(&mut self.client),
            other => Err(Refusal::message(404, &format!("join mode {other} does not exist"))),
        }
    }
}

fn change_join(state: &mut State, call: &Call, change: Change) -> Answer {
    let named = if matches!(change, Change::Clear) { Vec::new() } else { named(state, call)? };
    apply(state.joins.of(call)?, change, &named)?;
    of_join(state, call)
}

/// `GET /security/join/{mode}/securityPolicy`
pub(crate) fn of_join(state: &mut State, call: &Call) -> Answer {
    let attached = state.joins.of(call)?.clone();
    data(state.policy_rows(&attached))
}

/// `PUT /security/join/{mode}/securityPolicy`
pub(crate) fn set_on_join(state: &mut State, call: &Call) -> Answer {
    change_join(state, call, Change::Set)
}

/// `POST /security/join/{mode}/securityPolicy/attach`
pub(crate) fn attach_to_join(state: &mut State, call: &Call) -> Answer {
    change_join(state, call, Change::Attach)
}

/// `POST /security/join/{mode}/securityPolicy/detach`
pub(crate) fn detach_from_join(state: &mut State, call: &Call) -> Answer {
    change_join(state, call, Change::Detach)
}

/// `DELETE /security/join/{mode}/securityPolicy`
pub(crate) fn clear_join(state: &mut State, call: &Call) -> Answer {
    change_join(state, call, Change::Clear)
}
