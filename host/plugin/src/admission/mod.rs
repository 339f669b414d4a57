//! Reads a component once, before anything of it runs for a tenant.
//!
//! In order, so that the cheap and telling checks come first: size, digest, world, compilation (or the cache), linking,
//! what it needs of the pool, `describe` under tight limits, the description's rules, the approved table of exchanges, the
//! configuration. The outcome is [`Admitted`], and nothing of it changes afterwards.

mod config;
mod description;
mod nothing;
mod signature;
mod world;

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use stowage_ports::provider::Description;
use wasmtime::component::{Component, InstancePre};

pub use world::supported_range;

use crate::call::{Budget, CallState, Identity, Meter, classify, run};
use crate::convert::{FromGuest as _, Reader};
use crate::engine::Engine;
use crate::error::AdmitError;
use crate::limits::CallLimits;
use crate::provider::{Functions, describe};
use config::Schema;

/// What the operator pinned.
#[derive(Debug, Clone, Default)]
pub struct AdmitOptions {
    /// SHA-256 of the component in lower-case hexadecimal, with or without `sha256:` before it.
    pub expected_digest: Option<String>,
    /// The approved table of exchanges.
    pub approved: Option<Approved>,
    /// Checked against the plugin's schema here already, when given; always checked when it is bound.
    pub config: Option<serde_json::Value>,
    /// What a call of it may use; admission checks that the component fits.
    pub limits: CallLimits,
}

/// The table of exchanges that the operator approved.
#[derive(Debug, Clone)]
pub struct Approved {
    /// Its digest.
    pub digest: String,
    /// How a table is digested: the way out says what belongs to it (`stowage_egress::exchange_table_digest`).
    pub of: fn(&Description) -> String,
}

/// A component that may be bound. A clone is the same component.
#[derive(Clone)]
pub struct Admitted {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) pre: InstancePre<CallState>,
    pub(crate) functions: Functions,
    digest: String,
    description: Description,
    interfaces: Vec<String>,
    schema: Schema,
}

impl Admitted {
    /// SHA-256 of the component, in lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// What the adapter says of itself, as pinned.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.inner.description
    }

    /// The optional interfaces that it exports, such as `namespaces`, in the order of the contract.
    #[must_use]
    pub fn interfaces(&self) -> &[String] {
        &self.inner.interfaces
    }

    /// Checks a configuration against the plugin's schema and answers its text.
    pub(crate) fn check_config(&self, config: &serde_json::Value, limit: u64) -> Result<String, AdmitError> {
        self.inner.schema.check(config, limit)
    }
}

impl std::fmt::Debug for Admitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admitted")
            .field("name", &self.inner.description.name)
            .field("digest", &self.inner.digest)
            .field("interfaces", &self.inner.interfaces)
            .finish_non_exhaustive()
    }
}

pub(crate) async fn admit(engine: &Engine, wasm: &[u8], options: AdmitOptions) -> Result<Admitted, AdmitError> {
    options.limits.check()?;
    let host = engine.limits().clone();
    let bytes = u64::try_from(wasm.len()).unwrap_or(u64::MAX);
    if bytes > host.component_bytes {
        return Err(AdmitError::TooLarge { bytes, limit: host.component_bytes });
    }
    let found = hex::encode(Sha256::digest(wasm));
    if let Some(expected) = &options.expected_digest {
        let expected = expected.strip_prefix("sha256:").unwrap_or(expected);
        if expected != found {
            return Err(AdmitError::Digest { expected: expected.to_owned(), found });
        }
    }

    let (engine, wasm) = (engine.clone(), wasm.to_vec());
    let (reader, digest) = (engine.clone(), found.clone());
    let read = tokio::task::spawn_blocking(move || read(&reader, &wasm, &digest));
    // The readers of the component format check what they are given, but the bytes are hostile: a panic is theirs.
    let broken = |_| AdmitError::NotAComponent("reading it failed".to_owned());
    let (interfaces, component) = read.await.map_err(broken)??;
    fits(&component, &options.limits)?;

    let link = |error: wasmtime::Error| AdmitError::Link(format!("{error:#}"));
    let pre = engine.inner.linker.instantiate_pre(&component).map_err(link)?;
    let functions = Functions::resolve(&pre)?;
    let description = ask(&engine, &pre, &options.limits).await?;
    description::check(&description)?;
    if let Some(approved) = options.approved {
        let found = (approved.of)(&description);
        if found != approved.digest {
            return Err(AdmitError::Exchanges { expected: approved.digest, found });
        }
    }
    let schema = Schema::new(&description.config_schema)?;
    if let Some(config) = &options.config {
        schema.check(config, host.config_bytes)?;
    }
    let inner = Inner { pre, functions, digest: found, description, interfaces, schema };
    Ok(Admitted { inner: Arc::new(inner) })
}

/// The part that blocks: parsing and, if the cache has nothing, compiling.
fn read(engine: &Engine, wasm: &[u8], digest: &str) -> Result<(Vec<String>, Component), AdmitError> {
    let interfaces = world::check(wasm)?;
    let component = engine.inner.cache.load(&engine.inner.runtime, wasm, digest)?;
    // Moves the cost of the first call here. A component without an image simply has none.
    component.initialize_copy_on_write_image().ok();
    Ok((interfaces, component))
}

fn fits(component: &Component, limits: &CallLimits) -> Result<(), AdmitError> {
    const PAGE: u64 = 65_536;
    let Some(needs) = component.resources_required() else {
        return Err(AdmitError::Link("it imports a core module".to_owned()));
    };
    let rows = [
        ("memories", u64::from(needs.num_memories), "memories", limits.memories),
        ("tables", u64::from(needs.num_tables), "tables", limits.tables),
        (
            "bytes of memory at its start",
            needs.max_initial_memory_size.unwrap_or(0).saturating_mul(PAGE),
            "memory_bytes",
            limits.memory_bytes,
        ),
        ("table elements", needs.max_initial_table_size.unwrap_or(0), "table_elements", limits.table_elements),
    ];
    for (what, needed, limit_name, limit) in rows {
        if needed > limit {
            return Err(AdmitError::Needs { what, needed, limit_name, limit });
        }
    }
    Ok(())
}

/// Runs `describe` once, with nothing behind the imports and little time.
async fn ask(engine: &Engine, pre: &InstancePre<CallState>, limits: &CallLimits) -> Result<Description, AdmitError> {
    let host = engine.limits();
    let limits = CallLimits { result_bytes: host.description_bytes, log_lines: 0, ..limits.clone() };
    let bound = Arc::new(nothing::bound(limits));
    let meter = Arc::new(Meter::new());
    let budget = Budget {
        cpu: Duration::from_millis(host.describe_cpu_ms),
        wall: Duration::from_millis(host.describe_wall_ms),
        caller: None,
    };
    let state = CallState::new(Arc::clone(&bound), meter, Identity::default(), budget.deadline());
    let export = describe(pre)?.ok_or_else(|| AdmitError::Missing {
        item: "stowage:provider/identity".to_owned(),
        supported: supported_range(),
    })?;
    let stopped = |code: Option<String>, message| AdmitError::Describe { code: code.unwrap_or_default(), message };
    match run(engine.wasmtime(), pre, &export, state, budget, ()).await {
        Ok((answer,)) => Description::from_guest(answer, &Reader::new(&bound))
            .map_err(|breach| stopped(Some("contract".to_owned()), breach.to_string())),
        Err(stop) => {
            let error = classify(&stop).error;
            Err(stopped(error.native_code, error.message))
        }
    }
}
