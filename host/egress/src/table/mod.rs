//! The exchange table as admission sees it: checked once, then looked up by id.

mod digest;
mod place;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use stowage_ports::provider::{AuthFlow, Description, ExchangeDecl, Matcher, PlaceKeep};

pub use digest::exchange_table_digest;
use place::{answer_place, request_place};
pub(crate) use template::{PathTemplate, SEGMENT};

/// Registered key of an exchange: names of answer fields, joined by commas, that stay visible though they are named like
/// secrets (for instance a public `license_key`). It is part of the digest, so the operator approves it.
pub(crate) const VISIBLE_FIELDS: &str = "visible-fields";

/// Why a table is refused. The text names the exchange or flow and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {id:?}: {problem}")]
pub struct TableError {
    /// `exchange` or `auth flow`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// What is wrong.
    pub problem: String,
}

/// One declared exchange with its path parsed.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) decl: ExchangeDecl,
    pub(crate) method: Method,
    pub(crate) path: PathTemplate,
    pub(crate) visible: BTreeSet<String>,
    /// Run by the host alone, because a flow logs in or refreshes with it.
    pub(crate) of_flow: bool,
}

/// A sound table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) exchanges: BTreeMap<String, Declared>,
    pub(crate) flows: BTreeMap<String, AuthFlow>,
}

impl Table {
    pub(crate) fn admit(description: &Description) -> Result<Self, TableError> {
        let mut table = Self::default();
        let purposes: BTreeSet<&str> = description.endpoints.iter().map(|e| e.purpose.as_str()).collect();
        for decl in &description.exchanges {
            let err = |problem: String| TableError { kind: "exchange", id: decl.id.clone(), problem };
            let mut declared = admit_exchange(decl, &purposes).map_err(err)?;
            let mut flows = description.auth_flows.iter();
            declared.of_flow =
                flows.any(|f| f.login_exchange == decl.id || f.refresh_exchange.as_ref() == Some(&decl.id));
            if table.exchanges.insert(decl.id.clone(), declared).is_some() {
                return Err(err("is declared twice: give each its own id".to_owned()));
            }
        }
        for flow in &description.auth_flows {
            let err = |problem: String| TableError { kind: "auth flow", id: flow.name.clone(), problem };
            admit_flow(flow, &table.exchanges).map_err(err)?;
            if table.flows.insert(flow.name.clone(), flow.clone()).is_some() {
                return Err(err("is declared twice: give each its own name".to_owned()));
            }
        }
        Ok(table)
    }
}

/// Checks an exchange table as admission does: known steps, keeps and matchers only, templates that parse, flows over
/// declared exchanges, no id twice.
///
/// # Errors
/// [`TableError`] with the id of the exchange or flow and the rule that it breaks.
pub fn check_exchange_table(description: &Description) -> Result<(), TableError> {
    Table::admit(description).map(|_| ())
}

fn admit_exchange(decl: &ExchangeDecl, purposes: &BTreeSet<&str>) -> Result<Declared, String> {
    if decl.id.is_empty() || decl.id.len() > 128 || decl.id.bytes().any(|b| !(b.is_ascii_graphic())) {
        return Err("an id has 1 to 128 visible ASCII characters".to_owned());
    }
    if !purposes.contains(decl.purpose.as_str()) {
        return Err(format!("purpose {:?} is not among the described endpoints", decl.purpose));
    }
    let method = match decl.method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => {
            Method::from_bytes(known.as_bytes()).map_err(|e| e.to_string())?
        }
        other => return Err(format!("method {other:?} is not one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")),
    };
    let path = PathTemplate::parse(&decl.path_template)?;
    for place in &decl.slots {
        request_place(place).map_err(|why| format!("slot {place:?}: {why}"))?;
    }
    for sensitive in &decl.sensitive {
        answer_place(&sensitive.at).map_err(|why| format!("sensitive place {:?}: {why}", sensitive.at))?;
        match &sensitive.keep {
            PlaceKeep::Session | PlaceKeep::Sealed => {}
            PlaceKeep::Stored(name) => crate::vault::check_stored(name)?,
            PlaceKeep::Other(kind) => return Err(format!("this host does not know how to keep {kind:?}")),
        }
    }
    let visible = decl.extensions.iter().filter(|(k, _)| k == VISIBLE_FIELDS);
    let visible = visible.flat_map(|(_, v)| v.split(',')).map(|v| v.trim().to_owned()).collect();
    Ok(Declared { decl: decl.clone(), method, path, visible, of_flow: false })
}

fn admit_flow(flow: &AuthFlow, exchanges: &BTreeMap<String, Declared>) -> Result<(), String> {
    let declared = |id: &String| exchanges.get(id).ok_or_else(|| format!("exchange {id:?} is not declared"));
    let login = declared(&flow.login_exchange)?;
    if login.path.has_params() {
        return Err("the login exchange's path has parameters; a login has none".to_owned());
    }
    json_body("login-body", &flow.login_body)?;
    for (place, _) in &flow.login_slots {
        request_place(place).map_err(|why| format!("login slot {place:?}: {why}"))?;
    }
    if let Some(id) = &flow.refresh_exchange {
        let refresh = declared(id)?;
        if refresh.decl.purpose != login.decl.purpose {
            return Err("login and refresh must go to the same endpoint".to_owned());
        }
        if refresh.path.has_params() {
            return Err("the refresh exchange's path has parameters; a refresh has none".to_owned());
        }
        if refresh.decl.slots.is_empty() {
            return Err(format!("exchange {id:?} needs a slot for the refresh token"));
        }
        if flow.refresh_token_at.is_none() {
            return Err("a refresh exchange needs refresh-token-at".to_owned());
        }
        json_body("refresh-body", flow.refresh_body.as_deref().unwrap_or("{}"))?;
    }
    for place in
        [Some(&flow.token_at), flow.refresh_token_at.as_ref(), flow.expires_in_at.as_ref()].into_iter().flatten()
    {
        answer_place(place).map_err(|why| format!("place {place:?}: {why}"))?;
    }
    for matcher in flow.expired_when.iter().chain(&flow.locked_out_when) {
        match matcher {
            Matcher::Other(kind) => return Err(format!("this host does not know the matcher {kind:?}")),
            Matcher::BodyContains(part) | Matcher::StatusAndBody(_, part) if part.is_empty() => {
                return Err("a matcher over the body needs a text".to_owned());
            }
            _ => {}
        }
    }
    crate::request::slot_header(&flow.header_name)?;
    if !flow.header_template.contains("{token}") {
        return Err(format!("header template {:?} does not hold {{token}}", flow.header_template));
    }
    Ok(())
}

fn json_body(field: &str, text: &str) -> Result<(), String> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(_)) => Ok(()),
        Ok(_) => Err(format!("{field} must be a JSON object")),
        Err(e) => Err(format!("{field} is not JSON: {e}")),
    }
}

/// Whether an answer is what a matcher recognizes.
pub(crate) fn matches(matchers: &[Matcher], status: u16, body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    matchers.iter().any(|matcher| match matcher {
        Matcher::Status(s) => *s == status,
        Matcher::BodyContains(part) => text.contains(part.as_str()),
        Matcher::StatusAndBody(s, part) => *s == status && text.contains(part.as_str()),
        Matcher::Other(_) => false,
    })
}

#[cfg(test)]
mod tests;
