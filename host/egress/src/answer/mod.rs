//! An answer, taken apart before a guest sees it.
//!
//! Its body is read once as what it is: JSON, a sequence of JSON documents, XML, a form, or text. Sensitive places are
//! taken out of that structure, fields named like secrets and injected values are masked in it, and what the guest gets
//! is written from it anew, so nothing that the parser did not see (a second member of the same name, say) slips by. Only
//! JSON with nothing to take out and nothing to mask goes on as it came; `plain` says when that is so.

mod plain;
mod xml;

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, header};
use serde_json::Value;
use stowage_ports::exchange::Step;

use crate::mask::{MASK, Needles, mask_form_field, mask_json};
use crate::request::answer_headers;

#[derive(Debug)]
enum Document {
    Empty,
    /// One document that may go on as it came.
    Plain(String),
    Json(Vec<Value>),
    Xml(String),
    Form(Vec<(String, String)>),
    Text(String),
    Bytes(Vec<u8>),
}

/// A read answer.
#[derive(Debug)]
pub(crate) struct Answer {
    headers: HeaderMap,
    document: Document,
}

impl Answer {
    /// Reads an answer. An encoding that the masks cannot look into is an error.
    pub(crate) fn read(headers: HeaderMap, body: Vec<u8>) -> Result<Self, String> {
        let text_of =
            |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        let coding = text_of(header::CONTENT_ENCODING);
        if !body.is_empty() && !matches!(coding.as_str(), "" | "identity") {
            return Err(format!("the answer is encoded as {coding:?} though the host asked for none"));
        }
        let kind = text_of(header::CONTENT_TYPE);
        let charset = kind.split(';').find_map(|p| p.trim().strip_prefix("charset=")).unwrap_or("utf-8");
        if !matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii" | "ascii" | "iso-8859-1" | "latin1") {
            return Err(format!("the answer's charset is {charset:?}; only UTF-8 can be read"));
        }
        Ok(Self { headers, document: document(body, &kind) })
    }

    /// Whether a declared place could stand in this answer: the kind of its body fits, or there is no body.
    pub(crate) fn can_hold(&self, place: &[Step]) -> bool {
        matches!(
            (place.first(), &self.document),
            (Some(Step::Header(_)), _)
                | (_, Document::Empty)
                | (Some(Step::JsonPointer(_)), Document::Json(_) | Document::Plain(_))
                | (Some(Step::XmlPath(_)), Document::Xml(_))
                | (Some(Step::FormField(_)), Document::Form(_))
                | (Some(Step::LineKey(_)), Document::Text(_))
        )
    }

    /// Takes a place out: its value, if it is there, is masked in the answer and returned.
    pub(crate) fn take(&mut self, place: &[Step]) -> Option<String> {
        if let (Some(Step::JsonPointer(_)), Document::Plain(text)) = (place.first(), &self.document) {
            self.document = Document::Json(read_json(text)?);
        }
        match (place.split_first()?, &mut self.document) {
            ((Step::Header(name), inner), _) => {
                let value = self.headers.remove(name.as_str())?;
                take_text(&mut String::from_utf8_lossy(value.as_bytes()).into_owned(), inner)
            }
            ((Step::JsonPointer(_), _), Document::Json(documents)) => {
                let taken: Vec<String> = documents.iter_mut().filter_map(|d| take_json(d, place)).collect();
                taken.into_iter().next()
            }
            ((Step::XmlPath(path), inner), Document::Xml(text)) => xml::take(text, path, inner),
            ((Step::FormField(name), inner), Document::Form(fields)) => {
                let own = fields.iter_mut().filter(|(k, _)| k == name);
                let taken: Vec<String> = own.filter_map(|(_, v)| take_text(v, inner)).collect();
                taken.into_iter().next()
            }
            ((Step::LineKey(_), _), Document::Text(text)) => take_text(text, place),
            _ => None,
        }
    }

    /// What the guest sees.
    pub(crate) fn show(self, visible: &BTreeSet<String>, injected: &Needles) -> (Vec<(String, String)>, Vec<u8>) {
        let headers = answer_headers(&self.headers, injected);
        let body = match self.document {
            Document::Empty => Vec::new(),
            Document::Plain(text) => match injected.mask(text.as_bytes()) {
                None => text.into_bytes(),
                // It may be found across two texts, so each is masked by itself.
                Some(masked) => read_json(&text).map_or(masked, |documents| show_json(documents, visible, injected)),
            },
            Document::Json(documents) => show_json(documents, visible, injected),
            Document::Xml(text) => injected.clean(&xml::mask_fields(&text, visible)).into_bytes(),
            Document::Form(fields) => {
                let shown = fields.into_iter().map(|(name, value)| {
                    let value = mask_form_field(&name, &value, visible, injected).unwrap_or(value);
                    (injected.clean(&name), value)
                });
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(shown).finish().into_bytes()
            }
            Document::Text(text) => injected.clean(&text).into_bytes(),
            Document::Bytes(bytes) => injected.mask(&bytes).unwrap_or(bytes),
        };
        (headers, body)
    }
}

