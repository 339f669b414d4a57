//! What a provider is bound with: secrets that the host makes, and the addresses that its endpoints may lead to.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use stowage_control::{Control, CreateProvider, ProviderChanges, Update, WriteOptions};
use stowage_domain::{Labels, ProviderId, ProviderName, provider::EndpointBinding};
use stowage_ports::{SecretName, Secrets as _};

use crate::support::{Way, World, operator};

fn second(secrets: &[(&str, &str)]) -> CreateProvider {
    let endpoint = EndpointBinding { urls: vec!["https://backend.test".into()], ..EndpointBinding::default() };
    CreateProvider {
        id: ProviderId::parse("second").unwrap(),
        plugin: "model".into(),
        plugin_digest: String::new(),
        config: "{}".into(),
        endpoints: [("control".to_owned(), endpoint)].into(),
        secrets: secrets.iter().map(|(need, name)| ((*need).to_owned(), (*name).to_owned())).collect(),
        region: "here".into(),
        labels: Labels::default(),
    }
}

fn name() -> ProviderName {
    ProviderName::parse("providers/second").unwrap()
}

async fn bind(control: &Control, secrets: &[(&str, &str)]) {
    control.create_provider(&operator(), second(secrets), WriteOptions::default()).await.unwrap();
}

async fn made(world: &World, secret: &str, field: &str) -> Option<String> {
    let secret = SecretName::parse(secret).unwrap();
    world.secrets.get(&secret, field).await.ok().map(|value| value.expose_secret().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_secret_declared_as_made_by_the_host_is_made_at_bind_kept_and_deleted_with_the_provider() {
    let world = World::new(Way::Direct).await;
    let robot = "made/second/robot";
    let live = world.open_without_agent(None).await;
    let dry = WriteOptions { validate_only: true, ..WriteOptions::default() };
    live.control.create_provider(&operator(), second(&[]), dry).await.unwrap();
    assert_eq!(made(&world, robot, "password").await, None, "a dry run makes nothing");
    bind(&live.control, &[]).await;
    assert_eq!(made(&world, robot, "username").await.as_deref(), Some("robot"));
    let password = made(&world, robot, "password").await.unwrap();
    assert!(password.len() >= 32);
    assert_ne!(made(&world, "made/model/robot", "password").await.unwrap(), password, "each provider has its own");
    let principal = live.control.make_principal_secret(&name(), "sw-a1b2c3d4").await.unwrap();
    let of_principal = made(&world, principal.as_str(), "password").await.unwrap();
    live.stop().await;

    let live = world.open_without_agent(None).await;
    let change = ProviderChanges { labels: Update::Set(Labels::default()), ..ProviderChanges::default() };
    live.control.update_provider(&operator(), &name(), change, WriteOptions::default()).await.unwrap();
    assert_eq!(made(&world, robot, "password").await.as_ref(), Some(&password), "what the backend knows stays");
    assert_eq!(live.control.make_principal_secret(&name(), "sw-a1b2c3d4").await.unwrap(), principal);
    assert_eq!(made(&world, principal.as_str(), "username").await.as_deref(), Some("sw-a1b2c3d4"));
    assert_eq!(made(&world, principal.as_str(), "password").await, Some(of_principal));
    live.control.delete_provider(&operator(), &name(), WriteOptions::default()).await.unwrap();
    assert_eq!(made(&world, robot, "password").await, None);
    assert_eq!(made(&world, principal.as_str(), "password").await, None);
    assert!(made(&world, "made/model/robot", "password").await.is_some(), "another provider's stay");
    bind(&live.control, &[]).await;
    assert_ne!(made(&world, robot, "password").await, Some(password), "a new provider has a new one");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_the_operator_has_bound_is_not_made() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    bind(&live.control, &[("robot", "providers/second/robot")]).await;
    assert_eq!(made(&world, "made/second/robot", "password").await, None);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_could_not_reach_the_secrets_is_finished_by_the_next_start() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    bind(&live.control, &[]).await;
    world.secrets.set_broken(true);
    live.control.delete_provider(&operator(), &name(), WriteOptions::default()).await.unwrap();
    world.secrets.set_broken(false);
    assert!(made(&world, "made/second/robot", "password").await.is_some());
    live.stop().await;
    let live = world.open_without_agent(None).await;
    assert_eq!(made(&world, "made/second/robot", "password").await, None);
    assert!(made(&world, "made/model/robot", "password").await.is_some());
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_dials_after_a_restart_what_its_names_led_to_when_it_was_bound() {
    let world = World::new(Way::Direct).await;
    let pins = |range: &str| BTreeMap::from([("control".to_owned(), vec![range.to_owned()])]);
    let dialled = || world.names.dialled.lock().unwrap().last().cloned();
    let lead_to = |range: &str| range.clone_into(&mut world.names.lead_to.lock().unwrap());
    lead_to("10.0.0.1/32");
    let live = world.open_without_agent(None).await;
    bind(&live.control, &[]).await;
    live.stop().await;

    lead_to("10.6.6.6/32");
    let live = world.open_without_agent(None).await;
    let mode = stowage_ports::provider::ProbeMode::ReadOnly;
    live.control.probe_provider(&operator(), &name(), mode.clone()).await.unwrap();
    assert_eq!(dialled(), Some(pins("10.0.0.1/32")), "a changed name is not followed");
    let change = ProviderChanges { labels: Update::Set(Labels::default()), ..ProviderChanges::default() };
    live.control.update_provider(&operator(), &name(), change, WriteOptions::default()).await.unwrap();
    let kept = live.control.get_provider(&operator(), &name()).await.unwrap().value;
    assert_eq!(kept.pinned_ranges, pins("10.0.0.1/32"), "a change of something else pins nothing");

    let change = ProviderChanges { endpoints: Update::Set(kept.endpoints), ..ProviderChanges::default() };
    live.control.update_provider(&operator(), &name(), change, WriteOptions::default()).await.unwrap();
    live.control.probe_provider(&operator(), &name(), mode).await.unwrap();
    assert_eq!(dialled(), Some(pins("10.6.6.6/32")), "naming the endpoints again accepts it");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_hangs_does_not_keep_the_others_from_being_probed() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    bind(&live.control, &[]).await;
    live.stop().await;
    // By name, the one that hangs comes first.
    let hanging = ProviderName::parse("providers/model").unwrap();
    *world.names.hangs.lock().unwrap() = Some(hanging.clone());
    let live = world.open_without_agent(None).await;
    let seen = async |name: &ProviderName| {
        live.control.get_provider(&operator(), name).await.unwrap().value.probe.map(|probe| probe.at)
    };
    let mut last = seen(&name()).await;
    let silent = seen(&hanging).await;
    for _ in 0..3 {
        tokio::time::sleep(std::time::Duration::from_secs(61)).await;
        let now = seen(&name()).await;
        assert!(now > last, "the other was not probed: {now:?}");
        last = now;
    }
    assert_eq!(seen(&hanging).await, silent);
    live.stop().await;
}
