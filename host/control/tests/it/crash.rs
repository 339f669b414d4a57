//! The host dies at every commit, or a provider's answer is lost at every call, and everything still comes right.
//!
//! One story goes through every kind of operation. It is told once to count its commits and calls, then again for each of
//! them. The client does what a client does: after an error it repeats its request with the same id. In the end nothing may
//! be left at the provider or on the node, no reservation, no open operation, no secret, and at every restart each ledger
//! is the sum of the rows that it counts.

use std::future::Future;

use stowage_audit::Outcome;
use stowage_control::{
    Control, ControlError, CreateGrant, CreateMount, Form, ListOperations, MountState, Operation, OperationFilter,
    OperationState, PageRequest, PrefixAccess, Started,
};
use stowage_domain::{
    Action, Bytes, DataPolicy, GrantId, Limits, MountId, NamespaceState, Prefix, Principal, ProviderName, WorkloadName,
    WorkloadState,
};
use stowage_policy::Mode;
use stowage_ports::provider::ErrorKind;
use stowage_store::{Segments, Tables};

use crate::{
    credential_crashes::keys_are_counted,
    support::{
        Crash, Fault, Live, Way, World, namespace, new_namespace, new_workload, operator, project, request, until,
    },
};

/// A client of a host that may die.
pub(crate) struct Client<'w> {
    world: &'w World,
    crashes: Vec<Crash>,
    pub(crate) live: Option<Live>,
    lives: usize,
}

impl<'w> Client<'w> {
    pub(crate) fn new(world: &'w World, crashes: Vec<Crash>) -> Self {
        Self { world, crashes, live: None, lives: 0 }
    }

    /// The host, started anew if it has died.
    pub(crate) async fn host(&mut self) -> &Live {
        if self.live.as_ref().is_some_and(|live| live.store.dead()) {
            self.live.take().unwrap().stop().await;
        }
        if self.live.is_none() {
            ledgers_hold(self.world).await;
            keys_are_counted(self.world).await;
            let crash = self.crashes.get(self.lives).copied();
            self.lives += 1;
            // A start only reads, so it cannot die in it.
            self.live = Some(self.world.open(crash).await);
        }
        self.live.as_ref().unwrap()
    }

    /// Repeats the request until a host has answered it.
    pub(crate) async fn ask<T, F: Future<Output = Result<T, ControlError>>>(
        &mut self,
        mut what: impl FnMut(std::sync::Arc<Control>) -> F,
    ) -> T {
        loop {
            let live = self.host().await;
            let (control, store) = (std::sync::Arc::clone(&live.control), std::sync::Arc::clone(&live.store));
            match what(control).await {
                Ok(value) => return value,
                Err(error) if store.dead() => assert_eq!(error.reason(), "STORE_UNAVAILABLE", "{error}"),
                Err(error) => panic!("{}: {error}", error.reason()),
            }
        }
    }

    async fn done(&mut self, operation: Operation) -> Operation {
        let name = operation.name;
        loop {
            let live = self.host().await;
            let waited = live.control.wait_operation(&operator(), &name, std::time::Duration::from_secs(60)).await;
            match waited {
                Ok(operation) if operation.done() => return operation,
                Ok(_) => {}
                Err(error) => assert!(live.store.dead(), "{error}"),
            }
        }
    }

    pub(crate) async fn succeeds(&mut self, operation: Operation) -> Operation {
        let operation = self.done(operation).await;
        assert_eq!(operation.state, OperationState::Succeeded, "{:?}", operation.error);
        operation
    }

    async fn create(&mut self, id: &str) -> Operation {
        let started: Started = self
            .ask(async |control: std::sync::Arc<Control>| {
                control.create_namespace(&operator(), new_namespace(id, 100), request(&format!("create-{id}"))).await
            })
            .await;
        started.operation.unwrap()
    }

    async fn delete(&mut self, id: &str) {
        let started = self
            .ask(async |control: std::sync::Arc<Control>| {
                let options = request(&format!("delete-{id}"));
                control.delete_namespace(&operator(), &namespace(id), DataPolicy::Purge, options).await
            })
            .await;
        self.succeeds(started.operation.unwrap()).await;
    }

    pub(crate) async fn workload(&mut self, of: &str, id: &str) -> WorkloadName {
        self.ask(async |control: std::sync::Arc<Control>| {
            control.register_workload(&operator(), new_workload(of, id), request(&format!("workload-{id}"))).await
        })
        .await
        .value
        .name
    }

    /// Mounts; a secret that was lost with a crash costs a plan, and the client asks for another.
    async fn mount(&mut self, workload: &WorkloadName, prefix: &str, mode: Mode) {
        for attempt in 0.. {
            let id = format!("m{attempt}");
            let command = CreateMount {
                workload: workload.clone(),
                id: Some(MountId::parse(&id).unwrap()),
                namespace: namespace("data"),
                node: Some(self.world.agent.node.clone()),
                prefixes: vec![PrefixAccess { prefix: Prefix::parse("prefix", prefix).unwrap(), mode }],
                form: Form::Node,
                multi_writer: false,
            };
            let (operation, _) = self
                .ask(async |control: std::sync::Arc<Control>| {
                    let options = request(&format!("mount-{}-{id}", workload.workload));
                    control.create_mount(&operator(), command.clone(), options).await
                })
                .await;
            let operation = self.done(operation.unwrap()).await;
            if operation.state == OperationState::Succeeded {
                return;
            }
            let reason = operation.error.unwrap().reason;
            assert!(reason.starts_with("SECRET_"), "{reason}");
            assert!(attempt < 3);
        }
    }

