//! From an endpoint's name to an answer: which addresses may be dialled, which server is asked, and what is known when
//! no answer comes.

mod address;
mod dispatch;
mod endpoint;
mod resolve;

pub(crate) use dispatch::{RawAnswer, Sending};
pub(crate) use endpoint::{Endpoint, bind_endpoint};
pub use resolve::{Resolver, SystemResolver};
