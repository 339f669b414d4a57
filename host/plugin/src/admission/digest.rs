//! The digest of what an adapter can ever say.

use sha2::{Digest as _, Sha256};
use stowage_ports::provider::Description;

/// SHA-256 over the exchanges, logins, endpoints and secrets of a description, as `sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExchangeTableDigest(String);

impl ExchangeTableDigest {
    /// A digest as an operator wrote it.
    #[must_use]
    pub fn pinned(text: &str) -> Self {
        Self(format!("sha256:{}", text.strip_prefix("sha256:").unwrap_or(text)))
    }

    /// The digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ExchangeTableDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The digest of a description's table: the same for the same exchanges in any order, another when any word of one
/// changes that decides what is sent, where, or what is taken out of the answer. Texts for people do not count.
#[must_use]
pub fn exchange_table_digest(description: &Description) -> ExchangeTableDigest {
    let mut exchanges = description.exchanges.clone();
    exchanges.iter_mut().for_each(|exchange| exchange.doc.clear());
    exchanges.sort_by(|a, b| a.id.cmp(&b.id));
    let mut flows = description.auth_flows.clone();
    flows.sort_by(|a, b| a.name.cmp(&b.name));
    let mut endpoints = description.endpoints.clone();
    endpoints.iter_mut().for_each(|endpoint| endpoint.doc.clear());
    endpoints.sort_by(|a, b| a.purpose.cmp(&b.purpose));
    let mut secrets = description.secrets.clone();
    secrets.iter_mut().for_each(|secret| secret.doc.clear());
    secrets.sort_by(|a, b| a.name.cmp(&b.name));
    // The port's types write their fields in one order, so equal tables are equal texts.
    let table = serde_json::json!([exchanges, flows, endpoints, secrets]);
    ExchangeTableDigest(format!("sha256:{}", hex::encode(Sha256::digest(table.to_string()))))
}

#[cfg(test)]
mod tests {
    use stowage_ports::provider::{Description, ExchangeDecl};

    use super::*;

    fn exchange(id: &str) -> ExchangeDecl {
        ExchangeDecl {
            id: id.to_owned(),
            purpose: "control".to_owned(),
            method: "GET".to_owned(),
            path_template: "/volumes".to_owned(),
            safe: true,
            idempotent: true,
            slots: Vec::new(),
            sensitive: Vec::new(),
            doc: "Reads.".to_owned(),
            extensions: Vec::new(),
        }
    }

    fn description(exchanges: Vec<ExchangeDecl>) -> Description {
        Description {
            name: "d".to_owned(),
            vendor: String::new(),
            version: String::new(),
            doc: String::new(),
            config_schema: String::new(),
            endpoints: Vec::new(),
            secrets: Vec::new(),
            exchanges,
            auth_flows: Vec::new(),
            client_kinds: Vec::new(),
            capabilities: Vec::new(),
            extensions: Vec::new(),
        }
    }

    #[test]
    fn order_and_prose_do_not_count_but_every_rule_does() {
        let base = exchange_table_digest(&description(vec![exchange("a"), exchange("b")]));
        let other_order = exchange_table_digest(&description(vec![exchange("b"), exchange("a")]));
        assert_eq!(base, other_order);
        let prose = ExchangeDecl { doc: "Otherwise.".to_owned(), ..exchange("a") };
        assert_eq!(base, exchange_table_digest(&description(vec![prose, exchange("b")])));
        for changed in [
            ExchangeDecl { path_template: "/volumes/{x}".to_owned(), ..exchange("a") },
            ExchangeDecl { method: "DELETE".to_owned(), ..exchange("a") },
            ExchangeDecl { safe: false, ..exchange("a") },
            ExchangeDecl { purpose: "data".to_owned(), ..exchange("a") },
            ExchangeDecl { slots: vec![Vec::new()], ..exchange("a") },
        ] {
            assert_ne!(base, exchange_table_digest(&description(vec![changed, exchange("b")])));
        }
    }
}
