//! Whoever may reach a listener from another machine speaks TLS with it, and a caller trusts no certificate but the given.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::path::Path;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use stowage_e2e::binaries::{plugins, program};
use stowage_e2e::cli::Cli;
use stowage_e2e::process::Process;
use stowage_e2e::wait;

/// A home that `stowage init` has made, listening there.
fn home(base: &Path, listen: &str) -> std::path::PathBuf {
    let home = base.join("host");
    let made = Command::new(program("stowage")).args(["init", "--listen", listen]).arg(&home).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    home
}

fn serve(home: &Path) -> Command {
    let mut serve = Command::new(program("stowage"));
    serve.arg("serve").arg("--config").arg(home.join("stowage.toml")).env("STOWAGE_PLUGINS_DIR", plugins());
    serve
}

/// Writes an authority, and a certificate of it for loopback with its key.
fn certificates(directory: &Path) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    for (name, text) in [("ca.pem", authority_pem), ("host.pem", own.pem()), ("host.key", key.serialize_pem())] {
        std::fs::write(directory.join(name), text).unwrap();
    }
}

#[test]
fn a_listener_for_other_machines_is_refused_without_tls() {
    let base = tempfile::tempdir().unwrap();
    let home = home(base.path(), "0.0.0.0:0");
    let ended = serve(&home).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("0.0.0.0") && said.contains("certificate and key"), "{said}");
    assert!(!home.join("address").exists(), "it listened");
}

#[test]
fn with_a_certificate_the_caller_that_trusts_its_authority_is_served_and_no_other() {
    let base = tempfile::tempdir().unwrap();
    let home = home(base.path(), "127.0.0.1:0");
    certificates(&home);
    let config = home.join("stowage.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[server.tls]\ncertificate = \"host.pem\"\nkey = \"host.key\"\n")).unwrap();
    let mut host = Process::start("host", serve(&home), base.path());
    let server = wait::until("the host listens", || {
        host.assert_running();
        std::fs::read_to_string(home.join("address")).ok().filter(|text| !text.is_empty())
    });
    assert!(server.starts_with("https://"), "{server}");
    let caller = |server: &str| Cli::new(server, home.join("operator.token"));
    let trusting = format!("provider list --ca-file {}", home.join("ca.pem").display());
    wait::until("the host answers", || {
        host.assert_running();
        caller(&server).run(&trusting).ok.then_some(())
    });
    caller(&server).run(&trusting).success();
    let refused = caller(&server).run("provider list").failure();
    assert!(refused.contains(server.trim_start_matches("https://")), "{refused}");
    let clear = caller(&server.replace("https://", "http://")).run("provider list");
    assert!(!clear.ok, "it was served without TLS: {}", clear.out);
    host.stop();
}
