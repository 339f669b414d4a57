//! Where the host is, as whom to call it, and how to show what it says.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use prost_types::Any;
use stowage_client::{Client, Failure, Target, proto as v1};
use tokio::time::Instant;

use super::output::Format;

/// Options that every command has.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// The host: https://host:port, http://host:port on loopback, or unix:///path.
    #[arg(long, global = true, env = "STOWAGE_SERVER", default_value = "http://127.0.0.1:7070", help_heading = "Host")]
    server: String,
    /// File with the caller's token.
    #[arg(long, global = true, env = "STOWAGE_TOKEN_FILE", help_heading = "Host")]
    token_file: Option<PathBuf>,
    /// PEM file of the authority that signed the host's certificate.
    #[arg(long, global = true, env = "STOWAGE_CA_FILE", help_heading = "Host")]
    ca_file: Option<PathBuf>,
    /// How to show the answer.
    #[arg(short, long, global = true, value_enum, default_value_t, help_heading = "Output")]
    output: Format,
}

/// An open connection and its way of showing.
pub(crate) struct Session {
    /// The host.
    pub(crate) client: Client,
    /// How to show.
    pub(crate) format: Format,
}

/// How long to follow a change.
#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// Prints the operation and ends, instead of following it to its end.
    #[arg(long)]
    no_wait: bool,
    /// Longest time to follow it, such as 90s or 10m.
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

impl Session {
    pub(crate) async fn open(connection: &Connection) -> anyhow::Result<Self> {
        let mut target = Target::new(&connection.server);
        if let Some(path) = &connection.token_file {
            let token = std::fs::read_to_string(path);
            let token = token.with_context(|| format!("cannot read the token file {}", path.display()))?;
            target = target.with_token(token.trim().to_owned());
        }
        if let Some(path) = &connection.ca_file {
            let pem = std::fs::read(path).with_context(|| format!("cannot read the CA file {}", path.display()))?;
            target = target.with_ca(pem);
        }
        Ok(Self { client: Client::connect(target).await?, format: connection.output })
    }

    /// Follows a change to its end and gives its response, or `None` when the caller does not wait.
    pub(crate) async fn follow(&self, operation: v1::Operation, follow: &Follow) -> anyhow::Result<Option<Any>> {
        if follow.no_wait {
            super::op::show(self, &operation)?;
            return Ok(None);
        }
        let done = self.wait(operation, follow.timeout).await?;
        match done.result {
            Some(v1::operation::Result::Error(status)) => Err(Failure::from(&status).into()),
            Some(v1::operation::Result::Response(response)) => Ok(Some(response)),
            None => anyhow::bail!("operation {} ended without a result", done.name),
        }
    }

    /// Waits with the progress on standard error, if that is a terminal.
    pub(crate) async fn wait(&self, operation: v1::Operation, longest: Duration) -> anyhow::Result<v1::Operation> {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        let waited =
            self.client.wait(operation, Some(Instant::now() + longest), |seen| bar.set_message(progress(seen))).await;
        bar.finish_and_clear();
        Ok(waited?)
    }
}

fn progress(operation: &v1::Operation) -> String {
    let Some(metadata) = &operation.metadata else { return operation.name.clone() };
    let state = metadata.state().as_str_name().trim_start_matches("OPERATION_STATE_").to_lowercase().replace('_', " ");
    let (done, total) = (metadata.steps_done, metadata.steps_total);
    let trouble = metadata.last_error.as_ref().map(|error| format!(": {}", error.message)).unwrap_or_default();
    format!("{} {} ({done}/{total} {}, {state}){trouble}", metadata.kind, metadata.resource, metadata.current_step)
}

/// Every item of a paged list: calls `$method` until there is no next page.
macro_rules! every {
    ($client:expr, $method:ident, $request:expr, $items:ident) => {{
        let (mut client, mut request, mut all) = ($client, $request, Vec::new());
        loop {
            let page = client.$method(request.clone()).await.map_err(stowage_client::Failure::from)?.into_inner();
            all.extend(page.$items);
            if page.next_page_token.is_empty() {
                break all;
            }
            request.page_token = page.next_page_token;
        }
    }};
}
pub(crate) use every;

/// One call's answer, or its failure in words.
macro_rules! call {
    ($client:expr, $method:ident, $request:expr) => {
        $client.$method($request).await.map_err(stowage_client::Failure::from)?.into_inner()
    };
}
pub(crate) use call;
