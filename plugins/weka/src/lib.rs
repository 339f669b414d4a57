//! The WEKA adapter: one backend cluster behind REST v2, spoken to through declared exchanges only.
//!
//! A namespace is followed from here: `namespaces` decides by the configured isolation, `quotas` and `filesystems` speak
//! to the cluster, `node_steps` says what a node must do, `mount_plan` compiles what a client needs, and `classify`
//! turns every refusal into the contract's words. Nothing is held between calls; what an object is follows from its mark.

mod access;
mod api;
mod audit;
mod classify;
mod config;
mod counters;
mod describe;
mod exchanges;
mod fences;
mod filesystems;
mod home;
mod jobs;
mod limits;
mod mark;
mod mount_options;
mod mount_plan;
mod mount_tokens;
mod mounts;
mod namespaces;
mod node_steps;
mod organizations;
mod paths;
mod preflight;
mod probe;
mod quotas;
mod reference;
mod rest;
mod s3;
mod snapshots;
mod survey;
mod tenants;

/// The adapter.
pub struct Weka;

stowage_provider_sdk::export_provider!(Weka: tenants, namespaces, snapshots, mounts, access, audit, jobs);
