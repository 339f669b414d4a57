//! A plan as commands for a person with a shell.
//!
//! The words are the plan's own: `mount -t <client kind>` with its options, then a bind mount of the one directory that
//! the workload may see. A secret stands as `<handle>`; its value is never shown. Each word is quoted for a POSIX shell.

use stowage_domain::MountName;
use stowage_ports::provider::{AccessMode, Delivery, MountPlan, MountSource, OneMount};

/// The commands, in order. A source that no shell can mount gives none.
pub(crate) fn commands(name: &MountName, plan: &MountPlan) -> Vec<String> {
    let target = |index: usize| format!("/mnt/{}/{}-{index}", name.workload, name.mount_plan);
    plan.mounts.iter().enumerate().flat_map(|(index, mount)| one(plan, mount, &target(index))).collect()
}

fn one(plan: &MountPlan, mount: &OneMount, target: &str) -> Vec<String> {
    let Some((kind, source)) = source(&mount.source) else { return Vec::new() };
    let inside = mount.subpath.trim_matches('/');
    let staged = if inside.is_empty() { target.to_owned() } else { format!("{target}.whole") };
    let mode = if mount.mode == AccessMode::ReadWrite { "rw" } else { "ro" };
    let mut commands = vec![format!("mkdir -p {}", quoted(&staged))];
    match kind {
        Some(kind) => {
            let options = options(plan, mount, mode).join(",");
            let words = [quoted(&kind), quoted(&options), quoted(&source), quoted(&staged)];
            commands.push(format!("mount -t {} -o {} {} {}", words[0], words[1], words[2], words[3]));
        }
        None => commands.push(format!("mount --bind -o {mode} {} {}", quoted(&source), quoted(&staged))),
    }
    if !inside.is_empty() {
        commands.push(format!("mkdir -p {}", quoted(target)));
        let inner = format!("{staged}/{inside}");
        commands.push(format!("mount --bind -o {mode} {} {}", quoted(&inner), quoted(target)));
    }
    commands
}

/// The file system's type and source; no type is a bind mount.
fn source(source: &MountSource) -> Option<(Option<String>, String)> {
    match source {
        MountSource::Client { client_kind, servers, filesystem, .. } => {
            let whole =
                if servers.is_empty() { filesystem.clone() } else { format!("{}/{filesystem}", servers.join(",")) };
            Some((Some(client_kind.clone()), whole))
        }
        MountSource::Nfs { servers, export_path, .. } => {
            Some((Some("nfs".to_owned()), format!("{}:{export_path}", servers.first()?)))
        }
        MountSource::HostPath { root, path } => Some((None, format!("{root}/{path}"))),
        MountSource::Block { .. } | MountSource::Object { .. } | MountSource::Other(_) => None,
    }
}

fn options(plan: &MountPlan, mount: &OneMount, mode: &str) -> Vec<String> {
    let given =
        mount.options.iter().map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}={value}") });
    let secrets = plan.secrets.iter().filter_map(|secret| match &secret.deliver {
        Delivery::OptionKey(key) => Some(format!("{key}=<{}>", secret.handle)),
        Delivery::File(key) => Some(format!("{key}=<file with {}>", secret.handle)),
        Delivery::Environment(_) | Delivery::Other(_) => None,
    });
    let always = [mode.to_owned(), "nosuid".to_owned(), "nodev".to_owned()];
    always.into_iter().chain(given.filter(|option| option != mode)).chain(secrets).collect()
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,=@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use stowage_ports::provider::{EnforcedBy, MountSecret, NativeRef};

    use super::*;

    fn plan(source: MountSource, subpath: &str) -> MountPlan {
        MountPlan {
            native: NativeRef(Vec::new()),
            mounts: vec![OneMount {
                source,
                subpath: subpath.to_owned(),
                mode: AccessMode::ReadOnly,
                enforced_by: EnforcedBy::MountOptionOnly,
                options: vec![("net".to_owned(), "udp".to_owned())],
            }],
            secrets: vec![MountSecret {
                handle: "h1".to_owned(),
                deliver: Delivery::File("auth_token_path".to_owned()),
            }],
            prerequisites: Vec::new(),
            valid_until: None,
            extensions: Vec::new(),
        }
    }

    fn name() -> MountName {
        MountName::parse("tenants/t/projects/p/workloads/w/mountPlans/m").unwrap()
    }

    #[test]
    fn a_client_file_system_is_mounted_and_its_directory_bound() {
        let source = MountSource::Client {
            client_kind: "fastfs".to_owned(),
            servers: vec!["a".to_owned(), "b".to_owned()],
            filesystem: "prod".to_owned(),
            path: String::new(),
        };
        assert_eq!(
            commands(&name(), &plan(source, "x/y")),
            [
                "mkdir -p /mnt/w/m-0.whole",
                "mount -t fastfs -o 'ro,nosuid,nodev,net=udp,auth_token_path=<file with h1>' a,b/prod /mnt/w/m-0.whole",
                "mkdir -p /mnt/w/m-0",
                "mount --bind -o ro /mnt/w/m-0.whole/x/y /mnt/w/m-0",
            ]
        );
    }

    #[test]
    fn a_word_cannot_break_out_of_its_quotes() {
        assert_eq!(quoted("a'; rm -rf /; '"), r"'a'\''; rm -rf /; '\'''");
        let source = MountSource::Client {
            client_kind: "fs".to_owned(),
            servers: Vec::new(),
            filesystem: "$(reboot)".to_owned(),
            path: String::new(),
        };
        assert!(commands(&name(), &plan(source, ""))[1].contains("'$(reboot)'"));
    }
}
