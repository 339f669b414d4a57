//! What every service of the contract shares.

use std::sync::Arc;

use stowage_control::{Control, PageRequest, WriteOptions};
use tokio::sync::watch;
use tonic::Status;

use crate::{
    convert::given,
    page::{self, PageKey},
    refusal::Refusal,
};

/// Longest request id, in bytes.
const LONGEST_REQUEST_ID: usize = 128;

/// The services of the contract, in front of the use cases.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) control: Arc<Control>,
    pages: PageKey,
    closing: watch::Receiver<bool>,
}

impl Api {
    pub(crate) fn new(control: Arc<Control>, pages: PageKey, closing: watch::Receiver<bool>) -> Self {
        Self { control, pages, closing }
    }

    /// Which part of a list; `rpc` and `filter` tell the list apart from all others.
    pub(crate) fn page(&self, rpc: &str, filter: &str, size: i32, token: &str) -> Result<PageRequest, Refusal> {
        let size = usize::try_from(page::size(size)?).unwrap_or(usize::MAX);
        Ok(PageRequest { size, token: self.pages.open(rpc, filter, token)?.unwrap_or_default() })
    }

    /// The token of the next page of the same list.
    pub(crate) fn next(&self, rpc: &str, filter: &str, next: String) -> String {
        self.pages.seal(rpc, filter, given(next).as_deref())
    }

    /// Does `wait` unless the host shuts down first; then `None`.
    pub(crate) async fn unless_closing<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        let mut closing = self.closing.clone();
        tokio::select! {
            answer = wait => Some(answer),
            _ = closing.wait_for(|closing| *closing) => None,
        }
    }
}

/// What every change takes besides its own fields.
pub(crate) fn options(request_id: String, etag: String, validate_only: bool) -> Result<WriteOptions, Status> {
    let fits = request_id.len() <= LONGEST_REQUEST_ID && request_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        let problem = "must be at most 128 printable ASCII characters without spaces, such as a UUID";
        return Err(Refusal::field("request_id", problem).into());
    }
    Ok(WriteOptions { request_id: given(request_id), etag: given(etag), validate_only })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_short_and_plain() {
        assert!(options("0190-abc".to_owned(), String::new(), false).is_ok());
        assert!(options("two words".to_owned(), String::new(), false).is_err());
        assert!(options("a".repeat(129), String::new(), false).is_err());
        assert_eq!(options(String::new(), String::new(), true).unwrap().request_id, None);
    }
}
