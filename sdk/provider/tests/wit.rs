//! Holds the contract's rules of growth (`wit/README.md`) by walking every released folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::{collections::BTreeMap, fs, path::PathBuf};

use sha2::{Digest, Sha256};
use wit_parser::{Function, Resolve, Type, TypeDefKind, TypeId};

/// Interfaces that an adapter must export; every other exported one is optional.
const REQUIRED: &[&str] = &["identity", "health"];

/// Variants without `other`, each with the reason.
const CLOSED: &[(&str, &str)] = &[("level", "log levels are these five in every logging system, WASI's included")];

/// Words of single vendors' that may not stand in a name, and words that this contract has neutral ones for.
const VENDOR_WORDS: &[&str] = &[
    "view",
    "vip",
    "vippool",
    "vms",
    "vtask",
    "element-store",
    "fileset",
    "inode-space",
    "ces",
    "gui-node",
    "qtree",
    "svm",
    "vserver",
    "lif",
    "junction",
    "flexvol",
    "eradicate",
    "realm",
    "array",
    "subvolume",
    "subvolumegroup",
    "caps",
    "cephx",
    "mds",
    "rgw",
    "subuser",
    "blocklist",
    "nodemap",
    "nid",
    "project-id",
    "ost",
    "redcli",
    "subtenant",
    "dataset",
    "organization",
    "wekafs",
    "dpdk",
    "frontend-container",
    "svcacct",
    "arn",
    "assume-role",
    "webhook",
    "weka",
    "ceph",
    "vast",
    "ddn",
    "ontap",
    "netapp",
    "flashblade",
    "lustre",
    "infinia",
    "minio",
    "scale",
    "exascaler",
];

fn wit() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit"))
}

/// Every released folder with its name.
fn versions() -> Vec<(String, PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(wit())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn parsed() -> Vec<(String, Resolve)> {
    versions()
        .into_iter()
        .map(|(version, folder)| {
            let mut resolve = Resolve::default();
            resolve.push_path(&folder).unwrap();
            (version, resolve)
        })
        .collect()
}

fn name(resolve: &Resolve, id: TypeId) -> String {
    resolve.types[id].name.clone().unwrap_or_default()
}

/// Follows aliases to the type that they stand for.
fn resolved(resolve: &Resolve, mut id: TypeId) -> TypeId {
    while let TypeDefKind::Type(Type::Id(next)) = &resolve.types[id].kind {
        id = *next;
    }
    id
}

#[test]
fn a_released_folder_has_not_changed() {
    for (version, folder) in versions() {
        let listed: BTreeMap<String, String> = fs::read_to_string(wit().join(format!("{version}.sha256")))
            .unwrap_or_else(|e| panic!("{version} has no list of hashes: {e}"))
            .lines()
            .map(|line| line.split_once("  ").unwrap())
            .map(|(hash, file)| (file.to_owned(), hash.to_owned()))
            .collect();
        let found: BTreeMap<String, String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let hash = Sha256::digest(fs::read(entry.path()).unwrap());
                (entry.file_name().into_string().unwrap(), hash.iter().map(|b| format!("{b:02x}")).collect())
            })
            .collect();
        assert_eq!(found, listed, "{version} is released: a change goes into a folder of a new version");
    }
}

#[test]
fn there_are_no_enums_and_no_flags() {
    for (version, resolve) in parsed() {
        for (id, ty) in resolve.types.iter() {
            let closed = matches!(ty.kind, TypeDefKind::Enum(_) | TypeDefKind::Flags(_));
            assert!(!closed, "{version}: {} can never grow; make it a variant with `other`", name(&resolve, id));
        }
    }
}

#[test]
fn every_variant_ends_with_other_or_has_a_reason() {
    for (version, resolve) in parsed() {
        let mut closed = Vec::new();
        for (id, ty) in resolve.types.iter() {
            let TypeDefKind::Variant(variant) = &ty.kind else { continue };
            let last = variant.cases.last().unwrap();
            if last.name != "other" || last.ty != Some(Type::String) {
                closed.push(name(&resolve, id));
            }
        }
        let allowed: Vec<&str> = CLOSED.iter().map(|(variant, _)| *variant).collect();
        assert_eq!(closed, allowed, "{version}");
    }
}

