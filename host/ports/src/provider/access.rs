//! Principals, policies and credentials as the contract has them. No value here is a secret: keys are handles.

use serde::{Deserialize, Serialize};

use super::{Extensions, Job, NativeRef, NodeWork, PosixIdentity};

/// What a principal is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// Sessions and service principals hang beneath it.
    Parent,
    /// One workload's.
    Service,
    /// A kind that this host does not know.
    Other(String),
}

/// What a principal should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalSpec {
    /// Native name.
    pub name: String,
    /// Kind.
    pub kind: PrincipalKind,
    /// Parent.
    pub parent: Option<NativeRef>,
    /// Ownership of what it writes.
    pub posix: Option<PosixIdentity>,
    /// Name of the secret that the host has made for it.
    pub secret: Option<String>,
    /// Registered keys.
    pub extensions: Extensions,
}

/// Where a policy is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachPoint {
    /// To a principal.
    Principal(NativeRef),
    /// To a session when it is issued.
    Session,
    /// To a key.
    Key(NativeRef),
    /// To a namespace.
    Namespace(NativeRef),
    /// A point that this host does not know.
    Other(String),
}

/// What may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Privilege {
    /// Read.
    Read,
    /// Write.
    Write,
    /// List keys.
    ListKeys,
    /// Delete.
    Delete,
    /// Administer.
    Admin,
    /// A privilege that this host does not know.
    Other(String),
}

/// A neutral grant, for providers with a dialect of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeGrant {
    /// Who.
    pub principal: NativeRef,
    /// On what.
    pub namespace: NativeRef,
    /// Beneath which prefix.
    pub prefix: String,
    /// May do what.
    pub privileges: Vec<Privilege>,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// The finished, proven IAM document.
    IamJson(Vec<u8>),
    /// Neutral grants.
    Native(Vec<NativeGrant>),
    /// A dialect that this host does not know.
    Other(String),
}

/// What a policy would be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyPlan {
    /// Its size.
    pub bytes: u32,
    /// The limit.
    pub max_bytes: u32,
    /// What it cannot say.
    pub losses: Vec<String>,
}

/// A credential to issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialRequest {
    /// A temporary session.
    Session {
        /// Under whom.
        principal: NativeRef,
        /// The parent's secret.
        parent_secret: Option<String>,
        /// Name in the backend's audit.
        session_name: String,
        /// What it may do.
        policy: Policy,
        /// For how long.
        ttl_s: u32,
    },
    /// A long-lived object key.
    AccessKey(KeyRequest),
    /// A file system key.
    FilesystemKey(KeyRequest),
    /// Addresses that may attach.
    ClientAllow(Vec<String>),
    /// A kind that this host does not know.
    Other(String),
}

/// A key to issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRequest {
    /// Under whom.
    pub principal: NativeRef,
    /// The parent's secret.
    pub parent_secret: Option<String>,
    /// What it may do.
    pub policy: Option<Policy>,
    /// Until when.
    pub expires_at: Option<u64>,
}

/// An issued key; `secret` and `token` are sealed handles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// Public id.
    pub id: String,
    /// Sealed handle of the secret.
    pub secret: String,
    /// Sealed handle of the session token.
    pub token: Option<String>,
    /// Until when.
    pub expires_at: Option<u64>,
}

/// An issued credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// For objects.
    AccessKey(KeyPair),
    /// For the file system.
    FilesystemKey(KeyPair),
    /// Addresses that may attach.
    ClientAllow(Vec<String>),
    /// A kind that this host does not know.
    Other(String),
}

/// What was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The native object.
    pub native: NativeRef,
    /// The mark.
    pub owner: String,
    /// The credential.
    pub credential: Credential,
    /// Where it is used.
    pub endpoint: String,
    /// Region.
    pub region: String,
}

/// What `issue-credential` gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issue {
    /// It is issued.
    Issued(Issued),
    /// A job runs.
    Pending(Job),
    /// A node must do something first.
    NeedsNode(NodeWork),
    /// An outcome that this host does not know.
    Other(String),
}

/// A credential as listed; never its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialInfo {
    /// The native object.
    pub native: NativeRef,
    /// Under whom.
    pub principal: NativeRef,
    /// Public id.
    pub id: String,
    /// The mark.
    pub owner: Option<String>,
    /// Session name.
    pub session_name: Option<String>,
    /// Until when.
    pub expires_at: Option<u64>,
    /// The backend's word for its state.
    pub state: String,
}

/// A principal as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalInfo {
    /// The native object.
    pub native: NativeRef,
    /// Name.
    pub name: String,
    /// The mark.
    pub owner: Option<String>,
    /// Registered keys.
    pub extensions: Extensions,
}

/// How much is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevokeScope {
    /// One session.
    Session,
    /// One credential.
    Credential,
    /// Everything of the principal.
    PrincipalAll,
    /// Everything of the principal issued before this time.
    PrincipalBefore(u64),
    /// One attachment.
    Attachment,
    /// Nothing that lives, only what would be issued.
    FutureOnly,
    /// A scope that this host does not know.
    Other(String),
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// How much.
    pub scope: RevokeScope,
    /// When it takes effect.
    pub effective_by: Option<u64>,
    /// How many others ended with it.
    pub also_ended: Option<u32>,
}

/// What `revoke` gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// Done.
    Revoked(Revoked),
    /// A job runs.
    Pending(Job),
    /// An outcome that this host does not know.
    Other(String),
}
