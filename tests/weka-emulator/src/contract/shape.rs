//! What a value looks like.
//!
//! In the table a shape is a word (`text`, `number`, `uid`, a name defined under `[shapes]`), a literal in quotes
//! (`'Allow'`), alternatives (`text|null`), a list (`[text]`), a map with free keys (`{flag}`), the id of a kind
//! (`id:FSId` is `FSId<2>`), or a table of fields, where a field that may be absent ends in `?`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::call::number_in;
use crate::uid::Uid;

/// What a value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Anything.
    Any,
    /// `null`.
    Null,
    /// A string.
    Text,
    /// This string.
    Literal(String),
    /// A whole number from 0 to 2^64-1, without passing through floating point.
    Number,
    /// A whole number that may be negative.
    Integer,
    /// Any number.
    Float,
    /// `true` or `false`.
    Flag,
    /// A number of bytes: a number, or a string of digits with or without a unit.
    Bytes,
    /// A UUID.
    Uid,
    /// A whole number of 64 bits as a string.
    Digits,
    /// RFC 3339.
    Time,
    /// `Kind<number>`.
    Id(String),
    /// A shape defined elsewhere in the table.
    Named(String),
    /// Each item has this shape.
    List(Box<Shape>),
    /// Each value has this shape, whatever its key.
    Map(Box<Shape>),
    /// These fields and no others; `false` marks one that may be absent.
    Object(BTreeMap<String, (Shape, bool)>),
    /// One of these.
    OneOf(Vec<Shape>),
}

/// Named shapes.
pub(super) type Shapes = BTreeMap<String, Shape>;

impl Shape {
    /// Reads a shape as the table writes it; `None` for what is none.
    pub(super) fn read(text: &toml::Value) -> Option<Self> {
        match text {
            toml::Value::String(text) => Self::word(text),
            toml::Value::Array(items) => match items.as_slice() {
                [item] => Some(Self::List(Box::new(Self::read(item)?))),
                _ => None,
            },
            toml::Value::Table(fields) => {
                let field = |(name, shape): (&String, &toml::Value)| {
                    let shape = Self::read(shape)?;
                    Some(match name.strip_suffix('?') {
                        Some(name) => (name.to_owned(), (shape, false)),
                        None => (name.clone(), (shape, true)),
                    })
                };
                fields.iter().map(field).collect::<Option<_>>().map(Self::Object)
            }
            _ => None,
        }
    }

    /// Reads a shape from one word.
    pub(super) fn word(text: &str) -> Option<Self> {
        let text = text.trim();
        let alternatives = alternatives(text);
        if alternatives.len() > 1 {
            return alternatives.into_iter().map(Self::word).collect::<Option<_>>().map(Self::OneOf);
        }
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return Some(Self::List(Box::new(Self::word(inner)?)));
        }
        if let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return Some(Self::Map(Box::new(Self::word(inner)?)));
        }
        if let Some(literal) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return Some(Self::Literal(literal.to_owned()));
        }
        if let Some(kind) = text.strip_prefix("id:") {
            return Some(Self::Id(kind.to_owned()));
        }
        Some(match text {
            "" => return None,
            "any" => Self::Any,
            "null" => Self::Null,
            "text" => Self::Text,
            "number" => Self::Number,
            "integer" => Self::Integer,
            "float" => Self::Float,
            "flag" => Self::Flag,
            "bytes" => Self::Bytes,
            "uid" => Self::Uid,
            "digits" => Self::Digits,
            "time" => Self::Time,
            name => Self::Named(name.to_owned()),
        })
    }

    /// Names that this shape needs the table to define.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Named(name) => vec![name],
            Self::List(inner) | Self::Map(inner) => inner.names(),
            Self::Object(fields) => fields.values().flat_map(|(shape, _)| shape.names()).collect(),
            Self::OneOf(shapes) => shapes.iter().flat_map(Self::names).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a value fits; every misfit is told with its place.
    pub(super) fn check(&self, value: &Value, at: &str, shapes: &Shapes, problems: &mut Vec<String>) {
        let fits = match self {
            Self::Any => true,
            Self::Null => value.is_null(),
            Self::Text => value.is_string(),
            Self::Literal(text) => value.as_str() == Some(text),
            Self::Number => value.is_u64(),
            Self::Integer => value.is_u64() || value.is_i64(),
            Self::Float => value.is_number(),
            Self::Flag => value.is_boolean(),
            Self::Bytes => number_in(at, value).is_ok(),
            Self::Uid => value.as_str().is_some_and(|text| Uid::parse(text).is_some()),
            Self::Digits => value.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
            Self::Time => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
            Self::Id(kind) => value.as_str().is_some_and(|text| is_id(text, kind)),
            Self::OneOf(alternatives) => alternatives.iter().any(|shape| {
                let mut misfits = Vec::new();
                shape.check(value, at, shapes, &mut misfits);
                misfits.is_empty()
            }),
            Self::Named(name) => match shapes.get(name) {
                Some(shape) => return shape.check(value, at, shapes, problems),
                None => false,
            },
            Self::List(inner) => match value.as_array() {
                Some(items) => {
                    for (position, item) in items.iter().enumerate() {
                        inner.check(item, &format!("{at}[{position}]"), shapes, problems);
                    }
                    return;
                }
                None => false,
            },
            Self::Map(inner) => match value.as_object() {
                Some(map) => {
                    for (name, item) in map {
                        inner.check(item, &format!("{at}.{name}"), shapes, problems);
                    }
                    return;
                }
                None => false,
            },
            Self::Object(fields) => match value.as_object() {
                Some(object) => return check_fields(fields, object, at, shapes, problems),
                None => false,
            },
        };
        if !fits {
            problems.push(format!("{at} is {}, not {}", short(value), self.told()));
        }
    }

    /// The shape in words.
    fn told(&self) -> String {
        match self {
            Self::Literal(text) => format!("{text:?}"),
            Self::Id(kind) => format!("{kind}<number>"),
            Self::Named(name) => name.clone(),
            Self::OneOf(shapes) => shapes.iter().map(Self::told).collect::<Vec<_>>().join(" or "),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) | Self::Object(_) => "an object".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        }
    }
}

