//! `weka-emulator`: a WEKA cluster to test against. Prints one line of JSON with its ports when it is ready, and runs
//! until SIGTERM or SIGINT; then it unmounts what it mounted.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use weka_emulator::{DEFAULT_PASSWORD, Emulator, Fault, Options, Preset, Release, Switches, Tls};

/// A WEKA cluster to test against: REST API v2, S3, and real trees that clients mount by FUSE.
#[derive(Parser)]
#[command(version, about, long_about = None, after_long_help = more_help())]
struct Arguments {
    /// Address of the REST API; give it several times for several endpoints
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: Vec<SocketAddr>,
    /// Address of the S3 protocol and its AssumeRole; real clusters have port 9000, and 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    s3_listen: SocketAddr,
    /// Address of the admin port (loopback only): faults, clock, mounts, switches; GET /admin lists its routes
    #[arg(long, default_value = "127.0.0.1:0")]
    admin: SocketAddr,
    /// The cluster to be: live-4.4.22 (as observed) or s3-ready
    #[arg(long, default_value = "live-4.4.22")]
    preset: Preset,
    /// The release to claim, 4.2 to 5.1; decides which routes exist [default: 4.4.22, or that of a kept cluster]
    #[arg(long)]
    release: Option<Release>,
    /// Directory for file bytes; default: a temporary one, removed at the end
    #[arg(long, conflicts_with = "state")]
    tree: Option<PathBuf>,
    /// Directory in which the whole cluster is kept over a restart, file bytes too; a cluster that is there already goes
    /// on, and --preset and --password have no say
    #[arg(long)]
    state: Option<PathBuf>,
    /// Password of the user admin in the organization Root
    #[arg(long, env = "WEKA_EMULATOR_PASSWORD", default_value = DEFAULT_PASSWORD, hide_env_values = true)]
    password: String,
    /// PEM file with the certificate chain; makes the REST API and S3 https
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the private key
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Set a switch: NAME=JSON, such as data_services=true; GET /admin/switches lists them
    #[arg(long = "switch", value_name = "NAME=JSON")]
    switches: Vec<String>,
}

/// What `--help` says beyond the arguments.
fn more_help() -> String {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let switches = Switches::default().table().into_iter().map(|row| {
        let field = |name: &str| row.get(name).cloned().unwrap_or_default();
        let (name, default, about) = (text(&field("name")), field("default"), text(&field("about")));
        format!("  {name}={default}\n          {about}\n")
    });
    let faults = Fault::ALL.iter().map(|fault| format!("  {}\n          {}\n", text(&json!(fault)), fault.about()));
    format!(
        "Releases and what they add:\n  \
         4.2  the routes of 4.2     4.3  resolvePath\n  \
         4.4  getPath, security policies, snapshot policies, revoking an organization, audit (CSI resolves from 4.4.7)\n  \
         5.0  freeSpaceInOrg        5.1  tenants, POST mountToken, network spaces (user quotas from 5.1.26)\n\n\
         Switches (--switch NAME=JSON, PATCH /admin/switches), with their defaults:\n{}\n\
         Faults (POST /admin/faults):\n{}\n\
         When it is ready it prints one line of JSON: ready, rest_url, rest_urls, s3_url, admin_url, pid. SIGTERM and\n\
         SIGINT end it, unmount what it mounted, and remove what no --state or --tree keeps. WEKA_EMULATOR_LOG filters\n\
         its log on standard error.",
        switches.collect::<String>(),
        faults.collect::<String>(),
    )
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // The S3 library calls every refusal an error; here refusals are the daily bread.
    let filter = tracing_subscriber::EnvFilter::try_from_env("WEKA_EMULATOR_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error,s3s=off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let explicit = switch_changes(&arguments.switches)?;
    let running = Emulator::start(options(arguments)?).await?;
    running.control().set_switches(&explicit).context("--switch")?;
    let ready = json!({
        "ready": true,
        "rest_url": running.rest_url(),
        "rest_urls": running.rest_urls(),
        "s3_url": running.s3_url(),
        "admin_url": running.admin_url(),
        "pid": std::process::id(),
    });
    println!("{ready}");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    Ok(())
}

fn options(arguments: Arguments) -> anyhow::Result<Options> {
    let tls = match (arguments.tls_cert, arguments.tls_key) {
        (Some(cert), Some(key)) => Some(Tls {
            cert_pem: std::fs::read_to_string(&cert).with_context(|| format!("cannot read {}", cert.display()))?,
            key_pem: std::fs::read_to_string(&key).with_context(|| format!("cannot read {}", key.display()))?,
        }),
        _ => None,
    };
    let mut switches = Switches::default();
    switches.set(&switch_changes(&arguments.switches)?).context("--switch")?;
    Ok(Options {
        listen: arguments.listen,
        s3_listen: arguments.s3_listen,
        admin: arguments.admin,
        preset: arguments.preset,
        release: arguments.release,
        tree: arguments.tree,
        state: arguments.state,
        password: arguments.password,
        tls,
        switches,
    })
}

/// The switches that the command line names; on a kept cluster they change what was kept.
fn switch_changes(settings: &[String]) -> anyhow::Result<serde_json::Map<String, serde_json::Value>> {
    let read = |setting: &String| {
        let (name, value) = setting.split_once('=').with_context(|| format!("--switch {setting}: NAME=JSON"))?;
        Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value))))
    };
    settings.iter().map(read).collect()
}
