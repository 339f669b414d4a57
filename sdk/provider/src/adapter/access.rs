//! Principals, policies and credentials. No value here is a secret: keys are handles of captures.

use crate::{
    Result,
    bindings::access::exports::stowage::provider::access::Guest,
    contract::{
        access::{Credentials, Issue, Principals, Revocation},
        types::{
            AttachPoint, Call, CredentialInfo, CredentialRequest, NativeRef, OwnerToken, PageRequest, Policy,
            PolicyPlan, PrincipalSpec, Progress, RevokeScope,
        },
    },
    error::unsupported,
};

/// The interface `access`.
#[allow(unused_variables, reason = "the names tell implementors what the defaults do not use")]
pub trait Access {
    /// Makes the principal, or finds the one that bears this owner's mark.
    fn ensure_principal(call: Call, spec: PrincipalSpec) -> Result<Progress> {
        Err(unsupported("access.ensure-principal"))
    }
    /// Removes it. Absent is done.
    fn delete_principal(call: Call, native: NativeRef) -> Result<Progress> {
        Err(unsupported("access.delete-principal"))
    }
    /// The principal that bears this mark.
    fn find_principal(owner: OwnerToken) -> Result<Option<NativeRef>> {
        Err(unsupported("access.find-principal"))
    }
    /// Every principal of Stowage's, page by page.
    fn list_principals(page: PageRequest) -> Result<Principals> {
        Err(unsupported("access.list-principals"))
    }
    /// How large the policy would be and what it could not say. Changes nothing.
    fn plan_policy(policy: Policy, at: AttachPoint) -> Result<PolicyPlan> {
        Err(unsupported("access.plan-policy"))
    }
    /// Attaches the policy, or removes the one that is there.
    fn apply_policy(call: Call, policy: Option<Policy>, at: AttachPoint) -> Result<Progress> {
        Err(unsupported("access.apply-policy"))
    }
    /// The policy that is attached.
    fn read_policy(at: AttachPoint) -> Result<Option<Policy>> {
        Err(unsupported("access.read-policy"))
    }
    /// Issues a credential; its secret parts stay with the host, as handles.
    fn issue_credential(call: Call, request: CredentialRequest) -> Result<Issue> {
        Err(unsupported("access.issue-credential"))
    }
    /// The credential that bears this mark.
    fn find_credential(owner: OwnerToken) -> Result<Option<CredentialInfo>> {
        Err(unsupported("access.find-credential"))
    }
    /// Credentials of one principal or of all, page by page.
    fn list_credentials(principal: Option<NativeRef>, page: PageRequest) -> Result<Credentials> {
        Err(unsupported("access.list-credentials"))
    }
    /// Issues a new secret for the same credential.
    fn rotate(call: Call, native: NativeRef) -> Result<Issue> {
        Err(unsupported("access.rotate"))
    }
    /// Takes a credential back, and tells how much ended with it.
    fn revoke(call: Call, native: NativeRef, scope: RevokeScope) -> Result<Revocation> {
        Err(unsupported("access.revoke"))
    }
}

impl<T: Access> Guest for T {
    fn ensure_principal(call: Call, spec: PrincipalSpec) -> Result<Progress> {
        <T as Access>::ensure_principal(call, spec)
    }
    fn delete_principal(call: Call, native: NativeRef) -> Result<Progress> {
        <T as Access>::delete_principal(call, native)
    }
    fn find_principal(owner: OwnerToken) -> Result<Option<NativeRef>> {
        <T as Access>::find_principal(owner)
    }
    fn list_principals(page: PageRequest) -> Result<Principals> {
        <T as Access>::list_principals(page)
    }
    fn plan_policy(policy: Policy, at: AttachPoint) -> Result<PolicyPlan> {
        <T as Access>::plan_policy(policy, at)
    }
    fn apply_policy(call: Call, policy: Option<Policy>, at: AttachPoint) -> Result<Progress> {
        <T as Access>::apply_policy(call, policy, at)
    }
    fn read_policy(at: AttachPoint) -> Result<Option<Policy>> {
        <T as Access>::read_policy(at)
    }
    fn issue_credential(call: Call, request: CredentialRequest) -> Result<Issue> {
        <T as Access>::issue_credential(call, request)
    }
    fn find_credential(owner: OwnerToken) -> Result<Option<CredentialInfo>> {
        <T as Access>::find_credential(owner)
    }
    fn list_credentials(principal: Option<NativeRef>, page: PageRequest) -> Result<Credentials> {
        <T as Access>::list_credentials(principal, page)
    }
    fn rotate(call: Call, native: NativeRef) -> Result<Issue> {
        <T as Access>::rotate(call, native)
    }
    fn revoke(call: Call, native: NativeRef, scope: RevokeScope) -> Result<Revocation> {
        <T as Access>::revoke(call, native, scope)
    }
}
