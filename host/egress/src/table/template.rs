//! Paths with `{param}` places, filled so that a value never leaves its segment.
//!
//! Every byte of a value but RFC 3986's unreserved ones is percent-encoded, so `/`, `?`, `#` and `%` are data. Because
//! some servers decode `%2F` before they route, a value that has `.` or `..` between slashes is refused as well.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 3986 unreserved characters stay, all others are encoded.
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Param(String),
}

/// A parsed path template: segments of literal and `{param}` pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathTemplate {
    segments: Vec<Vec<Piece>>,
}

impl PathTemplate {
    /// Parses `/api/v2/fileSystems/{uid}/quota`.
    pub(crate) fn parse(template: &str) -> Result<Self, String> {
        let Some(path) = template.strip_prefix('/') else {
            return Err(format!("path template {template:?} must begin with '/'"));
        };
        let mut segments = Vec::new();
        for segment in path.split('/') {
            if segment == "." || segment == ".." {
                return Err(format!("path template {template:?} has a dot segment"));
            }
            segments.push(pieces(segment).map_err(|why| format!("path template {template:?}: {why}"))?);
        }
        let parsed = Self { segments };
        let names: Vec<&str> = parsed.params().collect();
        if let Some(twice) = names.iter().enumerate().find(|(i, n)| names.iter().take(*i).any(|m| m == *n)) {
            return Err(format!("path template {template:?} has {{{}}} twice", twice.1));
        }
        Ok(parsed)
    }

    pub(crate) fn has_params(&self) -> bool {
        self.params().next().is_some()
    }

    fn params(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flatten().filter_map(|piece| match piece {
            Piece::Param(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    /// The path with every `{param}` filled. It has as many segments as the template, whatever the values are.
    pub(crate) fn fill(&self, params: &[(String, String)]) -> Result<String, String> {
        for (i, (name, _)) in params.iter().enumerate() {
            if !self.params().any(|known| known == name) {
                return Err(format!("the path has no parameter {name:?}"));
            }
            if params.iter().take(i).any(|(earlier, _)| earlier == name) {
                return Err(format!("path parameter {name:?} is given twice"));
            }
        }
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            let start = path.len();
            for piece in segment {
                match piece {
                    Piece::Literal(text) => path.push_str(text),
                    Piece::Param(name) => {
                        let value = params.iter().find(|(k, _)| k == name).map(|(_, v)| v);
                        let value = value.ok_or_else(|| format!("path parameter {name:?} is missing"))?;
                        stays_in_segment(value).map_err(|why| format!("path parameter {name:?} {why}"))?;
                        let _ = write!(path, "{}", utf8_percent_encode(value, SEGMENT));
                    }
                }
            }
            if matches!(path.get(start..), Some("." | "..")) {
                return Err("a path parameter would make a dot segment".to_owned());
            }
        }
        Ok(path)
    }
}

fn stays_in_segment(value: &str) -> Result<(), &'static str> {
    if value.is_empty() {
        return Err("may not be empty");
    }
    if value.chars().any(char::is_control) {
        return Err("may not hold control characters");
    }
    if value.split(['/', '\\']).any(|part| part == "." || part == "..") {
        return Err("may not hold '.' or '..' as a path part");
    }
    Ok(())
}

fn pieces(segment: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = segment;
    while !rest.is_empty() {
        let (literal, tail) = rest.split_once('{').map_or((rest, None), |(l, t)| (l, Some(t)));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&b);
        if let Some(bad) = literal.chars().find(|c| !u8::try_from(*c).is_ok_and(plain)) {
            return Err(format!("character {bad:?} cannot stand in a segment"));
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.to_owned()));
        }
        let Some(tail) = tail else { break };
        let Some((name, after)) = tail.split_once('}') else { return Err("a '{' has no '}'".to_owned()) };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            return Err(format!("{name:?} is not a parameter name: use letters, digits, '-' and '_'"));
        }
        pieces.push(Piece::Param(name.to_owned()));
        rest = after;
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_value_is_encoded_as_one_segment() {
        let template = PathTemplate::parse("/api/{uid}/q/{name}.json").unwrap();
        let cases = [
            ("plain", "plain"),
            ("a/b", "a%2Fb"),
            ("a?b#c", "a%3Fb%23c"),
            ("%2e%2e", "%252e%252e"),
            ("ü", "%C3%BC"),
            ("a;b", "a%3Bb"),
            ("...", "..."),
        ];
        for (value, encoded) in cases {
            let path = template.fill(&params(&[("uid", value), ("name", "x")])).unwrap();
            assert_eq!(path, format!("/api/{encoded}/q/x.json"));
        }
    }

    #[test]
    fn a_value_that_could_leave_its_segment_is_refused() {
        let template = PathTemplate::parse("/api/{uid}").unwrap();
        for value in ["", ".", "..", "../x", "a/../b", "a\\..\\b", "a/.", "a\nb", "a\0", "\u{85}"] {
            let error = template.fill(&params(&[("uid", value)])).unwrap_err();
            assert!(error.contains("uid"), "{value:?}: {error}");
        }
    }

    #[test]
    fn missing_unknown_and_repeated_parameters_are_refused() {
        let template = PathTemplate::parse("/{a}").unwrap();
        for wrong in [&[][..], &[("a", "1"), ("b", "2")], &[("a", "1"), ("a", "2")]] {
            assert!(template.fill(&params(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn templates_that_are_no_plain_path_do_not_parse() {
        for wrong in ["api", "/a?b", "/a#b", "/../a", "/./a", "/{", "/{}", "/{a b}", "/%2e%2e/a", "/a b", "/{a}/{a}"] {
            assert!(PathTemplate::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        /// Also when a URL parser, which knows `%2e%2e`, has read the path.
        #[test]
        fn filling_never_changes_the_number_of_segments(a in ".{0,12}", b in "[./%2eEfF\\\\]{0,8}") {
            let template = PathTemplate::parse("/x/{a}/y/{b}/z").unwrap();
            if let Ok(path) = template.fill(&params(&[("a", &a), ("b", &b)])) {
                let url = url::Url::parse(&format!("http://h{path}")).unwrap();
                let segments: Vec<&str> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 5);
                prop_assert_eq!((segments[0], segments[2], segments[4]), ("x", "y", "z"));
                prop_assert_eq!(url.path(), path.as_str());
                prop_assert!(url.query().is_none() && url.fragment().is_none());
            }
        }
    }
}
