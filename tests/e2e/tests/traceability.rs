//! `docs/traceability.md` tells the truth: every row names an RPC of the contract, a function of the WIT and a test that
//! exist, or says `deferred` or `—` in so many words.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

struct Row {
    line: usize,
    requirement: String,
    rpc: String,
    wit: String,
    test: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join("docs/traceability.md")).unwrap();
    let cells =
        |line: &str| line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let table =
        text.lines().enumerate().filter(|(_, line)| line.starts_with("| ") && !line.starts_with("| requirement"));
    table
        .map(|(line, text)| {
            let cells = cells(text);
            assert_eq!(cells.len(), 4, "line {}: a row has four cells", line + 1);
            let [requirement, rpc, wit, test] = <[String; 4]>::try_from(cells).unwrap();
            Row { line: line + 1, requirement, rpc, wit, test }
        })
        .collect()
}

/// The words of a cell in backticks; none for `—` and for a cell that begins with `deferred`.
fn words(cell: &str) -> Vec<&str> {
    if cell == "—" || cell.starts_with("deferred") {
        return Vec::new();
    }
    cell.split('`').skip(1).step_by(2).collect()
}

fn sources(extension: &str) -> Vec<String> {
    let listed =
        std::process::Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(root()).output();
    let listed = String::from_utf8(listed.expect("git").stdout).unwrap();
    let files = listed.lines().filter(|path| path.ends_with(extension));
    files.filter_map(|path| std::fs::read_to_string(root().join(path)).ok()).collect()
}

#[test]
fn no_cell_is_empty_and_every_row_has_a_test_or_is_deferred() {
    let rows = rows();
    assert!(rows.len() > 30, "the table is there");
    for row in rows {
        for cell in [&row.requirement, &row.rpc, &row.wit, &row.test] {
            assert!(!cell.is_empty(), "line {}: a cell is empty", row.line);
            let says =
                cell == &row.requirement || cell == "—" || cell.starts_with("deferred") || !words(cell).is_empty();
            assert!(says, "line {}: {cell:?} names nothing in backticks", row.line);
        }
        assert!(row.test != "—", "line {}: a test or `deferred`", row.line);
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let sources = sources(".rs").join("\n");
    for row in rows() {
        for test in words(&row.test) {
            assert!(sources.contains(&format!("fn {test}(")), "line {}: there is no test {test}", row.line);
        }
    }
}

#[test]
fn every_rpc_that_is_named_is_in_the_contract_and_every_rpc_of_the_contract_is_named() {
    let contract: BTreeSet<String> = stowage_proto::descriptors()
        .services()
        .filter(|service| service.package_name() == "stowage.v1")
        .flat_map(|service| service.methods().map(|method| method.name().to_owned()).collect::<Vec<_>>())
        .collect();
    let mut named = BTreeSet::new();
    for row in rows() {
        for rpc in words(&row.rpc) {
            assert!(contract.contains(rpc), "line {}: the contract has no RPC {rpc}", row.line);
            named.insert(rpc.to_owned());
        }
    }
    let missing: Vec<_> = contract.difference(&named).collect();
    assert!(missing.is_empty(), "no row names {missing:?}");
}

#[test]
fn every_wit_function_that_is_named_exists() {
    let wit = sources(".wit").join("\n");
    for row in rows() {
        for function in words(&row.wit) {
            let name = function.rsplit('.').next().unwrap_or(function);
            assert!(wit.contains(&format!("{name}: func(")), "line {}: the WIT has no function {function}", row.line);
        }
    }
}
