//! What the operator approves, as one short text.
//!
//! The digest covers everything that an adapter could say or have taken out: exchanges and auth flows, their order aside,
//! the places of one answer in their order. Descriptions for people are left out, so a better sentence needs no new
//! approval.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use stowage_ports::provider::{AuthFlow, Description, ExchangeDecl, Extensions};

/// `sha256:<hex>` over the canonical form of the exchange table and the auth flows.
#[must_use]
pub fn exchange_table_digest(description: &Description) -> String {
    let mut exchanges: Vec<&ExchangeDecl> = description.exchanges.iter().collect();
    exchanges.sort_by(|a, b| a.id.cmp(&b.id));
    let mut flows: Vec<&AuthFlow> = description.auth_flows.iter().collect();
    flows.sort_by(|a, b| a.name.cmp(&b.name));
    let table = json!({
        "version": 1,
        "exchanges": exchanges.into_iter().map(exchange).collect::<Vec<_>>(),
        "auth-flows": flows.into_iter().map(flow).collect::<Vec<_>>(),
    });
    let mut canonical = String::new();
    write_sorted(&table, &mut canonical);
    format!("sha256:{}", hex::encode(Sha256::digest(canonical.as_bytes())))
}

fn exchange(decl: &ExchangeDecl) -> Value {
    let mut slots: Vec<String> = decl.slots.iter().map(|place| json!(place).to_string()).collect();
    slots.sort();
    json!({
        "id": decl.id, "purpose": decl.purpose, "method": decl.method, "path": decl.path_template, "safe": decl.safe,
        "idempotent": decl.idempotent, "slots": slots, "sensitive": decl.sensitive, "extensions": sorted(&decl.extensions),
    })
}

fn flow(flow: &AuthFlow) -> Value {
    json!({
        "name": flow.name, "login": flow.login_exchange, "login-body": flow.login_body, "login-slots": flow.login_slots,
        "refresh": flow.refresh_exchange, "refresh-body": flow.refresh_body, "token-at": flow.token_at,
        "refresh-token-at": flow.refresh_token_at, "expires-in-at": flow.expires_in_at, "ttl": flow.default_ttl_s,
        "expired": flow.expired_when, "locked-out": flow.locked_out_when, "header": flow.header_name,
        "template": flow.header_template, "extensions": sorted(&flow.extensions),
    })
}

fn sorted(extensions: &Extensions) -> Extensions {
    let mut pairs = extensions.clone();
    pairs.sort();
    pairs
}

/// Objects with sorted keys, whatever order the JSON library keeps them in.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut keys: Vec<&String> = members.keys().collect();
            keys.sort();
            out.push('{');
            for key in keys {
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write_sorted(members.get(key).unwrap_or(&Value::Null), out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_sorted(item, out);
                out.push(',');
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}