    pub(crate) async fn release(&mut self, workload: &WorkloadName) {
        let (operation, _) = self
            .ask(async |control: std::sync::Arc<Control>| {
                let options = request(&format!("release-{}", workload.workload));
                control.release_workload(&operator(), workload, options).await
            })
            .await;
        self.succeeds(operation.unwrap()).await;
        let state = self
            .ask(async |control: std::sync::Arc<Control>| control.get_workload(&operator(), workload).await)
            .await
            .value
            .state;
        assert_eq!(state, WorkloadState::Released);
    }
}

/// Every kind of operation, from nothing to nothing.
async fn story(world: &World, crashes: Vec<Crash>) {
    let mut client = Client::new(world, crashes);
    let create = client.create("data").await;
    client.succeeds(create).await;

    let limits = Limits::hard(Bytes(200));
    let started = client
        .ask(async |control: std::sync::Arc<Control>| {
            control.set_namespace_limits(&operator(), &namespace("data"), limits, request("limits")).await
        })
        .await;
    client.succeeds(started.operation.unwrap()).await;

    let own = client.workload("vision", "w1").await;
    client.mount(&own, "", Mode::ReadWrite).await;

    let grant = CreateGrant {
        namespace: namespace("data"),
        id: Some(GrantId::parse("g1").unwrap()),
        principal: Principal::Project(project("audio")),
        prefix: Prefix::parse("prefix", "shared/").unwrap(),
        actions: [Action::Read, Action::List].into(),
        expires_at: None,
    };
    let grant = client
        .ask(async |control: std::sync::Arc<Control>| {
            control.create_grant(&operator(), grant.clone(), request("grant")).await
        })
        .await
        .value
        .name;
    let guest = client.workload("audio", "w2").await;
    client.mount(&guest, "shared/", Mode::ReadOnly).await;
    let (revoke, _) = client
        .ask(async |control: std::sync::Arc<Control>| {
            control.revoke_grant(&operator(), &grant, request("revoke")).await
        })
        .await;
    let revoke = client.succeeds(revoke.unwrap()).await;
    // A claim whose answer was lost keeps its lease for a minute; twice is more than the patience of an unmount.
    let states: Vec<&str> = revoke.items.iter().map(|item| item.state.as_str()).collect();
    assert!(states.contains(&"released") || (client.crashes.len() > 1 && states.contains(&"node-unreachable")));

    // One that cannot be made is taken back, shown as failed, and can be deleted.
    world.backend.fail_always("create-namespace", Some(ErrorKind::PermissionDenied));
    let doomed = client.create("doomed").await;
    let doomed = client.done(doomed).await;
    assert_eq!(doomed.error.unwrap().reason, "PROVIDER_PERMISSION_DENIED");
    world.backend.fail_always("create-namespace", None);
    let failed = client
        .ask(async |control: std::sync::Arc<Control>| control.get_namespace(&operator(), &namespace("doomed")).await)
        .await
        .value;
    assert_eq!((failed.state, failed.reserved), (NamespaceState::Failed, Bytes(0)));
    client.delete("doomed").await;

    client.release(&own).await;
    client.release(&guest).await;
    client.delete("data").await;
    clean(world, client).await;
}

async fn tables(world: &World) -> Tables {
    let store = std::sync::Arc::clone(&world.store) as std::sync::Arc<dyn stowage_ports::Store>;
    stowage_store::schema::open(store, &[]).await.unwrap()
}

/// Each ledger is the sum of the rows that it counts.
async fn ledgers_hold(world: &World) {
    let live = world.open_idle().await;
    let ops = operator();
    let all = live.list_namespaces(&ops, &project("vision"), PageRequest::default()).await.unwrap().items;
    let counted: Vec<u64> = all.iter().map(|n| n.value.reserved.0).filter(|bytes| *bytes > 0).collect();
    let provider = ProviderName::parse("providers/model").unwrap();
    for ledger in [
        live.project_ledger(&ops, &project("vision")).await.unwrap(),
        live.tenant_ledger(&ops, &project("vision").tenant_name()).await.unwrap(),
        live.provider_ledger(&ops, &provider).await.unwrap(),
    ] {
        assert_eq!(ledger.reserved.0, counted.iter().sum::<u64>());
        assert_eq!(ledger.namespaces, counted.len() as u64);
    }
}

