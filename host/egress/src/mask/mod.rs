//! Keeping secrets out of what a guest reads and of what anybody logs.

mod encodings;
mod fields;
mod needles;
mod redactor;
mod tails;
mod views;

pub use fields::is_secret_field;
pub(crate) use fields::mask_form_field;
pub(crate) use fields::mask_json;
pub(crate) use needles::Needles;
pub use redactor::Redactor;

/// What stands where a secret stood.
pub(crate) const MASK: &str = "[masked]";

#[cfg(test)]
mod tests;
