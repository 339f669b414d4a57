//! Direct S3 access: issuing, counting, expiry, revocation.

use std::time::Duration;

use secrecy::ExposeSecret;
use stowage_control::{
    ClassChanges, CreateClass, CreateGrant, Credential, CredentialKind, CredentialState, IssueCredential, Issued,
    OperationState, PageRequest, Status, Update, WriteOptions,
};
use stowage_domain::{
    Action, ClassId, ClassName, CredentialName, GrantId, GrantName, Prefix, Principal, Protocol, ProviderName, Seconds,
    WorkloadName,
};
use stowage_ports::provider::{CapabilityState, ErrorKind, NotReady, ProbeMode, Value};

use crate::{
    mounting::workload,
    support::{
        Backend, Fault, Live, Way, World, namespace, new_namespace, operator, project, request, until, wait_done,
    },
};

fn none() -> WriteOptions {
    WriteOptions::default()
}

pub(crate) fn model() -> ProviderName {
    ProviderName::parse("providers/model").unwrap()
}

/// A backend with S3: sessions of 15 minutes to 2 hours, five of them, two service accounts under a parent.
pub(crate) fn with_s3(backend: &Backend) {
    let yes = CapabilityState::Supported;
    backend.finds("namespaces.s3", yes.clone(), Vec::new());
    let bounds = vec![
        ("session.min-ttl", Value::Seconds(900)),
        ("session.max-ttl", Value::Seconds(7200)),
        ("session.max-live", Value::Number(5)),
    ];
    backend.finds("credentials.session", yes.clone(), bounds);
    backend.finds("credentials.access-key", yes.clone(), vec![("key.max-per-principal", Value::Number(2))]);
    let policy = vec![("policy.max-bytes", Value::Number(2048)), ("policy.dialect", Value::Text("iam-json".into()))];
    backend.finds("policy", yes, policy);
}

/// A world whose provider has S3, and a class with both protocols.
pub(crate) async fn s3_world(way: Way) -> World {
    let world = World::new(way).await;
    with_s3(&world.backend);
    let live = world.open_without_agent(None).await;
    live.control.probe_provider(&operator(), &model(), ProbeMode::ReadOnly).await.unwrap();
    let fields =
        ClassChanges { protocols: Update::Set(vec![Protocol::Posix, Protocol::S3]), ..ClassChanges::default() };
    live.control
        .create_class(&operator(), CreateClass { id: ClassId::parse("both").unwrap(), fields }, none())
        .await
        .unwrap();
    live.stop().await;
    world
}

async fn data(live: &Live, protocols: Vec<Protocol>) {
    let mut command = new_namespace("data", 100);
    command.class = Some(ClassName::parse("storageClasses/both").unwrap());
    command.protocols = protocols;
    let started = live.control.create_namespace(&operator(), command, none()).await.unwrap();
    let operation = wait_done(&live.control, &started.operation.unwrap().name).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{:?}", operation.error);
}

pub(crate) fn session(of: &str, prefix: &str, actions: &[Action]) -> IssueCredential {
    IssueCredential {
        project: project(of),
        namespace: namespace("data"),
        prefix: Prefix::parse("prefix", prefix).unwrap(),
        actions: actions.iter().copied().collect(),
        workload: None,
        kind: CredentialKind::Temporary,
        ttl: None,
    }
}

pub(crate) fn account(workload: &WorkloadName) -> IssueCredential {
    IssueCredential {
        workload: Some(workload.clone()),
        kind: CredentialKind::ServiceAccount,
        ..session("vision", "", &[Action::Read])
    }
}

async fn issue(live: &Live, command: IssueCredential) -> stowage_control::Result<Issued> {
    live.control.issue_credential(&operator(), command, none()).await
}

async fn issued(live: &Live, command: IssueCredential) -> Credential {
    issue(live, command).await.unwrap().credential
}

async fn read(live: &Live, name: &CredentialName) -> Credential {
    live.control.get_credential(&operator(), name).await.unwrap().value
}

async fn counted(live: &Live) -> (u64, u64) {
    live.control.provider_keys(&operator(), &model()).await.unwrap()
}

