//! Storage classes: what users may ask for.

use serde::{Deserialize, Serialize};

use crate::{Bytes, ClassName, FieldError, Labels, Limits, Protocol, UnixMillis};

/// A kind of storage on offer; selects providers and sets bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageClass {
    /// Its name.
    pub name: ClassName,
    /// Never used again, unlike the name.
    pub uid: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Protocols that its namespaces have.
    pub protocols: Vec<Protocol>,
    /// Labels that a provider must bear.
    #[serde(default)]
    pub provider_selector: Labels,
    /// Region that a provider must stand in; empty for any.
    #[serde(default)]
    pub region: String,
    /// Capabilities that a provider must have.
    #[serde(default)]
    pub demands: Vec<String>,
    /// Smallest hard limit.
    #[serde(default)]
    pub min_quota: Option<Bytes>,
    /// Largest hard limit.
    #[serde(default)]
    pub max_quota: Option<Bytes>,
    /// Whether several nodes may mount one namespace for writing.
    #[serde(default)]
    pub multi_writer: bool,
    /// Whether a namespace that names no class gets this one.
    #[serde(default)]
    pub is_default: bool,
    /// Handed to the adapter with every namespace.
    #[serde(default)]
    pub parameters: Labels,
    /// Mount options that plans of this class ask for.
    #[serde(default)]
    pub mount_options: Labels,
    /// The operator's own.
    #[serde(default)]
    pub labels: Labels,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}

impl StorageClass {
    /// Checks the class by itself.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<(), FieldError> {
        if self.protocols.is_empty() {
            return Err(FieldError::new("storage_class.protocols", "must name at least one protocol"));
        }
        if let (Some(min), Some(max)) = (self.min_quota, self.max_quota)
            && min > max
        {
            let rule = format!("{} must not be above max_quota_bytes, {}", min.0, max.0);
            return Err(FieldError::new("storage_class.min_quota_bytes", rule));
        }
        if let Some(bad) = self.demands.iter().find(|demand| demand.is_empty() || demand.len() > 100) {
            let rule = format!("{bad:?} must be a capability's id, such as isolation.server-enforced");
            return Err(FieldError::new("storage_class.required_capabilities", rule));
        }
        Ok(())
    }

    /// Checks that limits are within the class's bounds.
    ///
    /// # Errors
    /// Names `quota.hard_bytes` and the bound.
    pub fn admits(&self, limits: &Limits) -> Result<(), FieldError> {
        let asked = limits.hard_bytes;
        let bound = match (self.min_quota, self.max_quota) {
            (Some(min), _) if asked < min => format!("at least {} ({min})", min.0),
            (_, Some(max)) if asked > max => format!("at most {} ({max})", max.0),
            _ => return Ok(()),
        };
        Err(FieldError::new("quota.hard_bytes", format!("{} must be {bound} in {}", asked.0, self.name)))
    }
}
