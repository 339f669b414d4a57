//! Short names on the command line: `acme/vision/train` is `tenants/acme/projects/vision/namespaces/train`.
//!
//! A name that is written out whole is taken as it is, so names can be pasted from any output.

use anyhow::bail;

/// A full name from its last parts, one for each collection.
pub(crate) fn full(collections: &[&str], text: &str) -> anyhow::Result<String> {
    let parts: Vec<_> = text.split('/').collect();
    if parts.len() == collections.len() * 2 && parts.iter().step_by(2).zip(collections).all(|(a, b)| a == b) {
        return Ok(text.to_owned());
    }
    if parts.len() != collections.len() || parts.iter().any(|part| part.is_empty()) {
        let singular = |c: &&str| c.trim_end_matches('s').to_uppercase();
        let form = collections.iter().map(singular).collect::<Vec<_>>().join("/");
        bail!("{text:?} is not a name: write {form}, or the full name");
    }
    Ok(collections.iter().zip(parts).map(|(c, p)| format!("{c}/{p}")).collect::<Vec<_>>().join("/"))
}

/// A full name, split into its parent and its last part.
pub(crate) fn split(collections: &[&str], text: &str) -> anyhow::Result<(String, String)> {
    let name = full(collections, text)?;
    let mut parts: Vec<_> = name.split('/').collect();
    let last = parts.pop().unwrap_or_default().to_owned();
    parts.pop();
    Ok((parts.join("/"), last))
}

pub(crate) const PROVIDER: &[&str] = &["providers"];
pub(crate) const DRIFT: &[&str] = &["providers", "drifts"];
pub(crate) const PLUGIN: &[&str] = &["plugins"];
pub(crate) const CLASS: &[&str] = &["storageClasses"];
pub(crate) const TENANT: &[&str] = &["tenants"];
pub(crate) const PROJECT: &[&str] = &["tenants", "projects"];
pub(crate) const NAMESPACE: &[&str] = &["tenants", "projects", "namespaces"];
pub(crate) const GRANT: &[&str] = &["tenants", "projects", "namespaces", "grants"];
pub(crate) const CREDENTIAL: &[&str] = &["tenants", "projects", "credentials"];
pub(crate) const WORKLOAD: &[&str] = &["tenants", "projects", "workloads"];
pub(crate) const PLAN: &[&str] = &["tenants", "projects", "workloads", "mountPlans"];
pub(crate) const NODE: &[&str] = &["nodes"];
pub(crate) const OPERATION: &[&str] = &["operations"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_full_names_mean_the_same() {
        let full_name = "tenants/acme/projects/vision/namespaces/train";
        assert_eq!(full(NAMESPACE, "acme/vision/train").unwrap(), full_name);
        assert_eq!(full(NAMESPACE, full_name).unwrap(), full_name);
        let (parent, id) = split(NAMESPACE, "acme/vision/train").unwrap();
        assert_eq!((parent.as_str(), id.as_str()), ("tenants/acme/projects/vision", "train"));
        assert_eq!(split(PROVIDER, "weka").unwrap(), (String::new(), "weka".to_owned()));
    }

    #[test]
    fn a_wrong_name_says_its_form() {
        for text in ["train", "a//b", "a/b/c/d"] {
            let error = full(NAMESPACE, text).unwrap_err().to_string();
            assert!(error.contains("TENANT/PROJECT/NAMESPACE"), "{error}");
        }
    }
}
