//! The only way out of the sandbox: HTTP along declared exchanges, with every secret kept on this side.
//!
//! An adapter says before admission everything that it can ever say to its backend ([`Description`]'s exchange table).
//! [`Egress::bind`] checks that table, binds it to the operator's endpoints, and is then the [`Exchange`] port of one
//! provider instance. One exchange goes through these steps, each a module:
//!
//! 1. `table`: is it declared, is it safe enough, does the path stay in its segments ([`exchange_table_digest`] is what
//!    the operator approves);
//! 2. `request`: headers that authenticate or route are refused, the body is parsed, secrets go into declared places;
//! 3. `flow`: a session is there or is made, one login for any number of callers;
//! 4. `net`: the dialled address is one that the binding allows, never metadata, link-local or the host's own listener;
//! 5. `answer`: declared sensitive places are taken out and become handles;
//! 6. `mask`: what was injected, and fields named like secrets, are masked before the guest sees a byte.
//!
//! Counter-example: a host that replaces `{{secret}}` in the request's text sends the secret wherever a tenant's label
//! says `{{secret}}`. Here a place is a path into the parsed body and nothing else.
//!
//! [`Description`]: stowage_ports::provider::Description
//! [`Exchange`]: stowage_ports::Exchange
#![forbid(unsafe_code)]

mod answer;
mod binding;
mod egress;
mod flow;
mod mask;
mod net;
mod request;
mod send;
mod table;
mod vault;

pub use binding::{BindError, Binding, EgressLimits, EndpointBinding};
pub use egress::Egress;
pub use mask::{Redactor, is_secret_field};
pub use net::{Resolver, SystemResolver};
pub use table::{TableError, check_exchange_table, exchange_table_digest};
pub use vault::{captured_name, owns_handle};
