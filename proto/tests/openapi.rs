//! The checked-in OpenAPI document is that of the contract.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&stowage_proto::openapi::document().unwrap()).unwrap()
}

#[test]
fn the_checked_in_document_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    let generated = stowage_proto::openapi::document().unwrap();
    assert!(checked_in == generated, "docs/openapi.json differs from the contract: run `make openapi`");
}

#[test]
fn every_method_is_an_operation() {
    let document = document();
    let mut operations: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    operations.sort_unstable();
    let mut methods: Vec<String> = stowage_proto::descriptors()
        .services()
        .flat_map(|service| service.methods().map(|method| method.name().to_owned()).collect::<Vec<_>>())
        .collect();
    methods.sort_unstable();
    assert_eq!(operations, methods);
}

#[test]
fn every_reference_leads_to_a_schema() {
    fn walk(value: &Value, schemas: &Value) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(target)) = object.get("$ref") {
                    let name = target.strip_prefix("#/components/schemas/").unwrap();
                    assert!(schemas.get(name).is_some(), "{target} leads nowhere");
                }
                object.values().for_each(|value| walk(value, schemas));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, schemas)),
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document["components"]["schemas"]);
}

#[test]
fn a_name_in_the_path_is_spelled_out_and_the_rest_is_query_or_body() {
    let document = document();
    let create = &document["paths"]["/v1/tenants/{tenant}/projects/{project}/namespaces"]["post"];
    assert_eq!(create["operationId"], "CreateNamespace");
    assert_eq!(
        create["requestBody"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/Namespace"
    );
    let in_query: Vec<&str> = create["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    assert_eq!(in_query, ["namespaceId", "requestId", "validateOnly"]);
    let release = &document["paths"]["/v1/tenants/{tenant}/projects/{project}/workloads/{workload}:release"]["post"];
    let body = &release["requestBody"]["content"]["application/json"]["schema"]["properties"];
    assert!(body.get("name").is_none() && body.get("requestId").is_some());
}
