//! Mounts, and files on them: two workloads, two nodes, reading, writing, and both at once.

use std::process::Stdio;

use anyhow::{Context as _, bail};
use stowage_client::proto as v1;
use tokio::process::Command;

use super::{Run, site::Site, undo::Made};
use crate::cli::connection::call;

/// A mount of the run.
#[derive(Debug, Clone)]
pub(super) struct Mounted {
    /// The plan's name.
    pub(super) plan: String,
    /// `nodes/{node}`.
    pub(super) node: String,
    /// Where the node has it.
    pub(super) path: String,
}

/// The mounts of the run; absent where they could not be made.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    /// Read-write, from the namespace's own project.
    pub(super) writer: Option<Mounted>,
    /// Read-only, from the second project by a grant.
    pub(super) reader: Option<Mounted>,
    /// Read-write beside the first.
    pub(super) second: Option<Mounted>,
    /// The grant that the reader rests on.
    pub(super) grant: String,
}

impl Run<'_> {
    /// Mounts the namespace three times.
    pub(super) async fn mounts(&self, site: &Site) -> Mounts {
        let mut mounts = Mounts::default();
        let (Some(first), Some(last)) = (site.nodes.first(), site.nodes.last()) else {
            let why = "no node is online";
            self.journal.skip("mount.read-write", why, "no mount was measured", "start an agent on two nodes");
            return mounts;
        };
        let (rw, ro) = (v1::AccessMode::ReadWrite, v1::AccessMode::ReadOnly);
        let Some(writer) = self.workload(self.project(), "writer").await else { return mounts };
        mounts.writer = self.mount("mount.read-write", &writer, "rw", first, rw).await;
        self.journal.confirmed("mounts.node", &mounts.writer, "a namespace was mounted read-write on a node");
        mounts.second = self.mount("mount.multi-writer", &writer, "second", last, rw).await;
        if let Some(grant) = self.grant(&site.reader).await {
            mounts.grant = grant;
            if let Some(reader) = self.workload(&site.reader, "reader").await {
                mounts.reader = self.mount("mount.read-only", &reader, "ro", last, ro).await;
            }
        }
        mounts
    }

    async fn workload(&self, parent: &str, what: &str) -> Option<String> {
        let workload_id = format!("{}-{what}", self.id());
        self.undo.made(Made::Workload(format!("{parent}/workloads/{workload_id}")));
        let request = v1::RegisterWorkloadRequest {
            parent: parent.to_owned(),
            workload_id,
            workload: Some(v1::Workload { kind: "job".to_owned(), ..Default::default() }),
            ..Default::default()
        };
        let register = async {
            let made = call!(self.session.client.workloads(), register_workload, request);
            Ok((made.name, "registered".to_owned()))
        };
        self.journal.step(&format!("workload.{what}"), "RegisterWorkload", "it owns its mounts", register).await
    }

    async fn grant(&self, project: &str) -> Option<String> {
        let grant_id = format!("{}-readers", self.id());
        self.undo.made(Made::Grant(format!("{}/grants/{grant_id}", self.namespace)));
        let who = v1::grantee::Who::Project(project.to_owned());
        let request = v1::CreateGrantRequest {
            parent: self.namespace.clone(),
            grant_id,
            grant: Some(v1::Grant {
                grantee: Some(v1::Grantee { who: Some(who) }),
                actions: vec![v1::Action::Read.into(), v1::Action::List.into()],
                ..Default::default()
            }),
            ..Default::default()
        };
        let make = async {
            let made = call!(self.session.client.grants(), create_grant, request);
            Ok((made.name, "read and list for the second project".to_owned()))
        };
        self.journal.step("grant", "CreateGrant", "another project may read", make).await
    }

    async fn mount(&self, check: &str, workload: &str, id: &str, node: &str, mode: v1::AccessMode) -> Option<Mounted> {
        let multi_writer = mode == v1::AccessMode::ReadWrite;
        let plan = v1::MountPlan {
            namespace: self.namespace.clone(),
            node: node.to_owned(),
            prefixes: vec![v1::PrefixAccess { prefix: String::new(), mode: mode.into() }],
            form: v1::PlanForm::Node.into(),
            multi_writer,
            ..Default::default()
        };
        let request = v1::CreateMountPlanRequest {
            parent: workload.to_owned(),
            mount_plan_id: id.to_owned(),
            mount_plan: Some(plan),
            ..Default::default()
        };
        let make = async {
            let mut client = self.session.client.mounts();
            self.done(call!(client, create_mount_plan, request)).await?;
            let name = format!("{workload}/mountPlans/{id}");
            let plan = call!(client, get_mount_plan, v1::GetMountPlanRequest { name });
            if plan.state() != v1::MountState::Mounted {
                bail!("the plan is {}: {}", plan.state().as_str_name(), plan.state_reason);
            }
            let path = plan.mount_paths.first().context("the node tells no path")?.clone();
            let by = plan.mounts.first().map(|mount| mount.enforced_by().as_str_name()).unwrap_or_default();
            let seen = format!("{} at {path}, enforced by {by}", plan.state().as_str_name());
            Ok((Mounted { plan: plan.name, node: node.to_owned(), path }, seen))
        };
        let asked = format!("CreateMountPlan on {node}, {}", mode.as_str_name());
        self.journal.step(check, asked, "the node has it mounted", make).await
    }

    /// Reads and writes on the mounts.
    pub(super) async fn files(&self, mounts: &Mounts) {
        if self.args.on_node.is_none() {
            let remedy = "give --on-node, such as 'ssh {node}'";
            self.journal.skip("files", "no way to run on a node was given", "no file was read or written", remedy);
            return;
        }
        let Some(writer) = &mounts.writer else { return };
        let wrote = self.journal.step("files.write", "a file is written", "the mount takes writes", async {
            self.on_node(writer, "echo one > shared/validate-one && sync shared/validate-one").await
        });
        if wrote.await.is_none() {
            return;
        }
        if let Some(reader) = &mounts.reader {
            self.read_only(reader).await;
        }
        if let Some(second) = &mounts.second {
            self.both_write(writer, second).await;
        }
    }

    async fn read_only(&self, reader: &Mounted) {
        let follows = "what one writes, another reads";
        let read = async {
            let text = self.on_node(reader, "cat shared/validate-one").await?.1;
            if text.trim() != "one" {
                bail!("read {text:?} instead of what was written");
            }
            Ok(((), "the same text".to_owned()))
        };
        self.journal.step("files.read-elsewhere", "the file is read on the second mount", follows, read).await;
        let asked = "a write on the read-only mount";
        match self.on_node(reader, "echo two > shared/validate-two").await {
            Ok(_) => {
                let remedy = "look at the mount's options on the node";
                self.journal.fail("files.read-only", asked, "it was taken", "read-only is not enforced", remedy);
                self.journal.measured("mounts.read-only", false, "a read-only mount took a write");
            }
            Err(error) if refused_to_write(&format!("{error:#}")) => {
                self.journal.note("files.read-only", asked, format!("{error:#}"), "read-only is enforced");
                self.journal.measured("mounts.read-only", true, "a read-only mount refused a write");
            }
            Err(error) => {
                let follows = "nothing is known of read-only mounts";
                self.journal.fail("files.read-only", asked, format!("{error:#}"), follows, "look at the node");
            }
        }
    }

    async fn both_write(&self, writer: &Mounted, second: &Mounted) {
        let follows = "two writers see each other's files";
        let both = async {
            self.on_node(second, "echo three > shared/validate-three && sync shared/validate-three").await?;
            let text = self.on_node(writer, "cat shared/validate-three").await?.1;
            if text.trim() != "three" {
                let evidence = "two read-write mounts wrote, and the first did not read what the second wrote";
                self.journal.measured("mounts.multi-writer", false, evidence);
                bail!("the first writer reads {text:?} of what the second wrote");
            }
            Ok(((), format!("on {} and {}", writer.node, second.node)))
        };
        let seen = self.journal.step("files.multi-writer", "both mounts write", follows, both).await;
        let evidence = "two read-write mounts wrote, and the first read what the second wrote";
        self.journal.confirmed("mounts.multi-writer", &seen, evidence);
    }

    /// Runs a script in the mount's directory on its node; answers what it printed.
    pub(super) async fn on_node(&self, at: &Mounted, script: &str) -> anyhow::Result<((), String)> {
        let template = self.args.on_node.as_deref().context("--on-node is not given")?;
        let node = at.node.rsplit('/').next().unwrap_or_default();
        let mut words = template.split_whitespace().map(|word| word.replace("{node}", node));
        let program = words.next().context("--on-node is empty")?;
        let output = Command::new(&program)
            .args(words)
            .arg(format!("cd {} && {{ {script}; }}", quoted(&at.path)))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(self.args.timeout, output)
            .await
            .with_context(|| format!("{program} did not end within {:?}", self.args.timeout))?
            .with_context(|| format!("{program} could not be run"))?;
        if output.status.success() {
            return Ok(((), String::from_utf8_lossy(&output.stdout).trim().to_owned()));
        }
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("on {node}: {}", error.trim().lines().last().unwrap_or("it failed without a word"));
    }
}

/// Whether an error is the refusal of a write, and not that the node could not be reached.
fn refused_to_write(error: &str) -> bool {
    ["Read-only file system", "Permission denied", "Operation not permitted"].iter().any(|words| error.contains(words))
}

/// A path as one word of a shell.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        assert_eq!(quoted("/mnt/a b"), "'/mnt/a b'");
        assert_eq!(quoted("/mnt/a'; rm -rf /"), r"'/mnt/a'\''; rm -rf /'");
    }
}
