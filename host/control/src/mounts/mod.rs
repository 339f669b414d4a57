//! Mount plans: decided from grants, prepared by the provider, carried out by a node, taken away again.

mod create;
mod prepare;
mod record;
mod redeem;
mod release;

pub use create::CreateMount;
pub use record::{Form, Mount, MountState, PrefixAccess, SecretHandle};
pub use redeem::RedeemedSecret;
