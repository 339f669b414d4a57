//! The command line: a gRPC client like any other.
//!
//! One file a noun. A command builds a request, calls, and shows the answer: a table of the columns that people look for,
//! or with `-o json` the message as canonical proto JSON, whole. Changes that take time are followed to their end, with
//! their progress on standard error, unless `--no-wait` says otherwise.

mod class;
mod connection;
mod credential;
mod drift;
mod grant;
mod mount;
mod names;
mod node;
mod ns;
mod op;
mod output;
mod plugin;
mod project;
mod provider;
mod report;
mod tenant;
mod validate;
mod values;
mod workload;

use clap::Subcommand;
pub(crate) use connection::Connection;

use connection::Session;

/// Commands that call a host.
#[derive(Debug, Subcommand)]
pub(crate) enum Remote {
    /// Backends: bind a plugin to one, probe it, look at its health.
    #[command(subcommand)]
    Provider(provider::Command),
    /// Differences between what is believed and what a backend has.
    #[command(subcommand)]
    Drift(drift::Command),
    /// Storage classes: what users ask for.
    #[command(subcommand)]
    Class(class::Command),
    /// Tenants.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Projects of a tenant, with their POSIX identity and quota.
    #[command(subcommand)]
    Project(project::Command),
    /// Namespaces of a project.
    #[command(subcommand, visible_alias = "namespace")]
    Ns(ns::Command),
    /// Jobs, notebooks and apps that mount namespaces.
    #[command(subcommand)]
    Workload(workload::Command),
    /// Who may do what in a namespace.
    #[command(subcommand)]
    Grant(grant::Command),
    /// Direct S3 access to a prefix of a namespace.
    #[command(subcommand)]
    Credential(credential::Command),
    /// Mount plans.
    #[command(subcommand)]
    Mount(mount::Command),
    /// Nodes and their agents.
    #[command(subcommand)]
    Node(node::Command),
    /// Operations: changes that take time.
    #[command(subcommand)]
    Op(op::Command),
    /// Plugins that the host has found.
    #[command(subcommand)]
    Plugin(plugin::Command),
}

/// Runs a command against the host.
pub(crate) async fn run(connection: &Connection, command: Remote) -> anyhow::Result<()> {
    let session = Session::open(connection).await?;
    match command {
        Remote::Provider(command) => provider::run(&session, command).await,
        Remote::Drift(command) => drift::run(&session, command).await,
        Remote::Class(command) => class::run(&session, command).await,
        Remote::Tenant(command) => tenant::run(&session, command).await,
        Remote::Project(command) => project::run(&session, command).await,
        Remote::Ns(command) => ns::run(&session, command).await,
        Remote::Workload(command) => workload::run(&session, command).await,
        Remote::Grant(command) => grant::run(&session, command).await,
        Remote::Credential(command) => credential::run(&session, command).await,
        Remote::Mount(command) => mount::run(&session, command).await,
        Remote::Node(command) => node::run(&session, command).await,
        Remote::Op(command) => op::run(&session, command).await,
        Remote::Plugin(command) => plugin::run(&session, command).await,
    }
}
