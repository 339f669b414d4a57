//! The emulator as a client meets it: real HTTP, real FUSE mounts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod admin;
mod binary;
mod contract;
mod default_quotas;
mod faults;
mod filesystems;
mod limits;
mod machines;
mod mounts;
mod observed;
mod organizations;
mod quotas;
mod restart;
mod roles;
mod s3_access;
mod s3_audit;
mod s3_boto3;
mod s3_buckets;
mod s3_client;
mod s3_keys;
mod s3_objects;
mod s3_policies;
mod s3_port;
mod s3_service;
mod s3_sts;
mod security;
mod session;
mod snapshot_policies;
mod snapshots;
mod support;
mod tree;
