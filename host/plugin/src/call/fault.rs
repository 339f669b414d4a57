//! Whose fault it is, decided once.
//!
//! gRPC status, metric labels and breakers derive from what stands here. The table, from the inside out:
//!
//! | what happened | kind | native code | fault |
//! |---|---|---|---|
//! | the adapter answered with an error | its kind | its code | by kind |
//! | a limit | internal | `limit.…` | plugin |
//! | a trap, an exit, a broken contract | internal | `trap`, `exit`, `contract` | plugin |
//! | the wall budget, during an exchange | ambiguous | `limit.wall` | backend |
//! | the caller's deadline | ambiguous | `limit.deadline` | caller |
//! | no place | throttled | `limit.queue` | host |

use stowage_ports::provider::{Error, ErrorKind, Fault};
use wasmtime::Trap;

/// A limit that stops a call. Travels as the payload of a trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub(crate) enum LimitHit {
    Cpu,
    Wall,
    WallInExchange,
    Deadline,
    Memory,
    Memories,
    Tables,
    TableElements,
    Instances,
    Handles,
    Transfer,
    Result,
    HostCalls,
    Exchanges,
    Random,
    Stack,
    QueueOfProvider,
    QueueOfHost,
}

impl LimitHit {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Cpu => "limit.cpu",
            Self::Wall | Self::WallInExchange => "limit.wall",
            Self::Deadline => "limit.deadline",
            Self::Memory => "limit.memory",
            Self::Memories => "limit.memories",
            Self::Tables => "limit.tables",
            Self::TableElements => "limit.table-elements",
            Self::Instances => "limit.instances",
            Self::Handles => "limit.handles",
            Self::Transfer => "limit.transfer",
            Self::Result => "limit.result",
            Self::HostCalls => "limit.host-calls",
            Self::Exchanges => "limit.exchanges",
            Self::Random => "limit.random",
            Self::Stack => "limit.stack",
            Self::QueueOfProvider | Self::QueueOfHost => "limit.queue",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::Cpu => "the adapter computed longer than its `cpu_ms`",
            Self::Wall => "the call took longer than its `wall_ms`",
            Self::WallInExchange => "the backend did not answer within the call's `wall_ms`: it may have acted",
            Self::Deadline => "the caller's deadline passed: the call may have acted",
            Self::Memory => "the adapter's memories together exceed its `memory_bytes`",
            Self::Memories => "the adapter has more memories than its `memories`",
            Self::Tables => "the adapter has more tables than its `tables`",
            Self::TableElements => "the adapter's tables together exceed its `table_elements`",
            Self::Instances => "the adapter has more core instances than its `core_instances`",
            Self::Handles => "the adapter holds more handles than its `handles`",
            Self::Transfer => "the adapter handed more to a host call than its `transfer_bytes`",
            Self::Result => "the adapter's answer is larger than its `result_bytes`",
            Self::HostCalls => "the adapter made more host calls than its `host_calls`",
            Self::Exchanges => "the adapter made more exchanges than its `exchanges`",
            Self::Random => "the adapter asked for more random bytes than its `random_bytes`",
            Self::Stack => "the adapter's stack exceeds the engine's `stack_bytes`",
            Self::QueueOfProvider => "the provider already runs as many calls as its `concurrent_calls`: try again",
            Self::QueueOfHost => "the host already runs as many calls as its `concurrent_calls`: try again",
        }
    }

    const fn fault(self) -> Fault {
        match self {
            Self::Deadline => Fault::Caller,
            Self::WallInExchange => Fault::Backend,
            Self::QueueOfProvider | Self::QueueOfHost => Fault::Host,
            _ => Fault::Plugin,
        }
    }

    const fn kind(self) -> ErrorKind {
        match self {
            Self::WallInExchange | Self::Deadline => ErrorKind::Ambiguous,
            Self::QueueOfProvider | Self::QueueOfHost => ErrorKind::Throttled(None),
            _ => ErrorKind::Internal,
        }
    }
}

/// The guest's answer breaks the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer breaks the contract: {field} {problem}")]
pub(crate) struct Breach {
    pub(crate) field: &'static str,
    pub(crate) problem: String,
}

/// Why a call has no answer of the adapter's own.
#[derive(Debug)]
pub(crate) enum Stop {
    Limit(LimitHit),
    Runtime(wasmtime::Error),
    Breach(Breach),
}

/// What the port's caller gets, and what the metrics count.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) error: Error,
    pub(crate) fault: Fault,
    pub(crate) counted: Counted,
}

/// Which counter a failure belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    Limit(&'static str),
    Trap(&'static str),
}

