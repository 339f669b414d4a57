//! What the fake says of itself.

use stowage_provider_sdk::prelude::*;

use crate::{Fake, config::schema};

/// Asks a backend for a sign of life.
pub(crate) const PING: Exchange =
    Exchange::new("ping").get("control", "/ping").safe().doc("Asks for a sign of life; sent when `ping` is set.");

/// Asks for a key; the secret parts stay with the host.
pub(crate) const MAKE_KEY: Exchange = Exchange::new("keys.make")
    .post("control", "/keys/{id}")
    .idempotent()
    .sensitive(&[(&[At::Pointer("/secret")], Keep::Sealed), (&[At::Pointer("/token")], Keep::Sealed)])
    .doc("Makes a key; sent when `key_exchange` is set. The host takes its secret and token out of the answer.");

const DOC: &str = "\
A provider without a backend, for demos and tests. Everything it makes is kept in the provider's own state; with \
`node_directories` (the default) nodes also make a real directory for each namespace beneath the root that their \
configuration calls `root`, and mount it by binding it. It shares that root among all tenants, so the node is trusted \
with it, and quotas are booked but do not stop a writer unless the root's own filesystem does.

Any outcome and any error of the contract can be had on demand: by the label `fake.create=pending:3` on a namespace (`pending:N`, \
`needs-node`, `partial:WHAT`, `other:WORD`, `error:KIND`, `ambiguous-after-apply`, `times:N:...`), by `faults` in the \
configuration for any function, and by `show` for any state.

Without `key_exchange` the secrets of issued keys are names that no host can open.";

impl Identity for Fake {
    fn describe() -> Description {
        Describe::new("fake", "Stowage", env!("CARGO_PKG_VERSION"))
            .doc(DOC)
            .config_schema(&schema())
            .endpoint("control", false, "For `ping` and `key_exchange` only.")
            .exchanges(&[&PING, &MAKE_KEY])
            .capability(
                Capability::supported("namespaces.posix")
                    .with("quota.latency", Value::Text("immediate".to_owned()))
                    .with("isolation.server-enforced", Value::Flag(false)),
            )
            .capability(Capability::supported("namespaces.s3").with("isolation.server-enforced", Value::Flag(true)))
            .capability(Capability::supported("tenants"))
            .capability(Capability::supported("snapshots"))
            .capability(Capability::supported("mounts.node-mount"))
            .capability(Capability::supported("mounts.multi-writer"))
            .capability(Capability::supported("mounts.detach"))
            .capability(
                Capability::supported("credentials.session")
                    .with("session.modes", Value::Set(vec!["parent-key".to_owned()])),
            )
            .capability(
                Capability::supported("credentials.access-key").with("key.expiry", Value::Text("optional".to_owned())),
            )
            .capability(Capability::supported("policy").with("policy.dialect", Value::Text("iam-json".to_owned())))
            .capability(Capability::supported("audit"))
            .build()
    }
}
