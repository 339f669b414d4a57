//! The component behind the port, and the bare runtime under the same configuration.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use async_trait::async_trait;
use stowage_plugin::{Admitted, Bare, Binding, CallLimits, Engine};
use stowage_ports::exchange::{ExchangeContext, ExchangeError, ExchangeRequest, ExchangeResponse};
use stowage_ports::provider::{
    Call, CallContext, Dimension, Enforcement, Lifecycle, Limit, LimitScope, NamespaceSpec, NativeRef, PosixIdentity,
    Progress, Protocol, Provider,
};
use stowage_ports::{Exchange, GuestState, SystemClock};

use super::{CONFIG, MemoryState, NAMESPACE};
use crate::rounds::Subject;

/// A way out that leads nowhere: the fake needs none.
struct Nowhere;

#[async_trait]
impl Exchange for Nowhere {
    async fn send(&self, _: &ExchangeContext, _: ExchangeRequest) -> Result<ExchangeResponse, ExchangeError> {
        Err(ExchangeError::Unreachable("a bench has no backend".to_owned()))
    }

    fn redact(&self, _: &str) -> Option<String> {
        None
    }
}

/// The fake's configuration with this state; all places of the host are its own.
pub(crate) fn binding(state: Arc<dyn GuestState>) -> Result<Binding> {
    Ok(Binding {
        provider: "fake".to_owned(),
        config: serde_json::from_str(CONFIG)?,
        exchange: Arc::new(Nowhere),
        state,
        clock: Arc::new(SystemClock),
        limits: CallLimits { concurrent_calls: 256, ..CallLimits::default() },
    })
}

/// The port with one namespace.
pub(crate) struct Sandboxed {
    provider: Arc<dyn Provider>,
    native: NativeRef,
}

/// Binds the fake and makes the namespace; answers the state too, for others that shall see it.
pub(crate) async fn sandboxed(engine: &Engine, admitted: &Admitted) -> Result<(Sandboxed, Arc<MemoryState>)> {
    let state = Arc::new(MemoryState::open());
    let provider = engine.bind(admitted, binding(state.clone())?)?;
    let call = Call { owner: "bench".to_owned(), attempt: 1, ..Call::default() };
    match provider.create_namespace(&context(), &call, &spec()).await.map(|called| called.value) {
        Ok(Progress::Done(native)) => Ok((Sandboxed { provider, native }, state)),
        other => bail!("making the namespace: {other:?}"),
    }
}

/// Looks at the namespace.
pub(crate) async fn inspect(provider: &dyn Provider, native: &NativeRef) -> Result<()> {
    let seen = provider.inspect_namespace(&context(), native).await?.value;
    ensure!(seen.lifecycle == Lifecycle::Ready, "{seen:?}");
    Ok(())
}

#[async_trait]
impl Subject for Sandboxed {
    async fn once(&self) -> Result<()> {
        inspect(self.provider.as_ref(), &self.native).await
    }
}

/// The same call with nothing around it.
struct BareCall {
    bare: Bare,
    native: NativeRef,
}

/// The fake under the bare runtime, on the same state.
pub(crate) fn bare(engine: &Engine, admitted: &Admitted, state: Arc<MemoryState>) -> Result<Arc<dyn Subject>> {
    let bare = engine.bare(admitted, binding(state)?).context("binding it bare")?;
    Ok(Arc::new(BareCall { bare, native: NativeRef(NAMESPACE.as_bytes().to_vec()) }))
}

#[async_trait]
impl Subject for BareCall {
    async fn once(&self) -> Result<()> {
        self.bare.inspect_namespace(&self.native).await.map_err(|error| anyhow!("{error:#}"))
    }
}

fn context() -> CallContext {
    CallContext { request_id: "bench".to_owned(), deadline: None, safe_only: false }
}

fn spec() -> NamespaceSpec {
    NamespaceSpec {
        tenant: NativeRef(vec![]),
        project: "vision".to_owned(),
        name: "datasets".to_owned(),
        physical_id: NAMESPACE.to_owned(),
        protocols: vec![Protocol::Posix],
        limits: vec![Limit {
            dimension: Dimension::Bytes,
            scope: LimitScope::Namespace,
            enforcement: Enforcement::Block,
            value: 1 << 30,
            extensions: vec![],
        }],
        prefixes: vec!["shared".to_owned()],
        posix: Some(PosixIdentity { uid: 1000, gid: 1000, mode: 0o770 }),
        labels: vec![("team".to_owned(), "vision".to_owned())],
        extensions: vec![],
    }
}