fn document(body: Vec<u8>, kind: &str) -> Document {
    let text = match String::from_utf8(body) {
        Ok(text) => text,
        Err(e) => return Document::Bytes(e.into_bytes()),
    };
    let start = text.trim_start_matches('\u{feff}').trim();
    if start.is_empty() {
        return Document::Empty;
    }
    if kind.contains("json") || start.starts_with(['{', '[']) {
        if plain::is_plain(start) {
            return Document::Plain(if start.len() == text.len() { text } else { start.to_owned() });
        }
        if let Some(documents) = read_json(start) {
            return Document::Json(documents);
        }
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        return Document::Form(url::form_urlencoded::parse(start.as_bytes()).into_owned().collect());
    }
    if start.starts_with('<') && xml::is_xml(start) {
        return Document::Xml(start.to_owned());
    }
    Document::Text(text)
}

fn read_json(text: &str) -> Option<Vec<Value>> {
    serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().ok()
}

fn show_json(mut documents: Vec<Value>, visible: &BTreeSet<String>, injected: &Needles) -> Vec<u8> {
    documents.iter_mut().for_each(|document| mask_json(document, visible, injected));
    documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n").into_bytes()
}

fn take_json(value: &mut Value, steps: &[Step]) -> Option<String> {
    match steps {
        [Step::JsonPointer(pointer), inner @ ..] => take_json(value.pointer_mut(pointer)?, inner),
        [] => match std::mem::replace(value, Value::String(MASK.to_owned())) {
            empty @ Value::Null => {
                *value = empty;
                None
            }
            Value::String(text) if text.is_empty() => {
                *value = Value::String(text);
                None
            }
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        },
        inner => match value {
            Value::String(text) => take_text(text, inner),
            _ => None,
        },
    }
}

/// Takes a place out of a text. A text that should be JSON and is not is masked whole: what it holds is unknown.
fn take_text(text: &mut String, steps: &[Step]) -> Option<String> {
    match steps {
        [] if text.is_empty() => None,
        [] => Some(std::mem::replace(text, MASK.to_owned())),
        [Step::EmbeddedJson, inner @ ..] => {
            let Ok(mut document) = serde_json::from_str(text) else {
                MASK.clone_into(text);
                return None;
            };
            let taken = take_json(&mut document, inner);
            *text = document.to_string();
            taken
        }
        [Step::LineKey(key)] => {
            let mut taken = None;
            let take = |line: &str| match line.split_once('=') {
                Some((name, value)) if name.trim() == key && !value.trim().is_empty() => {
                    taken.get_or_insert_with(|| value.trim().to_owned());
                    format!("{name}= {MASK}")
                }
                _ => line.to_owned(),
            };
            let lines: Vec<String> = text.split('\n').map(take).collect();
            *text = lines.join("\n");
            taken
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
