//! How the records are laid out in the store: each list that the API offers is one range.

mod indexes;
mod ledgers;
mod migrations;
mod requests;
mod tables;

pub(crate) use indexes::*;
pub(crate) use ledgers::*;
pub use migrations::migrations;
pub(crate) use requests::*;
pub(crate) use tables::*;
