//! What the adapter says of itself before it is admitted.

use serde_json::{Value as Json, json};
use stowage_provider_sdk::prelude::{Capability, Describe, Description, Flow, Identity, Matcher, Value};

use crate::Weka;
use crate::config::SCHEMA;
use crate::exchanges::{
    ACCESS_TOKEN, ADMIN, ALL, CONTROL, EXPIRES_IN, LOGIN, LOGIN_FLOW, PARENT, REFRESH, REFRESH_TOKEN, S3_ENDPOINT,
};
use crate::node_steps::CLIENT_KIND;
use stowage_provider_sdk::exchange::At;

const DOC: &str = "Namespaces on WEKA 4.2 to 5.x over REST v2: directories with quotas in a shared filesystem, or a \
                   filesystem each; over directories also S3 buckets, with temporary and long-lived credentials. It needs an account with the role ClusterAdmin or OrgAdmin, a filesystem made for \
                   Stowage, and nodes with a WEKA client. Directories are made by nodes, because the API has no mkdir. \
                   It never touches the filesystems default, s3-data, s3-config and .config_fs.";

/// Seconds that a login lives when its answer does not say [WEKA REST guide].
const DEFAULT_LOGIN_S: u32 = 300;

impl Identity for Weka {
    fn describe() -> Description {
        // The schema is a constant that a test parses.
        let schema: Json = serde_json::from_str(SCHEMA).unwrap_or_default();
        let described = Describe::new("weka", "WEKA", env!("CARGO_PKG_VERSION"))
            .doc(DOC)
            .config_schema(&schema)
            .endpoint(
                CONTROL,
                true,
                "The cluster's REST API: one URL for each backend, https and port 14000 as a rule; the host tries them in turn.",
            )
            .secret(ADMIN, &["username", "password"], true, "An account of the organization, role ClusterAdmin or OrgAdmin.")
            .endpoint(
                S3_ENDPOINT,
                false,
                "The cluster's S3 service, port 9000 as a rule. Needed only where temporary credentials cannot be had over REST.",
            )
            .host_made_secret(
                PARENT,
                &["username", "password"],
                "Keys of a parent S3 user: its name, and a password that the host makes. Each parent has its own.",
            )
            .exchanges(ALL)
            .auth_flow(login())
            .client_kind(CLIENT_KIND);
        declared().into_iter().fold(described, Describe::capability).build()
    }
}

fn login() -> Flow {
    let body = json!({ "username": "", "password": "", "org": "{org}" });
    Flow::new(LOGIN_FLOW, &LOGIN, &body, ACCESS_TOKEN)
        .login_slot(&[At::Pointer("/username")], "username")
        .login_slot(&[At::Pointer("/password")], "password")
        .refresh(&REFRESH, &json!({ "refresh_token": "" }), REFRESH_TOKEN)
        .expires_in(EXPIRES_IN, DEFAULT_LOGIN_S)
        .expired_when(vec![Matcher::Status(401)])
        .locked_out_when(vec![Matcher::StatusAndBody((403, "locked out".to_owned()))])
}

/// What holds for every cluster; the probe says the rest.
fn declared() -> Vec<Capability> {
    vec![
        Capability::supported("namespaces.posix"),
        Capability::supported("namespaces.s3"),
        Capability::supported("quota.hard").with("quota.rounding-bytes", Value::Number(crate::limits::ROUNDING)),
        Capability::unsupported("quota.inodes"),
        Capability::supported("usage"),
        Capability::supported("mounts.node"),
        Capability::supported("mounts.csi"),
        Capability::supported("mounts.multi-writer"),
        Capability::unsupported("mounts.detach"),
        Capability::supported("audit"),
    ]
    .into_iter()
    .chain(crate::s3::capabilities::declared())
    .collect()
}

#[cfg(test)]
mod tests {
    use stowage_provider_sdk::contract::http::Step;

    use super::*;

    #[test]
    fn the_schema_is_json_and_names_every_field_of_the_configuration() {
        let schema: Json = serde_json::from_str(SCHEMA).unwrap();
        let mut all = serde_json::Map::new();
        for (name, property) in schema["properties"].as_object().unwrap() {
            all.insert(name.clone(), property.get("default").cloned().unwrap_or(Json::Null));
        }
        all.insert("filesystem".to_owned(), "x".into());
        all.remove("mount");
        all.remove("s3");
        all.remove("poll");
        serde_json::from_value::<crate::config::Config>(Json::Object(all)).unwrap();
    }

    #[test]
    fn one_login_serves_every_exchange_and_its_tokens_never_come_in() {
        let description = Weka::describe();
        let flow = description.auth_flows.first().unwrap();
        assert_eq!((flow.login_exchange.as_str(), flow.refresh_exchange.as_deref()), ("login", Some("login.refresh")));
        assert_eq!(flow.token_at, [Step::JsonPointer("/data/access_token".to_owned())]);
        let login = description.exchanges.iter().find(|exchange| exchange.id == "login").unwrap();
        assert!(login.sensitive.iter().any(|place| place.at == flow.token_at));
        assert!(login.sensitive.iter().any(|place| Some(&place.at) == flow.refresh_token_at.as_ref()));
        assert!(flow.login_slots.iter().all(|(at, _)| login.slots.contains(at)));
    }

    #[test]
    fn every_declared_exchange_goes_to_the_declared_endpoint() {
        let description = Weka::describe();
        let known = |purpose: &str| description.endpoints.iter().any(|need| need.purpose == purpose);
        assert!(description.exchanges.iter().all(|exchange| known(&exchange.purpose)));
    }
}
