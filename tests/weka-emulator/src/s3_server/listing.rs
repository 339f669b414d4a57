//! Lists of objects: a walk over directories that yields keys in the order of their bytes.
//!
//! A directory's names are visited as they stand in keys, with a slash behind directories: `a-b` comes before `a/c`,
//! and that before `a0`. A file is an object, whoever wrote it; an empty directory is the object `dir/`, and so is one
//! that was put as such. Symlinks, devices and names that are not UTF-8 are no objects. With a delimiter, what lies
//! beneath it is not visited.

use std::ffi::OsStr;

use crate::s3_server::facts::Facts;
use crate::tree::node::{Ino, Kind};
use crate::tree::volume::Tree;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) prefix: &'a str,
    /// Empty: none.
    pub(crate) delimiter: &'a str,
    /// Only keys and common prefixes after this one.
    pub(crate) after: &'a str,
    pub(crate) limit: usize,
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Object(String, Ino),
    Prefix(String),
}

impl Entry {
    /// Its place in the order, and the marker of the next page.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Object(text, _) | Self::Prefix(text) => text,
        }
    }
}

/// One page of a list.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// Whether more follows.
    pub(crate) more: bool,
}

impl Tree {
    /// Lists what lies beneath a bucket's directory.
    pub(crate) fn list_objects(&self, bucket: Ino, ask: &Ask<'_>) -> Page {
        let mut page = Page::default();
        if ask.limit > 0 {
            self.walk(bucket, "", ask, &mut page);
        }
        page
    }

    /// Visits a directory whose keys begin with `base`; false when the page is full.
    fn walk(&self, dir: Ino, base: &str, ask: &Ask<'_>, page: &mut Page) -> bool {
        let Some(children) = self.nodes.get(&dir).and_then(|node| node.children()) else { return true };
        let mut names: Vec<(String, Ino)> =
            children.iter().filter_map(|(name, ino)| self.key_of(base, name, *ino)).collect();
        names.sort_unstable();
        names.into_iter().all(|(key, ino)| {
            if key.ends_with('/') { self.visit_dir(&key, ino, ask, page) } else { offer(&key, ino, ask, page) }
        })
    }

    fn key_of(&self, base: &str, name: &OsStr, ino: Ino) -> Option<(String, Ino)> {
        let name = name.to_str()?;
        match self.nodes.get(&ino)?.kind {
            Kind::Dir(_) => Some((format!("{base}{name}/"), ino)),
            Kind::File(_) => Some((format!("{base}{name}"), ino)),
            _ => None,
        }
    }

    fn visit_dir(&self, key: &str, ino: Ino, ask: &Ask<'_>, page: &mut Page) -> bool {
        let holds_matches = key.starts_with(ask.prefix) || ask.prefix.starts_with(key);
        let is_past = key < ask.after && !ask.after.starts_with(key);
        if !holds_matches || is_past {
            return true;
        }
        let rest = key.strip_prefix(ask.prefix).unwrap_or_default();
        let is_whole = ask.delimiter == "/" && rest.find('/').is_some_and(|at| at.saturating_add(1) == rest.len());
        if is_whole && ask.after == key {
            return true;
        }
        if is_whole && !ask.after.starts_with(key) {
            return push(Entry::Prefix(key.to_owned()), ask, page);
        }
        let Some(node) = self.nodes.get(&ino) else { return true };
        let is_empty = node.children().is_some_and(std::collections::BTreeMap::is_empty);
        if (is_empty || Facts::mark(node)) && !offer(key, ino, ask, page) {
            return false;
        }
        self.walk(ino, key, ask, page)
    }
}

/// Takes a key into the page, or the common prefix that it falls under; false when the page is full.
fn offer(key: &str, ino: Ino, ask: &Ask<'_>, page: &mut Page) -> bool {
    let Some(rest) = key.strip_prefix(ask.prefix).filter(|_| key > ask.after) else { return true };
    let cut = if ask.delimiter.is_empty() { None } else { rest.find(ask.delimiter) };
    let Some(cut) = cut else { return push(Entry::Object(key.to_owned(), ino), ask, page) };
    let end = ask.prefix.len().saturating_add(cut).saturating_add(ask.delimiter.len());
    let common = key.get(..end).unwrap_or(key);
    let is_known = page.entries.last().is_some_and(|last| *last == Entry::Prefix(common.to_owned()));
    if is_known || common == ask.after {
        return true;
    }
    push(Entry::Prefix(common.to_owned()), ask, page)
}

fn push(entry: Entry, ask: &Ask<'_>, page: &mut Page) -> bool {
    if page.entries.len() >= ask.limit {
        page.more = true;
        return false;
    }
    page.entries.push(entry);
    true
}
