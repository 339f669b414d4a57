//! A node in small: the verbs of node work, run on the emulator's tree.

use stowage_provider_sdk::prelude::*;
use weka_emulator::{Control, Owner};

const MARK_FILE: &str = ".stowage-owner";

/// Runs the steps in order; the first failure stops.
pub(crate) fn run(control: &Control, work: &NodeWork) -> Vec<NodeResult> {
    let MountSource::Client(source) = &work.source else { panic!("{:?}", work.source) };
    assert_eq!((source.client_kind.as_str(), source.path.as_str()), ("wekafs", ""));
    let organization = organization_of(control, &source.filesystem);
    // Outside organization Root nothing is mounted without a token.
    let has_token = work.steps.first().is_some_and(|step| lookup(&step.args, "source.secret.token").is_some());
    assert_eq!(has_token, organization.is_some(), "{work:?}");
    let mut results = Vec::new();
    for step in &work.steps {
        let (values, error) = match one(control, organization.as_deref(), &source.filesystem, step) {
            Ok(values) => (values, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let failed = error.is_some();
        results.push(NodeResult { id: step.id.clone(), values, error });
        if failed {
            break;
        }
    }
    results
}

/// The organization that a filesystem is in, if it is not Root.
fn organization_of(control: &Control, filesystem: &str) -> Option<String> {
    let summary = control.summary();
    let names = summary["organizations"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
    names.filter(|name| name != "Root").find(|name| control.list_tree(Some(name), filesystem, "/").is_ok())
}

fn one(control: &Control, organization: Option<&str>, filesystem: &str, step: &NodeStep) -> Result<Extensions, String> {
    assert!(!step.path.starts_with('/') && !step.path.contains(".."), "{step:?}");
    let path = format!("/{}", step.path);
    let argument = |key| lookup(&step.args, key);
    let mark = || {
        let file = format!("{}/{MARK_FILE}", path.trim_end_matches('/'));
        control.read_file(organization, filesystem, &file).ok().map(|text| String::from_utf8(text).unwrap())
    };
    let entry = || control.list_tree(organization, filesystem, &path).ok().and_then(|all| all.into_iter().next());
    let pair = |key: &str, value: String| (key.to_owned(), value);
    match step.verb.as_str() {
        "stat" => Ok(match entry() {
            None => vec![pair("exists", "false".to_owned())],
            Some(found) => {
                let mut seen = vec![pair("exists", "true".to_owned()), pair("inode", found.inode.to_string())];
                seen.extend(mark().map(|mark| pair("mark", mark)));
                seen
            }
        }),
        "make-directory" => {
            let number = |key| argument(key).map(|text| text.parse().unwrap());
            let perm = argument("mode").map_or(0o755, |text| u32::from_str_radix(text, 8).unwrap());
            let owner = Owner { uid: number("uid").unwrap_or(0), gid: number("gid").unwrap_or(0), perm };
            let inode =
                control.make_dir_in(organization, filesystem, &path, owner).map_err(|error| format!("io: {error}"))?;
            if let Some(wanted) = argument("mark") {
                match mark() {
                    Some(found) if found != wanted => return Err(format!("foreign-mark: bears {found}")),
                    Some(_) => {}
                    None => {
                        let file = format!("{}/{MARK_FILE}", path.trim_end_matches('/'));
                        control
                            .write_file(organization, filesystem, &file, wanted.as_bytes())
                            .map_err(|e| format!("io: {e}"))?;
                    }
                }
            }
            Ok(vec![pair("inode", inode.to_string())])
        }
        "remove-directory" => {
            if entry().is_none() {
                return Ok(vec![pair("removed", "false".to_owned())]);
            }
            let wanted = argument("mark").expect("removal names its mark");
            match mark() {
                Some(found) if found == wanted => {}
                found => return Err(format!("foreign-mark: bears {found:?}")),
            }
            control.remove(organization, filesystem, &path).map_err(|error| format!("io: {error}"))?;
            Ok(vec![pair("removed", "true".to_owned())])
        }
        verb => Err(format!("unsupported-verb: {verb}")),
    }
}
