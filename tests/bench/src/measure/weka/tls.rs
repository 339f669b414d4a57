//! One exchange through the way out, on a new TLS connection and on a kept one.
//!
//! The exchange is the cluster's health check, which needs no login: what is left is the connection. A new connection is a
//! new binding's first exchange, so its handshake is a full one that resumes nothing; making the binding is not counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use stowage_egress::{Binding, Egress, EgressLimits, EndpointBinding, Redactor};
use stowage_ports::exchange::{Auth, Body, ExchangeContext, ExchangeRequest};
use stowage_ports::provider::{Description, EndpointNeed, ExchangeDecl};
use stowage_ports::{Exchange, SystemClock};

use super::made::MemorySecrets;
use crate::emulator::{self, Certificate, Emulator};
use crate::measure::Setting;
use crate::report::Figure;
use crate::rounds::{Subject, interleaved, median};

pub(in crate::measure) const FIGURES: [&str; 3] =
    ["weka_tls_exchange_new", "weka_tls_exchange_kept", "weka_tls_new_vs_kept"];

const PATH: &str = "/api/v2/healthcheck";
/// New connections of a round.
const NEW: usize = 20;

pub(in crate::measure) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let certificate = Arc::new(Certificate::make()?);
    let emulator = Emulator::start("live-4.4.22", &setting.scratch, Some(&certificate)).await?;
    let url = format!("{}{PATH}", emulator.rest);
    let before = emulator.connections().await?;
    let (mut through, mut bare) = (Vec::new(), Vec::new());
    for turn in 0..=setting.plan.rounds {
        for _ in 0..NEW.min(setting.plan.calls) {
            let way = Way::bind(&emulator, &certificate).await?;
            let client = Bare { client: emulator::client(Some(&certificate))?, url: url.clone() };
            let (egress, client) = (timed(&way).await?, timed(&client).await?);
            if turn > 0 {
                through.push(egress);
                bare.push(client);
            }
        }
    }
    let made = emulator.connections().await? - before;
    let asked = 2 * (setting.plan.rounds + 1) * NEW.min(setting.plan.calls);
    ensure!(
        usize::try_from(made)? == asked,
        "{made} connections for {asked} exchanges that should each have a new one"
    );

    let kept: [Arc<dyn Subject>; 2] = [
        Arc::new(Way::bind(&emulator, &certificate).await?),
        Arc::new(Bare { client: emulator::client(Some(&certificate))?, url }),
    ];
    let paces = interleaved(setting.plan, 1, &kept).await?;
    let made = emulator.connections().await? - before - made;
    ensure!(made == 2, "{made} connections for two clients that should keep theirs");
    let [kept, kept_bare] = [0, 1].map(|side| paces.get(side).copied().unwrap_or_default().p50);
    let [new, new_bare] = [through, bare].map(|times| median(times.iter().map(|time| time.as_secs_f64() * 1e6)));
    Ok(vec![
        Figure::by("weka_tls_exchange_new", new, "µs", new_bare),
        Figure::by("weka_tls_exchange_kept", kept, "µs", kept_bare),
        Figure::by("weka_tls_new_vs_kept", new, "µs", kept),
    ])
}

async fn timed(subject: &dyn Subject) -> Result<Duration> {
    let begin = Instant::now();
    subject.once().await?;
    Ok(begin.elapsed())
}

/// A way out with one exchange.
struct Way(Arc<Egress>);

impl Way {
    async fn bind(emulator: &Emulator, certificate: &Certificate) -> Result<Self> {
        let binding = Binding {
            provider: "weka".to_owned(),
            description: description(),
            endpoints: vec![EndpointBinding {
                purpose: "control".to_owned(),
                urls: vec![emulator.rest.clone()],
                ca_pem: Some(certificate.pem.clone().into_bytes()),
                ..EndpointBinding::default()
            }],
            secret_names: Default::default(),
            limits: EgressLimits::default(),
            forbidden: Vec::new(),
            redactor: Redactor::default(),
        };
        Ok(Self(Egress::bind(binding, Arc::new(MemorySecrets::default()), Arc::new(SystemClock)).await?))
    }
}

#[async_trait]
impl Subject for Way {
    async fn once(&self) -> Result<()> {
        let context = ExchangeContext {
            safe_only: true,
            remaining: Duration::from_secs(30),
            request_id: "bench".to_owned(),
            owner: None,
        };
        let request = ExchangeRequest {
            exchange: "health".to_owned(),
            params: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::Empty,
            auth: Auth::None,
            slots: Vec::new(),
            timeout: None,
        };
        let answer = self.0.send(&context, request).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(())
    }
}

fn description() -> Description {
    Description {
        name: "health".to_owned(),
        vendor: "stowage".to_owned(),
        version: "0.1.0".to_owned(),
        doc: String::new(),
        config_schema: "{}".to_owned(),
        endpoints: vec![EndpointNeed { purpose: "control".to_owned(), required: true, doc: String::new() }],
        secrets: Vec::new(),
        exchanges: vec![ExchangeDecl {
            id: "health".to_owned(),
            purpose: "control".to_owned(),
            method: "GET".to_owned(),
            path_template: PATH.to_owned(),
            safe: true,
            idempotent: true,
            slots: Vec::new(),
            sensitive: Vec::new(),
            doc: String::new(),
            extensions: Vec::new(),
        }],
        auth_flows: Vec::new(),
        client_kinds: Vec::new(),
        capabilities: Vec::new(),
        extensions: Vec::new(),
    }
}

/// The same by a client alone.
struct Bare {
    client: reqwest::Client,
    url: String,
}

#[async_trait]
impl Subject for Bare {
    async fn once(&self) -> Result<()> {
        self.client.get(&self.url).send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }
}
