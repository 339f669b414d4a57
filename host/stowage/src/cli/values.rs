//! Values on the command line.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;
use stowage_client::proto as v1;
use stowage_ports::{Clock as _, SystemClock};

/// Bytes: `16MiB`, `1TB`, or a plain number.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    text.parse::<ByteSize>().map(|size| size.as_u64()).map_err(|_| format!("{text:?} is not a size, such as 100GiB"))
}

/// Permission bits in octal.
pub(crate) fn mode(text: &str) -> Result<u32, String> {
    let bits = u32::from_str_radix(text.trim_start_matches("0o"), 8);
    bits.ok()
        .filter(|bits| *bits <= 0o1777)
        .ok_or_else(|| format!("{text:?} is not octal permission bits, such as 0770"))
}

/// `KEY=VALUE`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is not KEY=VALUE"))?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Pairs as a map; a key that is given twice keeps its last value.
pub(crate) fn map(pairs: Vec<(String, String)>) -> BTreeMap<String, String> {
    pairs.into_iter().collect()
}

/// A protocol by its lower-case name.
pub(crate) fn protocol(text: &str) -> Result<i32, String> {
    let found = v1::Protocol::from_str_name(&format!("PROTOCOL_{}", text.to_uppercase()));
    found.map(i32::from).ok_or_else(|| format!("{text:?} is not a protocol: posix or s3"))
}

/// An action by its lower-case name.
pub(crate) fn action(text: &str) -> Result<i32, String> {
    let found = v1::Action::from_str_name(&format!("ACTION_{}", text.to_uppercase()));
    found.map(i32::from).ok_or_else(|| format!("{text:?} is not an action: read, write, list, delete or admin"))
}

/// A moment after now, such as `12h`.
pub(crate) fn from_now(after: Duration) -> prost_types::Timestamp {
    let at = Duration::from_millis(SystemClock.now_ms()) + after;
    prost_types::Timestamp { seconds: i64::try_from(at.as_secs()).unwrap_or(i64::MAX), nanos: 0 }
}

/// A length of time for the wire.
pub(crate) fn duration(length: Duration) -> prost_types::Duration {
    prost_types::Duration::try_from(length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_modes_are_read_or_refused_with_an_example() {
        assert_eq!(bytes("16MiB"), Ok(16 << 20));
        assert_eq!(bytes("1TB"), Ok(1_000_000_000_000));
        assert!(bytes("lots").unwrap_err().contains("100GiB"));
        assert_eq!(mode("0770"), Ok(0o770));
        assert!(mode("7777").is_err() && mode("rwx").is_err());
        assert!(pair("no").is_err());
    }
}
