//! Operations with their progress and result.

use prost_types::Any;
use stowage_control::{Item, Operation, OperationState, Response};
use stowage_domain::UnixMillis;
use stowage_proto::v1::{self, operation::Result as Outcome};

use super::{
    errors::rpc_status,
    grants, mounts,
    namespaces::{self, View},
    time, workloads,
};

/// An operation of the contract. Its response shows as much as `view` allows.
pub(crate) fn to(operation: &Operation, view: View, now: UnixMillis) -> v1::Operation {
    let error = operation.error.clone().filter(|_| operation.done()).map(|problem| Outcome::Error(rpc_status(problem)));
    let response = operation.response.as_ref().map(|response| Outcome::Response(response_to(response, view, now)));
    v1::Operation {
        name: operation.name.to_string(),
        done: operation.done(),
        metadata: Some(metadata(operation)),
        result: error.or(response),
    }
}

/// A done operation without a name: the answer of a dry run.
pub(crate) fn dry_run(would_be: Any) -> v1::Operation {
    v1::Operation { name: String::new(), done: true, metadata: None, result: Some(Outcome::Response(would_be)) }
}

/// A change's result. The etag of a resource inside an operation is left out: it may have changed since.
pub(crate) fn response_to(response: &Response, view: View, now: UnixMillis) -> Any {
    let etag = String::new();
    let packed = match response {
        Response::Namespace(namespace) => Any::from_msg(&namespaces::to(namespace, etag, view)),
        Response::Mount(mount) => Any::from_msg(&mounts::to(mount, etag)),
        Response::Workload(workload) => Any::from_msg(&workloads::to(workload, etag)),
        Response::Grant(grant) => Any::from_msg(&grants::to(grant, now, etag)),
    };
    packed.unwrap_or_default()
}

fn metadata(operation: &Operation) -> v1::OperationMetadata {
    let retrying = operation.state == OperationState::Retrying;
    v1::OperationMetadata {
        kind: operation.purpose.kind().word().to_owned(),
        resource: operation.purpose.resource(),
        state: state_to(operation.state).into(),
        current_step: operation.step.word().to_owned(),
        steps_done: operation.steps_done,
        steps_total: operation.purpose.steps_total().max(operation.steps_done),
        attempts: operation.attempts,
        next_retry_time: retrying.then(|| time::to(operation.next_at)),
        last_error: operation.last_error.clone().map(rpc_status),
        items: operation.items.iter().map(item_to).collect(),
        requester: operation.requester.clone(),
        create_time: Some(time::to(operation.created_at)),
        update_time: Some(time::to(operation.updated_at)),
        end_time: operation.ended_at.map(time::to),
        waiting_node: operation.waiting_node().map(|node| format!("nodes/{node}")).unwrap_or_default(),
    }
}

const fn state_to(state: OperationState) -> v1::OperationState {
    match state {
        OperationState::Running => v1::OperationState::Running,
        OperationState::WaitingJob => v1::OperationState::WaitingJob,
        OperationState::WaitingNode => v1::OperationState::WaitingNode,
        OperationState::Retrying => v1::OperationState::Retrying,
        OperationState::Compensating => v1::OperationState::Compensating,
        OperationState::Succeeded => v1::OperationState::Succeeded,
        OperationState::Failed => v1::OperationState::Failed,
        OperationState::Cancelled => v1::OperationState::Cancelled,
    }
}

fn item_to(item: &Item) -> v1::OperationItem {
    v1::OperationItem {
        resource: item.resource.clone(),
        state: item.state.clone(),
        error: item.problem.clone().map(rpc_status),
    }
}
