//! The compatibility gate of `make lint` lets the contract pass and stops a removed field.
//!
//! The gate is buf against the checked-in image `released/stowage-v1.binpb`. `make tools` installs buf; `STOWAGE_BUF` names
//! another one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const RELEASED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/released/stowage-v1.binpb");

fn buf() -> PathBuf {
    std::env::var_os("STOWAGE_BUF").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/stowage/tools/node_modules/.bin/buf"),
        PathBuf::from,
    )
}

/// The same command as in the Makefile.
fn gate(contract: &Path) -> Output {
    Command::new(buf())
        .args(["breaking", "--against", RELEASED, "--path", "stowage/v1"])
        .current_dir(contract)
        .output()
        .expect("buf does not run: `make tools` installs it, or name one in STOWAGE_BUF")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn contract() -> tempfile::TempDir {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    copy(&here.join("stowage"), &dir.path().join("stowage"));
    copy(&here.join("third_party"), &dir.path().join("third_party"));
    fs::copy(here.join("buf.yaml"), dir.path().join("buf.yaml")).unwrap();
    dir
}

#[test]
fn the_contract_is_compatible_with_the_released_one() {
    let answer = gate(contract().path());
    assert!(
        answer.status.success(),
        "{}{}",
        String::from_utf8_lossy(&answer.stdout),
        String::from_utf8_lossy(&answer.stderr)
    );
}

#[test]
fn the_gate_stops_a_removed_field() {
    let dir = contract();
    let file = dir.path().join("stowage/v1/namespaces.proto");
    let text = fs::read_to_string(&file).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("string physical_id = 16")).collect();
    assert_eq!(kept.len() + 1, text.lines().count());
    fs::write(&file, kept.join("\n")).unwrap();
    let answer = gate(dir.path());
    let said = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(!answer.status.success() && said.contains("physical_id"), "{said}");
}
