//! What plugins say about themselves.

use stowage_ports::{
    exchange::Step,
    provider::{Capability, CapabilityState, Description, EndpointNeed, ExchangeDecl, SecretNeed, Value},
};
use stowage_proto::v1;

/// A place in a message, such as `/data/token` or `header x-secret`.
fn place_to(place: &[Step]) -> String {
    let word = |step: &Step| match step {
        Step::JsonPointer(at) => at.clone(),
        Step::XmlPath(at) => format!("xml {at}"),
        Step::FormField(name) => format!("form {name}"),
        Step::Header(name) => format!("header {name}"),
        Step::EmbeddedJson => "embedded json".to_owned(),
        Step::LineKey(key) => format!("line {key}"),
        Step::Other(word) => word.clone(),
    };
    place.iter().map(word).collect::<Vec<_>>().join(" > ")
}

/// One exchange.
fn exchange_to(exchange: &ExchangeDecl) -> v1::Exchange {
    v1::Exchange {
        id: exchange.id.clone(),
        purpose: exchange.purpose.clone(),
        method: exchange.method.clone(),
        path_template: exchange.path_template.clone(),
        safe: exchange.safe,
        idempotent: exchange.idempotent,
        secret_slots: exchange.slots.iter().map(|place| place_to(place)).collect(),
        sensitive_places: exchange.sensitive.iter().map(|place| place_to(&place.at)).collect(),
        description: exchange.doc.clone(),
    }
}

fn endpoint_to(need: &EndpointNeed) -> v1::EndpointNeed {
    v1::EndpointNeed { purpose: need.purpose.clone(), required: need.required, description: need.doc.clone() }
}

fn secret_to(need: &SecretNeed) -> v1::SecretNeed {
    v1::SecretNeed {
        secret: need.name.clone(),
        fields: need.fields.clone(),
        made_by_host: need.made_by_host,
        required: need.required,
        description: need.doc.clone(),
    }
}

/// A declared capability; nobody has asked the backend.
fn declared_to(capability: &Capability) -> v1::Capability {
    let (state, reason, remedy) = match &capability.state {
        CapabilityState::Supported => (v1::CapabilityState::Supported, "", ""),
        CapabilityState::Unsupported => (v1::CapabilityState::Unsupported, "", ""),
        CapabilityState::Unavailable(why) => {
            (v1::CapabilityState::Unavailable, why.reason.as_str(), why.remedy.as_str())
        }
        CapabilityState::Unknown | CapabilityState::Other(_) => (v1::CapabilityState::Unknown, "", ""),
    };
    v1::Capability {
        id: capability.id.clone(),
        state: state.into(),
        basis: v1::CapabilityBasis::Declared.into(),
        constraints: capability.constraints.iter().map(|(key, value)| (key.clone(), value_to(value))).collect(),
        evidence: String::new(),
        reason: reason.to_owned(),
        remedy: remedy.to_owned(),
        observe_time: None,
    }
}

fn value_to(value: &Value) -> v1::CapabilityValue {
    use v1::capability_value::Kind;
    let kind = match value.clone() {
        Value::Flag(flag) => Kind::Flag(flag),
        Value::Number(number) => Kind::Number(number),
        Value::Seconds(seconds) => Kind::Seconds(seconds),
        Value::Text(text) | Value::Other(text) => Kind::Text(text),
        Value::Set(mut values) => {
            values.sort();
            Kind::Set(v1::TextSet { values })
        }
    };
    v1::CapabilityValue { kind: Some(kind) }
}

/// Fills in what the plugin says about itself.
pub(crate) fn described(plugin: v1::Plugin, description: &Description) -> v1::Plugin {
    v1::Plugin {
        vendor: description.vendor.clone(),
        version: description.version.clone(),
        description: description.doc.clone(),
        config_schema: description.config_schema.clone(),
        endpoint_needs: description.endpoints.iter().map(endpoint_to).collect(),
        secret_needs: description.secrets.iter().map(secret_to).collect(),
        exchanges: description.exchanges.iter().map(exchange_to).collect(),
        client_kinds: description.client_kinds.clone(),
        capabilities: description.capabilities.iter().map(declared_to).collect(),
        ..plugin
    }
}

/// The short form of a list.
pub(crate) fn shortened(plugin: v1::Plugin) -> v1::Plugin {
    v1::Plugin { config_schema: String::new(), exchanges: Vec::new(), capabilities: Vec::new(), ..plugin }
}
