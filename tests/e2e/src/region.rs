//! One region: emulator, host and nodes, each the built binary, in one private mount namespace.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binaries::{plugins, program};
use crate::cli::Cli;
use crate::namespace::MountNamespace;
use crate::process::Process;
use crate::wait;

/// Name and password of the emulator's administrator; the host reads them from its secret store, nobody else has them.
pub const ADMIN: (&str, &str) = ("admin", "Emulated-Secret-77");

/// A running node agent.
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its directory.
    pub directory: PathBuf,
    process: Process,
}

/// A running region.
pub struct Region {
    /// Calls the host as its operator.
    pub operator: Cli,
    /// The WEKA emulator's REST address.
    pub weka: String,
    /// The WEKA emulator's S3 address.
    pub weka_s3: String,
    /// The WEKA emulator's admin address.
    pub weka_admin: String,
    /// The host's address.
    pub server: String,
    /// Node agents, in the order of their start.
    pub nodes: Vec<Node>,
    host: Process,
    _emulator: Process,
    namespace: MountNamespace,
    directory: TempDir,
}

impl Region {
    /// Starts the emulator in a preset and a host with no providers.
    #[must_use]
    pub fn start(preset: &str) -> Self {
        Self::start_with(preset, |config| config)
    }

    /// The same with a changed `stowage.toml`.
    #[must_use]
    pub fn start_with(preset: &str, config: impl FnOnce(String) -> String) -> Self {
        let directory = tempfile::Builder::new().prefix("stowage-region-").tempdir().expect("temporary directory");
        let base = directory.path();
        for part in ["sbin", "work", "nodes", "fake"] {
            std::fs::create_dir(base.join(part)).expect("directory");
        }
        let namespace = MountNamespace::new(&base.join("sbin"), &base.join("work"));
        let (emulator, ready) = start_emulator(&namespace, base, preset);
        let text =
            |key: &str| ready[key].as_str().unwrap_or_else(|| panic!("the emulator said no {key}: {ready}")).to_owned();
        let (weka, weka_s3, weka_admin) = (text("rest_url"), text("s3_url"), text("admin_url"));
        std::fs::copy(program("mount-wekafs"), base.join("sbin/mount.wekafs")).expect("mount helper");
        let settings = json!({ "admin": weka_admin, "client_ip": "10.0.0.1" });
        std::fs::write(base.join("sbin/mount.wekafs.json"), settings.to_string()).expect("mount helper's settings");

        let home = base.join("host");
        let init = Command::new(program("stowage"))
            .args(["init", "--listen", "127.0.0.1:0"])
            .arg(&home)
            .output()
            .expect("init");
        assert!(init.status.success(), "stowage init: {}", String::from_utf8_lossy(&init.stderr));
        let secret = home.join("secrets/providers/weka");
        std::fs::create_dir_all(&secret).expect("secrets");
        let (username, password) = ADMIN;
        write_private(&secret.join("admin.toml"), &format!("username = \"{username}\"\npassword = \"{password}\"\n"));
        private_directories(&home.join("secrets"));
        let file = home.join("stowage.toml");
        let text = std::fs::read_to_string(&file).expect("stowage.toml");
        std::fs::write(&file, config(text)).expect("stowage.toml");

        for plugin in ["fake", "weka"] {
            let file = format!("{plugin}.wasm");
            std::fs::copy(plugins().join(&file), home.join("plugins").join(&file)).expect("plugin");
        }
        let host = start_host(&namespace, base);
        let mut region = Self {
            operator: Cli::new("", home.join("operator.token")),
            weka,
            weka_s3,
            weka_admin,
            server: String::new(),
            nodes: Vec::new(),
            host,
            _emulator: emulator,
            namespace,
            directory,
        };
        region.await_host();
        region
    }

    /// The region's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The directory that the fake provider's namespaces are in.
    #[must_use]
    pub fn fake_root(&self) -> PathBuf {
        self.directory().join("fake")
    }

    /// What the host has written to its log.
    #[must_use]
    pub fn host_log(&self) -> String {
        self.host.output()
    }

    /// Kills the host without warning.
    pub fn kill_host(&mut self) {
        self.host.kill();
    }

    /// Starts the host again, on the address that it had.
    pub fn restart_host(&mut self) {
        self.host = start_host(&self.namespace, self.directory());
        self.await_host();
    }

    /// Makes a node known and starts its agent.
    pub fn add_node(&mut self, name: &str) {
        let directory = self.directory().join("nodes").join(name);
        std::fs::create_dir_all(&directory).expect("directory");
        let token = directory.join("join-token");
        let _created =
            self.operator.run(&format!("node create {name} --join-token-file {}", token.display())).success();
        let config = format!(
            r#"
            name = "{name}"
            server = "{server}"
            join_token_file = "{token}"
            state_dir = "{base}/state"
            mount_root = "{base}/mounts"
            addresses = ["10.0.0.1"]
            report_every_s = 1
            [clients.wekafs]
            program = "/usr/bin/mount"
            arguments = ["-t", "wekafs"]
            source_with_servers = "{{servers}}/{{filesystem}}"
            source = "{{filesystem}}"
            allowed_options = ["readcache", "writecache", "forcedirect", "num_cores", "token", "auth_token_path", "container_name"]
            options = {{ net = "udp" }}
            [roots.fake]
            path = "{fake}"
            providers = ["providers/fake"]
            "#,
            server = self.server,
            token = token.display(),
            base = directory.display(),
            fake = self.fake_root().display(),
        );
        std::fs::write(directory.join("node.toml"), config).expect("node.toml");
        let process = self.start_agent(name, &directory);
        self.nodes.push(Node { name: name.to_owned(), directory, process });
        wait::until(&format!("node {name} is online"), || {
            let node = self.operator.json(&format!("node get {name}"));
            (node["state"] == "NODE_STATE_ONLINE").then_some(())
        });
    }