/// The parts between the bars that stand in no bracket.
fn alternatives(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let bar = |c: char| {
        match c {
            '[' | '{' => depth = depth.saturating_add(1),
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '|' && depth == 0
    };
    text.split(bar).collect()
}

fn check_fields(
    fields: &BTreeMap<String, (Shape, bool)>,
    object: &serde_json::Map<String, Value>,
    at: &str,
    shapes: &Shapes,
    problems: &mut Vec<String>,
) {
    for (name, (shape, required)) in fields {
        match object.get(name) {
            Some(value) => shape.check(value, &format!("{at}.{name}"), shapes, problems),
            None if *required => problems.push(format!("{at}.{name} is missing")),
            None => {}
        }
    }
    for name in object.keys().filter(|name| !fields.contains_key(*name)) {
        problems.push(format!("{at}.{name} is unknown"));
    }
}

/// `FSId<2>`, or `FSId<INVALID>`.
fn is_id(text: &str, kind: &str) -> bool {
    let number =
        text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('<')).and_then(|rest| rest.strip_suffix('>'));
    number.is_some_and(|number| number == "INVALID" || number.parse::<u64>().is_ok())
}

/// A value, cut to the length of a message.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn misfits(shape: &str, value: &Value) -> Vec<String> {
        let shapes = Shapes::from([("pair".to_owned(), Shape::read(&toml::Value::Table(pair())).unwrap())]);
        let mut problems = Vec::new();
        Shape::word(shape).unwrap().check(value, "data", &shapes, &mut problems);
        problems
    }

    fn pair() -> toml::Table {
        toml::Table::from_iter([("a".to_owned(), "number".into()), ("b?".to_owned(), "text|null".into())])
    }

    #[test]
    fn values_fit_their_shapes_and_misfits_name_their_place() {
        for (shape, value) in [
            ("number", json!(u64::MAX)),
            ("digits", json!("18446744073709551615")),
            ("id:FSId", json!("FSId<2>")),
            ("id:NodeId", json!("NodeId<INVALID>")),
            ("bytes", json!("1GiB")),
            ("time", json!("2021-03-10T09:46:02.245149Z")),
            ("'Allow'|'Deny'", json!("Deny")),
            ("[pair]", json!([{ "a": 1 }, { "a": 2, "b": null }])),
            ("{flag}", json!({ "x": true })),
            ("[text]|[number|null]", json!([1, null])),
        ] {
            assert_eq!(misfits(shape, &value), Vec::<String>::new(), "{shape} {value}");
        }
        for (shape, value, problem) in [
            ("number", json!(-1), "data is -1, not number"),
            ("number", json!("1"), "data is \"1\", not number"),
            ("id:FSId", json!("FSGroupId<2>"), "data is \"FSGroupId<2>\", not FSId<number>"),
            ("uid", json!("245"), "data is \"245\", not uid"),
            ("[pair]", json!([{ "b": "x" }]), "data[0].a is missing"),
            ("pair", json!({ "a": 1, "c": 2 }), "data.c is unknown"),
            ("nowhere", json!(1), "data is 1, not nowhere"),
        ] {
            assert_eq!(misfits(shape, &value), [problem], "{shape} {value}");
        }
    }
}
