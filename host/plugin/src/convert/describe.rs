//! What an adapter says of itself.

use super::exports::identity as wit;
use super::http::place;
use super::{Breach, FromGuest, Reader, port};

impl FromGuest<wit::Description> for port::Description {
    fn from_guest(answer: wit::Description, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            name: answer.name,
            vendor: answer.vendor,
            version: answer.version,
            doc: answer.doc,
            config_schema: answer.config_schema,
            endpoints: answer.endpoints.into_iter().map(endpoint).collect(),
            secrets: answer.secrets.into_iter().map(secret).collect(),
            exchanges: answer.exchanges.into_iter().map(exchange).collect(),
            auth_flows: answer.auth_flows.into_iter().map(flow).collect(),
            client_kinds: answer.client_kinds,
            capabilities: Vec::from_guest(answer.capabilities, reader)?,
            extensions: answer.extensions,
        })
    }
}

fn endpoint(need: wit::EndpointNeed) -> port::EndpointNeed {
    port::EndpointNeed { purpose: need.purpose, required: need.required, doc: need.doc }
}

fn secret(need: wit::SecretNeed) -> port::SecretNeed {
    port::SecretNeed {
        name: need.name,
        fields: need.fields,
        made_by_host: need.made_by_host,
        required: need.required,
        doc: need.doc,
    }
}

fn exchange(exchange: wit::Exchange) -> port::ExchangeDecl {
    port::ExchangeDecl {
        id: exchange.id,
        purpose: exchange.purpose,
        method: exchange.method,
        path_template: exchange.path_template,
        safe: exchange.safe,
        idempotent: exchange.idempotent,
        slots: exchange.slots.into_iter().map(place).collect(),
        sensitive: exchange.sensitive.into_iter().map(sensitive).collect(),
        doc: exchange.doc,
        extensions: exchange.extensions,
    }
}

fn sensitive(sensitive: wit::SensitivePlace) -> port::SensitivePlace {
    port::SensitivePlace {
        at: place(sensitive.at),
        keep: match sensitive.keep {
            wit::PlaceKeep::Session => port::PlaceKeep::Session,
            wit::PlaceKeep::Stored(name) => port::PlaceKeep::Stored(name),
            wit::PlaceKeep::Sealed => port::PlaceKeep::Sealed,
            wit::PlaceKeep::Other(text) => port::PlaceKeep::Other(text),
        },
    }
}

fn matcher(matcher: wit::Matcher) -> port::Matcher {
    match matcher {
        wit::Matcher::Status(status) => port::Matcher::Status(status),
        wit::Matcher::BodyContains(text) => port::Matcher::BodyContains(text),
        wit::Matcher::StatusAndBody((status, text)) => port::Matcher::StatusAndBody(status, text),
        wit::Matcher::Other(text) => port::Matcher::Other(text),
    }
}

fn flow(flow: wit::AuthFlow) -> port::AuthFlow {
    port::AuthFlow {
        name: flow.name,
        login_exchange: flow.login_exchange,
        login_body: flow.login_body,
        login_slots: flow.login_slots.into_iter().map(|(at, field)| (place(at), field)).collect(),
        refresh_exchange: flow.refresh_exchange,
        refresh_body: flow.refresh_body,
        token_at: place(flow.token_at),
        refresh_token_at: flow.refresh_token_at.map(place),
        expires_in_at: flow.expires_in_at.map(place),
        default_ttl_s: flow.default_ttl_s,
        expired_when: flow.expired_when.into_iter().map(matcher).collect(),
        locked_out_when: flow.locked_out_when.into_iter().map(matcher).collect(),
        header_name: flow.header_name,
        header_template: flow.header_template,
        extensions: flow.extensions,
    }
}
