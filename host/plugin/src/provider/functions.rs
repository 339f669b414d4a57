//! The exported functions of the contract, found and type-checked once at admission.
//!
//! Problem: the generated bindings load an interface as a whole on every call and check the type of each of its functions
//! again. Rule: one entry for each function; a call touches its own entry only. An interface that the component lacks is
//! an empty entry, and a call of it answers `unsupported` without making an instance.

use std::marker::PhantomData;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower};

use crate::bindings::exports::stowage::provider as exports;
use crate::bindings::stowage::provider::types as wit;
use crate::call::CallState;
use crate::error::AdmitError;

/// The version of the contract that these bindings are of.
pub(crate) const VERSION: &str = "0.1.0";

/// One exported function.
pub(crate) struct Export<P, R> {
    pub(crate) index: ComponentExportIndex,
    types: PhantomData<fn(P) -> R>,
}

/// Interface and function, such as `namespaces` and `create`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) interface: &'static str,
    pub(crate) function: &'static str,
    /// Both, for labels.
    pub(crate) label: &'static str,
}

/// A function of the contract with its entry, if the component has it.
pub(crate) struct Slot<P, R> {
    pub(crate) name: Name,
    pub(crate) export: Option<Export<P, R>>,
}

/// The result of a function that can fail.
pub(crate) type Fallible<T> = (Result<T, wit::Error>,);

macro_rules! functions {
    ($( $field:ident: $interface:literal . $function:literal ( $($param:ty),* ) -> $result:ty; )+) => {
        /// Every function of the contract but `describe`.
        pub(crate) struct Functions {
            $( pub(crate) $field: Slot<($($param,)*), Fallible<$result>>, )+
        }

        impl Functions {
            pub(crate) fn resolve(pre: &InstancePre<CallState>) -> Result<Self, AdmitError> {
                Ok(Self { $( $field: {
                    let name = Name {
                        interface: $interface, function: $function, label: concat!($interface, ".", $function),
                    };
                    Slot { name, export: resolve(pre, name)? }
                }, )+ })
            }
        }
    };
}

