//! `google.protobuf.Struct` to JSON and back.
//!
//! A struct knows only doubles. Whole numbers come back as integers, because configuration schemas ask for them; beyond
//! 2^53 a double isn't exact, and such a number stays a double.

use prost_types::{ListValue, Struct, Value, value::Kind};
use serde_json::{Map, Number};

/// 2^53: below it every whole double is exactly one integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A struct as a JSON object.
#[must_use]
pub fn struct_to_json(from: &Struct) -> Map<String, serde_json::Value> {
    from.fields.iter().map(|(key, value)| (key.clone(), value_to_json(value))).collect()
}

/// A JSON object as a struct.
#[must_use]
pub fn json_to_struct(from: &Map<String, serde_json::Value>) -> Struct {
    Struct { fields: from.iter().map(|(key, value)| (key.clone(), json_to_value(value))).collect() }
}

fn value_to_json(from: &Value) -> serde_json::Value {
    match &from.kind {
        None | Some(Kind::NullValue(_)) => serde_json::Value::Null,
        Some(Kind::BoolValue(value)) => serde_json::Value::Bool(*value),
        Some(Kind::StringValue(value)) => serde_json::Value::String(value.clone()),
        Some(Kind::NumberValue(value)) => number(*value),
        Some(Kind::StructValue(value)) => serde_json::Value::Object(struct_to_json(value)),
        Some(Kind::ListValue(list)) => serde_json::Value::Array(list.values.iter().map(value_to_json).collect()),
    }
}

fn number(value: f64) -> serde_json::Value {
    if value.fract() == 0.0 && value.abs() < EXACT {
        #[allow(clippy::cast_possible_truncation, reason = "whole and within 2^53, as checked")]
        return serde_json::Value::Number(Number::from(value as i64));
    }
    Number::from_f64(value).map_or(serde_json::Value::Null, serde_json::Value::Number)
}

fn json_to_value(from: &serde_json::Value) -> Value {
    let kind = match from {
        serde_json::Value::Null => Kind::NullValue(0),
        serde_json::Value::Bool(value) => Kind::BoolValue(*value),
        serde_json::Value::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or_default()),
        serde_json::Value::String(value) => Kind::StringValue(value.clone()),
        serde_json::Value::Array(values) => {
            Kind::ListValue(ListValue { values: values.iter().map(json_to_value).collect() })
        }
        serde_json::Value::Object(fields) => Kind::StructValue(json_to_struct(fields)),
    };
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_configuration_survives_the_way_through_a_struct() {
        let config =
            json!({"filesystem": "gpuaas", "ports": [14000, 14001], "ratio": 0.5, "deep": {"on": true, "off": null}});
        let object = config.as_object().unwrap();
        assert_eq!(&struct_to_json(&json_to_struct(object)), object);
    }

    #[test]
    fn whole_numbers_come_back_as_integers() {
        let object = json!({"seconds": 300}).as_object().unwrap().clone();
        assert!(struct_to_json(&json_to_struct(&object))["seconds"].is_i64());
    }
}
