//! The host dies at every commit of the life of credentials, or an answer is lost at every call: no key is at the provider
//! that is not counted, no parent that is not on record, and in the end nothing is left.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use stowage_control::{Control, Credential, CredentialKind, IssueCredential, PageRequest};
use stowage_domain::{Action, ClassName, DataPolicy, Protocol};
use stowage_ports::provider::ErrorKind;
use stowage_store::{Index, Segments};

use crate::{
    crash::{Client, run},
    credentials::{account, model, s3_world, session},
    support::{Crash, Fault, Way, World, namespace, new_namespace, operator, project, request},
};

/// Every key at the provider belongs to a record that counts at least as many, the ledgers are the sum of the records, and
/// every parent is on record.
pub(crate) async fn keys_are_counted(world: &World) {
    let control = world.open_idle().await;
    let mut records = Vec::new();
    for of in ["vision", "audio"] {
        let page = PageRequest { size: 1000, token: String::new() };
        records.extend(control.list_credentials(&operator(), &project(of), page).await.unwrap().items);
    }
    let sum = |kind: CredentialKind| {
        let of_kind = records.iter().filter(|stored| stored.value.kind == kind);
        of_kind.map(|stored| u64::from(stored.value.keys)).sum::<u64>()
    };
    let counted = control.provider_keys(&operator(), &model()).await.unwrap();
    assert_eq!(counted, (sum(CredentialKind::Temporary), sum(CredentialKind::ServiceAccount)));
    let tables = stowage_store::schema::open(Arc::clone(&world.store) as _, &[]).await.unwrap();
    let parents = tables.entries(Index("parents-by-provider"), &Segments::new(), None, 10).await.unwrap().items;
    let holds = world.backend.holds.lock().unwrap();
    assert!(holds.access.principals.len() <= parents.len(), "an orphan parent: {:?}", holds.access.principals);
    let mut held: BTreeMap<&str, u32> = BTreeMap::new();
    for key in holds.access.keys.values() {
        *held.entry(key.owner.as_str()).or_default() += 1;
    }
    for (owner, keys) in held {
        let record = records.iter().find(|stored| stored.value.owner == owner);
        let counted = record.map(|stored| stored.value.keys);
        assert!(counted >= Some(keys), "{keys} keys of {owner}, counted {counted:?}");
    }
}

/// A client that repeats its request as long as that may help, and makes another when its credential has ended.
async fn issue(client: &mut Client<'_>, world: &World, id: &str, command: IssueCredential) -> Credential {
    let mut number = 0;
    loop {
        assert!(number < 5);
        let live = client.host().await;
        let (control, store) = (Arc::clone(&live.control), Arc::clone(&live.store));
        let options = request(&format!("{id}-{number}"));
        let answer = control.issue_credential(&operator(), command.clone(), options).await;
        if !store.dead() {
            keys_are_counted(world).await;
        }
        match answer {
            Ok(issued) => {
                assert!(issued.keys.is_some());
                return issued.credential;
            }
            Err(_) if store.dead() => {}
            Err(error) => match error.reason() {
                "CREDENTIAL_ENDED" | "CREDENTIAL_SHOWN" => number += 1,
                "CREDENTIAL_ANSWER_LOST"
                | "PARENT_NOT_READY"
                | "PROVIDER_UNREACHABLE"
                | "PROVIDER_THROTTLED"
                | "PROVIDER_LOCKED_OUT" => tokio::time::sleep(Duration::from_secs(1)).await,
                other => panic!("{other}: {error}"),
            },
        }
    }
}