functions! {
    probe: "health"."probe"(wit::ProbeMode) -> exports::health::ProbeReport;
    preflight: "health"."preflight"(wit::ProbeMode) -> Vec<wit::Finding>;

    tenant_ensure: "tenants"."ensure"(wit::Call, String, Vec<wit::Limit>) -> wit::Progress;
    tenant_inspect: "tenants"."inspect"(Vec<u8>) -> exports::tenants::TenantState;
    tenant_set_limits: "tenants"."set-limits"(wit::Call, Vec<u8>, Vec<wit::Limit>) -> wit::Progress;
    tenant_revoke_tokens: "tenants"."revoke-tokens"(wit::Call, Vec<u8>) -> wit::Progress;
    tenant_delete_empty: "tenants"."delete-empty"(wit::Call, Vec<u8>) -> wit::Progress;

    namespace_create: "namespaces"."create"(wit::Call, wit::NamespaceSpec) -> wit::Progress;
    namespace_adopt: "namespaces"."adopt"(wit::Call, String, wit::NamespaceSpec, bool) -> wit::Progress;
    namespace_set_limits: "namespaces"."set-limits"(wit::Call, Vec<u8>, Vec<wit::Limit>) -> wit::Progress;
    namespace_set_protocols: "namespaces"."set-protocols"(wit::Call, Vec<u8>, Vec<wit::Protocol>) -> wit::Progress;
    namespace_set_lifecycle: "namespaces"."set-lifecycle"(wit::Call, Vec<u8>, Vec<wit::Extensions>) -> wit::Progress;
    namespace_delete: "namespaces"."delete"(wit::Call, Vec<u8>, wit::DataPolicy) -> wit::Progress;
    namespace_undelete: "namespaces"."undelete"(wit::Call, Vec<u8>) -> wit::Progress;
    namespace_purge: "namespaces"."purge"(wit::Call, Vec<u8>) -> wit::Progress;
    namespace_inspect: "namespaces"."inspect"(Vec<u8>) -> wit::NamespaceState;
    namespace_find: "namespaces"."find"(String) -> Option<Vec<u8>>;
    namespace_list: "namespaces"."list-page"(wit::PageRequest) -> exports::namespaces::Page;
    namespace_usage: "namespaces"."read-usage"(Vec<Vec<u8>>, Vec<wit::NodeResult>) -> exports::namespaces::Usages;

    snapshot_create: "snapshots"."create"(wit::Call, Vec<u8>, String) -> wit::Progress;
    snapshot_delete: "snapshots"."delete"(wit::Call, Vec<u8>) -> wit::Progress;
    snapshot_restore: "snapshots"."restore"(wit::Call, Vec<u8>) -> wit::Progress;
    snapshot_list: "snapshots"."list-page"(Vec<u8>, wit::PageRequest) -> exports::snapshots::Page;

    mount_prepare: "mounts"."prepare"(wit::Call, wit::MountRequest) -> exports::mounts::Prepared;
    mount_release: "mounts"."release"(wit::Call, Vec<u8>) -> wit::Progress;
    mount_observe: "mounts"."observe"(Vec<Vec<u8>>) -> Vec<wit::MountStatus>;
    mount_detach: "mounts"."detach"(wit::Call, Vec<u8>, bool) -> wit::Progress;

    principal_ensure: "access"."ensure-principal"(wit::Call, wit::PrincipalSpec) -> wit::Progress;
    principal_delete: "access"."delete-principal"(wit::Call, Vec<u8>) -> wit::Progress;
    principal_find: "access"."find-principal"(String) -> Option<Vec<u8>>;
    principal_list: "access"."list-principals"(wit::PageRequest) -> exports::access::Principals;
    policy_plan: "access"."plan-policy"(wit::Policy, wit::AttachPoint) -> wit::PolicyPlan;
    policy_apply: "access"."apply-policy"(wit::Call, Option<wit::Policy>, wit::AttachPoint) -> wit::Progress;
    policy_read: "access"."read-policy"(wit::AttachPoint) -> Option<wit::Policy>;
    credential_issue: "access"."issue-credential"(wit::Call, wit::CredentialRequest) -> exports::access::Issue;
    credential_find: "access"."find-credential"(String) -> Option<wit::CredentialInfo>;
    credential_list: "access"."list-credentials"(Option<Vec<u8>>, wit::PageRequest) -> exports::access::Credentials;
    credential_rotate: "access"."rotate"(wit::Call, Vec<u8>) -> exports::access::Issue;
    credential_revoke: "access"."revoke"(wit::Call, Vec<u8>, wit::RevokeScope) -> exports::access::Revocation;

    audit_configure: "audit"."configure"(wit::Call, exports::audit::Target) -> wit::Progress;
    audit_configured: "audit"."configured"() -> exports::audit::Target;
    audit_parse: "audit"."parse"(Vec<u8>, Vec<(String, String)>) -> Vec<exports::audit::Event>;
    audit_read: "audit"."read"(Option<Vec<u8>>) -> exports::audit::Page;

    job_poll: "jobs"."poll"(Vec<u8>) -> exports::jobs::Status;
    job_cancel: "jobs"."cancel"(Vec<u8>) -> ();
}

/// The entry of `describe`, which admission alone calls.
pub(crate) fn describe(
    pre: &InstancePre<CallState>,
) -> Result<Option<Export<(), (exports::identity::Description,)>>, AdmitError> {
    resolve(pre, Name { interface: "identity", function: "describe", label: "identity.describe" })
}

fn resolve<P, R>(pre: &InstancePre<CallState>, name: Name) -> Result<Option<Export<P, R>>, AdmitError>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    let component = pre.component();
    let interface = format!("stowage:provider/{}@{VERSION}", name.interface);
    let Some(instance) = component.get_export_index(None, interface.as_str()) else { return Ok(None) };
    let item = format!("{interface}.{}", name.function);
    let supported = crate::admission::supported_range();
    let Some((ComponentItem::ComponentFunc(function), index)) = component.get_export(Some(&instance), name.function)
    else {
        return Err(AdmitError::Missing { item, supported });
    };
    function.typecheck::<P, R>(&pre.instance_type()).map_err(|error| AdmitError::Signature {
        function: item,
        difference: format!("{error:#}"),
        supported,
    })?;
    Ok(Some(Export { index, types: PhantomData }))
}
