//! The OpenAPI 3.1 document of the contract, from its HTTP annotations and comments.
//!
//! It is checked in as `docs/openapi.json`, so that a reader needs no tool and a change shows in review; a test compares.
//! Names and values are those of canonical proto JSON. Keys are sorted: the same contract gives the same bytes.

mod comments;
mod paths;
mod schemas;

use prost_reflect::DescriptorPool;
use serde_json::{Map, Value, json};

use self::comments::Comments;
use crate::DOCUMENTED_DESCRIPTOR_SET;

/// Package of the contract.
const PACKAGE: &str = "stowage.v1";

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum OpenApiError {
    /// The descriptors in this crate can't be read.
    #[error("the contract's descriptors do not decode: {0}")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// A method has no usable HTTP annotation.
    #[error("method {0} has no usable google.api.http annotation")]
    NoBinding(String),
    /// Two methods would be the same request.
    #[error("two methods have the HTTP request {0}")]
    Twice(String),
    /// The document can't be written as text.
    #[error("the document can't be written: {0}")]
    Write(#[from] serde_json::Error),
}

/// The document as JSON text, indented, with a line break at its end.
///
/// # Errors
///
/// When a method has no HTTP annotation, or two have the same.
pub fn document() -> Result<String, OpenApiError> {
    let pool = DescriptorPool::decode(DOCUMENTED_DESCRIPTOR_SET)?;
    let comments = Comments::of(&pool);
    let mut services: Vec<_> = pool.services().filter(|service| service.package_name() == PACKAGE).collect();
    services.sort_by(|a, b| a.name().cmp(b.name()));

    let tags: Vec<Value> = services
        .iter()
        .map(|service| json!({"name": service.name(), "description": comments.at(service.parent_file().name(), service.path())}))
        .collect();
    let whole = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Stowage",
            "version": PACKAGE.trim_start_matches("stowage."),
            "description": "Storage control plane for GPU clouds: namespaces, grants and mount plans over many backends. \
                This document is generated from the gRPC contract `stowage.v1`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The Stowage host."}],
        "tags": tags,
        "security": [{"bearer": []}],
        "paths": paths::paths(&pool, &services, &comments)?,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas::schemas(&pool, &comments),
        },
    });
    let mut text = serde_json::to_string_pretty(&sorted(whole))?;
    text.push('\n');
    Ok(text)
}

/// Sets one member of an object.
fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}

/// The same value with the keys of every object sorted, whatever map the JSON library was built with.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}
