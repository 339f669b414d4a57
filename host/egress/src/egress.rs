//! The binding itself: made once per provider instance, then the [`Exchange`] port.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use ipnet::IpNet;
use stowage_ports::exchange::{ExchangeContext, ExchangeError, ExchangeRequest, ExchangeResponse};
use stowage_ports::{Clock, Exchange, SecretName, Secrets};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::binding::{BindError, Binding, EgressLimits};
use crate::flow::Sessions;
use crate::mask::Redactor;
use crate::net::{Endpoint, Resolver, SystemResolver, bind_endpoint};
use crate::table::Table;
use crate::vault::Vault;

/// What a binding is made of.
pub(crate) struct Bound {
    pub(crate) provider: String,
    pub(crate) table: Table,
    pub(crate) endpoints: BTreeMap<String, Endpoint>,
    pub(crate) vault: Vault,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) redactor: Redactor,
    pub(crate) limits: EgressLimits,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The way out of one provider instance: the [`Exchange`] port.
pub struct Egress {
    bound: Arc<Bound>,
}

impl Egress {
    /// Checks the description's exchange table and the operator's endpoints and secrets, and binds them. Names are looked
    /// up once here when an endpoint pins its addresses.
    ///
    /// # Errors
    /// [`BindError`] names the exchange, endpoint or secret and what to change.
    pub async fn bind(
        binding: Binding,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, BindError> {
        Self::bind_with_resolver(binding, secrets, clock, Arc::new(SystemResolver)).await
    }

    /// The same with another resolver of names.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_with_resolver(
        binding: Binding,
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Arc<Self>, BindError> {
        let Binding { provider, description, endpoints: wanted, secret_names, limits, forbidden, redactor } = binding;
        if provider.contains('/') || SecretName::parse(&provider).is_err() || provider.len() > 63 {
            return Err(BindError::Provider(provider));
        }
        let table = Table::admit(&description)?;

        let mut endpoints = BTreeMap::new();
        for endpoint in &wanted {
            let err =
                |problem: &str| BindError::Endpoint { purpose: endpoint.purpose.clone(), problem: problem.to_owned() };
            if !description.endpoints.iter().any(|need| need.purpose == endpoint.purpose) {
                return Err(err("is not an endpoint of this plugin: remove it"));
            }
            let bound = bind_endpoint(endpoint, &forbidden, &limits, Arc::clone(&resolver)).await?;
            if endpoints.insert(endpoint.purpose.clone(), bound).is_some() {
                return Err(err("is bound twice: put all its URLs into one binding"));
            }
        }
        let missing = description.endpoints.iter().find(|need| need.required && !endpoints.contains_key(&need.purpose));
        if let Some(need) = missing {
            return Err(BindError::EndpointMissing(need.purpose.clone()));
        }

        let mut names = secret_names;
        for need in &description.secrets {
            if names.contains_key(&need.name) {
                continue;
            }
            if need.made_by_host {
                let made = SecretName::parse(&format!("made/{provider}/{}", need.name));
                names.insert(need.name.clone(), made.map_err(|_| BindError::SecretMissing(need.name.clone()))?);
            } else if need.required {
                return Err(BindError::SecretMissing(need.name.clone()));
            }
        }
        let vault = Vault::new(provider.clone(), names, secrets);
        let sessions = Arc::new(Sessions::default());
        Ok(Arc::new(Self {
            bound: Arc::new(Bound { provider, table, endpoints, vault, sessions, redactor, limits, clock }),
        }))
    }

    /// The address ranges that each purpose may dial: what the operator gave, or what the names resolved to. A registry
    /// that keeps them can bind again after a restart without trusting the names anew.
    #[must_use]
    pub fn pinned_ranges(&self) -> Vec<(String, Vec<IpNet>)> {
        self.bound.endpoints.iter().map(|(purpose, endpoint)| (purpose.clone(), endpoint.allowed.clone())).collect()
    }
}

#[async_trait]
impl Exchange for Egress {
    async fn send(&self, cx: &ExchangeContext, request: ExchangeRequest) -> Result<ExchangeResponse, ExchangeError> {
        let bound = &self.bound;
        // The id becomes a label only when it is declared: a guest must not make labels.
        let declared = bound.table.exchanges.get(&request.exchange);
        let (id, method, purpose) = declared
            .map_or(("undeclared", "", ""), |d| (d.decl.id.as_str(), d.decl.method.as_str(), d.decl.purpose.as_str()));
        let span = tracing::info_span!(
            "http.exchange", provider = %bound.provider, exchange = id, method, purpose, request_id = %cx.request_id,
            status = tracing::field::Empty, bytes = tracing::field::Empty, error = tracing::field::Empty,
        );
        let began = Instant::now();
        let outcome = match declared {
            Some(declared) => bound.exchange(cx, declared, request).instrument(span.clone()).await,
            None => Err(ExchangeError::Denied(format!("exchange {:?} is not declared", request.exchange))),
        };
        let class = match &outcome {
            Ok(answer) => {
                span.record("status", answer.status);
                span.record("bytes", answer.body.len());
                format!("{}xx", answer.status / 100)
            }
            Err(error) => {
                let kind = kind(error);
                span.record("error", kind);
                kind.to_owned()
            }
        };
        span.in_scope(|| tracing::debug!(milliseconds = began.elapsed().as_millis(), "exchange ended"));
        let (provider, exchange) = (bound.provider.clone(), id.to_owned());
        metrics::counter!("plugin_http_exchanges_total", "provider" => provider.clone(), "exchange" => exchange.clone(), "status_class" => class)
            .increment(1);
        metrics::histogram!("plugin_http_seconds", "provider" => provider, "exchange" => exchange)
            .record(began.elapsed().as_secs_f64());
        outcome
    }

    fn redact(&self, text: &str) -> Option<String> {
        let masked = self.bound.redactor.redact(text)?;
        metrics::counter!("secret_taint_total", "provider" => self.bound.provider.clone()).increment(1);
        tracing::warn!(provider = %self.bound.provider, "a live secret value was masked in what a plugin wrote");
        Some(masked)
    }
}

fn kind(error: &ExchangeError) -> &'static str {
    match error {
        ExchangeError::Denied(_) => "denied",
        ExchangeError::Unreachable(_) => "unreachable",
        ExchangeError::TimedOut => "timed-out",
        ExchangeError::SentUnanswered => "sent-unanswered",
        ExchangeError::TooLarge(_) => "too-large",
        ExchangeError::Protocol(_) => "protocol",
        ExchangeError::AuthFailed(_) => "auth-failed",
        ExchangeError::LockedOut(_) => "locked-out",
        ExchangeError::NoSuchSecret(_) => "no-such-secret",
    }
}
