//! Reservations under a race.

use std::sync::Arc;

use stowage_audit::Outcome;
use stowage_control::{
    CreateNamespace, CreateProject, CreateTenant, ProjectChanges, TenantChanges, Update, WriteOptions,
};
use stowage_domain::{Bytes, Labels, PosixIdentity, ProjectId, TenantId};

use crate::support::{Way, World, new_namespace, operator, project, request, wait_done};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creates_that_race_for_room_for_some_exactly_so_many_succeed() {
    let world = World::new(Way::Direct).await;
    // Two hosts over the same state: inside one the turns would hide what the preconditions must hold.
    let lives = [world.open_without_agent(None).await, world.open_without_agent(None).await];
    let mut racing = tokio::task::JoinSet::new();
    for n in 0..40 {
        let control = Arc::clone(&lives[n % 2].control);
        racing.spawn(async move {
            control.create_namespace(&operator(), new_namespace(&format!("n{n}"), 100), WriteOptions::default()).await
        });
    }
    let outcomes = racing.join_all().await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 8, "the project's quota of 800 bytes has room for 8 of 100");
    for error in lost {
        assert_eq!(error.unwrap_err().reason(), "PROJECT_QUOTA");
    }
    let ledger = lives[0].control.project_ledger(&operator(), &project("vision")).await.unwrap();
    assert_eq!((ledger.reserved, ledger.namespaces), (Bytes(800), 8));
    for live in lives {
        live.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn creates_that_come_together_share_commits_and_each_is_answered_by_itself() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let mut asked = tokio::task::JoinSet::new();
    for n in 0..8 {
        let control = Arc::clone(&live.control);
        // The fourth is over the quota, the sixth and seventh are the same request, the eighth takes the first's name.
        let (id, bytes) = match n {
            3 => ("n3".to_owned(), 900),
            6 => ("n5".to_owned(), 10),
            7 => ("n0".to_owned(), 11),
            n => (format!("n{n}"), 10),
        };
        let options = if n == 5 || n == 6 { request("same") } else { WriteOptions::default() };
        asked
            .spawn(async move { (n, control.create_namespace(&operator(), new_namespace(&id, bytes), options).await) });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(n, _)| *n);
    let reason = |n: usize| answers[n].1.as_ref().map_err(|error| error.reason().to_owned()).map(|_| ());
    assert_eq!(reason(3), Err("PROJECT_QUOTA".to_owned()));
    assert_eq!(reason(7), Err("ALREADY_EXISTS".to_owned()));
    let name = |n: usize| answers[n].1.as_ref().unwrap().operation.as_ref().unwrap().name.clone();
    assert_eq!(name(5), name(6));
    for n in [0, 1, 2, 4] {
        assert_eq!(reason(n), Ok(()));
    }
    let ledger = live.control.project_ledger(&operator(), &project("vision")).await.unwrap();
    assert_eq!((ledger.reserved, ledger.namespaces), (Bytes(50), 5));
    let tables =
        stowage_store::schema::open(Arc::clone(&world.store) as Arc<dyn stowage_ports::Store>, &[]).await.unwrap();
    let entries = stowage_audit::page(&tables, None, 1000).await.unwrap().items;
    let mut commits: Vec<_> = entries
        .iter()
        .filter(|(entry, _)| entry.action == "storage.namespace.create" && entry.outcome == Outcome::Accepted)
        .map(|(_, version)| *version)
        .collect();
    assert_eq!(commits.len(), 5);
    commits.dedup();
    assert_eq!(commits.len(), 1, "all five were accepted by one commit");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn creates_of_many_tenants_that_come_together_all_succeed() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let mut projects = Vec::new();
    for n in 0..8 {
        let tenant = CreateTenant {
            id: TenantId::parse(&format!("t{n}")).unwrap(),
            display_name: String::new(),
            byte_quota: None,
            cross_tenant_sharing: false,
            labels: Labels::default(),
        };
        let tenant = live.control.create_tenant(&operator(), tenant, WriteOptions::default()).await.unwrap().value.name;
        let project = CreateProject {
            tenant,
            id: ProjectId::parse("p").unwrap(),
            display_name: String::new(),
            posix: PosixIdentity { uid: 2000 + n, gid: 2000, mode: 0o770 },
            byte_quota: None,
            labels: Labels::default(),
        };
        let made = live.control.create_project(&operator(), project, WriteOptions::default()).await.unwrap();
        projects.push(made.value.name);
    }
    let mut asked = tokio::task::JoinSet::new();
    for (n, project) in projects.into_iter().enumerate() {
        let control = Arc::clone(&live.control);
        let command = CreateNamespace { project, ..new_namespace("data", 10) };
        asked.spawn(async move { control.create_namespace(&operator(), command, request(&format!("r{n}"))).await });
    }
    for answer in asked.join_all().await {
        answer.unwrap();
    }
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_create_over_the_tenants_quota_is_refused_though_its_project_has_room() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let tenant = project("vision").tenant_name();
    let quota = TenantChanges { byte_quota: Update::Set(Some(Bytes(500))), ..TenantChanges::default() };
    live.control.update_tenant(&operator(), &tenant, quota, WriteOptions::default()).await.unwrap();
    let create = async |of: &str, id: &str, bytes| {
        let command = CreateNamespace { project: project(of), ..new_namespace(id, bytes) };
        live.control.create_namespace(&operator(), command, WriteOptions::default()).await
    };
    let made = create("vision", "one", 300).await.unwrap();
    wait_done(&live.control, &made.operation.unwrap().name).await;
    let error = create("audio", "two", 201).await.unwrap_err();
    assert_eq!(error.reason(), "TENANT_QUOTA");
    assert_eq!(error.0.quotas[0].subject, "tenants/acme");
    create("audio", "two", 200).await.unwrap();
    let ledger = live.control.tenant_ledger(&operator(), &tenant).await.unwrap();
    assert_eq!((ledger.reserved, ledger.namespaces), (Bytes(500), 2));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_projects_new_quota_counts_for_what_is_created_next() {
    let world = World::new(Way::Direct).await;
    let live = world.open_without_agent(None).await;
    let create = async |id: &str| {
        live.control.create_namespace(&operator(), new_namespace(id, 100), WriteOptions::default()).await
    };
    create("one").await.unwrap();
    let change = ProjectChanges { byte_quota: Update::Set(Some(Bytes(50))), ..ProjectChanges::default() };
    live.control.update_project(&operator(), &project("vision"), change, WriteOptions::default()).await.unwrap();
    assert_eq!(create("two").await.unwrap_err().reason(), "PROJECT_QUOTA");
    let change = ProjectChanges { byte_quota: Update::Set(None), ..ProjectChanges::default() };
    live.control.update_project(&operator(), &project("vision"), change, WriteOptions::default()).await.unwrap();
    create("two").await.unwrap();
    live.stop().await;
}