async fn grant(live: &Live, prefix: &str, actions: &[Action], left: Option<Seconds>) -> GrantName {
    let command = CreateGrant {
        namespace: namespace("data"),
        id: Some(GrantId::parse("g").unwrap()),
        principal: Principal::Project(project("audio")),
        prefix: Prefix::parse("prefix", prefix).unwrap(),
        actions: actions.iter().copied().collect(),
        expires_at: left.map(|left| live.control.now().plus(left.millis())),
    };
    live.control.create_grant(&operator(), command, none()).await.unwrap().value.name
}

const BOTH: [Protocol; 2] = [Protocol::Posix, Protocol::S3];
const READ: [Action; 2] = [Action::Read, Action::List];

#[tokio::test(start_paused = true)]
async fn an_owner_gets_a_credential_for_an_hour_and_only_the_answer_has_its_secret() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    let answer = issue(&live, session("vision", "datasets/", &READ)).await.unwrap();
    assert!(!format!("{answer:?}").contains("-of-KEY1"), "{answer:?}");
    let (credential, keys) = (answer.credential, answer.keys.unwrap());
    assert_eq!(keys.secret.expose_secret(), "secret-of-KEY1");
    assert_eq!(keys.token.unwrap().expose_secret(), "token-of-KEY1");
    assert_eq!((keys.endpoint.as_str(), keys.region.as_str()), ("https://s3.model", "here-1"));
    assert_eq!(keys.expires_at, credential.expires_at);
    assert_eq!(credential.expires_at.unwrap().since(credential.created_at).0, 3_600_000);
    assert_eq!(credential.state_at(live.control.now()), CredentialState::Live);
    let stored = read(&live, &credential.name).await;
    assert_eq!(stored.access_key_id, "KEY1");
    assert!(!format!("{stored:?}").contains("-of-KEY1"), "{stored:?}");
    assert_eq!(world.secrets.names(), Vec::<String>::new(), "without a request id the secret is gone at once");
    // One parent with an envelope over its project's buckets, and a session narrowed to the prefix.
    {
        let holds = world.backend.holds.lock().unwrap();
        let (name, parent) = holds.access.principals.iter().next().unwrap();
        let project8 = name.strip_prefix("sw-").unwrap();
        assert!(credential.bucket.starts_with(&format!("{project8}-")), "{} {name}", credential.bucket);
        let envelope = String::from_utf8(parent.policy.clone().unwrap()).unwrap();
        assert!(envelope.contains(&format!("arn:aws:s3:::{project8}-*/*")), "{envelope}");
        let key = &holds.access.keys["KEY1"];
        assert_eq!(key.ttl_s, Some(3600));
        let policy = String::from_utf8(key.policy.clone()).unwrap();
        assert!(policy.contains(&format!("arn:aws:s3:::{}/datasets/*", credential.bucket)), "{policy}");
        assert!(!policy.contains("s3:PutObject"), "{policy}");
    }
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_credential_beyond_the_grants_is_refused_before_the_provider_hears_of_it() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    let error = issue(&live, session("audio", "shared/", &READ)).await.unwrap_err();
    assert_eq!((error.status(), error.reason()), (Status::PermissionDenied, "CREDENTIAL_NOT_GRANTED"));
    grant(&live, "shared/", &READ, Some(Seconds(1800))).await;
    for (prefix, actions, field) in [
        ("", &READ[..], "credential.prefix"),
        ("sharedx/", &READ[..], "credential.prefix"),
        ("shared/", &[Action::Read, Action::Write][..], "credential.actions"),
    ] {
        let error = issue(&live, session("audio", prefix, actions)).await.unwrap_err();
        assert_eq!((error.reason(), error.0.fields[0].field.as_str()), ("CREDENTIAL_NOT_GRANTED", field), "{prefix}");
    }
    let error = issue(&live, session("vision", "", &[Action::Admin])).await.unwrap_err();
    assert_eq!(error.0.fields[0].field, "credential.actions");
    assert!(!world.backend.calls().iter().any(|call| call == "ensure-principal" || call == "issue-credential"));
    // Within it, it ends with the grant and hangs beneath the owner's parent.
    let credential = issued(&live, session("audio", "shared/x/", &READ)).await;
    assert_eq!(credential.grants.len(), 1);
    assert!(credential.expires_at.unwrap().since(live.control.now()).0 <= 1_800_000);
    let long = IssueCredential { ttl: Some(3600), ..session("audio", "shared/", &READ) };
    assert_eq!(issue(&live, long).await.unwrap_err().0.fields[0].field, "ttl");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_beyond_the_providers_bounds_is_refused_at_its_field() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    for ttl in [899, 7201] {
        let error = issue(&live, IssueCredential { ttl: Some(ttl), ..session("vision", "", &READ) }).await.unwrap_err();
        assert_eq!((error.status(), error.0.fields[0].field.as_str()), (Status::InvalidArgument, "ttl"));
        assert!(error.to_string().contains("from 900 s to 7200 s"), "{error}");
    }
    let account = IssueCredential { kind: CredentialKind::ServiceAccount, ..session("vision", "", &READ) };
    assert_eq!(issue(&live, account).await.unwrap_err().0.fields[0].field, "credential.workload");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn s3_that_is_not_ready_is_answered_with_its_reason_and_what_to_do() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, vec![Protocol::Posix]).await;
    let error = issue(&live, session("vision", "", &READ)).await.unwrap_err();
    assert_eq!((error.status(), error.reason()), (Status::FailedPrecondition, "PROTOCOL_NOT_ENABLED"));
    let off = CapabilityState::Unavailable(NotReady {
        capability: "namespaces.s3".into(),
        reason: "S3_NOT_ENABLED".into(),
        remedy: "start two protocol containers".into(),
    });
    world.backend.finds("namespaces.s3", off, Vec::new());
    live.control.probe_provider(&operator(), &model(), ProbeMode::ReadOnly).await.unwrap();
    let issuing = issue(&live, session("vision", "", &READ)).await.unwrap_err();
    let changing =
        live.control.set_namespace_protocols(&operator(), &namespace("data"), BOTH.to_vec(), none()).await.unwrap_err();
    let mut command = new_namespace("more", 10);
    command.class = Some(ClassName::parse("storageClasses/both").unwrap());
    let creating = live.control.create_namespace(&operator(), command, none()).await.unwrap_err();
    for error in [issuing, changing, creating] {
        assert_eq!((error.status(), error.reason()), (Status::FailedPrecondition, "S3_NOT_ENABLED"), "{error}");
        assert_eq!(error.0.preconditions[0].description, "start two protocol containers");
    }
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn protocols_are_added_and_taken_away_while_the_data_stays() {
    for way in [Way::Direct, Way::Job] {
        let world = s3_world(way).await;
        let live = world.open(None).await;
        data(&live, vec![Protocol::Posix]).await;
        let set = async |protocols: Vec<Protocol>| {
            let started =
                live.control.set_namespace_protocols(&operator(), &namespace("data"), protocols, none()).await?;
            let operation = wait_done(&live.control, &started.operation.unwrap().name).await;
            assert_eq!(operation.state, OperationState::Succeeded, "{:?}", operation.error);
            stowage_control::Result::Ok(
                live.control.get_namespace(&operator(), &namespace("data")).await.unwrap().value,
            )
        };
        let open = set(BOTH.to_vec()).await.unwrap();
        assert_eq!(open.bucket(), Some(open.physical_id.as_str()));
        issued(&live, session("vision", "", &READ)).await;
        assert_eq!(set(vec![Protocol::S3]).await.unwrap().bucket(), Some(open.physical_id.as_str()));
        let unmountable = crate::mounting::refused(&live, &world).await;
        assert_eq!(unmountable.reason(), "PROTOCOL_NOT_ENABLED", "{unmountable}");
        assert_eq!(set(vec![Protocol::Posix]).await.unwrap().bucket(), None);
        assert_eq!(set(Vec::new()).await.unwrap_err().0.fields[0].field, "protocols");
        assert_eq!(world.backend.holds.lock().unwrap().protocols[&open.physical_id].len(), 1);
        live.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn protocols_that_cannot_be_changed_leave_the_namespace_as_it_was() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, vec![Protocol::Posix]).await;
    world.backend.fail_always("set-protocols", Some(ErrorKind::PermissionDenied));
    let started =
        live.control.set_namespace_protocols(&operator(), &namespace("data"), BOTH.to_vec(), none()).await.unwrap();
    let operation = wait_done(&live.control, &started.operation.unwrap().name).await;
    assert_eq!(operation.error.unwrap().reason, "PROVIDER_PERMISSION_DENIED");
    let after = live.control.get_namespace(&operator(), &namespace("data")).await.unwrap().value;
    assert_eq!((after.protocols.as_slice(), after.operation.clone()), (&[Protocol::Posix][..], None));
    assert!(after.state_reason.contains("protocols failed"), "{}", after.state_reason);
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_request_gets_the_same_answer_for_five_minutes_and_then_none() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    let ops = operator();
    let ask = || live.control.issue_credential(&ops, session("vision", "", &READ), request("r"));
    let (one, two) = tokio::join!(ask(), ask());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.credential.name, two.credential.name);
    let secret = |issued: &Issued| issued.keys.as_ref().unwrap().secret.expose_secret().to_owned();
    assert_eq!(secret(&one), secret(&two));
    assert_eq!((counted(&live).await, world.backend.holds.lock().unwrap().access.keys.len()), ((1, 0), 1));
    assert_eq!(world.secrets.names().len(), 2);
    until("the secret is forgotten", || world.secrets.names().is_empty()).await;
    let late = ask().await.unwrap_err();
    assert_eq!((late.status(), late.reason()), (Status::FailedPrecondition, "CREDENTIAL_SHOWN"));
    let other = live.control.issue_credential(&operator(), session("vision", "a/", &READ), request("r")).await;
    assert_eq!(other.unwrap_err().reason(), "REQUEST_ID_CONFLICT");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_expired_credential_is_shown_as_such_gives_its_place_back_and_is_forgotten() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    let name = issued(&live, session("vision", "", &READ)).await.name;
    assert_eq!(counted(&live).await, (1, 0));
    tokio::time::sleep(Duration::from_secs(3601)).await;
    let expired = read(&live, &name).await;
    assert_eq!((expired.state, expired.keys), (CredentialState::Expired, 0));
    assert_eq!(counted(&live).await, (0, 0));
    let revoked = live.control.revoke_credential(&operator(), &name, false, none()).await.unwrap().value;
    assert_eq!(revoked.state, CredentialState::Expired, "what has ended is not ended again");
    live.stop().await;
    for (days, kept) in [(29, true), (1, false)] {
        tokio::time::advance(Duration::from_secs(days * 24 * 3600)).await;
        let live = world.open_without_agent(None).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(live.control.get_credential(&operator(), &name).await.is_ok(), kept, "{days}");
        live.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_live_sessions_holds_under_a_rush_and_is_named() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    let mut rush = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let control = std::sync::Arc::clone(&live.control);
        rush.spawn(async move { control.issue_credential(&operator(), session("vision", "", &READ), none()).await });
    }
    let answers = rush.join_all().await;
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert_eq!(refused.len(), 7);
    for error in refused {
        assert_eq!((error.status(), error.reason()), (Status::ResourceExhausted, "SESSIONS_EXHAUSTED"));
        assert!(error.0.quotas[0].description.contains("limit 5"), "{error}");
    }
    assert_eq!((counted(&live).await, world.backend.holds.lock().unwrap().access.keys.len()), ((5, 0), 5));
    assert_eq!(world.backend.holds.lock().unwrap().access.principals.len(), 1);
    let made = world.backend.calls().iter().filter(|call| *call == "ensure-principal").count();
    assert_eq!(made, 1, "a rush makes its parent once");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_counts_until_its_time_and_a_repeat_takes_another_place() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    issued(&live, session("vision", "", &READ)).await;
    world.backend.fail(world.backend.calls().len(), Fault::Lost(ErrorKind::Ambiguous));
    let ops = operator();
    let ask = || live.control.issue_credential(&ops, session("vision", "", &READ), request("r"));
    let error = ask().await.unwrap_err();
    assert_eq!((error.status(), error.reason()), (Status::Unavailable, "CREDENTIAL_ANSWER_LOST"));
    let name = CredentialName::parse(&error.0.metadata.iter().find(|(key, _)| key == "credential").unwrap().1).unwrap();
    let lost = read(&live, &name).await;
    assert_eq!((lost.state, lost.keys, lost.access_key_id.as_str()), (CredentialState::Issuing, 1, ""));
    assert_eq!((counted(&live).await, world.backend.holds.lock().unwrap().access.keys.len()), ((2, 0), 2));
    let again = ask().await.unwrap().credential;
    assert_eq!((again.name.clone(), again.keys, again.attempts), (name.clone(), 2, 2));
    assert_eq!((counted(&live).await, world.backend.holds.lock().unwrap().access.keys.len()), ((3, 0), 3));
    tokio::time::sleep(Duration::from_secs(3700)).await;
    assert_eq!((read(&live, &name).await.state, counted(&live).await), (CredentialState::Expired, (0, 0)));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_provider_gives_the_place_back() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    issued(&live, session("vision", "", &READ)).await;
    let refused = Fault::Refused(ErrorKind::Throttled(Some(3000)));
    world.backend.fail(world.backend.calls().len(), refused);
    let ops = operator();
    let ask = || live.control.issue_credential(&ops, session("vision", "", &READ), request("r"));
    assert_eq!(ask().await.unwrap_err().reason(), "PROVIDER_THROTTLED");
    assert_eq!(counted(&live).await, (1, 0));
    let issued = ask().await.unwrap().credential;
    assert_eq!((issued.state, issued.keys), (CredentialState::Live, 1));
    assert_eq!(counted(&live).await, (2, 0));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_session_cannot_be_revoked_and_the_answer_says_what_can() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    grant(&live, "shared/", &READ, None).await;
    let (mine, other) =
        (issued(&live, session("vision", "", &READ)).await, issued(&live, session("audio", "shared/", &READ)).await);
    let error = live.control.revoke_credential(&operator(), &mine.name, false, none()).await.unwrap_err();
    assert_eq!((error.status(), error.reason()), (Status::FailedPrecondition, "SESSION_NOT_REVOCABLE"));
    let fact = |key: &str| error.0.metadata.iter().find(|(known, _)| known == key).unwrap().1.clone();
    assert_eq!(fact("choices"), "wait,revoke_parent");
    assert_eq!(fact("expire_time_ms"), mine.expires_at.unwrap().0.to_string());
    assert_eq!(error.0.preconditions[0].subject, other.name.to_string());
    // Whoever holds a credential beneath a foreign parent may not end that parent.
    let mut guest = operator();
    guest.identity.tenant = Some("acme".into());
    guest.identity.project = Some("audio".into());
    let refused = live.control.revoke_credential(&guest, &other.name, true, none()).await.unwrap_err();
    assert_eq!(refused.reason(), "PARENT_OF_ANOTHER");
    let hidden = live.control.revoke_credential(&guest, &other.name, false, none()).await.unwrap_err();
    assert!(hidden.0.preconditions.is_empty(), "{hidden:?}");
    // The owner may, and everything beneath it ends; the next need makes another parent.
    let before = world.secrets.field(&parent_secret(&world), "password").unwrap();
    let ended = live.control.revoke_credential(&operator(), &mine.name, true, request("r")).await.unwrap().value;
    assert_eq!(ended.state, CredentialState::Revoked);
    assert_eq!(read(&live, &other.name).await.state, CredentialState::Revoked);
    assert_eq!((counted(&live).await, world.backend.holds.lock().unwrap().access.keys.len()), ((0, 0), 0));
    assert!(world.backend.holds.lock().unwrap().access.principals.is_empty());
    let next = issued(&live, session("vision", "", &READ)).await;
    assert_ne!(world.secrets.field(&parent_secret(&world), "password").unwrap(), before);
    live.control.revoke_credential(&operator(), &mine.name, true, request("r")).await.unwrap();
    assert_eq!(read(&live, &next.name).await.state, CredentialState::Live, "a repeat ends nothing newer");
    live.stop().await;
}

