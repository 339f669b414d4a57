//! The node agent: carries out the plans of one node, and nothing else.
//!
//! It is a client of the host with a token for its own node. It claims work ([`agent`]), reads it into its own terms
//! ([`orders`]), runs the closed verbs beneath bound roots ([`verbs`], [`beneath`],
//! [`subvolume`]) and mounts by client kinds that its
//! own configuration maps to programs ([`config`], [`client`], [`mounting`]). What it has mounted is written down first
//! ([`journal`]), so a restart goes on where it stopped.
#![forbid(unsafe_code)]

pub mod agent;
pub mod beneath;
pub mod client;
pub mod config;
pub mod journal;
pub mod mounting;
pub mod orders;
pub mod roster;
pub mod secrets;
pub mod session;
pub mod subvolume;
pub mod verbs;