    /// Kills a node's agent without warning; its mounts stay.
    pub fn kill_node(&mut self, name: &str) {
        self.node_mut(name).process.kill();
    }

    /// Starts a killed agent again.
    pub fn restart_node(&mut self, name: &str) {
        let directory = self.node_mut(name).directory.clone();
        let process = self.start_agent(name, &directory);
        self.node_mut(name).process = process;
    }

    /// Adds the fake provider, a class `cheap` on it, and the project `acme/vision` with room for 64 MiB.
    pub fn add_fake(&self) {
        let config = r#"{"root":"fake","capacity_bytes":1073741824}"#;
        for line in [
            &format!("provider add fake --plugin fake --config '{config}' --region eu-1 --label vendor=fake") as &str,
            "class create cheap --protocol posix --select vendor=fake --multi-writer",
            "tenant create acme",
            "project create acme/vision --uid 2001 --gid 2001 --mode 0770 --quota 64MiB",
        ] {
            self.operator.run(line).success();
        }
    }

    /// Adds the WEKA provider, a class `scratch` on it, and the project `acme/vision` with room for 64 MiB.
    pub fn add_weka(&self) {
        self.add_weka_with(&json!({ "client": "stateless", "backends": ["10.0.0.10"] }));
    }

    /// The same with this way of mounting.
    pub fn add_weka_with(&self, mount: &Value) {
        let poll = json!({ "quota_ms": 50 });
        let config = json!({
            "isolation": "directory", "filesystem": "gpuaas-kind-fs", "mount": mount, "poll": poll,
            "s3": { "endpoint": self.weka_s3 },
        });
        for line in [
            &format!(
                "provider add weka --plugin weka --config '{config}' --endpoint control={} --endpoint s3={} \
                 --plain-http --secret admin=providers/weka/admin --region eu-1 --label vendor=weka",
                self.weka, self.weka_s3
            ) as &str,
            "class create scratch --protocol posix --select vendor=weka --multi-writer",
            "tenant create acme",
            "project create acme/vision --uid 2001 --gid 2001 --mode 0770 --quota 64MiB",
        ] {
            self.operator.run(line).success();
        }
    }

    /// A path inside the region's mount namespace, as the test sees it.
    #[must_use]
    pub fn path(&self, inside: &str) -> PathBuf {
        self.namespace.path(Path::new(inside))
    }

    /// The command that runs a shell script where the nodes' mounts are.
    #[must_use]
    pub fn on_node(&self) -> String {
        self.namespace.shell()
    }

    /// Calls the emulator's admin port.
    pub fn emulator(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = json!({ "method": method, "url": format!("{}{path}", self.weka_admin), "body": body });
        crate::http::call(&request)
    }

    fn start_agent(&self, name: &str, directory: &Path) -> Process {
        let mut command = self.namespace.command(&program("stowage-node"));
        command.arg("--config").arg(directory.join("node.toml"));
        Process::start(name, command, self.directory())
    }

    fn node_mut(&mut self, name: &str) -> &mut Node {
        self.nodes.iter_mut().find(|node| node.name == name).unwrap_or_else(|| panic!("no node {name}"))
    }

    fn await_host(&mut self) {
        let home = self.directory().join("host");
        let address = home.join("address");
        let server = wait::until("the host listens", || {
            self.host.assert_running();
            std::fs::read_to_string(&address).ok().filter(|text| !text.is_empty())
        });
        self.server = server.trim().to_owned();
        self.operator = Cli::new(&self.server, home.join("operator.token"));
        // A restarted host must be where its nodes look for it.
        let config = home.join("stowage.toml");
        let text = std::fs::read_to_string(&config).expect("stowage.toml");
        let listen = self.server.trim_start_matches("http://");
        std::fs::write(&config, text.replace("listen = \"127.0.0.1:0\"", &format!("listen = \"{listen}\"")))
            .expect("stowage.toml");
        wait::until("the host answers", || {
            self.host.assert_running();
            self.operator.run("provider list").ok.then_some(())
        });
    }
}

fn start_emulator(namespace: &MountNamespace, base: &Path, preset: &str) -> (Process, Value) {
    let mut command = namespace.command(&program("weka-emulator"));
    command.args([
        "--listen",
        "127.0.0.1:0",
        "--s3-listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
        "--preset",
        preset,
        "--password",
        ADMIN.1,
    ]);
    command.arg("--tree").arg(base.join("weka-tree"));
    let mut process = Process::start("weka-emulator", command, base);
    let ready = wait::until("the emulator is ready", || {
        process.assert_running();
        process
            .output()
            .lines()
            .find_map(|line| serde_json::from_str::<Value>(line).ok().filter(|v| v["ready"] == true))
    });
    (process, ready)
}

fn start_host(namespace: &MountNamespace, base: &Path) -> Process {
    let home = base.join("host");
    // A stale address would be taken for the new host's.
    let _ = std::fs::remove_file(home.join("address"));
    let mut command = namespace.command(&program("stowage"));
    command.arg("serve").arg("--config").arg(home.join("stowage.toml")).env_remove("STOWAGE_PLUGINS_DIR");
    Process::start("host", command, base)
}

fn write_private(path: &Path, content: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, content).expect("file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("mode");
}

fn private_directories(root: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o700)).expect("mode");
    for entry in std::fs::read_dir(root).expect("directory").flatten().filter(|entry| entry.path().is_dir()) {
        private_directories(&entry.path());
    }
}