fn parent_secret(world: &World) -> String {
    let holds = world.backend.holds.lock().unwrap();
    format!("made/model/{}", holds.access.principals.keys().next().unwrap())
}

#[tokio::test(start_paused = true)]
async fn releasing_a_workload_ends_its_accounts_and_tells_of_its_sessions() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    let workload = workload(&live, "vision", "w").await;
    let account_name = issued(&live, account(&workload)).await.name;
    let of_workload = IssueCredential { workload: Some(workload.clone()), ..session("vision", "", &READ) };
    let session_name = issued(&live, of_workload.clone()).await.name;
    let unrelated = issued(&live, session("vision", "", &READ)).await.name;
    assert_eq!(counted(&live).await, (2, 1));
    let (operation, _) = live.control.release_workload(&operator(), &workload, none()).await.unwrap();
    let operation = wait_done(&live.control, &operation.unwrap().name).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{:?}", operation.error);
    let item = |name: &CredentialName| operation.items.iter().find(|item| item.resource == name.to_string());
    assert_eq!(item(&account_name).unwrap().state, "revoked");
    assert_eq!(item(&session_name).unwrap().state, "expires-naturally");
    assert_eq!(item(&session_name).unwrap().problem.as_ref().unwrap().reason, "EXPIRES_NATURALLY");
    assert!(item(&unrelated).is_none());
    assert_eq!(read(&live, &account_name).await.state, CredentialState::Revoked);
    assert_eq!(counted(&live).await, (2, 0));
    let late = issue(&live, of_workload).await.unwrap_err();
    assert_eq!(late.reason(), "WORKLOAD_RELEASED");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_service_account_whose_answer_was_lost_is_looked_for_and_ended() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    let workload = workload(&live, "vision", "w").await;
    issued(&live, account(&workload)).await;
    world.backend.fail(world.backend.calls().len(), Fault::Lost(ErrorKind::Ambiguous));
    assert_eq!(issue(&live, account(&workload)).await.unwrap_err().reason(), "CREDENTIAL_ANSWER_LOST");
    assert_eq!(issue(&live, account(&workload)).await.unwrap_err().reason(), "SERVICE_ACCOUNTS_EXHAUSTED");
    assert_eq!(world.backend.holds.lock().unwrap().access.keys.len(), 2);
    until("nothing of it is left", || world.backend.holds.lock().unwrap().access.keys.len() == 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(counted(&live).await, (0, 1));
    issued(&live, account(&workload)).await;
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn revoking_a_service_account_waits_for_the_provider_and_a_grant_takes_them_along() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    let own = workload(&live, "vision", "w").await;
    let name = issued(&live, account(&own)).await.name;
    let revoked = live.control.revoke_credential(&operator(), &name, false, none()).await.unwrap().value;
    assert_eq!((revoked.state, revoked.keys), (CredentialState::Revoked, 0));
    let guest = workload(&live, "audio", "w").await;
    let grant = grant(&live, "shared/", &READ, None).await;
    let command = IssueCredential {
        project: project("audio"),
        prefix: Prefix::parse("p", "shared/").unwrap(),
        ..account(&guest)
    };
    let foreign = issued(&live, command).await.name;
    let (operation, _) = live.control.revoke_grant(&operator(), &grant, none()).await.unwrap();
    let operation = wait_done(&live.control, &operation.unwrap().name).await;
    assert_eq!(operation.items[0].state, "revoked", "{:?}", operation.items);
    assert_eq!(read(&live, &foreign).await.state, CredentialState::Revoked);
    assert!(world.backend.holds.lock().unwrap().access.keys.is_empty());
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_issued_while_its_workload_is_released_is_ended_all_the_same() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    let workload = workload(&live, "vision", "w").await;
    issued(&live, session("vision", "", &READ)).await;
    world.backend.slow("issue-credential", Duration::from_secs(30));
    let control = std::sync::Arc::clone(&live.control);
    let command = account(&workload);
    let slow = tokio::spawn(async move { control.issue_credential(&operator(), command, none()).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (operation, _) = live.control.release_workload(&operator(), &workload, none()).await.unwrap();
    assert_eq!(slow.await.unwrap().unwrap_err().reason(), "CREDENTIAL_ENDED");
    assert_eq!(world.backend.holds.lock().unwrap().access.keys.len(), 2, "the provider has made it");
    assert_eq!(counted(&live).await, (1, 1));
    wait_done(&live.control, &operation.unwrap().name).await;
    assert_eq!(world.backend.holds.lock().unwrap().access.keys.len(), 1);
    assert_eq!((counted(&live).await, world.secrets.names().len()), ((1, 0), 0));
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_of_an_issue_checks_everything_and_makes_nothing() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    let dry = || WriteOptions { validate_only: true, ..none() };
    let ops = operator();
    let would = live.control.issue_credential(&ops, session("vision", "a/", &READ), dry()).await.unwrap();
    assert!(would.keys.is_none() && would.credential.scope().starts_with("read, list on "));
    assert_eq!(counted(&live).await, (0, 0));
    assert!(world.backend.holds.lock().unwrap().access.principals.is_empty());
    for _ in 0..5 {
        issued(&live, session("vision", "", &READ)).await;
    }
    let full = live.control.issue_credential(&ops, session("vision", "a/", &READ), dry()).await.unwrap_err();
    assert_eq!(full.reason(), "SESSIONS_EXHAUSTED");
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn credentials_are_listed_by_project_a_page_at_a_time() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    for _ in 0..3 {
        issued(&live, session("vision", "", &READ)).await;
    }
    let list = async |of: &str, token: String| {
        live.control.list_credentials(&operator(), &project(of), PageRequest { size: 2, token }).await.unwrap()
    };
    let first = list("vision", String::new()).await;
    let second = list("vision", first.next.clone()).await;
    assert_eq!((first.items.len(), second.items.len(), second.next.as_str()), (2, 1, ""));
    assert!(list("audio", String::new()).await.items.is_empty());
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_project_with_a_live_credential_stays_and_without_one_takes_its_parent_along() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    grant(&live, "shared/", &READ, None).await;
    let guest = issued(&live, session("audio", "shared/", &READ)).await;
    let refused = live.control.delete_project(&operator(), &project("audio"), none()).await.unwrap_err();
    assert_eq!(refused.reason(), "PROJECT_NOT_EMPTY");
    assert!(refused.to_string().contains(&guest.name.to_string()), "{refused}");
    let data = stowage_domain::DataPolicy::Purge;
    let started = live.control.delete_namespace(&operator(), &namespace("data"), data, none()).await.unwrap();
    wait_done(&live.control, &started.operation.unwrap().name).await;
    live.control.delete_project(&operator(), &project("vision"), none()).await.unwrap();
    assert!(world.backend.holds.lock().unwrap().access.principals.is_empty());
    assert!(world.backend.holds.lock().unwrap().access.keys.is_empty());
    live.control.delete_project(&operator(), &project("audio"), none()).await.unwrap();
    live.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_cannot_be_made_is_an_error_and_is_tried_anew_by_the_next_request() {
    let world = s3_world(Way::Direct).await;
    let live = world.open(None).await;
    data(&live, BOTH.to_vec()).await;
    world.backend.fail_always("apply-policy", Some(ErrorKind::PermissionDenied));
    let error = issue(&live, session("vision", "", &READ)).await.unwrap_err();
    assert_eq!(error.reason(), "PROVIDER_PERMISSION_DENIED");
    assert_eq!(counted(&live).await, (0, 0), "nothing is counted before there is a parent");
    world.backend.fail_always("apply-policy", None);
    issued(&live, session("vision", "", &READ)).await;
    live.stop().await;
}
