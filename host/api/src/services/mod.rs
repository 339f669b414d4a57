//! One file a service of the contract.
//!
//! Every method goes the same way: split the call from its message, read the names, check the scope, map the rest to a
//! command, hand it to the use cases, map the answer.

mod credentials;
mod drifts;
mod grants;
mod mounts;
mod namespaces;
mod nodes;
mod operations;
mod providers;
mod storage_classes;
mod tenants;
mod workloads;
