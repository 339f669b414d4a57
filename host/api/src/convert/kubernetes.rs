//! A plan as a PersistentVolume and a claim for each mount.
//!
//! The adapter names the CSI driver and its volume handles under the registered keys `csi.driver`, `csi.volume-handle`,
//! `csi.access-mode`, `csi.read-only` and `csi.mount-options`; the second and further mounts have `csi.1.volume-handle` and
//! so on. The capacity in the manifests is nominal, since the provider enforces the namespace's quota. Values are written
//! as JSON strings, which YAML reads as they are.

use stowage_domain::MountName;
use stowage_ports::provider::MountPlan;

/// Kubernetes asks for a capacity; a volume and its claim must agree on it.
const NOMINAL: &str = "1Gi";

/// The manifests; empty when the adapter named no driver.
pub(crate) fn manifests(name: &MountName, plan: &MountPlan) -> String {
    let value = |key: &str| plan.extensions.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str());
    let Some(driver) = value("csi.driver") else { return String::new() };
    let options: Vec<&str> =
        value("csi.mount-options").into_iter().flat_map(|all| all.split(',')).filter(|one| !one.is_empty()).collect();
    let mut documents = String::new();
    for index in 0..plan.mounts.len().max(1) {
        let key = |word: &str| if index == 0 { format!("csi.{word}") } else { format!("csi.{index}.{word}") };
        let Some(handle) = value(&key("volume-handle")) else { continue };
        let volume = Volume {
            name: format!("{}-{}-{index}", name.workload, name.mount_plan),
            driver,
            handle,
            access_mode: value(&key("access-mode")).unwrap_or("ReadWriteMany"),
            read_only: value(&key("read-only")) == Some("true"),
            options: &options,
        };
        documents.push_str(&volume.documents());
    }
    documents
}

struct Volume<'a> {
    name: String,
    driver: &'a str,
    handle: &'a str,
    access_mode: &'a str,
    read_only: bool,
    options: &'a [&'a str],
}

impl Volume<'_> {
    fn documents(&self) -> String {
        let (name, mode) = (text(&self.name), text(self.access_mode));
        let options: String = self.options.iter().map(|option| format!("    - {}\n", text(option))).collect();
        let options = if options.is_empty() { options } else { format!("  mountOptions:\n{options}") };
        format!(
            "---\napiVersion: v1\nkind: PersistentVolume\nmetadata:\n  name: {name}\nspec:\n  capacity:\n    storage: {NOMINAL}\n  \
             accessModes: [{mode}]\n  persistentVolumeReclaimPolicy: Retain\n  storageClassName: \"\"\n{options}  csi:\n    \
             driver: {}\n    volumeHandle: {}\n    readOnly: {}\n\
             ---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {name}\nspec:\n  accessModes: [{mode}]\n  \
             storageClassName: \"\"\n  volumeName: {name}\n  resources:\n    requests:\n      storage: {NOMINAL}\n",
            text(self.driver),
            text(self.handle),
            self.read_only,
        )
    }
}

fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

#[cfg(test)]
mod tests {
    use stowage_ports::provider::NativeRef;

    use super::*;

    fn plan(extensions: &[(&str, &str)]) -> MountPlan {
        MountPlan {
            native: NativeRef(Vec::new()),
            mounts: Vec::new(),
            secrets: Vec::new(),
            prerequisites: Vec::new(),
            valid_until: None,
            extensions: extensions.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        }
    }

    fn name() -> MountName {
        MountName::parse("tenants/t/projects/p/workloads/w/mountPlans/m").unwrap()
    }

    #[test]
    fn a_volume_and_its_claim_bind_to_each_other() {
        let text = manifests(
            &name(),
            &plan(&[
                ("csi.driver", "csi.example.com"),
                ("csi.volume-handle", "dir/v1/prod/a\nb: c"),
                ("csi.access-mode", "ReadOnlyMany"),
                ("csi.read-only", "true"),
                ("csi.mount-options", "a=1,b"),
            ]),
        );
        insta::assert_snapshot!(text);
    }

    #[test]
    fn without_a_driver_there_is_nothing_to_apply() {
        assert_eq!(manifests(&name(), &plan(&[("csi.volume-handle", "x")])), "");
    }
}