/// Nothing is left anywhere, and the audit tells of every operation's beginning and end.
async fn clean(world: &World, mut client: Client<'_>) {
    let all = client
        .ask(async |control: std::sync::Arc<Control>| {
            let page = PageRequest { size: 1000, token: String::new() };
            let of = OperationFilter::All;
            control.list_operations(&operator(), ListOperations { of, unfinished_only: false, page }).await
        })
        .await
        .items;
    assert!(!all.is_empty() && all.iter().all(Operation::done), "operations are there and have ended");
    for mount in all.iter().filter_map(|operation| match &operation.purpose {
        stowage_control::Purpose::CreateMount { mount } => Some(mount.clone()),
        _ => None,
    }) {
        let mount = client
            .ask(async |control: std::sync::Arc<Control>| control.get_mount(&operator(), &mount).await)
            .await
            .value;
        assert!(mount.state.ended() && mount.operation.is_none(), "{mount:?}");
        assert_ne!(mount.state, MountState::Mounted);
    }
    // An unmount that was not confirmed in time happens all the same.
    until("the node has no mounts", || world.agent.mounted().is_empty()).await;
    if let Some(live) = client.live.take() {
        live.stop().await;
    }
    ledgers_hold(world).await;
    {
        let holds = world.backend.holds.lock().unwrap();
        assert_eq!(holds.namespaces.keys().collect::<Vec<_>>(), Vec::<&String>::new(), "orphans at the provider");
        assert_eq!(holds.mounts.keys().collect::<Vec<_>>(), Vec::<&String>::new(), "plans left at the provider");
        assert_eq!(holds.tree.iter().collect::<Vec<_>>(), Vec::<&String>::new(), "directories left on the nodes");
        assert_eq!(holds.tenants.len(), 1);
    }
    assert_eq!(world.secrets.names(), Vec::<String>::new(), "secrets left");
    let tables = tables(world).await;
    let open = tables.entries(stowage_store::Index("operations-open"), &Segments::new(), None, 10).await.unwrap();
    assert_eq!(open.items.len(), 0, "operations left open");
    let audit = stowage_audit::page(&tables, None, 1000).await.unwrap().items;
    for operation in all {
        let told: Vec<Outcome> = audit
            .iter()
            .filter(|(entry, _)| entry.operation == operation.name.to_string())
            .map(|(entry, _)| entry.outcome)
            .collect();
        let cancelled = operation.cancel_requested;
        assert!(told.len() == 2 || cancelled, "{:?} is told of by {told:?}", operation.purpose);
    }
}

/// Each run has a runtime of its own: paused time begins anew.
pub(crate) fn run(story: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(story);
}

/// Commits and provider calls of the undisturbed story.
fn measure(way: Way) -> (usize, usize) {
    let mut measured = (0, 0);
    run(async {
        let world = World::new(way).await;
        let before = world.store.commits();
        story(&world, Vec::new()).await;
        measured = (world.store.commits() - before, world.backend.calls().len());
    });
    measured
}

fn dies_at_every_commit(way: Way) {
    let (commits, _) = measure(way);
    assert!(commits > 40, "the story has only {commits} commits");
    for k in 0..commits {
        for crash in [Crash::Before(k), Crash::After(k)] {
            run(async {
                println!("{way:?} {crash:?} of {commits}");
                story(&World::new(way).await, vec![crash]).await;
            });
        }
        // And again at the first change of the life that repairs it.
        run(async {
            println!("{way:?} twice at {k} of {commits}");
            story(&World::new(way).await, vec![Crash::After(k), Crash::Before(0), Crash::After(1)]).await;
        });
    }
}

#[test]
fn a_host_that_dies_at_any_commit_leaves_nothing_behind() {
    dies_at_every_commit(Way::Direct);
}

#[test]
fn a_host_that_dies_at_any_commit_while_jobs_run_leaves_nothing_behind() {
    dies_at_every_commit(Way::Job);
}

#[test]
fn a_host_that_dies_at_any_commit_while_nodes_work_leaves_nothing_behind() {
    dies_at_every_commit(Way::Node);
}

#[test]
fn an_answer_lost_or_refused_at_any_call_leaves_nothing_behind() {
    for way in [Way::Direct, Way::Job, Way::Node] {
        let (_, calls) = measure(way);
        for call in 0..calls {
            let faults = [
                Fault::Lost(ErrorKind::Ambiguous),
                Fault::Lost(ErrorKind::Internal),
                Fault::Lost(ErrorKind::AuthExpired),
                Fault::Refused(ErrorKind::Unreachable),
                Fault::Refused(ErrorKind::Throttled(Some(3_000))),
                Fault::Refused(ErrorKind::LockedOut(60)),
            ];
            for fault in faults {
                run(async {
                    println!("{way:?} call {call} of {calls}: {fault:?}");
                    let world = World::new(way).await;
                    world.backend.fail(call, fault);
                    story(&world, Vec::new()).await;
                });
            }
        }
    }
}

#[test]
fn a_host_that_dies_after_an_answer_was_lost_leaves_nothing_behind() {
    let (commits, calls) = measure(Way::Node);
    for k in 0..commits {
        run(async {
            let call = k % calls;
            println!("commit {k}, call {call}");
            let world = World::new(Way::Node).await;
            world.backend.fail(call, Fault::Lost(ErrorKind::Ambiguous));
            story(&world, vec![Crash::Before(k)]).await;
        });
    }
}
