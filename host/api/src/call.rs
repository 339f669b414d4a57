//! One admitted call: who calls which method, and the checks of its scope.
//!
//! The front layer has checked token and role; what the request is about is known only after decoding, so each handler
//! asks for its scope before it looks anything up. A refusal therefore never tells whether the thing exists.

use stowage_control::Caller;
use stowage_domain::{NodeName, ProjectName, TenantName};
use stowage_ports::{CallerIdentity, CallerKind, Role};
use tonic::{Request, Status};

use crate::{
    refusal::Refusal,
    rpcs::{Rpc, Scope},
};

/// Who calls which method.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The caller; `None` for a method that anyone may call.
    pub(crate) identity: Option<CallerIdentity>,
    /// The method's row.
    pub(crate) rpc: &'static Rpc,
    /// Names the call in logs and in the audit.
    pub(crate) call_id: String,
}

/// Whether the caller runs the region, and so may see where things are.
pub(crate) fn is_operator(caller: &Caller) -> bool {
    caller.identity.tenant.is_none() && caller.identity.roles.contains(&Role::Operator)
}

impl Call {
    /// Who calls, for logs.
    pub(crate) fn subject(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.subject.as_str())
    }

    /// Splits a request into its call and its message.
    ///
    /// # Errors
    ///
    /// When the request didn't come through the front layer.
    pub(crate) fn of<T>(request: Request<T>) -> Result<(Self, T), Status> {
        let (_, mut extensions, message) = request.into_parts();
        let call = extensions.remove::<Self>().ok_or_else(|| Status::internal("the call passed no front layer"))?;
        Ok((call, message))
    }

    /// Region: every caller with the role.
    pub(crate) fn in_region(self) -> Result<Caller, Status> {
        self.admit(Scope::Region, "the region", |_| true)
    }

    /// Operator: callers that aren't bound to a tenant.
    pub(crate) fn by_operator(self) -> Result<Caller, Status> {
        self.admit(Scope::Operator, "the region", unbound)
    }

    /// Tenant: callers of the whole tenant or of the region.
    pub(crate) fn in_tenant(self, tenant: &TenantName) -> Result<Caller, Status> {
        let about = tenant.to_string();
        self.admit(Scope::Tenant, &about, |identity| covers_tenant(identity, tenant))
    }

    /// Project: callers of the project, its tenant or the region.
    pub(crate) fn in_project(self, project: &ProjectName) -> Result<Caller, Status> {
        let about = project.to_string();
        self.admit(Scope::Project, &about, |identity| covers_project(identity, project))
    }

    /// Node: the node's own agent.
    pub(crate) fn by_node(self, node: &NodeName) -> Result<Caller, Status> {
        let about = node.to_string();
        self.admit(
            Scope::Node,
            &about,
            |identity| matches!(&identity.kind, CallerKind::Node { node: own } if own == node.node.as_str()),
        )
    }

    /// Owner: passes the role alone; the caller of this function checks the found resource's owner.
    pub(crate) fn of_owner(self) -> Result<Caller, Status> {
        self.admit(Scope::Owner, "the owner of the operation", |_| true)
    }

    fn admit(self, scope: Scope, about: &str, fits: impl FnOnce(&CallerIdentity) -> bool) -> Result<Caller, Status> {
        if self.rpc.scope != scope {
            return Err(Status::internal(format!("{} checks another scope than its row", self.rpc.path)));
        }
        let Some(identity) = self.identity else {
            return Err(Status::internal(format!("{} needs a caller", self.rpc.path)));
        };
        if fits(&identity) {
            Ok(Caller { identity, call_id: self.call_id })
        } else {
            Err(denied(&identity.subject, self.rpc.permission, about).into())
        }
    }
}

/// The refusal of a caller that may not.
pub(crate) fn denied(subject: &str, permission: &'static str, about: &str) -> Refusal {
    Refusal::permission_denied(format!("`{subject}` lacks the permission `{permission}` on {about}"))
        .with("permission", permission)
        .remedy("use a token of the right tenant, project or role, or ask the region's operator for one")
}

/// Whether the caller is bound to no tenant.
pub(crate) fn unbound(identity: &CallerIdentity) -> bool {
    identity.tenant.is_none() && identity.project.is_none() && !matches!(identity.kind, CallerKind::Node { .. })
}

/// Whether the caller's binding covers the whole tenant.
pub(crate) fn covers_tenant(identity: &CallerIdentity, tenant: &TenantName) -> bool {
    !matches!(identity.kind, CallerKind::Node { .. })
        && identity.project.is_none()
        && identity.tenant.as_deref().is_none_or(|own| own == tenant.tenant.as_str())
}

/// Whether the caller's binding covers the project.
pub(crate) fn covers_project(identity: &CallerIdentity, project: &ProjectName) -> bool {
    let own_project = || identity.project.as_deref().is_none_or(|own| own == project.project.as_str());
    match (&identity.kind, identity.tenant.as_deref()) {
        (CallerKind::Node { .. }, _) => false,
        // A project without its tenant names nothing.
        (_, None) => identity.project.is_none(),
        (_, Some(tenant)) => tenant == project.tenant.as_str() && own_project(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(tenant: Option<&str>, project: Option<&str>) -> CallerIdentity {
        CallerIdentity {
            subject: "s".to_owned(),
            kind: CallerKind::Service,
            roles: vec![Role::Admin],
            tenant: tenant.map(str::to_owned),
            project: project.map(str::to_owned),
            groups: Vec::new(),
        }
    }

    #[test]
    fn a_binding_covers_what_is_below_it_and_nothing_beside_or_above() {
        let tenant = TenantName::parse("tenants/a").unwrap();
        let project = ProjectName::parse("tenants/a/projects/p").unwrap();
        let cases = [
            (identity(None, None), true, true),
            (identity(Some("a"), None), true, true),
            (identity(Some("a"), Some("p")), false, true),
            (identity(Some("a"), Some("q")), false, false),
            (identity(Some("b"), None), false, false),
            (identity(Some("b"), Some("p")), false, false),
            (identity(None, Some("p")), false, false),
        ];
        for (who, over_tenant, over_project) in cases {
            assert_eq!(covers_tenant(&who, &tenant), over_tenant, "{who:?}");
            assert_eq!(covers_project(&who, &project), over_project, "{who:?}");
        }
    }

    #[test]
    fn a_node_covers_no_tenant() {
        let node = CallerIdentity { kind: CallerKind::Node { node: "n".to_owned() }, ..identity(None, None) };
        assert!(!unbound(&node));
        assert!(!covers_tenant(&node, &TenantName::parse("tenants/a").unwrap()));
        assert!(!covers_project(&node, &ProjectName::parse("tenants/a/projects/p").unwrap()));
    }
}
