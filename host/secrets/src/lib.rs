//! Where secret values live: a directory of files, environment variables, or one over the other.
//!
//! Nothing here knows what a secret is for. A store answers one field of one named secret, and a value that was put is
//! on disk before the call answers. A file that other users may read is refused with the command that repairs it, since
//! a secret store that quietly serves a world-readable password is worse than one that does not start.
#![forbid(unsafe_code)]

mod env;
mod file;
mod layered;

pub use env::EnvSecrets;
pub use file::{FileSecrets, OpenError};
pub use layered::Layered;