/// The one function that says whose fault an unanswered call is.
pub(crate) fn classify(stop: &Stop) -> Verdict {
    let internal = |code: &'static str, message: String, counted| Verdict {
        error: error(ErrorKind::Internal, code, message),
        fault: Fault::Plugin,
        counted,
    };
    match stop {
        Stop::Limit(hit) => limit(*hit),
        Stop::Breach(breach) => internal("contract", breach.to_string(), Counted::Trap("contract")),
        Stop::Runtime(cause) => {
            if let Some(hit) = hidden_limit(cause) {
                return limit(hit);
            }
            if let Some(trap) = cause.downcast_ref::<Trap>() {
                return internal("trap", format!("the adapter trapped: {trap}"), Counted::Trap(trap_code(*trap)));
            }
            if cause.downcast_ref::<wasmtime_wasi::I32Exit>().is_some() {
                return internal("exit", "the adapter exited instead of answering".to_owned(), Counted::Trap("exit"));
            }
            internal("trap", format!("the adapter was stopped: {}", cause.root_cause()), Counted::Trap("other"))
        }
    }
}

fn limit(hit: LimitHit) -> Verdict {
    Verdict {
        error: error(hit.kind(), hit.code(), hit.to_string()),
        fault: hit.fault(),
        counted: Counted::Limit(hit.code()),
    }
}

fn error(kind: ErrorKind, code: &'static str, message: String) -> Error {
    Error { kind, message, native_code: Some(code.to_owned()), extensions: Vec::new() }
}

/// Limits that the runtime reports as a trap or a text. Each text is held by a test in `tests/limits.rs`.
pub(super) fn hidden_limit(cause: &wasmtime::Error) -> Option<LimitHit> {
    if let Some(hit) = cause.downcast_ref::<LimitHit>() {
        return Some(*hit);
    }
    if cause.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        return Some(LimitHit::Stack);
    }
    let text = cause.root_cause().to_string();
    let texts = [
        ("resource limit exceeded: instance", LimitHit::Instances),
        ("resource limit exceeded: table", LimitHit::Tables),
        ("resource limit exceeded: memory", LimitHit::Memories),
        ("too much data is being copied", LimitHit::Transfer),
        ("requested len", LimitHit::Random),
        ("resource table has no free keys", LimitHit::Handles),
        ("component handle", LimitHit::Handles),
    ];
    texts.into_iter().find(|(part, _)| text.contains(part)).map(|(_, hit)| hit)
}

const fn trap_code(trap: Trap) -> &'static str {
    match trap {
        Trap::UnreachableCodeReached => "unreachable",
        Trap::MemoryOutOfBounds | Trap::HeapMisaligned => "memory",
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => "table",
        Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => "arithmetic",
        Trap::StackOverflow => "stack",
        Trap::Interrupt => "interrupt",
        _ => "other",
    }
}

/// Whose fault an error of the adapter's own is.
pub(crate) const fn of_kind(kind: &ErrorKind) -> Fault {
    match kind {
        ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::ForeignOwner(_)
        | ErrorKind::Invalid(_)
        | ErrorKind::TooLarge(_)
        | ErrorKind::QuotaExceeded
        | ErrorKind::Unsupported(_)
        | ErrorKind::InUse(_)
        | ErrorKind::ConflictRetry => Fault::Caller,
        ErrorKind::CapacityExhausted(_)
        | ErrorKind::PermissionDenied
        | ErrorKind::AuthExpired
        | ErrorKind::LockedOut(_)
        | ErrorKind::NotReady(_)
        | ErrorKind::Throttled(_)
        | ErrorKind::Unreachable
        | ErrorKind::Ambiguous => Fault::Backend,
        ErrorKind::Internal | ErrorKind::Other(_) => Fault::Plugin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_seen_through_the_runtime_context() {
        let wrapped = wasmtime::Error::from(LimitHit::Cpu).context("error while executing at wasm backtrace");
        let verdict = classify(&Stop::Runtime(wrapped));
        assert_eq!(verdict.error.native_code.as_deref(), Some("limit.cpu"));
        assert_eq!(verdict.fault, Fault::Plugin);
        assert_eq!(verdict.counted, Counted::Limit("limit.cpu"));
    }

    #[test]
    fn a_lost_answer_of_the_backend_is_ambiguous_and_its_fault() {
        let verdict = classify(&Stop::Limit(LimitHit::WallInExchange));
        assert_eq!((verdict.error.kind, verdict.fault), (ErrorKind::Ambiguous, Fault::Backend));
    }

    #[test]
    fn a_full_queue_is_the_hosts_fault_and_can_be_tried_again() {
        let verdict = classify(&Stop::Limit(LimitHit::QueueOfHost));
        assert_eq!((verdict.error.kind, verdict.fault), (ErrorKind::Throttled(None), Fault::Host));
        assert_eq!(verdict.error.native_code.as_deref(), Some("limit.queue"));
    }
}
