//! Places and fields of XML answers, such as those of STS. The text is cut at the parser's positions, never searched.
//!
//! Names are compared without their namespace. A document with a DTD is not read as XML at all.

use std::collections::BTreeSet;
use std::ops::Range;

use roxmltree::{Document, Node};
use stowage_ports::exchange::Step;

use super::take_text;
use crate::mask::{MASK, is_secret_field};

pub(super) fn is_xml(text: &str) -> bool {
    Document::parse(text).is_ok()
}

/// Takes the first element at `path` out; every other element there is masked too.
pub(super) fn take(text: &mut String, path: &str, inner: &[Step]) -> Option<String> {
    let mut taken = None;
    let mut cuts = Vec::new();
    {
        let document = Document::parse(text).ok()?;
        let names: Vec<&str> = path.split('/').collect();
        for element in document.descendants().filter(|n| n.is_element() && at_path(*n, &names)) {
            let Some(range) = content(element) else { continue };
            let mut own: String = element.descendants().filter(Node::is_text).filter_map(|n| n.text()).collect();
            let found = take_text(&mut own, inner);
            cuts.push((range, escape(&own)));
            taken = taken.or(found);
        }
    }
    splice(text, cuts);
    taken
}

/// The document with the text of every element and attribute that is named like a secret masked.
pub(super) fn mask_fields(text: &str, visible: &BTreeSet<String>) -> String {
    let Ok(document) = Document::parse(text) else { return text.to_owned() };
    let secret = |name: &str| is_secret_field(name) && !visible.contains(name);
    let mut cuts = Vec::new();
    for element in document.descendants().filter(Node::is_element) {
        let leaf = !element.children().any(|c| c.is_element());
        if leaf && secret(element.tag_name().name()) {
            cuts.extend(content(element).map(|range| (range, MASK.to_owned())));
        }
        let attributes = element.attributes().filter(|a| secret(a.name()) && !a.value().is_empty());
        cuts.extend(attributes.map(|a| (a.range_value(), MASK.to_owned())));
    }
    let mut masked = text.to_owned();
    splice(&mut masked, cuts);
    masked
}

fn at_path(element: Node<'_, '_>, names: &[&str]) -> bool {
    let own: Vec<&str> = element.ancestors().filter(Node::is_element).map(|n| n.tag_name().name()).collect();
    own.iter().rev().eq(names.iter())
}

/// From the first child's start to the last child's end.
fn content(element: Node<'_, '_>) -> Option<Range<usize>> {
    Some(element.first_child()?.range().start..element.last_child()?.range().end)
}

/// Replaces the ranges. Those inside another one are passed over: the outer one covers them.
fn splice(text: &mut String, mut cuts: Vec<(Range<usize>, String)>) {
    cuts.sort_by_key(|(range, _)| (range.start, usize::MAX - range.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, with) in cuts {
        if range.start < at {
            continue;
        }
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(&with);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    *text = out;
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
