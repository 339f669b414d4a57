//! The real host, as an operator starts it: `stowage init`, `stowage serve`, its own telemetry, two plugins.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stowage_client::{Client, Failure, Target, proto};
use tokio::process::{Child, Command};

use crate::adapter;
use crate::process::Usage;

/// Longest start, which compiles two plugins.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the start is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A host that serves.
pub(crate) struct Host {
    child: Child,
    home: PathBuf,
    /// Where it listens.
    pub(crate) address: String,
    /// A connection as operator.
    pub(crate) client: Client,
}

impl Host {
    /// Starts one with its home in this directory, which is made when it is not there.
    pub(crate) async fn start(home: &Path) -> Result<Self> {
        let stowage = beside_this_binary("stowage")?;
        if !home.exists() {
            let init = Command::new(&stowage).arg("init").arg(home).args(["--listen", "127.0.0.1:0"]).output().await?;
            ensure!(init.status.success(), "stowage init: {}", String::from_utf8_lossy(&init.stderr));
            for plugin in ["fake", "weka"] {
                std::fs::write(home.join(format!("plugins/{plugin}.wasm")), adapter::component(plugin)?)?;
            }
        }
        let written = home.join("address");
        if written.exists() {
            std::fs::remove_file(&written)?;
        }
        let log = std::fs::File::create(home.join("log"))?;
        let mut child = Command::new(&stowage)
            .arg("serve")
            .arg("--config")
            .arg(home.join("stowage.toml"))
            .env_remove("STOWAGE_PLUGINS_DIR")
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let ready = async {
            loop {
                if let Some(status) = child.try_wait()? {
                    anyhow::bail!("stowage serve ended with {status}: {}", std::fs::read_to_string(home.join("log"))?);
                }
                match std::fs::read_to_string(&written) {
                    Ok(address) if !address.is_empty() => return Ok(address.trim().to_owned()),
                    _ => tokio::time::sleep(LOOK).await,
                }
            }
        };
        let address = tokio::time::timeout(PATIENCE, ready).await.context("the host does not start")??;
        let token = std::fs::read_to_string(home.join("operator.token"))?;
        let client = Client::connect(Target::new(&address).with_token(token.trim().to_owned())).await?;
        Ok(Self { child, home: home.to_owned(), address, client })
    }

    /// What it uses.
    pub(crate) fn usage(&self) -> Result<Usage> {
        Usage::of(&self.child)
    }

    /// Ends it at once, as a power cut would, and waits until it is gone.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Makes a tenant, a project, a class, the fake as provider, and one namespace; answers the namespace's name.
    pub(crate) async fn prepare(&self) -> Result<String> {
        self.make_project().await?;
        let no = prost_types::value::Kind::BoolValue(false);
        let fields = [("node_directories".to_owned(), prost_types::Value { kind: Some(no) })];
        let fake = proto::Provider {
            plugin: "plugins/fake".to_owned(),
            config: Some(prost_types::Struct { fields: fields.into() }),
            ..Default::default()
        };
        self.make_provider("fake", fake).await?;
        self.make_class(&[proto::Protocol::Posix]).await?;
        self.make_namespace("datasets").await
    }

    /// Makes the tenant `acme` and in it the project `vision`.
    pub(crate) async fn make_project(&self) -> Result<()> {
        let tenant = proto::CreateTenantRequest {
            tenant_id: "acme".to_owned(),
            tenant: Some(proto::Tenant::default()),
            ..Default::default()
        };
        self.client.tenants().create_tenant(tenant).await.map_err(Failure::from)?;
        let posix = proto::PosixIdentity { uid: 1000, gid: 1000, mode: 0o770 };
        let project = proto::CreateProjectRequest {
            parent: "tenants/acme".to_owned(),
            project_id: "vision".to_owned(),
            project: Some(proto::Project { posix_identity: Some(posix), ..Default::default() }),
            ..Default::default()
        };
        self.client.tenants().create_project(project).await.map_err(Failure::from)?;
        Ok(())
    }

    /// Binds a provider.
    pub(crate) async fn make_provider(&self, id: &str, provider: proto::Provider) -> Result<()> {
        let request =
            proto::CreateProviderRequest { provider_id: id.to_owned(), provider: Some(provider), ..Default::default() };
        self.client.providers().create_provider(request).await.map_err(Failure::from)?;
        Ok(())
    }

    /// Makes the default class `fast` with these protocols.
    pub(crate) async fn make_class(&self, protocols: &[proto::Protocol]) -> Result<()> {
        let class = proto::StorageClass {
            protocols: protocols.iter().map(|protocol| (*protocol).into()).collect(),
            is_default: true,
            ..Default::default()
        };
        let class = proto::CreateStorageClassRequest {
            storage_class_id: "fast".to_owned(),
            storage_class: Some(class),
            ..Default::default()
        };
        self.client.storage_classes().create_storage_class(class).await.map_err(Failure::from)?;
        Ok(())
    }

    /// Makes a namespace of the project's and waits until it is ready; answers its name.
    pub(crate) async fn make_namespace(&self, id: &str) -> Result<String> {
        let quota = proto::Quota { hard_bytes: 1 << 30, ..Default::default() };
        let namespace = proto::CreateNamespaceRequest {
            parent: "tenants/acme/projects/vision".to_owned(),
            namespace_id: id.to_owned(),
            namespace: Some(proto::Namespace { quota: Some(quota), ..Default::default() }),
            ..Default::default()
        };
        let operation = self.client.namespaces().create_namespace(namespace).await.map_err(Failure::from)?;
        let made: proto::Namespace = self.client.wait_for(operation.into_inner(), None).await?;
        ensure!(made.state() == proto::NamespaceState::Ready, "{made:?}");
        Ok(made.name)
    }

    /// Puts a login into its secret store.
    pub(crate) fn write_secret(&self, name: &str, (username, password): (&str, &str)) -> Result<()> {
        let path = self.home.join("secrets").join(format!("{name}.toml"));
        let folder = path.parent().context("a secret has a name")?;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(write!(file, "username = {username:?}\npassword = {password:?}\n")?)
    }
}

/// A program that is built with the bench.
pub(crate) fn beside_this_binary(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is not there: run `make bench`, which builds it", path.display());
    Ok(path)
}
