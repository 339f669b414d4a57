//! A guest's body, parsed before anything is put into it.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde_json::Value;
use stowage_ports::exchange::Body;
use stowage_ports::provider::Extensions;

/// A parsed body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RequestBody {
    Empty,
    /// The document, and the guest's own bytes as long as nothing was put in: they keep its numbers as written.
    Json {
        document: Value,
        original: Option<Vec<u8>>,
    },
    Form(Vec<(String, String)>),
    Raw(Vec<u8>),
}

impl RequestBody {
    pub(crate) fn parse(body: Body) -> Result<Self, String> {
        match body {
            Body::Empty => Ok(Self::Empty),
            Body::Json(bytes) => match serde_json::from_slice(&bytes) {
                Ok(document) => Ok(Self::Json { document, original: Some(bytes) }),
                Err(e) => Err(format!("the body is not JSON: {e}")),
            },
            Body::Form(fields) => Ok(Self::Form(fields)),
            Body::Raw(bytes) => Ok(Self::Raw(bytes)),
            Body::Other(kind) => Err(format!("this host does not know the body kind {kind:?}")),
        }
    }

    /// The bytes to send; sets the content type unless the guest did.
    pub(crate) fn encode(self, headers: &mut HeaderMap) -> Bytes {
        let (bytes, kind) = match self {
            Self::Empty => return Bytes::new(),
            Self::Json { original: Some(bytes), .. } => (bytes, "application/json"),
            Self::Json { document, original: None } => (document.to_string().into_bytes(), "application/json"),
            Self::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields);
                (form.finish().into_bytes(), "application/x-www-form-urlencoded")
            }
            Self::Raw(bytes) => (bytes, "application/octet-stream"),
        };
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
        Bytes::from(bytes)
    }
}

/// Fills `{name}` in the texts of a flow's body. The body is parsed already, so a value stays inside its text.
pub(crate) fn fill_params(body: &mut Value, params: &Extensions) -> Result<(), String> {
    match body {
        Value::Object(members) => members.values_mut().try_for_each(|m| fill_params(m, params)),
        Value::Array(items) => items.iter_mut().try_for_each(|i| fill_params(i, params)),
        Value::String(text) if text.contains('{') => {
            let mut filled = String::new();
            let mut rest = text.as_str();
            while let Some((before, after)) = rest.split_once('{') {
                let Some((name, tail)) = after.split_once('}') else { break };
                filled.push_str(before);
                match params.iter().find(|(k, _)| k == name) {
                    Some((_, value)) => filled.push_str(value),
                    None => return Err(format!("the flow's body needs parameter {name:?}")),
                }
                rest = tail;
            }
            filled.push_str(rest);
            *text = filled;
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flow_parameter_stays_inside_its_text() {
        let mut body = json!({"org": "{org}", "list": ["{a}-{org}"], "n": 1});
        let params = vec![("org".to_owned(), "x\",\"admin\":\"{a}".to_owned()), ("a".to_owned(), "1".to_owned())];
        fill_params(&mut body, &params).unwrap();
        assert_eq!(body, json!({"org": "x\",\"admin\":\"{a}", "list": ["1-x\",\"admin\":\"{a}"], "n": 1}));
        let error = fill_params(&mut json!({"org": "{missing}"}), &params).unwrap_err();
        assert!(error.contains("missing"), "{error}");
    }

    #[test]
    fn a_json_body_without_slots_goes_out_as_written() {
        let text = br#"{"n": 18446744073709551616.50, "b":1}"#.to_vec();
        let mut headers = HeaderMap::new();
        assert_eq!(RequestBody::parse(Body::Json(text.clone())).unwrap().encode(&mut headers), text);
        assert_eq!(headers.get(CONTENT_TYPE).unwrap(), "application/json");
        assert!(RequestBody::parse(Body::Json(b"{".to_vec())).is_err());
        assert!(RequestBody::parse(Body::Other("yaml".to_owned())).unwrap_err().contains("yaml"));
    }

    #[test]
    fn a_form_is_encoded_field_by_field() {
        let mut headers = HeaderMap::new();
        let form = Body::Form(vec![("a&b".to_owned(), "1=2 &c".to_owned())]);
        assert_eq!(RequestBody::parse(form).unwrap().encode(&mut headers), "a%26b=1%3D2+%26c");
    }
}
