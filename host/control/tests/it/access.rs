//! Who is who: tokens of the file, of nodes, and the one-time join.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use sha2::{Digest, Sha256};
use stowage_control::{CreateNode, JoinNode, NodeReport, TokenAuthenticator, TokenFile, WriteOptions};
use stowage_domain::{Labels, NodeId, NodeName};
use stowage_ports::{AuthError, Authenticator, CallerKind, Role, Store};

use crate::support::{Agent, Way, World, operator};

async fn authenticator(world: &World, file: TokenFile) -> TokenAuthenticator {
    let store = Arc::clone(&world.store) as Arc<dyn Store>;
    TokenAuthenticator::new(file, stowage_store::schema::open(store, &[]).await.unwrap())
}

fn read(text: &str) -> Result<TokenFile, String> {
    let directory =
        std::env::temp_dir().join(format!("stowage-tokens-{}-{:x}", std::process::id(), rand::random::<u64>()));
    std::fs::write(&directory, text).unwrap();
    let file = TokenFile::read(&directory).map_err(|error| error.to_string());
    std::fs::remove_file(&directory).unwrap();
    file
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_file_is_its_entry_and_any_other_is_invalid() {
    let world = World::new(Way::Direct).await;
    let hash = hex::encode(Sha256::digest(b"correct horse battery staple 0123"));
    let file = format!(
        r#"{{"tokens": [{{"sha256": "{hash}", "subject": "platform", "kind": "service", "roles": ["platform"], "groups": ["g"]}}]}}"#
    );
    let authenticator = authenticator(&world, read(&file).unwrap()).await;
    let ask = async |token: &str| authenticator.authenticate(&SecretString::from(token.to_owned())).await;
    let known = ask("correct horse battery staple 0123").await.unwrap();
    assert_eq!(
        (known.subject.as_str(), known.kind, known.roles),
        ("platform", CallerKind::Service, vec![Role::Platform])
    );
    assert_eq!(ask("correct horse battery staple 0124").await, Err(AuthError::Invalid));
    assert_eq!(ask(&hash).await, Err(AuthError::Invalid), "the hash itself is no token");
    assert_eq!(ask("").await, Err(AuthError::Missing));
}

#[test]
fn a_wrong_token_file_names_the_entry_and_the_fix() {
    let entry = |fields: &str| format!(r#"{{"tokens": [{{"subject": "a", "kind": "user", {fields}}}]}}"#);
    let good = "0".repeat(64);
    for (fields, expected) in [
        (r#""sha256": "secret-in-clear""#.to_owned(), "64 hex digits"),
        (format!(r#""sha256": "{good}", "project": "p""#), "project needs tenant"),
        (format!(r#""sha256": "{good}", "tenant": "T""#), "tenant is no id"),
        (format!(r#""sha256": "{good}", "tenant": "t", "roles": ["operator"]"#), "roles of the whole region"),
        (format!(r#""sha256": "{good}", "token": "x""#), "unknown field"),
    ] {
        let error = read(&entry(&fields)).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_join_token_works_once_for_one_agent_and_only_its_hash_is_kept() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let command = CreateNode { id: NodeId::parse("n2").unwrap(), addresses: Vec::new(), labels: Labels::default() };
    let created = live.control.create_node(&operator(), command, WriteOptions::default()).await.unwrap();
    let token = created.join_token.unwrap();
    let node = NodeName::parse("nodes/n2").unwrap();
    let join = |nonce: &str, token: &SecretString| {
        let command = JoinNode {
            node: node.clone(),
            join_token: token.clone(),
            nonce: nonce.to_owned(),
            agent_version: "1".into(),
        };
        live.control.join_node(command)
    };
    let wrong: SecretString = "stwj_wrong".to_owned().into();
    assert_eq!(join("0123456789abcdef", &wrong).await.unwrap_err().reason(), "JOIN_REFUSED");
    let first = join("0123456789abcdef", &token).await.unwrap();
    // The answer was lost: the same agent asks again, and only the newest token counts.
    let second = join("0123456789abcdef", &token).await.unwrap();
    assert_eq!(join("another-agent-here", &token).await.unwrap_err().reason(), "JOIN_REFUSED");
    let authenticator = authenticator(&world, TokenFile::default()).await;
    assert_eq!(authenticator.authenticate(&first.token).await, Err(AuthError::Invalid));
    let identity = authenticator.authenticate(&second.token).await.unwrap();
    assert_eq!(identity.kind, CallerKind::Node { node: "n2".into() });
    // Used once, the join is over.
    let agent = Agent::new("n2", Arc::clone(&world.backend));
    let report = NodeReport {
        node: node.clone(),
        agent_version: "1".into(),
        boot_id: "b".into(),
        source_roots: Vec::new(),
        clients: Vec::new(),
        mounts: Vec::new(),
    };
    live.control.report_node(&agent.caller(), report).await.unwrap();
    assert_eq!(join("0123456789abcdef", &token).await.unwrap_err().reason(), "JOIN_REFUSED");
    // A node that is forgotten is nobody.
    live.control.delete_node(&operator(), &node, WriteOptions::default()).await.unwrap();
    assert_eq!(authenticator.authenticate(&second.token).await, Err(AuthError::Invalid));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_join_token_ends_with_its_time() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let command = CreateNode { id: NodeId::parse("n2").unwrap(), addresses: Vec::new(), labels: Labels::default() };
    let created = live.control.create_node(&operator(), command, WriteOptions::default()).await.unwrap();
    tokio::time::advance(Duration::from_secs(3601)).await;
    let command = JoinNode {
        node: NodeName::parse("nodes/n2").unwrap(),
        join_token: created.join_token.unwrap(),
        nonce: "0123456789abcdef".into(),
        agent_version: "1".into(),
    };
    assert_eq!(live.control.join_node(command).await.unwrap_err().reason(), "JOIN_REFUSED");
    live.stop().await;
}
