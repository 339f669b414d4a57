//! Credentials as callers see them.

use stowage_domain::{CredentialName, ProjectName};
use stowage_store::Segments;

use super::Credential;
use crate::{Caller, Control, Listed, PageRequest, Result, Stored, rows::Reads};

impl Control {
    /// One credential, never its secret.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OUT_OF_SCOPE`.
    pub async fn get_credential(&self, caller: &Caller, name: &CredentialName) -> Result<Stored<Credential>> {
        caller.may_touch(&name.project_name())?;
        self.tables.read::<Credential>(name).await
    }

    /// Credentials that were issued to a project, by name.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`, a wrong page token.
    pub async fn list_credentials(
        &self,
        caller: &Caller,
        project: &ProjectName,
        page: PageRequest,
    ) -> Result<Listed<Stored<Credential>>> {
        caller.may_touch(project)?;
        let prefix = Segments::of([project.tenant.as_str(), project.project.as_str()]);
        self.tables.list::<Credential>(&prefix, &page).await
    }
}
