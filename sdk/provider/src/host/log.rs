//! Log lines, as events of the call's span. The host masks what it knows to be secret, and drops lines over its limit.

use super::outside;
pub use crate::bindings::imports::stowage::provider::log::Level;

/// Writes a line with fields.
pub fn write(level: Level, message: &str, fields: &[(&str, &str)]) {
    let fields: Vec<(String, String)> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    outside::log(level, message, &fields);
}

/// For whoever mends the adapter.
pub fn debug(message: &str, fields: &[(&str, &str)]) {
    write(Level::Debug, message, fields);
}

/// For the operator, when all is well.
pub fn info(message: &str, fields: &[(&str, &str)]) {
    write(Level::Info, message, fields);
}

/// For the operator, when something should be looked at.
pub fn warn(message: &str, fields: &[(&str, &str)]) {
    write(Level::Warn, message, fields);
}

/// For the operator, when something must be mended.
pub fn error(message: &str, fields: &[(&str, &str)]) {
    write(Level::Error, message, fields);
}
