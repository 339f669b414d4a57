//! What the backend's answers look like, read tolerantly where its documents and its clients disagree.

pub(crate) mod envelope;
mod hidden;
pub(crate) mod number;
pub(crate) mod rows;

pub(crate) use envelope::{Junk, Listed};
pub(crate) use hidden::hidden;
pub(crate) use rows::*;
