//! The contract table: what every route takes and answers, as facts that are checked in both directions.
//!
//! The table stands in `contract/*.toml`, written from the vendor's public API description, documents and shipping
//! clients, and says for each route since which release it exists, who may call it, its fields with their types, the
//! shape of its answer, how it refuses, and where and why it departs from the vendor's description. The emulator's tests
//! send every example and every request that lacks a required field; an adapter's tests hand what they recorded to
//! [`check_exchange`]. So neither side can drift without the other noticing.
//!
//! A field that the table does not name is a violation too: `{"name": "x"}` sent to `PUT /fileSystems/{uid}` is ignored
//! by a real cluster (the field is `new_name`), and a client in production does just that.

mod check;
mod shape;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde_json::Value;

pub use shape::Shape;
pub use table::{Contract, ContractError, Example, Parameter, Place, Refusal, Route};

use crate::requests::LoggedRequest;

static CONTRACT: LazyLock<Result<Contract, ContractError>> = LazyLock::new(Contract::read);

/// The table.
pub fn contract() -> Result<&'static Contract, ContractError> {
    CONTRACT.as_ref().map_err(Clone::clone)
}

/// Where an exchange departs from the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Violation {
    /// Method and path of the request.
    pub exchange: String,
    /// Each departure, with the place where it was found.
    pub problems: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.exchange, self.problems.join("; "))
    }
}

/// Checks one exchange: the route exists, required fields are there, every field is known and of its type, and the
/// answer has the route's shape, or is a refusal that the route may give.
///
/// `path` may carry `/api/v2`; `body` and `answer` are `Value::Null` when there was none; `status` 0 says that no answer
/// came, and then only the request is checked.
pub fn check_exchange(
    method: &str,
    path: &str,
    query: &BTreeMap<String, String>,
    body: &Value,
    status: u16,
    answer: &Value,
) -> Result<(), Violation> {
    let problems = match contract() {
        Ok(contract) => check::problems(contract, method, path, query, body, status, answer),
        Err(error) => vec![error.to_string()],
    };
    if problems.is_empty() { Ok(()) } else { Err(Violation { exchange: format!("{method} {path}"), problems }) }
}

/// Checks an answer alone: for exchanges whose request was wrong on purpose.
pub fn check_answer(method: &str, path: &str, status: u16, answer: &Value) -> Result<(), Violation> {
    let problems = match contract() {
        Ok(contract) => check::problems_of_answer(contract, method, path, status, answer),
        Err(error) => vec![error.to_string()],
    };
    if problems.is_empty() { Ok(()) } else { Err(Violation { exchange: format!("{method} {path}"), problems }) }
}

/// Checks an exchange of the request log. Of one that a fault struck, only the request is looked at.
pub fn check_logged(logged: &LoggedRequest) -> Result<(), Violation> {
    let status = if logged.fault.is_some() { 0 } else { logged.status };
    check_exchange(&logged.method, &logged.path, &logged.query, &logged.body, status, &logged.answer)
}
