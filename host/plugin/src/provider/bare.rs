//! The least that a call can cost: the yardstick for what the engine adds.

use std::sync::Arc;

use stowage_ports::provider::NativeRef;
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Lift, Lower, TypedFunc};

use crate::bindings::stowage::provider::types as wit;
use crate::call::{CallState, Identity, Meter};
use crate::provider::{Export, Instance};

/// Far enough that no epoch check ever stops a bare call.
const NEVER: u64 = 1 << 40;

/// Calls of the same component under the same configuration with nothing around them: no queue, no clocks, no limits, no
/// checks, no receipt. Made by [`Engine::bare`](crate::Engine::bare).
#[derive(Debug)]
pub struct Bare(pub(crate) Instance);

impl Bare {
    /// A store, an instance and a typed call of `namespaces.inspect`; the answer is lifted and dropped.
    pub async fn inspect_namespace(&self, native: &NativeRef) -> wasmtime::Result<()> {
        let instance = &self.0;
        let meter = Arc::new(Meter::new());
        let state = CallState::new(Arc::clone(&instance.bound), meter, Identity::default(), Instant::now());
        let mut store = Store::new(instance.engine.wasmtime(), state);
        store.set_epoch_deadline(NEVER);
        let slot = &instance.functions().namespace_inspect;
        let export = slot.export.as_ref().ok_or_else(|| wasmtime::format_err!("no namespaces.inspect"))?;
        let made = instance.admitted.inner.pre.instantiate_async(&mut store).await?;
        let function = typed(&made, &mut store, export)?;
        let (answer,) = function.call_async(&mut store, (native.0.clone(),)).await?;
        answer.map(drop).map_err(|error: wit::Error| wasmtime::format_err!("{}", error.message))
    }
}

/// The function with the types of its entry.
fn typed<P, R>(
    made: &wasmtime::component::Instance,
    store: &mut Store<CallState>,
    export: &Export<P, R>,
) -> wasmtime::Result<TypedFunc<P, R>>
where
    P: ComponentNamedList + Lower,
    R: ComponentNamedList + Lift,
{
    made.get_typed_func(store, export.index)
}
