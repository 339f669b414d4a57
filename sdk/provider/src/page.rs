//! Pages: for backends that answer with a whole list, and for those with tokens of their own.
//!
//! The cursor is the adapter's and opaque to the host. It must still work after objects were added or removed in between,
//! so it holds the last key that was given out, never a position.

use crate::{Result, contract::types::PageRequest, error::invalid};

/// Most items of a page when the host asks for none or for more.
pub const MAX_ITEMS: u32 = 1000;

impl PageRequest {
    /// How many items to give, between 1 and [`MAX_ITEMS`].
    #[must_use]
    pub const fn size(&self) -> usize {
        if self.limit == 0 || self.limit > MAX_ITEMS { MAX_ITEMS as usize } else { self.limit as usize }
    }

    /// The text of the cursor; `None` at the start.
    pub fn after(&self) -> Result<Option<&str>> {
        self.cursor
            .as_deref()
            .map(|bytes| {
                std::str::from_utf8(bytes).map_err(|_| invalid("page.cursor", "is not one that this adapter gave"))
            })
            .transpose()
    }
}

/// Cuts a page out of a whole list: items with their keys, in any order. Answers the items in order of their keys, and the
/// cursor of the next page.
pub fn cut<T>(mut items: Vec<(String, T)>, page: &PageRequest) -> Result<(Vec<T>, Option<Vec<u8>>)> {
    let after = page.after()?;
    items.retain(|(key, _)| after.is_none_or(|a| key.as_str() > a));
    items.sort_by(|a, b| a.0.cmp(&b.0));
    let more = items.len() > page.size();
    items.truncate(page.size());
    let next = if more { items.last().map(|(key, _)| key.clone().into_bytes()) } else { None };
    Ok((items.into_iter().map(|(_, item)| item).collect(), next))
}
