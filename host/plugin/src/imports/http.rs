//! `http`: along declared exchanges only; the way out itself is the egress room's.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use stowage_ports::exchange::{Body, ExchangeRequest, ExchangeResponse};

use super::{contract, count};
use crate::call::{CallState, LimitHit};
use crate::convert::{exchange_error, exchange_request, exchange_response};

impl contract::http::Host for CallState {
    async fn send(
        &mut self,
        request: contract::http::Request,
    ) -> wasmtime::Result<Result<contract::http::Response, contract::http::HttpError>> {
        count(self)?;
        let made = self.meter.exchanges.fetch_add(1, Ordering::Relaxed);
        if u64::from(made) >= self.bound.limits.exchanges {
            return Err(LimitHit::Exchanges.into());
        }
        let request = exchange_request(request);
        let context = self.exchange_context();
        self.meter.sent.fetch_add(request_bytes(&request), Ordering::Relaxed);
        let bound = Arc::clone(&self.bound);
        let answer = {
            let _outside = self.meter.enter_import(true);
            bound.exchange.send(&context, request).await
        };
        if let Ok(answer) = &answer {
            self.meter.received.fetch_add(response_bytes(answer), Ordering::Relaxed);
        }
        Ok(answer.map(exchange_response).map_err(exchange_error))
    }
}

fn pairs(pairs: &[(String, String)]) -> usize {
    pairs.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// What the guest gave; what the host adds to it is not the guest's to answer for.
fn request_bytes(request: &ExchangeRequest) -> u64 {
    let body = match &request.body {
        Body::Json(bytes) | Body::Raw(bytes) => bytes.len(),
        Body::Form(fields) => pairs(fields),
        Body::Empty | Body::Other(_) => 0,
    };
    let bytes = body + pairs(&request.params) + pairs(&request.query) + pairs(&request.headers);
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn response_bytes(response: &ExchangeResponse) -> u64 {
    u64::try_from(response.body.len() + pairs(&response.headers)).unwrap_or(u64::MAX)
}
