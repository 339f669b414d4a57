//! The example of the README: a platform service in Python makes a namespace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::process::Command;

use stowage_e2e::Region;

#[test]
fn python_with_grpcio_makes_a_namespace() {
    let python = std::env::var("STOWAGE_PYTHON").expect("no Python with grpcio: run by `make test`");
    let mut region = Region::start("live-4.4.22");
    region.add_fake();
    region.add_node("node-a");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/create_namespace.py");
    let run = |namespace: &str, bytes: &str| {
        Command::new(&python)
            .args([
                script,
                "tenants/acme/projects/vision",
                namespace,
                "--class",
                "storageClasses/cheap",
                "--bytes",
                bytes,
            ])
            .args(["--server", region.server.trim_start_matches("http://"), "--token-file"])
            .arg(region.directory().join("host/operator.token"))
            .output()
            .expect("python")
    };
    let made = run("from-python", "1048576");
    let said = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(made.status.success(), "{said}{}", String::from_utf8_lossy(&made.stderr));
    assert!(said.contains("namespaces/from-python is NAMESPACE_STATE_READY on providers/fake"), "{said}");

    let refused = run("too-big", "1099511627776");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("RESOURCE_EXHAUSTED"), "{said}");
}
