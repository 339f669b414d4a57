//! From a plan's client kind to a command line that this node allows.
//!
//! The plan carries words; the program and the shape of its arguments come from the node's configuration. `nosuid` and
//! `nodev` are always there. An option that the configuration does not list is refused by name, not dropped: a mount with
//! other options than the plan says would be a lie.

use std::path::Path;

use crate::config::ClientKind;

/// What a plan asks of a client kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMount {
    /// Kind.
    pub kind: String,
    /// Servers; may be empty.
    pub servers: Vec<String>,
    /// File system.
    pub filesystem: String,
    /// Read-only.
    pub read_only: bool,
    /// Options; an empty value is a bare key.
    pub options: Vec<(String, String)>,
}

/// Why a plan becomes no command line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ClientRefusal {
    /// The kind is not configured.
    #[error("client kind {0:?} is not configured on this node: add [clients.{0}] to its configuration")]
    UnknownKind(String),
    /// The option is not allowed.
    #[error(
        "option {option:?} is not allowed for client kind {kind:?}: add it to allowed_options or drop it from the plan"
    )]
    Option {
        /// The kind.
        kind: String,
        /// The option.
        option: String,
    },
    /// A word has a character that would change the command line's meaning.
    #[error("{what} {word:?} has a character that is not allowed in a mount command")]
    Word {
        /// Which word.
        what: &'static str,
        /// The word.
        word: String,
    },
}

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program.
    pub program: std::path::PathBuf,
    /// Arguments; those that hold secrets are given in the options and never logged.
    pub arguments: Vec<String>,
}

/// Builds the command that mounts `order` at `target`.
pub fn command(
    kind: Option<&ClientKind>,
    order: &ClientMount,
    secrets: &[(String, String)],
    target: &Path,
) -> Result<CommandLine, ClientRefusal> {
    let kind = kind.ok_or_else(|| ClientRefusal::UnknownKind(order.kind.clone()))?;
    let mut options =
        vec![if order.read_only { "ro" } else { "rw" }.to_owned(), "nosuid".to_owned(), "nodev".to_owned()];
    for (key, value) in order.options.iter().chain(secrets) {
        if matches!(key.as_str(), "ro" | "rw" | "nosuid" | "nodev") || kind.options.contains_key(key) {
            continue;
        }
        if !kind.allowed_options.contains(key) {
            return Err(ClientRefusal::Option { kind: order.kind.clone(), option: key.clone() });
        }
        options.push(option(key, value)?);
    }
    for (key, value) in &kind.options {
        options.push(option(key, value)?);
    }
    for server in &order.servers {
        word("server", server, "/,")?;
    }
    word("file system", &order.filesystem, "/,")?;
    let template = if order.servers.is_empty() { &kind.source } else { &kind.source_with_servers };
    let source = template.replace("{servers}", &order.servers.join(",")).replace("{filesystem}", &order.filesystem);
    let mut arguments = kind.arguments.clone();
    arguments.extend(["-o".to_owned(), options.join(","), source, target.display().to_string()]);
    Ok(CommandLine { program: kind.program.clone(), arguments })
}

fn option(key: &str, value: &str) -> Result<String, ClientRefusal> {
    word("option", key, ",=/")?;
    if value.is_empty() {
        return Ok(key.to_owned());
    }
    word("option value", value, ",")?;
    Ok(format!("{key}={value}"))
}

fn word(what: &'static str, word: &str, forbidden: &str) -> Result<(), ClientRefusal> {
    let bad = |c: char| c.is_control() || c.is_whitespace() || forbidden.contains(c) || matches!(c, '\\' | '"' | '\'');
    if word.is_empty() || word.starts_with('-') || word.chars().any(bad) {
        return Err(ClientRefusal::Word { what, word: word.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind() -> ClientKind {
        ClientKind {
            program: "/usr/bin/mount".into(),
            arguments: vec!["-t".into(), "wekafs".into()],
            source_with_servers: "{servers}/{filesystem}".into(),
            source: "{filesystem}".into(),
            allowed_options: vec!["readcache".into(), "num_cores".into(), "token".into()],
            options: [("net".to_owned(), "udp".to_owned())].into(),
        }
    }

    fn order() -> ClientMount {
        ClientMount {
            kind: "wekafs".into(),
            servers: vec!["10.0.0.1".into(), "10.0.0.2".into()],
            filesystem: "gpuaas-fs".into(),
            read_only: true,
            options: vec![("readcache".into(), String::new()), ("num_cores".into(), "2".into())],
        }
    }

    #[test]
    fn the_command_has_the_plan_s_words_in_the_node_s_shape() {
        let line = command(Some(&kind()), &order(), &[("token".into(), "t0k".into())], Path::new("/mnt/x")).unwrap();
        assert_eq!(line.program, Path::new("/usr/bin/mount"));
        assert_eq!(
            line.arguments,
            [
                "-t",
                "wekafs",
                "-o",
                "ro,nosuid,nodev,readcache,num_cores=2,token=t0k,net=udp",
                "10.0.0.1,10.0.0.2/gpuaas-fs",
                "/mnt/x"
            ]
        );
        let local = ClientMount { servers: vec![], ..order() };
        let line = command(Some(&kind()), &local, &[], Path::new("/mnt/x")).unwrap();
        assert_eq!(line.arguments.get(4).map(String::as_str), Some("gpuaas-fs"));
    }

    #[test]
    fn a_program_as_client_kind_is_unknown() {
        let error =
            command(None, &ClientMount { kind: "/bin/sh".into(), ..order() }, &[], Path::new("/m")).unwrap_err();
        assert_eq!(error, ClientRefusal::UnknownKind("/bin/sh".into()));
    }

    #[test]
    fn options_that_are_not_listed_are_refused_by_name() {
        for key in ["suid", "dev", "exec_helper", "uid"] {
            let order = ClientMount { options: vec![(key.into(), String::new())], ..order() };
            let error = command(Some(&kind()), &order, &[], Path::new("/m")).unwrap_err();
            assert_eq!(error, ClientRefusal::Option { kind: "wekafs".into(), option: key.into() });
        }
    }

    #[test]
    fn words_cannot_smuggle_options_or_arguments() {
        for value in ["2,suid", "a b", "x\n", "\"q\""] {
            let order = ClientMount { options: vec![("num_cores".into(), value.into())], ..order() };
            assert!(matches!(command(Some(&kind()), &order, &[], Path::new("/m")), Err(ClientRefusal::Word { .. })));
        }
        for filesystem in ["../etc", "a/b", "-o", "", "a,b"] {
            let order = ClientMount { filesystem: filesystem.into(), ..order() };
            assert!(matches!(command(Some(&kind()), &order, &[], Path::new("/m")), Err(ClientRefusal::Word { .. })));
        }
    }

    #[test]
    fn a_plan_cannot_lift_nosuid_nodev_or_read_only() {
        let order = ClientMount { options: vec![("rw".into(), String::new())], ..order() };
        let line = command(Some(&kind()), &order, &[], Path::new("/m")).unwrap();
        assert!(line.arguments.contains(&"ro,nosuid,nodev,net=udp".to_owned()));
    }
}
