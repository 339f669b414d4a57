//! What an operator does around the story: look, change, cordon, list, take away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use serde_json::Value;
use stowage_client::{Client, Failure, Target, proto as v1};
use stowage_e2e::Region;
use tonic::Code;

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_provider_shows_what_it_can_and_how_full_it_is() {
    let region = Region::start("live-4.4.22");
    region.add_weka();
    let provider = region.operator.json("provider get weka");
    assert_eq!(provider["health"], "HEALTH_STATE_OK", "{provider}");
    assert_eq!(provider["nativeVersion"], "4.4.22");
    let capabilities = region.operator.json("provider capabilities weka");
    let basis = |id: &str| {
        let found = capabilities.as_array().unwrap().iter().find(|capability| capability["id"] == id);
        found.unwrap_or_else(|| panic!("no {id}: {capabilities}"))["basis"].clone()
    };
    assert_eq!(basis("namespaces.posix"), "CAPABILITY_BASIS_PROBED");
    let counters = region.operator.json("provider counters weka");
    let filesystems = counters.as_array().unwrap().iter().find(|counter| counter["counter"] == "filesystems").unwrap();
    assert_eq!((&filesystems["used"], &filesystems["limit"]), (&Value::from("5"), &Value::from("1024")));
}

#[test]
fn a_cordoned_provider_takes_no_new_namespace_until_it_is_uncordoned() {
    let mut region = Region::start("live-4.4.22");
    region.add_fake();
    region.add_node("node-a");
    region.operator.run("provider cordon fake --reason 'moving out'").success();
    let refused = region.operator.run("ns create acme/vision/x --class cheap --quota 1MiB").failure();
    assert!(refused.contains("cordon"), "{refused}");
    region.operator.run("provider uncordon fake").success();
    region.operator.run("ns create acme/vision/x --class cheap --quota 1MiB").success();
}

#[test]
fn what_is_in_use_is_kept_and_what_is_empty_goes() {
    let mut region = Region::start("live-4.4.22");
    region.add_fake();
    region.add_node("node-a");
    region.operator.run("ns create acme/vision/x --class cheap --quota 1MiB").success();
    for line in ["provider remove fake", "class delete cheap", "project delete acme/vision", "tenant delete acme"] {
        let refused = region.operator.run(line).failure();
        assert!(refused.contains("namespace") || refused.contains("project"), "{line}: {refused}");
    }
    region.operator.run("ns delete acme/vision/x --purge").success();
    for line in ["class delete cheap", "provider remove fake"] {
        region.operator.run(line).success();
    }
    assert_eq!(names(&region.operator.json("provider list")), Vec::<String>::new());
    assert!(region.operator.run("class get cheap").failure().contains("cheap"));
}

#[test]
fn lists_show_what_is_there_and_operations_newest_first() {
    let mut region = Region::start("live-4.4.22");
    region.add_fake();
    region.add_node("node-a");
    for name in ["one", "two"] {
        region.operator.run(&format!("ns create acme/vision/{name} --class cheap --quota 1MiB")).success();
    }
    region.operator.run("ns update acme/vision/one --label team=a --deletion-protection true").success();
    let one = region.operator.json("ns get acme/vision/one");
    assert_eq!((&one["labels"]["team"], &one["deletionProtection"]), (&Value::from("a"), &Value::from(true)));
    let refused = region.operator.run("ns delete acme/vision/one --purge").failure();
    assert!(refused.contains("protect"), "{refused}");

    let namespaces = names(&region.operator.json("ns list acme/vision"));
    assert_eq!(namespaces.len(), 2);
    assert_eq!(names(&region.operator.json("node list")), ["nodes/node-a"]);
    assert_eq!(names(&region.operator.json("class list")), ["storageClasses/cheap"]);
    let operations = region.operator.json("op list");
    let of = |index: usize| operations[index]["metadata"]["resource"].as_str().unwrap().to_owned();
    assert!(of(0).ends_with("/two") && of(1).ends_with("/one"), "{operations}");
    assert_eq!(region.operator.json("op list --unfinished"), Value::Array(vec![]));
}

#[test]
fn completion_knows_the_nouns() {
    let region = Region::start("live-4.4.22");
    let script = region.operator.run("completion bash").success();
    for noun in ["provider", "workload", "grant", "mount"] {
        assert!(script.contains(noun), "no {noun} in the completion");
    }
}

#[test]
fn a_provider_is_rebound_field_by_field_and_a_wrong_value_changes_nothing() {
    let region = Region::start("live-4.4.22");
    region.add_fake();
    let update = |provider: v1::Provider| v1::UpdateProviderRequest {
        provider: Some(v1::Provider { name: "providers/fake".to_owned(), ..provider }),
        ..Default::default()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let token = std::fs::read_to_string(region.directory().join("host/operator.token")).unwrap();
        let target = Target::new(&region.server).with_token(token.trim().to_owned());
        let mut providers = Client::connect_lazy(&target).unwrap().providers();
        let labels = [("tier".to_owned(), "gold".to_owned())].into();
        let labelled = v1::Provider { labels, ..Default::default() };
        let changed = providers.update_provider(update(labelled)).await.unwrap().into_inner();
        assert_eq!(changed.labels["tier"], "gold");
        assert_eq!(changed.plugin, "plugins/fake", "what is not named stays");
        assert!(changed.config.is_some());

        let repinned = v1::Provider { plugin_digest: format!("sha256:{}", "0".repeat(64)), ..Default::default() };
        let refused = Failure::from(providers.update_provider(update(repinned)).await.unwrap_err());
        assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "DIGEST_MISMATCH"));
        let secrets = [("admin".to_owned(), "../up".to_owned())].into();
        let referring = v1::Provider { secrets, ..Default::default() };
        let refused = Failure::from(providers.update_provider(update(referring)).await.unwrap_err());
        assert_eq!(
            (refused.code, refused.fields[0].field.as_str()),
            (Code::InvalidArgument, "provider.secrets[admin]")
        );
        let stale = v1::Provider { etag: "1".to_owned(), region: String::new(), ..changed.clone() };
        let refused = Failure::from(providers.update_provider(update(stale)).await.unwrap_err());
        assert_eq!(refused.reason, "ETAG_MISMATCH");

        let request = v1::GetProviderRequest { name: "providers/fake".to_owned() };
        let kept = providers.get_provider(request).await.unwrap().into_inner();
        assert_eq!(
            (&kept.plugin_digest, &kept.labels, &kept.secrets),
            (&changed.plugin_digest, &changed.labels, &changed.secrets)
        );
    });
}
