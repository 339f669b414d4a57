//! Which places a table may name. A place is one outer step, then steps into the text found there.

use stowage_ports::exchange::Step;

/// Checks a place of an answer.
pub(super) fn answer_place(place: &[Step]) -> Result<(), String> {
    let Some((first, rest)) = place.split_first() else { return Err("a place needs at least one step".to_owned()) };
    match first {
        Step::JsonPointer(pointer) => pointer_ok(pointer)?,
        Step::XmlPath(path) => {
            if path.is_empty() || path.split('/').any(str::is_empty) {
                return Err(format!("XML path {path:?} must be element names joined by '/', from the root element"));
            }
        }
        Step::FormField(name) | Step::LineKey(name) => named(name)?,
        Step::Header(name) => header_ok(name)?,
        Step::EmbeddedJson => return Err("embedded-json opens a string, so another step must find it first".to_owned()),
        Step::Other(kind) => return Err(unknown(kind)),
    }
    inner(rest)
}

/// Checks a place of a request. Raw bodies hold no slots, so XML and bare lines do not stand first.
pub(super) fn request_place(place: &[Step]) -> Result<(), String> {
    match place.split_first() {
        None => Err("a place needs at least one step".to_owned()),
        Some((Step::Header(name), rest)) => {
            crate::request::slot_header(name)?;
            if rest.is_empty() { Ok(()) } else { Err("a header slot is the header's whole value".to_owned()) }
        }
        Some((Step::JsonPointer(pointer), rest)) => {
            if pointer.is_empty() {
                return Err("a slot cannot be the whole document".to_owned());
            }
            pointer_ok(pointer)?;
            inner(rest)
        }
        Some((Step::FormField(name), rest)) => {
            named(name)?;
            inner(rest)
        }
        Some((Step::XmlPath(_), _)) => Err("slots in XML requests are not supported".to_owned()),
        Some((Step::LineKey(_) | Step::EmbeddedJson, _)) => {
            Err("a request is JSON or a form: find the text by json-pointer or form-field first".to_owned())
        }
        Some((Step::Other(kind), _)) => Err(unknown(kind)),
    }
}

/// Steps inside a text: any number of `embedded-json, json-pointer`, then at most one `line-key`.
fn inner(steps: &[Step]) -> Result<(), String> {
    match steps {
        [] => Ok(()),
        [Step::LineKey(key)] => named(key),
        [Step::EmbeddedJson, Step::JsonPointer(pointer), rest @ ..] if !pointer.is_empty() => {
            pointer_ok(pointer)?;
            inner(rest)
        }
        [Step::Other(kind), ..] => Err(unknown(kind)),
        _ => Err("inside a text a place goes on with embedded-json and json-pointer, or ends with line-key".to_owned()),
    }
}

fn pointer_ok(pointer: &str) -> Result<(), String> {
    let escapes_ok = pointer.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    if (pointer.is_empty() || pointer.starts_with('/')) && escapes_ok {
        Ok(())
    } else {
        Err(format!("{pointer:?} is not a JSON pointer (RFC 6901): begin with '/', escape '~' as ~0 and '/' as ~1"))
    }
}

fn named(name: &str) -> Result<(), String> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err("a field's name may not be empty or hold control characters".to_owned());
    }
    Ok(())
}

fn header_ok(name: &str) -> Result<(), String> {
    http::HeaderName::try_from(name).map(|_| ()).map_err(|_| format!("{name:?} is not a header name"))
}

fn unknown(kind: &str) -> String {
    format!("this host does not know the step {kind:?}")
}
