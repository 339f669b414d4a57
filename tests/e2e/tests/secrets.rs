//! No secret is in any log, state, cache or configuration that the region leaves on disk, but in the secret stores.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use serde_json::Value;
use stowage_e2e::Region;
use stowage_e2e::region::ADMIN;

fn holds(path: &Path, needle: &[u8]) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn walk(directory: &Path, seen: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(&entry.path(), seen);
        } else if kind.is_file() {
            seen(&entry.path());
        }
    }
}

#[test]
fn the_password_and_the_session_tokens_are_nowhere_but_in_the_secret_store() {
    let mut region = Region::start("live-4.4.22");
    region.add_weka();
    region.add_node("node-a");
    region.operator.run("ns create acme/vision/quiet --class scratch --quota 1MiB").success();
    let preflight = region.operator.run("provider preflight weka -o json").success();
    let requests = region.emulator("GET", "/admin/requests", &Value::Null);
    let mut secrets = vec![ADMIN.1.to_owned()];
    let bearers = requests.as_array().unwrap().iter().filter_map(|request| {
        let header = request["headers"]["authorization"].as_str().or_else(|| request["authorization"].as_str())?;
        header.strip_prefix("Bearer ").map(str::to_owned)
    });
    secrets.extend(bearers);
    assert!(secrets.len() > 1, "the emulator's log has the session tokens: {requests}");
    for secret in &secrets {
        assert!(!preflight.contains(secret.as_str()), "the report shows a secret");
    }
    let home = region.directory().join("host");
    let mut files = 0;
    walk(region.directory(), &mut |path| {
        files += 1;
        if path.starts_with(home.join("secrets")) {
            return;
        }
        for secret in &secrets {
            assert!(!holds(path, secret.as_bytes()), "{} holds a secret", path.display());
        }
    });
    assert!(files > 10, "the walk saw the region's files");
}
