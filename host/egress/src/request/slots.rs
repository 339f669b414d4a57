//! Puts a value into one place of a parsed request. Nothing is ever replaced by looking for a text.

use http::HeaderMap;
use serde_json::{Map, Value};
use stowage_ports::exchange::Step;

use super::{RequestBody, secret_header};

/// Sets `place` to `value`, making the last member when its parent is there.
pub(crate) fn fill(body: &mut RequestBody, headers: &mut HeaderMap, place: &[Step], value: &str) -> Result<(), String> {
    match (place.split_first(), body) {
        (Some((Step::Header(name), [])), _) => {
            let (name, value) = secret_header(name, value)?;
            headers.insert(name, value);
            Ok(())
        }
        (Some((Step::JsonPointer(_), _)), RequestBody::Json { document, original }) => {
            *original = None;
            set_json(document, place, value)
        }
        (Some((Step::JsonPointer(_), _)), body @ RequestBody::Empty) => {
            let mut document = Value::Object(Map::new());
            set_json(&mut document, place, value)?;
            *body = RequestBody::Json { document, original: None };
            Ok(())
        }
        (Some((Step::FormField(name), inner)), RequestBody::Form(fields)) => {
            if fields.iter().filter(|(k, _)| k == name).count() > 1 {
                return Err(format!("form field {name:?} is given twice"));
            }
            match (fields.iter_mut().find(|(k, _)| k == name), inner) {
                (Some((_, text)), inner) => set_text(text, inner, value),
                (None, []) => {
                    fields.push((name.clone(), value.to_owned()));
                    Ok(())
                }
                (None, _) => Err(format!("the form has no field {name:?} to open")),
            }
        }
        (Some((step, _)), _) => Err(format!("the body is of another kind than the slot's {step:?}")),
        (None, _) => Err("an empty place".to_owned()),
    }
}

fn set_json(document: &mut Value, place: &[Step], value: &str) -> Result<(), String> {
    let Some((Step::JsonPointer(pointer), inner)) = place.split_first() else {
        return Err("a place in JSON begins with a pointer".to_owned());
    };
    if inner.is_empty() {
        let (parent, last) = pointer.rsplit_once('/').ok_or_else(|| format!("{pointer:?} names no member"))?;
        let last = last.replace("~1", "/").replace("~0", "~");
        return match document.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                members.insert(last, Value::String(value.to_owned()));
                Ok(())
            }
            Some(Value::Array(items)) => {
                let at = last.parse::<usize>().ok().and_then(|i| items.get_mut(i));
                *at.ok_or_else(|| format!("{pointer:?}: the list has no such item"))? = Value::String(value.to_owned());
                Ok(())
            }
            _ => Err(format!("{pointer:?}: the body has no object {parent:?} to put it in")),
        };
    }
    match document.pointer_mut(pointer) {
        Some(Value::String(text)) => set_text(text, inner, value),
        _ => Err(format!("{pointer:?} is no text that could be opened")),
    }
}

/// Goes on inside a text.
fn set_text(text: &mut String, steps: &[Step], value: &str) -> Result<(), String> {
    match steps {
        [] => {
            value.clone_into(text);
            Ok(())
        }
        [Step::EmbeddedJson, inner @ ..] => {
            let mut document = serde_json::from_str(text).map_err(|_| "an embedded text is not JSON".to_owned())?;
            set_json(&mut document, inner, value)?;
            *text = document.to_string();
            Ok(())
        }
        [Step::LineKey(key)] => set_line(text, key, value),
        _ => Err("a step that cannot go on inside a text".to_owned()),
    }
}

