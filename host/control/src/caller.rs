//! Who calls, and what it may touch at all.

use stowage_domain::{NodeName, Principal, ProjectName, TenantName};
use stowage_ports::{CallerIdentity, CallerKind, Role};

use crate::{ControlError, Result, Status};

/// A verified caller and its call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub identity: CallerIdentity,
    /// The API call's id, for the audit, logs and traces.
    pub call_id: String,
}

/// What every change takes besides its own fields.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// The client's own id of the request: the same id with the same command gives the same answer.
    pub request_id: Option<String>,
    /// Change only what still has this etag.
    pub etag: Option<String>,
    /// Check everything and change nothing.
    pub validate_only: bool,
}

impl Caller {
    /// The host itself, for what it does on its own.
    #[must_use]
    pub fn host() -> Self {
        let identity = CallerIdentity {
            subject: "stowage".to_owned(),
            kind: CallerKind::Service,
            roles: vec![Role::Operator],
            tenant: None,
            project: None,
            groups: Vec::new(),
        };
        Self { identity, call_id: String::new() }
    }

    /// Refuses a caller whose identity is bound to another tenant or project, and node agents.
    ///
    /// The API's table decides by role; this holds the line should a row of it be wrong.
    pub(crate) fn may_touch(&self, project: &ProjectName) -> Result<()> {
        self.may_touch_tenant(&project.tenant_name())?;
        match &self.identity.project {
            Some(bound) if bound != project.project.as_str() => Err(self.out_of_scope(project)),
            _ => Ok(()),
        }
    }

    /// The same for a whole tenant.
    pub(crate) fn may_touch_tenant(&self, tenant: &TenantName) -> Result<()> {
        let foreign = self.identity.tenant.as_deref().is_some_and(|bound| bound != tenant.tenant.as_str());
        if foreign || self.node().is_some() { Err(self.out_of_scope(tenant)) } else { Ok(()) }
    }

    /// The same for what no tenant owns.
    pub(crate) fn may_touch_region(&self) -> Result<()> {
        if self.identity.tenant.is_some() || self.node().is_some() {
            Err(self.out_of_scope("the region"))
        } else {
            Ok(())
        }
    }

    /// Lets only the agent of this node pass.
    pub(crate) fn must_be_node(&self, node: &NodeName) -> Result<()> {
        if self.node() == Some(node.node.as_str()) { Ok(()) } else { Err(self.out_of_scope(node)) }
    }

    fn node(&self) -> Option<&str> {
        match &self.identity.kind {
            CallerKind::Node { node } => Some(node),
            CallerKind::User | CallerKind::Service => None,
        }
    }

    fn out_of_scope(&self, what: impl std::fmt::Display) -> ControlError {
        let message = format!("{} may not touch {what}: its identity is bound elsewhere", self.identity.subject);
        ControlError::new(Status::PermissionDenied, "OUT_OF_SCOPE", message)
    }

    /// Who it is to grants.
    pub(crate) fn principals(&self) -> Vec<Principal> {
        let me = match self.identity.kind {
            CallerKind::User => Some(Principal::User(self.identity.subject.clone())),
            CallerKind::Service => Some(Principal::Service(self.identity.subject.clone())),
            CallerKind::Node { .. } => None,
        };
        me.into_iter().chain(self.identity.groups.iter().cloned().map(Principal::Group)).collect()
    }
}
