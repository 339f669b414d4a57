//! How the records are laid out in the store: each list that the API offers is one range.

mod indexes;
mod ledgers;
mod requests;
mod tables;

pub(crate) use indexes::*;
pub(crate) use ledgers::*;
pub(crate) use requests::*;
pub(crate) use tables::*;
