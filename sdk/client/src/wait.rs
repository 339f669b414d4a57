//! Following an operation to its end.
//!
//! An operation outlives the host: while it is away ([`Code::Unavailable`]) the wait goes on with growing pauses, and ends
//! only with the operation, the caller's deadline, or a failure that waiting doesn't mend.

use std::time::Duration;

use prost::{Message, Name};
use stowage_proto::v1::{Operation, WaitOperationRequest, operation};
use tokio::time::{Instant, sleep_until};
use tonic::{Code, Request};

use crate::{connect::Client, failure::Failure};

/// How long one call waits: short enough for a reader to see progress.
const ONE_WAIT: Duration = Duration::from_secs(1);
/// First pause when the host is away; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause when the host is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Why an operation gave no result.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The operation failed, or couldn't be looked at.
    #[error("{0}")]
    Failed(Box<Failure>),
    /// The deadline came first.
    #[error("operation `{0}` is still running: wait for it with `stowage op wait {0}`")]
    StillRunning(String),
    /// The response isn't what was expected.
    #[error("operation `{name}` ended with {found} instead of {expected}")]
    Unexpected {
        /// The operation.
        name: String,
        /// Type of its response.
        found: String,
        /// Expected type.
        expected: String,
    },
}

impl From<Failure> for WaitError {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl Client {
    /// Waits until the operation is done; `deadline: None` waits without end. `progress` sees every state on the way, the
    /// given one first.
    ///
    /// # Errors
    ///
    /// When the deadline passes or the operation can't be looked at. An operation that itself failed is no error here: it
    /// is in the returned operation's `result`.
    pub async fn wait(
        &self,
        mut operation: Operation,
        deadline: Option<Instant>,
        mut progress: impl FnMut(&Operation),
    ) -> Result<Operation, WaitError> {
        let mut client = self.operations();
        let mut pause = FIRST_PAUSE;
        loop {
            progress(&operation);
            if operation.done {
                return Ok(operation);
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(WaitError::StillRunning(operation.name));
            }
            let once = left.map_or(ONE_WAIT, |left| left.min(ONE_WAIT));
            let mut request = Request::new(WaitOperationRequest {
                name: operation.name.clone(),
                timeout: Some(prost_types::Duration {
                    seconds: i64::try_from(once.as_secs()).unwrap_or(1),
                    nanos: i32::try_from(once.subsec_nanos()).unwrap_or(0),
                }),
            });
            request.set_timeout(once + Duration::from_secs(10));
            match client.wait_operation(request).await {
                Ok(answer) => {
                    operation = answer.into_inner();
                    pause = FIRST_PAUSE;
                }
                Err(status) if host_is_away(status.code()) => {
                    let until = Instant::now() + pause;
                    sleep_until(deadline.map_or(until, |deadline| until.min(deadline))).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(status) => return Err(Failure::from(status).into()),
            }
        }
    }

    /// Waits until the operation is done and takes its response.
    ///
    /// # Errors
    ///
    /// As [`Client::wait`], and when the operation failed or answers something else than `T`.
    pub async fn wait_for<T: Message + Name + Default>(
        &self,
        operation: Operation,
        deadline: Option<Instant>,
    ) -> Result<T, WaitError> {
        let done = self.wait(operation, deadline, |_| {}).await?;
        match done.result {
            Some(operation::Result::Error(status)) => Err(Failure::from(&status).into()),
            Some(operation::Result::Response(any)) => any.to_msg().map_err(|_| WaitError::Unexpected {
                name: done.name,
                found: any.type_url.clone(),
                expected: T::type_url(),
            }),
            None => {
                Err(WaitError::Unexpected { name: done.name, found: "nothing".to_owned(), expected: T::type_url() })
            }
        }
    }
}

/// Whether the failure is the connection's and not the operation's. A lost connection shows as any of these.
fn host_is_away(code: Code) -> bool {
    matches!(code, Code::Unavailable | Code::Unknown | Code::DeadlineExceeded | Code::Cancelled)
}