#[test]
fn every_function_of_an_exported_interface_can_fail_with_the_contracts_error() {
    for (version, resolve) in parsed() {
        let world = resolve.worlds.iter().find(|(_, w)| w.name == "provider").unwrap().1;
        let mut interfaces = 0;
        for (key, _) in &world.exports {
            let wit_parser::WorldKey::Interface(id) = key else { panic!("a function outside an interface") };
            let interface = &resolve.interfaces[*id];
            let interface_name = interface.name.as_deref().unwrap();
            interfaces += 1;
            for (function_name, function) in &interface.functions {
                if interface_name == "identity" {
                    continue;
                }
                let fails = error_of(&resolve, function);
                assert_eq!(fails.as_deref(), Some("error"), "{version}: {interface_name}.{function_name}");
            }
        }
        assert!(interfaces > REQUIRED.len());
        for required in REQUIRED {
            assert!(world.exports.keys().any(|k| resolve.name_world_key(k).contains(&format!("/{required}@"))));
        }
    }
}

/// Name of the error of a function's result.
fn error_of(resolve: &Resolve, function: &Function) -> Option<String> {
    let Some(Type::Id(id)) = function.result else { return None };
    let TypeDefKind::Result(result) = &resolve.types[resolved(resolve, id)].kind else { return None };
    let Some(Type::Id(error)) = result.err else { return None };
    Some(name(resolve, resolved(resolve, error)))
}

#[test]
fn a_change_takes_a_call_first_and_only_a_change_does() {
    for (version, resolve) in parsed() {
        for (_, interface) in resolve.interfaces.iter() {
            for (function_name, function) in &interface.functions {
                let first = function.params.first().and_then(|param| match param.ty {
                    Type::Id(id) => Some(name(&resolve, resolved(&resolve, id))),
                    _ => None,
                });
                let called = first.as_deref() == Some("call");
                let progress = match function.result {
                    Some(Type::Id(id)) => match &resolve.types[resolved(&resolve, id)].kind {
                        TypeDefKind::Result(result) => match result.ok {
                            Some(Type::Id(ok)) => Some(name(&resolve, resolved(&resolve, ok))),
                            _ => None,
                        },
                        _ => None,
                    },
                    _ => None,
                };
                let changes = matches!(progress.as_deref(), Some("progress" | "prepared" | "issue" | "revocation"));
                assert_eq!(called, changes, "{version}: {:?}.{function_name}", interface.name);
            }
        }
    }
}

#[test]
fn no_name_is_a_vendors_word() {
    for (version, resolve) in parsed() {
        let mut names = Vec::new();
        for (id, ty) in resolve.types.iter() {
            names.push(name(&resolve, id));
            match &ty.kind {
                TypeDefKind::Record(record) => names.extend(record.fields.iter().map(|f| f.name.clone())),
                TypeDefKind::Variant(variant) => names.extend(variant.cases.iter().map(|c| c.name.clone())),
                _ => {}
            }
        }
        for (_, interface) in resolve.interfaces.iter() {
            names.extend(interface.name.clone());
            for (function_name, function) in &interface.functions {
                names.push(function_name.clone());
                names.extend(function.params.iter().map(|p| p.name.clone()));
            }
        }
        for found in names {
            let padded = format!("-{found}-");
            let word = VENDOR_WORDS.iter().find(|word| padded.contains(&format!("-{word}-")));
            assert_eq!(word, None, "{version}: {found}");
        }
    }
}

#[test]
fn the_sdk_names_every_optional_function_when_it_is_unsupported() {
    let (_, resolve) = parsed().pop().unwrap();
    let world = resolve.worlds.iter().find(|(_, w)| w.name == "provider").unwrap().1;
    for key in world.exports.keys() {
        let wit_parser::WorldKey::Interface(id) = key else { continue };
        let interface = &resolve.interfaces[*id];
        let interface_name = interface.name.as_deref().unwrap();
        if REQUIRED.contains(&interface_name) {
            continue;
        }
        let source = format!("{}/src/adapter/{interface_name}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = fs::read_to_string(source).unwrap();
        for function in interface.functions.keys() {
            let expected = format!("unsupported(\"{interface_name}.{function}\")");
            assert!(source.contains(&expected), "the default of {interface_name}.{function} does not name it");
        }
    }
}
