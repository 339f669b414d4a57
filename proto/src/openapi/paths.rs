//! Methods as HTTP requests.
//!
//! `{name=tenants/*/projects/*}` becomes `tenants/{tenant}/projects/{project}`: each `*` is named after the resource
//! patterns of the contract. What stands neither in the path nor in the body is a query parameter.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ReflectMessage, ServiceDescriptor};
use serde_json::{Map, Value, json};

use super::{
    OpenApiError,
    comments::Comments,
    put,
    schemas::{behavior, has_behavior, object, property, reference},
};

/// Methods that are called without a bearer token; their request carries another proof.
const WITHOUT_BEARER: [&str; 1] = ["stowage.v1.NodeService.JoinNode"];

/// One method's HTTP request.
struct Binding {
    verb: &'static str,
    /// With named parameters.
    path: String,
    parameters: Vec<String>,
    /// Request fields that stand in the path, by their first part.
    bound: Vec<String>,
    /// Name of the field that is the body, `*` for all the rest, empty for none.
    body: String,
}

/// Every path of the contract.
pub(super) fn paths(
    pool: &DescriptorPool,
    services: &[ServiceDescriptor],
    comments: &Comments,
) -> Result<Value, OpenApiError> {
    let names = segment_names(pool);
    let mut all: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for service in services {
        for method in service.methods() {
            let binding =
                binding(&method, &names).ok_or_else(|| OpenApiError::NoBinding(method.full_name().to_owned()))?;
            let operation = operation(service, &method, &binding, comments);
            let entry = all.entry(binding.path.clone()).or_default();
            if entry.insert(binding.verb.to_owned(), operation).is_some() {
                return Err(OpenApiError::Twice(format!("{} {}", binding.verb, binding.path)));
            }
        }
    }
    Ok(json!(all))
}

fn operation(service: &ServiceDescriptor, method: &MethodDescriptor, binding: &Binding, comments: &Comments) -> Value {
    let input = method.input();
    let text = comments.at(service.parent_file().name(), method.path());
    let mut parameters: Vec<Value> = binding
        .parameters
        .iter()
        .map(|name| {
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "description": format!("Id of the {}.", words(name)),
                "schema": {"type": "string"},
            })
        })
        .collect();
    if binding.body != "*" {
        let in_query = |name: &str| name != binding.body && !binding.bound.iter().any(|bound| bound == name);
        for field in input.fields().filter(|field| in_query(field.name())) {
            let mut schema = property(&field, comments);
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            parameters.push(json!({
                "name": field.json_name(),
                "in": "query",
                "required": has_behavior(&field, behavior::REQUIRED),
                "description": description,
                "schema": schema,
            }));
        }
    }
    let summary = text.split(". ").next().unwrap_or(text).trim_end_matches('.');
    let mut operation = json!({
        "operationId": method.name(),
        "tags": [service.name()],
        "summary": summary,
        "description": text,
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": reference(&method.output())}},
            },
            "4XX": {
                "description": "Refused; the reason is in the details.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}},
            },
            "default": {
                "description": "Failed; the reason is in the details.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}},
            },
        },
    });
    let body = match binding.body.as_str() {
        "" => None,
        "*" => Some(object(&input, &binding.bound, comments)),
        field => input.get_field_by_name(field).and_then(|field| field.kind().as_message().map(reference)),
    };
    if let Some(schema) = body {
        put(
            &mut operation,
            "requestBody",
            json!({"required": true, "content": {"application/json": {"schema": schema}}}),
        );
    }
    if WITHOUT_BEARER.contains(&method.full_name()) {
        put(&mut operation, "security", json!([]));
    }
    operation
}

fn binding(method: &MethodDescriptor, names: &BTreeMap<String, String>) -> Option<Binding> {
    let extension = method.parent_pool().get_extension_by_name("google.api.http")?;
    let options = method.options();
    let value = options.get_extension(&extension);
    let rule: &DynamicMessage = value.as_message()?;
    let verb = ["get", "put", "post", "delete", "patch"]
        .into_iter()
        .find(|verb| rule.descriptor().get_field_by_name(verb).is_some_and(|field| rule.has_field(&field)))?;
    let template = rule.get_field_by_name(verb)?.as_str()?.to_owned();
    let body = rule.get_field_by_name("body")?.as_str()?.to_owned();

    let mut path = String::new();
    let mut parameters = Vec::new();
    let mut bound = Vec::new();
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (variable, after) = after.split_once('}')?;
        let (field, pattern) = variable.split_once('=').unwrap_or((variable, "*"));
        // A path into the body (`tenant.name`) binds nothing of the request's own fields.
        if !field.contains('.') {
            bound.push(field.to_owned());
        }
        path.push_str(before);
        let mut collection = "";
        for (index, segment) in pattern.split('/').enumerate() {
            if index > 0 {
                path.push('/');
            }
            if segment == "*" {
                let name = names.get(collection).cloned().unwrap_or_else(|| collection.to_owned());
                path.push_str(&format!("{{{name}}}"));
                parameters.push(name);
            } else {
                path.push_str(segment);
                collection = segment;
            }
        }
        rest = after;
    }
    path.push_str(rest);
    Some(Binding { verb, path, parameters, bound, body })
}

/// From a collection's segment to the name of its ids, `storageClasses` → `storage_class`, by the resource patterns.
fn segment_names(pool: &DescriptorPool) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let Some(extension) = pool.get_extension_by_name("google.api.resource") else { return names };
    for message in pool.all_messages() {
        let options = message.options();
        let value = options.get_extension(&extension);
        let Some(patterns) = value.as_message().and_then(|resource| resource.get_field_by_name("pattern")) else {
            continue;
        };
        for pattern in patterns.as_list().into_iter().flatten().filter_map(|pattern| pattern.as_str()) {
            let segments: Vec<&str> = pattern.split('/').collect();
            for pair in segments.windows(2) {
                if let [collection, variable] = pair
                    && let Some(name) = variable.strip_prefix('{').and_then(|name| name.strip_suffix('}'))
                {
                    names.insert((*collection).to_owned(), name.to_owned());
                }
            }
        }
    }
    names
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}
