//! Reading namespaces, and changing what the provider need not know.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use stowage_audit::Outcome;
use stowage_domain::{Decision, Grant, GrantName, Labels, Namespace, NamespaceName, Principal, ProjectName};
use stowage_store::{Cursor, Segments, Transaction};

use crate::{
    Caller, Control, ControlError, Listed, PageRequest, Result, Stored, Update, WriteOptions,
    rows::{Placement, Reads, Request, SHARED_INTO, Writes},
};

/// Changes that need no operation.
#[derive(Debug, Clone, Default)]
pub struct NamespaceChanges {
    /// Labels.
    pub labels: Update<Labels>,
    /// Whether a delete is refused.
    pub deletion_protection: Update<bool>,
}

/// A namespace of another project, and the grants that make it visible.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedNamespace {
    /// The namespace.
    pub namespace: Stored<Namespace>,
    /// Active grants.
    pub grants: Vec<GrantName>,
}

impl Control {
    /// One namespace.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OUT_OF_SCOPE`.
    pub async fn get_namespace(&self, caller: &Caller, name: &NamespaceName) -> Result<Stored<Namespace>> {
        caller.may_touch(&name.project_name())?;
        self.tables.read::<Namespace>(name).await
    }

    /// Why a namespace stands where it stands. A row of its own: few ask, and it is larger than the namespace.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OUT_OF_SCOPE`.
    pub async fn get_placement(&self, caller: &Caller, name: &NamespaceName) -> Result<Decision> {
        caller.may_touch(&name.project_name())?;
        Ok(self.tables.read::<Placement>(name).await?.value.decision)
    }

    /// The namespaces that a project owns, by name.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`, a wrong page token.
    pub async fn list_namespaces(
        &self,
        caller: &Caller,
        project: &ProjectName,
        page: PageRequest,
    ) -> Result<Listed<Stored<Namespace>>> {
        caller.may_touch(project)?;
        let prefix = Segments::of([project.tenant.as_str(), project.project.as_str()]);
        self.tables.list::<Namespace>(&prefix, &page).await
    }

    /// Namespaces of other projects on which the project, its workloads or the caller hold active grants, by name.
    ///
    /// # Errors
    /// `OUT_OF_SCOPE`, a wrong page token.
    pub async fn list_shared_namespaces(
        &self,
        caller: &Caller,
        project: &ProjectName,
        page: PageRequest,
    ) -> Result<Listed<SharedNamespace>> {
        caller.may_touch(project)?;
        let after = match page.token.as_str() {
            "" => None,
            token => Some(shared_token(token).ok_or_else(|| {
                ControlError::field("page_token", "does not belong to this list: start again without one")
            })?),
        };
        let mut consumers = vec![Principal::Project(project.clone())];
        consumers.extend(caller.principals());
        let limit = page.limit();
        let now = self.now();
        let mut found: BTreeMap<NamespaceName, Vec<GrantName>> = BTreeMap::new();
        for consumer in &consumers {
            let mut cursor = after.as_ref().map(|name| shared_cursor(&consumer.text(), name)).transpose()?;
            let mut mine = 0;
            // One more than the page from each range: what the merge cuts off is found again by the next page.
            while mine <= limit {
                let prefix = Segments::of([consumer.text()]);
                let entries = self.tables.entries(SHARED_INTO, &prefix, cursor.as_ref(), limit + 1).await?;
                for (_, text, _) in &entries.items {
                    let name = GrantName::parse(text)?;
                    let namespace = name.namespace_name();
                    if namespace.project_name() == *project {
                        continue;
                    }
                    if self.tables.find::<Grant>(&name).await?.is_some_and(|grant| grant.value.active_at(now)) {
                        let grants = found.entry(namespace).or_default();
                        mine += usize::from(grants.is_empty());
                        grants.push(name);
                    }
                }
                cursor = entries.next;
                if cursor.is_none() {
                    break;
                }
            }
        }
        let more = found.len() > limit;
        let mut items = Vec::new();
        let mut next = String::new();
        for (name, mut grants) in found.into_iter().take(limit) {
            if more {
                next = URL_SAFE_NO_PAD.encode(name.to_string());
            }
            if let Some(namespace) = self.tables.find::<Namespace>(&name).await? {
                grants.sort();
                grants.dedup();
                items.push(SharedNamespace { namespace, grants });
            }
        }
        Ok(Listed { items, next })
    }

    /// Changes labels or protection.
    ///
    /// # Errors
    /// `NOT_FOUND`, `ETAG_MISMATCH`.
    pub async fn update_namespace(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        changes: NamespaceChanges,
        options: WriteOptions,
    ) -> Result<Stored<Namespace>> {
        let request = Request::new(caller, &options, "update-namespace", &(name, &changes), self.now())?;
        loop {
            let stored = self.get_namespace(caller, name).await?;
            if request.answered(&self.tables).await?.is_some() {
                return Ok(stored);
            }
            stored.check_etag(options.etag.as_deref(), name)?;
            let mut namespace = stored.value;
            changes.labels.clone().apply(&mut namespace.labels);
            changes.deletion_protection.clone().apply(&mut namespace.deletion_protection);
            namespace.updated_at = self.now();
            if options.validate_only {
                return Ok(Stored { value: namespace, version: stored.version });
            }
            let mut change = Transaction::new();
            change.update(&namespace, stored.version);
            request.claim(&mut change, name);
            self.audit(&mut change, caller, "storage.namespace.update", name, Outcome::Done, "");
            match change.commit(&self.tables).await {
                Ok(version) => return Ok(Stored { value: namespace, version }),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn shared_token(token: &str) -> Option<NamespaceName> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    NamespaceName::parse(std::str::from_utf8(&bytes).ok()?).ok()
}

/// Behind every grant on that namespace: a grant's id begins with a letter, which sorts below `~`.
fn shared_cursor(consumer: &str, after: &NamespaceName) -> Result<Cursor> {
    let key = Segments::of([SHARED_INTO.0, consumer, &after.to_string(), "~"]);
    Ok(Cursor::from_token(&URL_SAFE_NO_PAD.encode(key.key()))?)
}
