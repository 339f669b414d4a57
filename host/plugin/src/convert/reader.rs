//! Reads what a guest answered: checks sizes and masks secrets.

use stowage_ports::provider::{Extensions, NativeRef};

use crate::call::{Bound, Breach};

/// Longest opaque job handle.
const HANDLE_BYTES: usize = 1024;
/// Longest opaque paging cursor.
const CURSOR_BYTES: usize = 4096;

/// Reads the answers of one provider.
pub(crate) struct Reader<'a> {
    bound: &'a Bound,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bound: &'a Bound) -> Self {
        Self { bound }
    }

    /// A text for people or logs: known secrets are masked.
    pub(crate) fn text(&self, text: String) -> String {
        if text.is_empty() { text } else { self.bound.redacted(text) }
    }

    pub(crate) fn maybe(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.text(text))
    }

    pub(crate) fn texts(&self, texts: Vec<String>) -> Vec<String> {
        texts.into_iter().map(|text| self.text(text)).collect()
    }

    pub(crate) fn extensions(&self, pairs: Vec<(String, String)>) -> Extensions {
        pairs.into_iter().map(|(key, value)| (self.text(key), self.text(value))).collect()
    }

    /// A text that must not be empty.
    pub(crate) fn id(&self, field: &'static str, text: String) -> Result<String, Breach> {
        if text.is_empty() { Err(Breach { field, problem: "is empty".to_owned() }) } else { Ok(self.text(text)) }
    }

    /// The reference to a native object.
    pub(crate) fn native(&self, field: &'static str, bytes: Vec<u8>) -> Result<NativeRef, Breach> {
        if bytes.is_empty() {
            return Err(Breach { field, problem: "is empty".to_owned() });
        }
        self.opaque(field, bytes, NativeRef::MAX_BYTES).map(NativeRef)
    }

    pub(crate) fn handle(&self, field: &'static str, bytes: Vec<u8>) -> Result<Vec<u8>, Breach> {
        self.opaque(field, bytes, HANDLE_BYTES)
    }

    pub(crate) fn cursor(&self, cursor: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Breach> {
        cursor.map(|bytes| self.opaque("page.next", bytes, CURSOR_BYTES)).transpose()
    }

    fn opaque(&self, field: &'static str, bytes: Vec<u8>, limit: usize) -> Result<Vec<u8>, Breach> {
        if bytes.len() > limit {
            let problem = format!("has {} bytes, but may have {limit}", bytes.len());
            return Err(Breach { field, problem });
        }
        if self.bound.is_tainted(&String::from_utf8_lossy(&bytes)) {
            return Err(Breach { field, problem: "holds a secret".to_owned() });
        }
        Ok(bytes)
    }
}
