//! Request ids: the same id with the same command is answered the same, with another command it is refused.
//!
//! The row is written by the transaction of the change, so a request that was not committed leaves no row, and one whose
//! answer was lost finds what it made.

use serde::{Deserialize, Serialize};
use stowage_domain::UnixMillis;
use stowage_store::{Record, Segments, Tables, Transaction};

use super::REQUEST_TIMES;
use crate::{Caller, ControlError, Result, Status, WriteOptions, ids};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RequestRow {
    caller: String,
    id: String,
    digest: String,
    /// Name of the operation or resource that the request made.
    pub(crate) answer: String,
    at: UnixMillis,
}

impl Record for RequestRow {
    const TABLE: &'static str = "request";

    fn key(&self) -> Segments {
        Segments::of([&self.caller, &self.id])
    }
}

/// A request id with the digest of its command.
#[derive(Debug, Clone)]
pub(crate) struct Request(Option<RequestRow>);

impl Request {
    /// `method` and `command` tell commands apart.
    pub(crate) fn new<C: std::fmt::Debug>(
        caller: &Caller,
        options: &WriteOptions,
        method: &str,
        command: &C,
        now: UnixMillis,
    ) -> Result<Self> {
        let Some(id) = &options.request_id else { return Ok(Self(None)) };
        if id.is_empty() || id.len() > 128 || id.chars().any(char::is_control) {
            return Err(ControlError::field("request_id", "must be 1 to 128 characters without control characters"));
        }
        Ok(Self(Some(RequestRow {
            caller: caller.identity.subject.clone(),
            id: id.clone(),
            digest: ids::digest(40, &[method, &format!("{command:?}")]),
            answer: String::new(),
            at: now,
        })))
    }

    /// What the request made before, if it was made.
    pub(crate) async fn answered(&self, tables: &Tables) -> Result<Option<String>> {
        let Some(row) = &self.0 else { return Ok(None) };
        match tables.get::<RequestRow>(&row.key()).await? {
            None => Ok(None),
            Some((old, _)) if old.digest == row.digest => Ok(Some(old.answer)),
            Some(_) => {
                let message = format!("request id {:?} was used for another request; choose a new one", row.id);
                Err(ControlError::new(Status::AlreadyExists, "REQUEST_ID_CONFLICT", message))
            }
        }
    }

    /// Whether both are the same caller's use of the same id.
    pub(crate) fn same_id(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => one.key() == other.key(),
            _ => false,
        }
    }

    /// Claims the id for what the transaction makes.
    pub(crate) fn claim(&self, change: &mut Transaction, answer: impl std::fmt::Display) {
        if let Some(row) = &self.0 {
            change.create(&RequestRow { answer: answer.to_string(), ..row.clone() });
            let key = Segments::new().number(row.at.0).text(&row.caller).text(&row.id);
            change.index(REQUEST_TIMES, &key, "");
        }
    }
}
