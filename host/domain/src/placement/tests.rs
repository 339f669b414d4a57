use super::*;
use crate::{
    Capability, CapabilityState, ClassName, Labels, ProviderState, Standing,
    provider::{ComponentHealth, Counter, Health, Probe},
};

fn provider(id: &str, total: u64, used: u64) -> Provider {
    let capability = |id: &str| Capability {
        id: id.into(),
        state: CapabilityState::Supported,
        standing: Standing::Declared,
        constraints: Vec::new(),
    };
    Provider {
        name: ProviderName::parse(&format!("providers/{id}")).unwrap(),
        uid: id.into(),
        plugin: "fake".into(),
        plugin_digest: String::new(),
        exchange_digest: String::new(),
        config: "{}".into(),
        endpoints: Default::default(),
        pinned_ranges: Default::default(),
        secrets: Default::default(),
        region: "eu".into(),
        labels: Labels::parse("labels", [("tier".to_owned(), "hot".to_owned())]).unwrap(),
        state: ProviderState::Active,
        state_reason: String::new(),
        capabilities: vec![capability("namespaces.posix")],
        probe: Some(Probe {
            at: UnixMillis(1),
            native_version: "1".into(),
            instance_id: id.into(),
            components: vec![ComponentHealth { component: "io".into(), health: Health::Ok }],
            counters: vec![Counter {
                name: Counter::CAPACITY.into(),
                used,
                limit: Some(total),
                unit: "bytes".into(),
                observed_at: UnixMillis(1),
            }],
        }),
        created_at: UnixMillis(1),
        updated_at: UnixMillis(1),
    }
}

fn class() -> StorageClass {
    StorageClass {
        name: ClassName::parse("storageClasses/fast").unwrap(),
        uid: "c".into(),
        description: String::new(),
        protocols: vec![Protocol::Posix],
        provider_selector: Labels::default(),
        region: String::new(),
        demands: Vec::new(),
        min_quota: None,
        max_quota: None,
        multi_writer: false,
        is_default: true,
        parameters: Labels::default(),
        mount_options: Labels::default(),
        labels: Labels::default(),
        created_at: UnixMillis(1),
        updated_at: UnixMillis(1),
    }
}

fn run(class: &StorageClass, providers: &[Provider], bytes: u64) -> Decision {
    let candidates: Vec<_> =
        providers.iter().map(|provider| Candidate { provider, ledger: Ledger::default() }).collect();
    decide(&Wish { class, protocols: &[Protocol::Posix], bytes: Bytes(bytes) }, &candidates, UnixMillis(7))
}

fn chosen(decision: &Decision) -> Option<String> {
    decision.chosen.as_ref().map(|name| name.provider.to_string())
}

#[test]
fn the_emptiest_wins_and_a_tie_goes_to_the_smaller_name_in_any_order() {
    let mut all = [provider("b", 1000, 100), provider("a", 1000, 100), provider("c", 1000, 500)];
    assert_eq!(chosen(&run(&class(), &all, 10)), Some("a".into()));
    let first = run(&class(), &all, 10);
    all.reverse();
    assert_eq!(run(&class(), &all, 10), first);
}

#[test]
fn each_filter_refuses_with_its_numbers() {
    let refused = |change: fn(&mut Provider), class: &StorageClass, bytes: u64| {
        let mut one = provider("a", 1000, 100);
        change(&mut one);
        let decision = run(class, &[one], bytes);
        assert_eq!(decision.chosen, None);
        let verdict = decision.verdicts[0].filters.last().unwrap().clone();
        assert!(!verdict.passed);
        (verdict.filter, verdict.detail)
    };
    let plain = class();
    assert_eq!(refused(|p| p.state = ProviderState::Cordoned, &plain, 1).0, "cordon");
    assert_eq!(refused(|_| {}, &StorageClass { region: "us".into(), ..class() }, 1).0, "region");
    let cold = Labels::parse("l", [("tier".to_owned(), "cold".to_owned())]).unwrap();
    assert_eq!(refused(|_| {}, &StorageClass { provider_selector: cold, ..class() }, 1).0, "labels");
    let down = |p: &mut Provider| {
        let part = ComponentHealth { component: "io".into(), health: Health::Down("stopped".into()) };
        p.probe.as_mut().unwrap().components.push(part);
    };
    assert_eq!(refused(down, &plain, 1), ("health".into(), "down: stopped".into()));
    assert_eq!(refused(|p| p.capabilities.clear(), &plain, 1).0, "protocols");
    assert_eq!(refused(|_| {}, &StorageClass { demands: vec!["snapshots".into()], ..class() }, 1).0, "demands");
    let (filter, detail) = refused(|_| {}, &plain, 901);
    assert_eq!(filter, "capacity");
    assert!(detail.contains("free 900 B, asked 901 B"), "{detail}");
}

#[test]
fn reservations_count_even_before_they_are_used() {
    let one = provider("a", 1000, 0);
    let ledger = Ledger { reserved: Bytes(950), namespaces: 3 };
    let class = class();
    let wish = Wish { class: &class, protocols: &[], bytes: Bytes(51) };
    assert_eq!(decide(&wish, &[Candidate { provider: &one, ledger }], UnixMillis(1)).chosen, None);
}
