//! The adapter behind the port, bound to the emulator through the way out that the host has.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use stowage_egress::{Egress, EgressLimits, EndpointBinding, Redactor};
use stowage_plugin::{AdmitOptions, Binding, CallLimits, Engine, EngineOptions};
use stowage_ports::provider::{CallContext, Provider};
use stowage_ports::{SecretName, SystemClock};

use super::made::MemorySecrets;
use crate::adapter::{self, MemoryState};
use crate::emulator::{ADMIN, Emulator, FILESYSTEM};

/// Id of the provider.
pub(super) const PROVIDER: &str = "weka";
const ADMIN_SECRET: &str = "providers/weka/admin";

/// The provider's configuration.
pub(super) fn config(emulator: &Emulator) -> Value {
    json!({
        "isolation": "directory",
        "filesystem": FILESYSTEM,
        "mount": { "client": "stateless", "backends": ["10.0.0.10"] },
        "poll": { "quota_ms": 50 },
        "s3": { "endpoint": emulator.s3 },
    })
}

/// Binds it, with these secrets beside the administrator's login.
pub(super) async fn bind(emulator: &Emulator, secrets: MemorySecrets) -> Result<Arc<dyn Provider>> {
    let engine = Engine::new(EngineOptions::default())?;
    let admitted = engine.admit(&adapter::component("weka")?, AdmitOptions::default()).await?;
    let clock = Arc::new(SystemClock);
    let way = |purpose: &str, url: &str| EndpointBinding {
        purpose: purpose.to_owned(),
        urls: vec![url.to_owned()],
        plain_http: true,
        ..EndpointBinding::default()
    };
    let binding = stowage_egress::Binding {
        provider: PROVIDER.to_owned(),
        description: admitted.description().clone(),
        endpoints: vec![way("control", &emulator.rest), way("s3", &emulator.s3)],
        secret_names: [("admin".to_owned(), SecretName::parse(ADMIN_SECRET)?)].into(),
        limits: EgressLimits::default(),
        forbidden: Vec::new(),
        redactor: Redactor::default(),
    };
    let secrets = Arc::new(secrets.with_login(ADMIN_SECRET, ADMIN));
    let binding = Binding {
        provider: PROVIDER.to_owned(),
        config: config(emulator),
        exchange: Egress::bind(binding, secrets, clock.clone()).await?,
        state: Arc::new(MemoryState::open()),
        clock,
        limits: CallLimits::default(),
    };
    engine.bind(&admitted, binding).context("binding the WEKA adapter")
}

/// The context of a call.
pub(super) fn context() -> CallContext {
    CallContext { request_id: "bench".to_owned(), deadline: None, safe_only: false }
}
