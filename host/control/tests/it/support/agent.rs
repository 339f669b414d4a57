//! A node's agent, with a memory that outlives the host's crashes as a real agent's journal does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use secrecy::ExposeSecret;
use stowage_control::{
    Caller, ClaimWork, Control, ControlError, MountState, NodeReport, Order, ReportWork, ReportedMount, Work,
    WorkOutcome,
};
use stowage_domain::{MountName, NodeName};
use stowage_ports::{CallerIdentity, CallerKind, provider::NodeResult};

use super::Backend;

#[derive(Default)]
struct Memory {
    secrets: BTreeMap<String, String>,
    mounted: BTreeSet<MountName>,
}

pub(crate) struct Agent {
    pub(crate) node: NodeName,
    backend: Arc<Backend>,
    memory: Mutex<Memory>,
}

impl Agent {
    pub(crate) fn new(node: &str, backend: Arc<Backend>) -> Self {
        Self { node: NodeName::parse(&format!("nodes/{node}")).unwrap(), backend, memory: Mutex::default() }
    }

    pub(crate) fn caller(&self) -> Caller {
        let identity = CallerIdentity {
            subject: self.node.to_string(),
            kind: CallerKind::Node { node: self.node.node.to_string() },
            roles: Vec::new(),
            tenant: None,
            project: None,
            groups: Vec::new(),
        };
        Caller { identity, call_id: "agent".into() }
    }

    pub(crate) fn mounted(&self) -> BTreeSet<MountName> {
        self.memory.lock().unwrap().mounted.clone()
    }

    pub(crate) async fn report(&self, control: &Control) -> Result<(), ControlError> {
        let reported = |mount: &MountName| ReportedMount {
            mount: mount.clone(),
            state: MountState::Mounted,
            paths: vec![format!("/mnt/{}", mount.mount_plan)],
            reason: String::new(),
        };
        let report = NodeReport {
            node: self.node.clone(),
            agent_version: "1".into(),
            boot_id: "b".into(),
            source_roots: vec!["data".into()],
            clients: Vec::new(),
            mounts: self.mounted().iter().map(reported).collect(),
        };
        control.report_node(&self.caller(), report).await.map(|_| ())
    }

    /// Reports and works until the host is gone.
    pub(crate) async fn run(&self, control: &Control) {
        loop {
            if self.report(control).await.is_err() {
                return;
            }
            let claim = ClaimWork { node: self.node.clone(), max: 0, wait: Duration::from_secs(5) };
            let Ok(all) = control.claim_work(&self.caller(), claim).await else { return };
            for work in all {
                let Ok(outcome) = self.work(control, &work).await else { return };
                let claim = work.lease.as_ref().unwrap().claim.clone();
                let report = ReportWork { name: work.name.clone(), claim, outcome };
                match control.report_work(&self.caller(), report).await {
                    Ok(()) => {}
                    Err(error) if error.reason() == "STALE_CLAIM" => {}
                    Err(_) => return,
                }
            }
        }
    }

    async fn work(&self, control: &Control, work: &Work) -> Result<WorkOutcome, ControlError> {
        let result = |id: &str, values| NodeResult { id: id.into(), values, error: None };
        let mut results = Vec::new();
        match &work.order {
            Order::Steps(steps) => {
                let mut holds = self.backend.holds.lock().unwrap();
                for step in &steps.steps {
                    match step.verb.as_str() {
                        "make-directory" => {
                            holds.tree.insert(step.path.clone());
                        }
                        "remove-directory" => {
                            holds.tree.remove(&step.path);
                        }
                        other => panic!("unexpected verb {other}"),
                    }
                    results.push(result(&step.id, Vec::new()));
                }
            }
            Order::Mount { mount, plan, .. } => {
                for secret in &plan.secrets {
                    if self.memory.lock().unwrap().secrets.contains_key(&secret.handle) {
                        continue;
                    }
                    match control.redeem_mount_secret(&self.caller(), &self.node, mount, &secret.handle).await {
                        Ok(redeemed) => {
                            let value = redeemed.value.expose_secret().to_owned();
                            self.memory.lock().unwrap().secrets.insert(secret.handle.clone(), value);
                        }
                        Err(error) if error.reason() == "STORE_UNAVAILABLE" => return Err(error),
                        Err(error) => {
                            let (reason, error) = (error.reason().to_owned(), Some(error.to_string()));
                            return Ok(WorkOutcome { results, error, reason });
                        }
                    }
                }
                self.memory.lock().unwrap().mounted.insert(mount.clone());
                for index in 0..plan.mounts.len() {
                    let path = format!("/mnt/{}/{index}", mount.mount_plan);
                    results.push(result(&index.to_string(), vec![("path".into(), path)]));
                }
            }
            Order::Unmount { mount, .. } => {
                self.memory.lock().unwrap().mounted.remove(mount);
            }
        }
        Ok(WorkOutcome { results, error: None, reason: String::new() })
    }
}
