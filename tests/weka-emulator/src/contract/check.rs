//! Checking one exchange against the table.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::shape::Shape;
use super::table::{Contract, Place, Route};

/// Where the API lies.
const PREFIX: &str = "/api/v2";

/// Statuses that any route may answer: a request that is wrong, not logged in, not allowed, or to something unknown.
const ANY_ROUTE: [u16; 4] = [400, 401, 403, 404];

/// Said of a request to a route that no release has.
const NO_ROUTE: &str = "the table has no such route";

/// Every departure from the table.
pub(super) fn problems(
    contract: &Contract,
    method: &str,
    path: &str,
    query: &BTreeMap<String, String>,
    body: &Value,
    status: u16,
    answer: &Value,
) -> Vec<String> {
    let Some(route) = find(contract, method, path) else { return vec![NO_ROUTE.to_owned()] };
    let mut problems = Vec::new();
    request(contract, route, query, body, &mut problems);
    check_answer(contract, route, status, answer, &mut problems);
    problems
}

/// Every departure of an answer from the table.
pub(super) fn problems_of_answer(
    contract: &Contract,
    method: &str,
    path: &str,
    status: u16,
    answer: &Value,
) -> Vec<String> {
    let Some(route) = find(contract, method, path) else { return vec![NO_ROUTE.to_owned()] };
    let mut problems = Vec::new();
    check_answer(contract, route, status, answer, &mut problems);
    problems
}

fn find<'a>(contract: &'a Contract, method: &str, path: &str) -> Option<&'a Route> {
    contract.route(method, path.strip_prefix(PREFIX).unwrap_or(path))
}

fn check_answer(contract: &Contract, route: &Route, status: u16, answer: &Value, problems: &mut Vec<String>) {
    match status {
        0 => {}
        200 => good_answer(contract, route, answer, problems),
        status => refusal(contract, route, status, answer, problems),
    }
}

fn request(
    contract: &Contract,
    route: &Route,
    query: &BTreeMap<String, String>,
    body: &Value,
    problems: &mut Vec<String>,
) {
    let nothing = Map::new();
    let body = match body {
        Value::Null => &nothing,
        Value::Object(fields) => fields,
        _ => return problems.push("the body is not an object".to_owned()),
    };
    for field in &route.parameters {
        let in_query = query.get(&field.name).filter(|_| field.place != Place::Body);
        let in_body = body.get(&field.name).filter(|value| field.place != Place::Query && !value.is_null());
        if let Some(value) = in_body {
            field.shape.check(value, &format!("body.{}", field.name), contract.shapes(), problems);
        }
        if let Some(text) = in_query
            && !text_fits(&field.shape, text)
        {
            problems.push(format!("query.{} is {text:?}, which is not {:?}", field.name, field.shape));
        }
        if field.required && in_query.is_none() && in_body.is_none() {
            problems.push(format!("the required field {} is missing", field.name));
        }
    }
    let known =
        |name: &String, wrong: Place| route.parameters.iter().any(|field| field.name == *name && field.place != wrong);
    for name in query.keys().filter(|name| !known(name, Place::Body)) {
        problems.push(format!("query.{name} is unknown"));
    }
    for name in body.keys().filter(|name| !known(name, Place::Query)) {
        problems.push(format!("body.{name} is unknown"));
    }
}

/// Whether the text of a query can be what the table says; lists and objects are written in several ways.
fn text_fits(shape: &Shape, text: &str) -> bool {
    match shape {
        Shape::Number | Shape::Digits => text.parse::<u64>().is_ok(),
        Shape::Integer => text.parse::<i64>().is_ok(),
        Shape::Flag => ["true", "false", "0", "1"].contains(&text),
        Shape::Uid => crate::uid::Uid::parse(text).is_some(),
        Shape::Bytes => crate::call::number_in("", &Value::String(text.to_owned())).is_ok(),
        Shape::Literal(wanted) => wanted == text,
        Shape::OneOf(shapes) => shapes.iter().any(|shape| text_fits(shape, text)),
        _ => true,
    }
}

fn good_answer(contract: &Contract, route: &Route, answer: &Value, problems: &mut Vec<String>) {
    if route.bare {
        return route.answer.check(answer, "answer", contract.shapes(), problems);
    }
    let Some(envelope) = answer.as_object() else {
        return problems.push("the answer is not an object".to_owned());
    };
    match envelope.get("data") {
        Some(data) => route.answer.check(data, "data", contract.shapes(), problems),
        None => problems.push("the answer has no data".to_owned()),
    }
    for (name, value) in envelope.iter().filter(|(name, _)| *name != "data") {
        match route.next_token.as_ref().filter(|_| name == "next_token") {
            Some(shape) => shape.check(value, "next_token", contract.shapes(), problems),
            None => problems.push(format!("{name} beside data is unknown")),
        }
    }
}

/// A refusal is an object that says something: `message`, or `data` as text (401, 403), or both. A status that not every
/// route has comes with the words of one of the route's own refusals.
fn refusal(contract: &Contract, route: &Route, status: u16, answer: &Value, problems: &mut Vec<String>) {
    let own = route.refuses.iter().filter_map(|name| contract.refusal(name));
    let said = answer.to_string();
    let mut own = own.filter(|refusal| refusal.status.contains(&status));
    if !ANY_ROUTE.contains(&status) && !own.any(|refusal| said.contains(&refusal.says)) {
        problems.push(format!("status {status} with these words is not among the refusals of this route: {said}"));
    }
    let text = |name: &str| answer.get(name).is_some_and(Value::is_string);
    if !(text("message") || text("data")) {
        problems.push(format!("the refusal says nothing: {answer}"));
    }
}
