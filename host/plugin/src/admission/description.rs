//! The rules of a description: what egress and control may take for granted.

use std::collections::HashSet;

use stowage_ports::exchange::Step;
use stowage_ports::provider::{AuthFlow, Description, ExchangeDecl, Matcher, Place, PlaceKeep};

use crate::error::AdmitError;

const MAX_ROWS: usize = 512;
const MAX_NAME: usize = 64;
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

type Checked = Result<(), AdmitError>;

fn broken(field: impl Into<String>, problem: impl Into<String>) -> AdmitError {
    AdmitError::Description { field: field.into(), problem: problem.into() }
}

/// Checks every rule; the error names the field.
pub(super) fn check(description: &Description) -> Checked {
    name("name", &description.name)?;
    for (field, rows) in [
        ("endpoints", description.endpoints.len()),
        ("secrets", description.secrets.len()),
        ("exchanges", description.exchanges.len()),
        ("auth-flows", description.auth_flows.len()),
        ("client-kinds", description.client_kinds.len()),
        ("capabilities", description.capabilities.len()),
    ] {
        if rows > MAX_ROWS {
            return Err(broken(field, format!("has {rows} rows, but may have {MAX_ROWS}")));
        }
    }
    unique("endpoints", description.endpoints.iter().map(|need| need.purpose.as_str()))?;
    unique("secrets", description.secrets.iter().map(|need| need.name.as_str()))?;
    unique("exchanges", description.exchanges.iter().map(|exchange| exchange.id.as_str()))?;
    unique("auth-flows", description.auth_flows.iter().map(|flow| flow.name.as_str()))?;
    unique("client-kinds", description.client_kinds.iter().map(String::as_str))?;
    unique("capabilities", description.capabilities.iter().map(|capability| capability.id.as_str()))?;
    description.exchanges.iter().try_for_each(|one| exchange(description, one))?;
    description.auth_flows.iter().try_for_each(|one| flow(description, one))
}

fn name(field: &str, text: &str) -> Checked {
    if text.is_empty() || text.len() > MAX_NAME || text.chars().any(char::is_control) {
        return Err(broken(field, format!("must have 1 to {MAX_NAME} printable bytes")));
    }
    Ok(())
}

fn unique<'a>(field: &str, names: impl Iterator<Item = &'a str>) -> Checked {
    let mut seen = HashSet::new();
    for text in names {
        name(&format!("{field}[{text}]"), text)?;
        if !seen.insert(text) {
            return Err(broken(format!("{field}[{text}]"), "stands there twice"));
        }
    }
    Ok(())
}

fn exchange(description: &Description, exchange: &ExchangeDecl) -> Checked {
    let at = format!("exchanges[{}]", exchange.id);
    if !METHODS.contains(&exchange.method.as_str()) {
        return Err(broken(
            format!("{at}.method"),
            format!("is {:?}, but must be one of {METHODS:?}", exchange.method),
        ));
    }
    if !exchange.path_template.starts_with('/') || exchange.path_template.contains(['?', '#', ' ', '\\']) {
        return Err(broken(format!("{at}.path-template"), "must begin with `/` and hold no query, fragment or blank"));
    }
    if exchange.path_template.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(broken(format!("{at}.path-template"), "must not climb"));
    }
    if !description.endpoints.iter().any(|need| need.purpose == exchange.purpose) {
        return Err(broken(format!("{at}.purpose"), format!("{:?} is not a declared endpoint", exchange.purpose)));
    }
    for slot in &exchange.slots {
        place(&format!("{at}.slots"), slot)?;
    }
    for sensitive in &exchange.sensitive {
        place(&format!("{at}.sensitive"), &sensitive.at)?;
        if let PlaceKeep::Other(text) = &sensitive.keep {
            return Err(broken(format!("{at}.sensitive.keep"), format!("{text:?} is not known to this host")));
        }
    }
    Ok(())
}

fn place(field: &str, place: &Place) -> Checked {
    if place.is_empty() {
        return Err(broken(field, "has a place without a step"));
    }
    match place.iter().find(|step| matches!(step, Step::Other(_))) {
        Some(step) => Err(broken(field, format!("has a step that is not known to this host: {step:?}"))),
        None => Ok(()),
    }
}

