//! What stands behind the imports while a component describes itself: nothing.

use std::sync::Arc;

use async_trait::async_trait;
use stowage_ports::exchange::{ExchangeContext, ExchangeError, ExchangeRequest, ExchangeResponse};
use stowage_ports::{Clock, Exchange, GuestState, GuestStateError};

use crate::call::Bound;
use crate::limits::CallLimits;

struct Nothing;

const REFUSED: &str = "a component that describes itself can reach nothing";

pub(super) fn bound(limits: CallLimits) -> Bound {
    Bound {
        provider: "admission".to_owned(),
        config: "{}".to_owned(),
        exchange: Arc::new(Nothing),
        state: Arc::new(Nothing),
        clock: Arc::new(Nothing),
        limits,
    }
}

/// A description must not depend on the time.
impl Clock for Nothing {
    fn now_ms(&self) -> u64 {
        0
    }
}

#[async_trait]
impl Exchange for Nothing {
    async fn send(&self, _: &ExchangeContext, _: ExchangeRequest) -> Result<ExchangeResponse, ExchangeError> {
        Err(ExchangeError::Denied(REFUSED.to_owned()))
    }

    fn redact(&self, _: &str) -> Option<String> {
        None
    }
}

fn refused<T>() -> Result<T, GuestStateError> {
    Err(GuestStateError::Store(REFUSED.to_owned()))
}

#[async_trait]
impl GuestState for Nothing {
    async fn get(&self, _: &str) -> Result<Option<(Vec<u8>, u64)>, GuestStateError> {
        refused()
    }
    async fn set(&self, _: &str, _: Vec<u8>, _: Option<u64>) -> Result<u64, GuestStateError> {
        refused()
    }
    async fn delete(&self, _: &str, _: Option<u64>) -> Result<(), GuestStateError> {
        refused()
    }
    async fn keys(&self, _: &str, _: Option<&str>, _: u32) -> Result<Vec<String>, GuestStateError> {
        refused()
    }
    async fn take(&self, _: &str, _: &str) -> Result<u32, GuestStateError> {
        refused()
    }
    async fn give_back(&self, _: &str, _: &str) -> Result<(), GuestStateError> {
        refused()
    }
}
