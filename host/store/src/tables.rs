//! Reading rows, indexes and pages.

use std::{marker::PhantomData, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use stowage_ports::store::{Key, KeyRange, Store, Version, Versioned};

use crate::{Error, Record, Segments, record};

/// Where a list goes on: the key of the last item that was delivered. Items that are created or deleted meanwhile never
/// make a list repeat or skip another item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Key);

impl Cursor {
    /// The cursor as text for a `page_token`.
    #[must_use]
    pub fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.0)
    }

    /// Reads a `page_token`. That it belongs to the list is checked when the page is read.
    ///
    /// # Errors
    /// [`Error::Cursor`] when the text is no token.
    pub fn from_token(token: &str) -> Result<Self, Error> {
        URL_SAFE_NO_PAD.decode(token).map(|bytes| Self(bytes.into())).map_err(|_| Error::Cursor)
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items in key order.
    pub items: Vec<T>,
    /// Where the rest begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// A secondary order of a table, or a claim on a name: keys that lead to a short text, most often another key.
///
/// Index rows are written by the same transaction as the rows that they lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index(pub &'static str);

/// The state of the host: what [`schema::open`](crate::schema::open) answers once the schema is current.
#[derive(Clone)]
pub struct Tables {
    store: Arc<dyn Store>,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").field("version", &self.store.version()).finish_non_exhaustive()
    }
}

impl Tables {
    /// The most items of a page; larger limits are cut to this.
    pub const MAX_PAGE: usize = 1000;

    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The engine below.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The version of the last commit. Take it before a list, to watch from it afterwards.
    #[must_use]
    pub fn version(&self) -> Version {
        self.store.version()
    }

    /// One row, by its key inside the table.
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::Newer`], [`Error::Store`].
    pub async fn get<R: Record>(&self, key: &Segments) -> Result<Option<(R, Version)>, Error> {
        let Some(found) = self.store.get(&table_key(R::TABLE, key).key()).await? else { return Ok(None) };
        Ok(Some((record::decode(key, &found.value)?, found.version)))
    }

    /// Up to `limit` rows whose keys begin with `prefix`, from `cursor` on, in key order.
    ///
    /// # Errors
    /// [`Error::Cursor`] when the cursor is of another list; else as [`Tables::get`].
    pub async fn page<R: Record>(
        &self,
        prefix: &Segments,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<(R, Version)>, Error> {
        let page = self.raw_page(table_key(R::TABLE, prefix).range(), cursor, limit).await?;
        let row = |(key, found): (Key, Versioned)| Ok((decode_row(&key, &found.value)?, found.version));
        Ok(Page { items: page.items.into_iter().map(row).collect::<Result<_, Error>>()?, next: page.next })
    }

    /// What the index holds for exactly this key.
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::Store`].
    pub async fn lookup(&self, index: Index, key: &Segments) -> Result<Option<(String, Version)>, Error> {
        let Some(found) = self.store.get(&table_key(index.0, key).key()).await? else { return Ok(None) };
        Ok(Some((index_text(index, key, &found.value)?, found.version)))
    }

    /// Up to `limit` index rows whose keys begin with `prefix`: key inside the index, text, version.
    ///
    /// # Errors
    /// As [`Tables::page`].
    pub async fn entries(
        &self,
        index: Index,
        prefix: &Segments,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<(Segments, String, Version)>, Error> {
        let page = self.raw_page(table_key(index.0, prefix).range(), cursor, limit).await?;
        let entry = |(key, found): (Key, Versioned)| {
            let key = inner_key(index.0, &key)?;
            let text = index_text(index, &key, &found.value)?;
            Ok((key, text, found.version))
        };
        Ok(Page { items: page.items.into_iter().map(entry).collect::<Result<_, Error>>()?, next: page.next })
    }

    /// Walks all rows below `prefix` page by page; for rebuilds at start, never for a request.
    #[must_use]
    pub fn walk<R: Record>(&self, prefix: Segments) -> Walk<'_, R> {
        Walk { tables: self, prefix, at: Some(None), row: PhantomData }
    }

    async fn raw_page(
        &self,
        range: KeyRange,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<(Key, Versioned)>, Error> {
        let limit = limit.clamp(1, Self::MAX_PAGE);
        let rest = match cursor {
            None => range,
            Some(cursor) if range.contains(&cursor.0) => range.after(&cursor.0),
            Some(_) => return Err(Error::Cursor),
        };
        let mut items = self.store.scan(rest, limit.saturating_add(1)).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|(key, _)| Cursor(key.clone()));
        Ok(Page { items, next })
    }
}

/// A walk over all rows below a prefix, one page in memory at a time.
#[derive(Debug)]
pub struct Walk<'a, R> {
    tables: &'a Tables,
    prefix: Segments,
    /// `None` after the last page; `Some(None)` before the first.
    at: Option<Option<Cursor>>,
    row: PhantomData<fn() -> R>,
}

impl<R: Record> Walk<'_, R> {
    /// The next page; `None` at the end.
    ///
    /// # Errors
    /// As [`Tables::page`].
    pub async fn next(&mut self) -> Result<Option<Vec<(R, Version)>>, Error> {
        let Some(cursor) = self.at.take() else { return Ok(None) };
        let page = self.tables.page(&self.prefix, cursor.as_ref(), Tables::MAX_PAGE).await?;
        self.at = page.next.map(Some);
        Ok(Some(page.items))
    }
}

/// The stored key of `key` in the table.
pub(crate) fn table_key(table: &str, key: &Segments) -> Segments {
    Segments::new().text(table).join(key)
}

pub(crate) fn inner_key(table: &'static str, key: &[u8]) -> Result<Segments, Error> {
    Segments::parse(key).map(|key| key.without_first()).ok_or_else(|| Error::Unreadable {
        table,
        key: String::from_utf8_lossy(key).into_owned(),
        reason: "the key is not a list of segments".into(),
    })
}

pub(crate) fn decode_row<R: Record>(key: &[u8], value: &[u8]) -> Result<R, Error> {
    record::decode(&inner_key(R::TABLE, key)?, value)
}

fn index_text(index: Index, key: &Segments, value: &Bytes) -> Result<String, Error> {
    String::from_utf8(value.to_vec()).map_err(|_| Error::Unreadable {
        table: index.0,
        key: key.to_string(),
        reason: "the index value is not UTF-8".into(),
    })
}
