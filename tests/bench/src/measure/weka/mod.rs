//! The WEKA adapter against its emulator: each figure beside what a bare client of the same emulator sees in the same run.
//!
//! The emulator is a process of its own and keeps a log of all that it answers, which costs both sides the same.

mod bound;
mod made;
pub(super) mod node;
pub(super) mod sts;
pub(super) mod tls;
pub(super) mod usage;
