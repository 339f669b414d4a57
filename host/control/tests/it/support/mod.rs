//! A world for tests: a store that can crash, a model backend, a node agent, and time that stands until all wait.

mod agent;
mod backend;
mod keys;
mod script;
mod secrets;
mod store;
mod world;

pub(crate) use agent::Agent;
pub(crate) use backend::{Backend, Fault, Way};
pub(crate) use secrets::MemorySecrets;
pub(crate) use store::{Crash, CrashStore, MemoryStore};
pub(crate) use world::{
    Live, World, namespace, new_namespace, new_workload, operator, project, request, until, wait_done,
};
