//! Where and how the host listens: TLS, Unix sockets, and what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use stowage_api::{ApiConfig, Listen, ListenerError, PageKey, ServeError, Tls, bind};
use stowage_client::{Client, ConnectError, Target, proto::ListTenantsRequest};
use stowage_ports::Role;
use support::{Host, identity};

fn config(listen: Listen, tls: Option<Tls>) -> ApiConfig {
    ApiConfig { listen, tls, page_key: PageKey::new([7; 32]), drain: Duration::from_secs(1) }
}

fn root() -> [stowage_ports::CallerIdentity; 1] {
    [identity("root", &[Role::Operator], None, None)]
}

#[tokio::test]
async fn an_open_address_without_tls_is_refused_before_it_is_taken() {
    let refused = bind(config(Listen::Tcp("0.0.0.0:0".parse().unwrap()), None)).await.err().unwrap();
    assert!(matches!(refused, ServeError::Listener(ListenerError::TlsNeeded(_))), "{refused}");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = bind(config(Listen::Tcp("127.0.0.1:0".parse().unwrap()), None)).await.unwrap();
    let refused = bind(config(first.address().clone(), None)).await.err().unwrap().to_string();
    assert!(refused.contains(&first.address().to_string()), "{refused}");
}

#[tokio::test]
async fn a_client_that_trusts_the_certificate_gets_through_and_another_does_not() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls { certificate_pem: key.cert.pem(), key_pem: SecretString::from(key.signing_key.serialize_pem()) };
    let host = Host::start_with(&root(), config(Listen::Tcp("127.0.0.1:0".parse().unwrap()), Some(tls))).await;
    let uri = host.uri.replace("http://127.0.0.1", "https://localhost");
    let trusting = Target::new(&uri).with_token(host.token("root")).with_ca(key.cert.pem());
    let client = Client::connect(trusting).await.unwrap();
    client.tenants().list_tenants(ListTenantsRequest::default()).await.unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let doubting = Target::new(&uri).with_token(host.token("root")).with_ca(other.cert.pem());
    assert!(matches!(Client::connect(doubting).await, Err(ConnectError::Unreachable { .. })));
}

#[tokio::test]
async fn a_unix_socket_serves_and_the_file_of_a_dead_host_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("stowage.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listen = Listen::Unix(path.clone());
    let host = Host::start_with(&root(), config(listen.clone(), None)).await;
    let target = Target::new(format!("unix://{}", path.display())).with_token(host.token("root"));
    let client = Client::connect(target).await.unwrap();
    client.tenants().list_tenants(ListTenantsRequest::default()).await.unwrap();
    let refused = bind(config(listen, None)).await.err().unwrap().to_string();
    assert!(refused.contains("a host answers on this socket"), "{refused}");
}