async fn story(world: &World, crashes: Vec<Crash>) {
    let mut client = Client::new(world, crashes);
    let started = client
        .ask(async |control: Arc<Control>| {
            let mut command = new_namespace("data", 100);
            command.class = Some(ClassName::parse("storageClasses/both").unwrap());
            command.protocols = vec![Protocol::Posix];
            control.create_namespace(&operator(), command, request("create")).await
        })
        .await;
    client.succeeds(started.operation.unwrap()).await;
    let started = client
        .ask(async |control: Arc<Control>| {
            let both = vec![Protocol::Posix, Protocol::S3];
            control.set_namespace_protocols(&operator(), &namespace("data"), both, request("protocols")).await
        })
        .await;
    client.succeeds(started.operation.unwrap()).await;
    let workload = client.workload("vision", "w").await;
    let long = IssueCredential { ttl: Some(7200), ..session("vision", "datasets/", &[Action::Read, Action::List]) };
    let temporary = issue(&mut client, world, "session", long).await;
    issue(&mut client, world, "account", account(&workload)).await;
    client.release(&workload).await;
    {
        let holds = world.backend.holds.lock().unwrap();
        assert!(holds.access.keys.values().all(|key| key.ttl_s.is_some()), "{:?}", holds.access.keys);
    }
    let principal = world.backend.holds.lock().unwrap().access.principals.keys().next().unwrap().clone();
    client
        .ask(async |control: Arc<Control>| {
            control.revoke_credential(&operator(), &temporary.name, true, request("revoke")).await
        })
        .await;
    let started = client
        .ask(async |control: Arc<Control>| {
            control.delete_namespace(&operator(), &namespace("data"), DataPolicy::Purge, request("delete")).await
        })
        .await;
    client.succeeds(started.operation.unwrap()).await;
    if let Some(live) = client.live.take() {
        live.stop().await;
    }
    keys_are_counted(world).await;
    let control = world.open_idle().await;
    assert_eq!(control.provider_keys(&operator(), &model()).await.unwrap(), (0, 0));
    assert_eq!(world.secrets.field(&format!("made/model/{principal}"), "password"), None);
    assert_eq!(world.secrets.names(), Vec::<String>::new(), "secrets left");
    let holds = world.backend.holds.lock().unwrap();
    assert!(holds.access.keys.is_empty(), "{:?}", holds.access.keys);
    assert!(holds.access.principals.is_empty(), "{:?}", holds.access.principals);
    assert!(holds.namespaces.is_empty());
}

/// Commits and provider calls of the undisturbed story.
fn measure() -> (usize, usize) {
    let mut measured = (0, 0);
    run(async {
        let world = s3_world(Way::Direct).await;
        let before = world.store.commits();
        story(&world, Vec::new()).await;
        measured = (world.store.commits() - before, world.backend.calls().len());
    });
    measured
}

/// What the other tests rest on: a key that no record counts, or that one counts too few, does not pass.
#[test]
fn a_key_that_is_not_counted_is_seen() {
    let story = |rogue: bool| {
        run(async move {
            let world = s3_world(Way::Direct).await;
            let mut client = Client::new(&world, Vec::new());
            let started = client
                .ask(async |control: Arc<Control>| {
                    let mut command = new_namespace("data", 100);
                    command.class = Some(ClassName::parse("storageClasses/both").unwrap());
                    control.create_namespace(&operator(), command, request("create")).await
                })
                .await;
            client.succeeds(started.operation.unwrap()).await;
            issue(&mut client, &world, "one", session("vision", "", &[Action::Read])).await;
            if rogue {
                let mut holds = world.backend.holds.lock().unwrap();
                let twin = holds.access.keys["KEY1"].clone();
                holds.access.keys.insert("ROGUE".to_owned(), twin);
            }
            keys_are_counted(&world).await;
        });
    };
    story(false);
    assert!(std::panic::catch_unwind(|| story(true)).is_err());
}

#[test]
fn a_host_that_dies_at_any_commit_leaves_no_uncounted_key_and_no_orphan_parent() {
    let (commits, _) = measure();
    assert!(commits > 20, "the story has only {commits} commits");
    for k in 0..commits {
        for crashes in
            [vec![Crash::Before(k)], vec![Crash::After(k)], vec![Crash::After(k), Crash::Before(0), Crash::After(1)]]
        {
            run(async {
                println!("{crashes:?} of {commits}");
                story(&s3_world(Way::Direct).await, crashes.clone()).await;
            });
        }
    }
}

#[test]
fn an_answer_lost_or_refused_at_any_call_leaves_no_uncounted_key_and_no_orphan_parent() {
    let (_, calls) = measure();
    for call in 0..calls {
        for fault in [
            Fault::Lost(ErrorKind::Ambiguous),
            Fault::Lost(ErrorKind::Internal),
            Fault::Refused(ErrorKind::Unreachable),
            Fault::Refused(ErrorKind::Throttled(Some(3_000))),
            Fault::Refused(ErrorKind::LockedOut(30)),
        ] {
            run(async {
                println!("call {call} of {calls}: {fault:?}");
                let world = s3_world(Way::Direct).await;
                world.backend.fail(call, fault);
                story(&world, Vec::new()).await;
            });
        }
    }
}

#[test]
fn a_host_that_dies_after_an_answer_was_lost_leaves_no_uncounted_key() {
    let (commits, calls) = measure();
    for k in 0..commits {
        run(async {
            let call = k % calls;
            println!("commit {k}, call {call}");
            let world = s3_world(Way::Direct).await;
            world.backend.fail(call, Fault::Lost(ErrorKind::Ambiguous));
            story(&world, vec![Crash::Before(k)]).await;
        });
    }
}
