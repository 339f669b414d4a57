//! Page sizes and page tokens.
//!
//! A token is a cursor with a MAC over method, filter and cursor. One that was made by another method, for another parent
//! or tenant, by another region, or by a curious caller is refused as `page_token`; it is never a way to read elsewhere.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::refusal::Refusal;

/// Items in a page when the caller doesn't say.
const DEFAULT: u32 = 100;
/// Most items in a page; a larger wish gets this many.
const MAX: u32 = 1000;
/// First byte of a token.
const VERSION: u8 = 1;
/// Bytes of the MAC that a token keeps.
const TAG: usize = 16;

/// The key of a region's page tokens. Keep it over restarts, else lists begun before one can't be gone on with.
#[derive(Clone)]
pub struct PageKey([u8; 32]);

impl PageKey {
    /// Takes 32 random bytes.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The token of a cursor; empty for none, as after the last page.
    pub(crate) fn seal(&self, rpc: &str, filter: &str, cursor: Option<&str>) -> String {
        let Some(cursor) = cursor else { return String::new() };
        let Some(tag) = self.tag(rpc, filter, cursor.as_bytes()) else { return String::new() };
        let token: Vec<u8> = [VERSION].into_iter().chain(tag).chain(cursor.bytes()).collect();
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    /// The cursor of a token; `None` for an empty one, as at the first page.
    pub(crate) fn open(&self, rpc: &str, filter: &str, token: &str) -> Result<Option<String>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
        let (version, rest) = bytes.split_first().ok_or_else(wrong)?;
        let (tag, cursor) = rest.split_at_checked(TAG).ok_or_else(wrong)?;
        let expected = self.tag(rpc, filter, cursor).ok_or_else(wrong)?;
        if *version != VERSION || !bool::from(tag.ct_eq(&expected)) {
            return Err(wrong());
        }
        String::from_utf8(cursor.to_vec()).map(Some).map_err(|_| wrong())
    }

    fn tag(&self, rpc: &str, filter: &str, cursor: &[u8]) -> Option<Vec<u8>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in [rpc.as_bytes(), filter.as_bytes(), cursor] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().get(..TAG).map(<[u8]>::to_vec)
    }
}

impl std::fmt::Debug for PageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageKey([secret])")
    }
}

fn wrong() -> Refusal {
    Refusal::field(
        "page_token",
        "is not the next_page_token of a page of this list: repeat the call with the same other fields, or start without one",
    )
}

/// How many items a page gets.
pub(crate) fn size(asked: i32) -> Result<u32, Refusal> {
    match u32::try_from(asked) {
        Err(_) => Err(Refusal::field("page_size", format!("{asked} must not be negative"))),
        Ok(0) => Ok(DEFAULT),
        Ok(asked) => Ok(asked.min(MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_where_it_was_made() {
        let key = PageKey::new([7; 32]);
        let token = key.seal("ListNamespaces", "tenants/a/projects/p", Some("data"));
        assert_eq!(key.open("ListNamespaces", "tenants/a/projects/p", &token), Ok(Some("data".to_owned())));
        assert_eq!(key.open("ListNamespaces", "tenants/b/projects/p", &token), Err(wrong()));
        assert_eq!(key.open("ListWorkloads", "tenants/a/projects/p", &token), Err(wrong()));
        assert_eq!(PageKey::new([8; 32]).open("ListNamespaces", "tenants/a/projects/p", &token), Err(wrong()));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let key = PageKey::new([7; 32]);
        let token = BASE64_URL_SAFE_NO_PAD.decode(key.seal("L", "f", Some("cursor"))).unwrap();
        for bit in 0..token.len() * 8 {
            let mut bad = token.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open("L", "f", &BASE64_URL_SAFE_NO_PAD.encode(bad)), Err(wrong()), "bit {bit}");
        }
        for garbage in ["x", "AAAA", "not base64!", "AQ"] {
            assert_eq!(key.open("L", "f", garbage), Err(wrong()), "{garbage}");
        }
    }

    #[test]
    fn the_last_page_has_no_token_and_the_first_needs_none() {
        let key = PageKey::new([7; 32]);
        assert_eq!(key.seal("L", "f", None), "");
        assert_eq!(key.open("L", "f", ""), Ok(None));
    }

    #[test]
    fn sizes_have_a_default_and_a_ceiling() {
        assert_eq!((size(0), size(5), size(5000)), (Ok(100), Ok(5), Ok(1000)));
        assert!(size(-1).is_err());
    }
}