fn flow(description: &Description, flow: &AuthFlow) -> Checked {
    let at = format!("auth-flows[{}]", flow.name);
    let declared = |id: &str| description.exchanges.iter().any(|exchange| exchange.id == id);
    for (field, id) in
        [("login-exchange", Some(&flow.login_exchange)), ("refresh-exchange", flow.refresh_exchange.as_ref())]
    {
        if let Some(id) = id
            && !declared(id)
        {
            return Err(broken(format!("{at}.{field}"), format!("{id:?} is not a declared exchange")));
        }
    }
    place(&format!("{at}.token-at"), &flow.token_at)?;
    for (field, optional) in [("refresh-token-at", &flow.refresh_token_at), ("expires-in-at", &flow.expires_in_at)] {
        if let Some(at_place) = optional {
            place(&format!("{at}.{field}"), at_place)?;
        }
    }
    for (slot, _) in &flow.login_slots {
        place(&format!("{at}.login-slots"), slot)?;
    }
    let unknown = flow.expired_when.iter().chain(&flow.locked_out_when).find_map(|matcher| match matcher {
        Matcher::Other(text) => Some(text),
        _ => None,
    });
    if let Some(text) = unknown {
        return Err(broken(at, format!("has a matcher that is not known to this host: {text:?}")));
    }
    if flow.header_name.is_empty() || !flow.header_template.contains("{token}") {
        return Err(broken(at, "must name the header and put `{token}` into its template"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use stowage_ports::provider::{EndpointNeed, SensitivePlace};

    use super::*;

    fn good() -> Description {
        Description {
            name: "volumes".to_owned(),
            vendor: "Example".to_owned(),
            version: "1".to_owned(),
            doc: String::new(),
            config_schema: String::new(),
            endpoints: vec![EndpointNeed { purpose: "control".to_owned(), required: true, doc: String::new() }],
            secrets: Vec::new(),
            exchanges: vec![ExchangeDecl {
                id: "login".to_owned(),
                purpose: "control".to_owned(),
                method: "POST".to_owned(),
                path_template: "/login".to_owned(),
                safe: false,
                idempotent: true,
                slots: vec![vec![Step::JsonPointer("/password".to_owned())]],
                sensitive: vec![SensitivePlace {
                    at: vec![Step::JsonPointer("/token".to_owned())],
                    keep: PlaceKeep::Session,
                }],
                doc: String::new(),
                extensions: Vec::new(),
            }],
            auth_flows: vec![AuthFlow {
                name: "login".to_owned(),
                login_exchange: "login".to_owned(),
                login_body: "{}".to_owned(),
                login_slots: Vec::new(),
                refresh_exchange: None,
                refresh_body: None,
                token_at: vec![Step::JsonPointer("/token".to_owned())],
                refresh_token_at: None,
                expires_in_at: None,
                default_ttl_s: 60,
                expired_when: vec![Matcher::Status(401)],
                locked_out_when: Vec::new(),
                header_name: "authorization".to_owned(),
                header_template: "Bearer {token}".to_owned(),
                extensions: Vec::new(),
            }],
            client_kinds: Vec::new(),
            capabilities: Vec::new(),
            extensions: Vec::new(),
        }
    }

    #[test]
    fn every_broken_rule_is_refused_by_its_field() {
        type Break = fn(&mut Description);
        let cases: &[(&str, Break)] = &[
            ("name", |d| d.name.clear()),
            ("exchanges[login]", |d| d.exchanges.push(d.exchanges[0].clone())),
            ("exchanges[login].method", |d| d.exchanges[0].method = "CONNECT".to_owned()),
            ("exchanges[login].path-template", |d| d.exchanges[0].path_template = "login".to_owned()),
            ("exchanges[login].path-template", |d| d.exchanges[0].path_template = "/a/../b".to_owned()),
            ("exchanges[login].path-template", |d| d.exchanges[0].path_template = "/a?b=c".to_owned()),
            ("exchanges[login].purpose", |d| d.exchanges[0].purpose = "data".to_owned()),
            ("exchanges[login].slots", |d| d.exchanges[0].slots.push(Vec::new())),
            ("exchanges[login].slots", |d| d.exchanges[0].slots[0].push(Step::Other("regex".to_owned()))),
            ("exchanges[login].sensitive.keep", |d| {
                d.exchanges[0].sensitive[0].keep = PlaceKeep::Other("print".to_owned());
            }),
            ("auth-flows[login].login-exchange", |d| d.auth_flows[0].login_exchange = "logon".to_owned()),
            ("auth-flows[login].token-at", |d| d.auth_flows[0].token_at.clear()),
            ("auth-flows[login]", |d| d.auth_flows[0].expired_when.push(Matcher::Other("moon".to_owned()))),
            ("auth-flows[login]", |d| d.auth_flows[0].header_template = "Bearer".to_owned()),
        ];
        assert!(check(&good()).is_ok());
        for (field, spoil) in cases {
            let mut description = good();
            spoil(&mut description);
            match check(&description) {
                Err(AdmitError::Description { field: named, .. }) => assert_eq!(&named, field),
                other => panic!("{field}: {other:?}"),
            }
        }
    }
}
