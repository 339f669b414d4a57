//! Messages and enums as JSON Schemas.

use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value as ProtoValue,
};
use serde_json::{Map, Value, json};

use super::{PACKAGE, comments::Comments, put};

/// `google.api.FieldBehavior`, the values in use.
pub(super) mod behavior {
    pub(crate) const REQUIRED: i32 = 2;
    pub(crate) const OUTPUT_ONLY: i32 = 3;
}

/// Every schema of the contract by name.
pub(super) fn schemas(pool: &DescriptorPool, comments: &Comments) -> Value {
    let mut all = Map::new();
    for message in pool.all_messages() {
        let map_entry = message.is_map_entry();
        let request = message.name().ends_with("Request");
        if message.package_name() == PACKAGE && !map_entry && !request {
            all.insert(message.name().to_owned(), object(&message, &[], comments));
        }
    }
    for kind in pool.all_enums().filter(|kind| kind.package_name() == PACKAGE) {
        all.insert(kind.name().to_owned(), enumeration(&kind, comments));
    }
    all.insert(
        "Status".to_owned(),
        json!({
            "type": "object",
            "description": "A failure: `google.rpc.Status`.",
            "properties": {
                "code": {"type": "integer", "format": "int32", "description": "A `google.rpc.Code`."},
                "message": {"type": "string", "description": "What happened, for people."},
                "details": {
                    "type": "array",
                    "description": "ErrorInfo with the stable reason, BadRequest, PreconditionFailure, QuotaFailure, RetryInfo.",
                    "items": any(),
                },
            },
        }),
    );
    Value::Object(all)
}

/// The schema of a message without the fields in `without`.
pub(super) fn object(message: &MessageDescriptor, without: &[String], comments: &Comments) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in message.fields().filter(|field| !without.iter().any(|name| name == field.name())) {
        if has_behavior(&field, behavior::REQUIRED) {
            required.push(field.json_name().to_owned());
        }
        properties.insert(field.json_name().to_owned(), property(&field, comments));
    }
    let mut schema = json!({
        "type": "object",
        "description": comments.at(message.parent_file().name(), message.path()),
        "properties": properties,
    });
    if !required.is_empty() {
        put(&mut schema, "required", json!(required));
    }
    schema
}

/// The schema of a field with its comment.
pub(super) fn property(field: &FieldDescriptor, comments: &Comments) -> Value {
    let mut schema = if field.is_map() {
        let value = field.kind().as_message().and_then(|entry| entry.get_field_by_name("value"));
        json!({"type": "object", "additionalProperties": value.map_or(json!({}), |value| single(&value))})
    } else if field.cardinality() == Cardinality::Repeated {
        json!({"type": "array", "items": single(field)})
    } else {
        single(field)
    };
    let mut description = comments.at(field.parent_message().parent_file().name(), field.path()).to_owned();
    if let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
        let others: Vec<String> = oneof
            .fields()
            .filter(|other| other.number() != field.number())
            .map(|other| format!("`{}`", other.json_name()))
            .collect();
        description = format!("{description} Excludes {}.", others.join(", "));
    }
    put(&mut schema, "description", json!(description));
    if has_behavior(field, behavior::OUTPUT_ONLY) {
        put(&mut schema, "readOnly", json!(true));
    }
    schema
}

fn single(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::Double => json!({"type": "number", "format": "double"}),
        Kind::Float => json!({"type": "number", "format": "float"}),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
        Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "format": "uint32", "minimum": 0}),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({"type": "string", "format": "int64"}),
        Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "format": "uint64"}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::String => json!({"type": "string"}),
        Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
        Kind::Enum(kind) => json!({"$ref": format!("#/components/schemas/{}", kind.name())}),
        Kind::Message(message) => reference(&message),
    }
}

/// A message by reference, or the JSON form of a well-known type.
pub(super) fn reference(message: &MessageDescriptor) -> Value {
    match message.full_name() {
        "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
        "google.protobuf.Duration" => json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})?s$"}),
        "google.protobuf.FieldMask" => json!({"type": "string"}),
        "google.protobuf.Struct" => json!({"type": "object", "additionalProperties": true}),
        "google.protobuf.Empty" => json!({"type": "object", "additionalProperties": false}),
        "google.protobuf.Any" => any(),
        _ => json!({"$ref": format!("#/components/schemas/{}", message.name())}),
    }
}

fn any() -> Value {
    json!({
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
        "additionalProperties": true,
    })
}

fn enumeration(kind: &EnumDescriptor, comments: &Comments) -> Value {
    let file = kind.parent_file();
    let values: Vec<String> = kind.values().map(|value| value.name().to_owned()).collect();
    let meanings: Vec<String> = kind
        .values()
        .map(|value| format!("- `{}`: {}", value.name(), comments.at(file.name(), value.path())))
        .collect();
    let about = comments.at(file.name(), kind.path());
    json!({"type": "string", "enum": values, "description": format!("{about}\n\n{}", meanings.join("\n"))})
}

/// Whether the field is annotated with this `google.api.field_behavior`.
pub(super) fn has_behavior(field: &FieldDescriptor, wanted: i32) -> bool {
    let pool = field.parent_pool();
    let Some(extension) = pool.get_extension_by_name("google.api.field_behavior") else { return false };
    let options = field.options();
    let value = options.get_extension(&extension);
    value.as_list().is_some_and(|list| list.iter().any(|one| *one == ProtoValue::EnumNumber(wanted)))
}
