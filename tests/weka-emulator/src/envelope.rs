//! What every answer looks like: `{"data": …}`, and the error bodies of the real API.
//!
//! No answer has an empty body: a client in production unmarshals every one, and an empty body makes even a 200 an error
//! to it. Exceptions of the backend arrive as 400 with the class names, most specific first, in `data.exceptionClass`.

use serde_json::{Map, Value, json};

/// A good answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) data: Value,
    pub(crate) next_token: Option<Value>,
}

impl Reply {
    pub(crate) fn body(self) -> Value {
        let mut body = Map::new();
        body.insert("data".to_owned(), self.data);
        if let Some(token) = self.next_token {
            body.insert("next_token".to_owned(), token);
        }
        Value::Object(body)
    }
}

impl From<Value> for Reply {
    fn from(data: Value) -> Self {
        Self { data, next_token: None }
    }
}

/// A refusal, as it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// What a handler answers.
pub(crate) type Answer = Result<Reply, Refusal>;

/// The data-less good answer of DELETE and friends.
pub(crate) fn nothing() -> Answer {
    Ok(Reply::default())
}

/// A good answer with this data.
pub(crate) fn data(data: Value) -> Answer {
    Ok(data.into())
}

impl Refusal {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, body }
    }

    pub(crate) fn message(status: u16, message: &str) -> Self {
        Self::new(status, json!({ "message": message }))
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, json!({ "data": "Unauthorized" }))
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(403, json!({ "data": "Forbidden" }))
    }

    pub(crate) fn no_route(method: &str, path: &str) -> Self {
        Self::message(404, &format!("Route {method} - {path} does not exist"))
    }

    pub(crate) fn no_uid(uid: &str) -> Self {
        Self::message(404, &format!("uid: '{uid}' not found"))
    }

    pub(crate) fn missing(fields: &[&str]) -> Self {
        let message = format!("missing required parameters: {}", fields.join(", "));
        Self::new(400, json!({ "message": message, "data": { "missing_params": fields } }))
    }

    pub(crate) fn bad(field: &str, problem: &str) -> Self {
        let message = format!("{field} {problem}");
        Self::new(400, json!({ "message": message, "data": { "param": field, "error": message } }))
    }

    /// An exception of the backend; `OperationFailedException` is put last.
    pub(crate) fn exception(status: u16, classes: &[&str], message: &str) -> Self {
        Self::exception_with(status, classes, message, Map::new())
    }

    pub(crate) fn exception_with(status: u16, classes: &[&str], message: &str, mut data: Map<String, Value>) -> Self {
        let mut classes: Vec<&str> = classes.to_vec();
        classes.push("OperationFailedException");
        data.insert("exceptionClass".to_owned(), json!(classes));
        Self::new(status, json!({ "message": message, "data": data }))
    }

    /// Captured from a real cluster by the CSI driver's tests.
    pub(crate) fn too_many_tasks(running: usize) -> Self {
        let mut data = Map::new();
        data.insert("tasks_num".to_owned(), json!(running));
        Self::exception_with(
            400,
            &["CannotStartOperationTooManyTasks", "BadStateException"],
            &format!("Operation cannot start because there are already {running} tasks running"),
            data,
        )
    }
}
