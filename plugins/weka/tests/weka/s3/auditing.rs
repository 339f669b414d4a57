//! Where the S3 service sends its events.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::contract::types::SecretRef;
use stowage_provider_sdk::prelude::*;

use super::{CONFIG, ready};
use crate::bench::{Bench, kind};

const URL: &str = "https://audit.example:8443/v1/weka";

fn push(bearer: bool) -> audit::Target {
    let bearer = bearer.then(|| SecretRef { name: "made/weka/audit".to_owned(), field: "password".to_owned() });
    audit::Target::PushHttp(audit::Push { url: URL.to_owned(), bearer })
}

fn configure(bench: &Bench, target: &audit::Target) -> Result<NativeRef> {
    bench.settle("op-1", |call| Weka::configure(call, target.clone()))
}

#[test]
pub(crate) fn events_are_sent_to_the_receiver_with_a_token_that_the_adapter_never_sees() {
    let bench = ready();
    bench.host.give("made/weka/audit", "audit", "Bearer the-receivers-token");
    assert_eq!(bench.call(Weka::configured).unwrap(), audit::Target::None);
    configure(&bench, &push(true)).unwrap();
    let sent = &bench.requests("POST", "/auditWebhook/enable")[0].body;
    assert_eq!(sent["endpoint"], URL);
    let audit::Target::PushHttp(now) = bench.call(Weka::configured).unwrap() else { panic!() };
    assert_eq!((now.url.as_str(), now.bearer), (URL, None));
    configure(&bench, &push(true)).unwrap();
    configure(&bench, &audit::Target::None).unwrap();
    assert_eq!(bench.call(Weka::configured).unwrap(), audit::Target::None);
    configure(&bench, &audit::Target::None).unwrap();
    assert_eq!(bench.requests("POST", "/auditWebhook/disable").len(), 1, "off stays off");
}

#[test]
fn a_target_that_cannot_be_had_is_told_by_its_field() {
    let bench = ready();
    assert_eq!(kind(configure(&bench, &push(false))), "Invalid");
    let elsewhere = audit::Target::PushHttp(audit::Push {
        url: "ftp://x".to_owned(),
        bearer: Some(SecretRef { name: "made/weka/audit".to_owned(), field: "password".to_owned() }),
    });
    assert_eq!(kind(configure(&bench, &elsewhere)), "Invalid");
    assert_eq!(kind(configure(&bench, &audit::Target::PullLog)), "Unsupported");
    assert_eq!(kind(configure(&bench, &audit::Target::PushSyslog("x".to_owned()))), "Unsupported");
    assert!(bench.changes().is_empty());
    let bench = Bench::configured(CONFIG);
    bench.host.give("made/weka/audit", "audit", "Bearer the-receivers-token");
    assert_eq!(kind(configure(&bench, &push(true))), "NotReady");
    configure(&bench, &audit::Target::None).unwrap();
    assert_eq!(bench.call(Weka::configured).unwrap(), audit::Target::None, "readable without any container");
}
