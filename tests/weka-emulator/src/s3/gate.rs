//! What stands before every S3 route: the organization, the role, the container, the service.

use crate::call::Call;
use crate::envelope::Refusal;
use crate::organizations::ROOT;
use crate::state::State;
use crate::users::Role;

/// Protocols live in the Root organization up to 5.0.
pub(crate) fn need_root(call: &Call) -> Result<(), Refusal> {
    if call.org()? == ROOT { Ok(()) } else { Err(Refusal::forbidden()) }
}

/// A container that runs the protocol, or could as long as the service is not configured.
pub(crate) fn need_container(state: &State) -> Result<(), Refusal> {
    let s3 = &state.s3;
    if s3.is_ready() || (s3.service.is_none() && !s3.containers.is_empty()) {
        return Ok(());
    }
    let message = "NoValidProtocolContainerToRunIn: no valid protocol container to run the S3 operation in";
    Err(Refusal::exception(state.switches.s3_refusal_status, &["NoValidProtocolContainerToRunIn"], message))
}

/// A configured service with a container that runs it, asked for from the Root organization.
pub(crate) fn ready(state: &State, call: &Call) -> Result<(), Refusal> {
    need_root(call)?;
    need_container(state)?;
    if state.s3.service.is_none() {
        return Err(not_configured());
    }
    Ok(())
}

pub(crate) fn not_configured() -> Refusal {
    Refusal::message(400, "S3 cluster is not configured")
}

/// The role S3; on the real cluster this is looked at before the container.
pub(crate) fn need_s3_role(state: &State, call: &Call) -> Result<(), Refusal> {
    if call.session()?.role == Role::S3 { Ok(()) } else { Err(s3_role_only(state)) }
}

pub(crate) fn s3_role_only(state: &State) -> Refusal {
    let message = "S3RoleOnlyOperation: this operation is allowed only to users of the S3 role";
    Refusal::exception(state.switches.s3_refusal_status, &["S3RoleOnlyOperation"], message)
}