fn set_line(text: &mut String, key: &str, value: &str) -> Result<(), String> {
    if value.chars().any(char::is_control) {
        return Err(format!("a value with control characters cannot stand on the line of {key:?}"));
    }
    let mut found = false;
    let set = |line: &str| match line.split_once('=') {
        Some((name, _)) if name.trim() == key => {
            found = true;
            format!("{name}= {value}")
        }
        _ => line.to_owned(),
    };
    let mut lines: Vec<String> = text.split('\n').map(set).collect();
    if !found {
        let last_is_empty = lines.last().is_some_and(String::is_empty);
        let at = if last_is_empty { lines.len() - 1 } else { lines.len() };
        lines.insert(at, format!("{key} = {value}"));
    }
    *text = lines.join("\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointer(p: &str) -> Step {
        Step::JsonPointer(p.to_owned())
    }

    fn json_after(document: Value, place: &[Step], value: &str) -> Result<Value, String> {
        let mut body = RequestBody::Json { document, original: None };
        fill(&mut body, &mut HeaderMap::new(), place, value)?;
        match body {
            RequestBody::Json { document, .. } => Ok(document),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_json_place_is_set_or_made_as_the_last_member() {
        let got = json_after(json!({"a": {"b": 1}}), &[pointer("/a/p")], "s\"x").unwrap();
        assert_eq!(got, json!({"a": {"b": 1, "p": "s\"x"}}));
        assert_eq!(json_after(json!({"l": [1, 2]}), &[pointer("/l/1")], "s").unwrap(), json!({"l": [1, "s"]}));
        assert_eq!(json_after(json!({}), &[pointer("/a~1b~0")], "s").unwrap(), json!({"a/b~": "s"}));
        for place in ["/x/p", "/l/2", "/l/-"] {
            assert!(json_after(json!({"l": []}), &[pointer(place)], "s").is_err(), "{place}");
        }
    }

    #[test]
    fn an_empty_body_becomes_the_object_of_its_slots() {
        let mut body = RequestBody::Empty;
        fill(&mut body, &mut HeaderMap::new(), &[pointer("/p")], "s").unwrap();
        assert_eq!(body.encode(&mut HeaderMap::new()), r#"{"p":"s"}"#);
    }

    #[test]
    fn a_place_inside_an_embedded_text_is_set_there() {
        let place = [pointer("/conf"), Step::EmbeddedJson, pointer("/auth/key")];
        let got = json_after(json!({"conf": "{\"auth\":{\"id\":1}}"}), &place, "s\"").unwrap();
        let inner: Value = serde_json::from_str(got["conf"].as_str().unwrap()).unwrap();
        assert_eq!(inner, json!({"auth": {"id": 1, "key": "s\""}}));
        assert!(json_after(json!({"conf": "no json"}), &place, "s").is_err());
    }

    #[test]
    fn a_line_is_set_and_a_value_cannot_add_another() {
        let place = [pointer("/text"), Step::LineKey("key".to_owned())];
        let got = json_after(json!({"text": "[client]\n key = old\nkeys = x\n"}), &place, "new").unwrap();
        assert_eq!(got["text"], "[client]\n key = new\nkeys = x\n");
        assert_eq!(json_after(json!({"text": "a = 1\n"}), &place, "new").unwrap()["text"], "a = 1\nkey = new\n");
        assert!(json_after(json!({"text": ""}), &place, "x\nadmin = true").is_err());
    }

    #[test]
    fn a_form_field_and_a_header_are_set() {
        let mut body = RequestBody::Form(vec![("a".to_owned(), "1".to_owned())]);
        let mut headers = HeaderMap::new();
        fill(&mut body, &mut headers, &[Step::FormField("password".to_owned())], "x&y").unwrap();
        fill(&mut body, &mut headers, &[Step::Header("x-api-key".to_owned())], "k").unwrap();
        assert!(headers.get("x-api-key").unwrap().is_sensitive());
        assert!(fill(&mut body, &mut headers, &[Step::Header("x-api-key".to_owned())], "k\r\nx: y").is_err());
        assert!(fill(&mut body, &mut headers, &[pointer("/a")], "k").is_err());
        assert_eq!(body.encode(&mut headers), "a=1&password=x%26y");
    }
}
