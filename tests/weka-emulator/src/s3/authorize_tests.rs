//! Who may do what, decided on a state of its own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use serde_json::{Value, json};

use super::authorize::{ConditionValues, authorize};
use super::buckets::NewBucket;
use super::documents::Document;
use super::identity::{KeyKind, S3Key};
use super::service_accounts::ServiceAccount;
use crate::clock::Clock;
use crate::organizations::ROOT;
use crate::presets::Preset;
use crate::state::State;
use crate::switches::{Conditions, Switches};
use crate::uid::Uid;
use crate::users::{Role, User};

struct Scene {
    state: State,
    user: Uid,
    _tree: tempfile::TempDir,
}

fn allow(actions: Value, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": format!("arn:aws:s3:::{resource}") })
}

fn document(statements: Value) -> Document {
    Document::iam(&json!({ "Version": "2012-10-17", "Statement": statements }), &Switches::default()).unwrap()
}

fn listing(prefix: &str) -> ConditionValues {
    ConditionValues::from([("prefix".to_owned(), vec![prefix.to_owned()])])
}

impl Scene {
    /// An S3 user `parent` and a bucket `box`.
    fn new() -> Self {
        let tree = tempfile::tempdir().unwrap();
        let release = "4.4.22".parse().unwrap();
        let (switches, clock) = (Switches::default(), Clock::default());
        let mut state =
            State::preset(Preset::S3Ready, release, switches, "Pass-word1", clock, tree.path().to_owned(), None)
                .unwrap();
        let user = Uid::fresh();
        state.users.push(User {
            uid: user,
            org_id: ROOT,
            username: "parent".to_owned(),
            password: "Parent-secret1".to_owned(),
            role: Role::S3,
            posix_uid: 1000,
            posix_gid: 1001,
        });
        state.add_bucket(NewBucket { name: "box".to_owned(), ..NewBucket::default() }).unwrap();
        Self { state, user, _tree: tree }
    }

    fn attach(&mut self, statements: Value) {
        self.state.s3.policies.insert("p".to_owned(), document(statements));
        self.state.s3.attached.insert(self.user, "p".to_owned());
    }

    fn session(&mut self, policy: Option<Value>) -> String {
        self.state.open_session(self.user, 900, policy.map(document)).unwrap().access_key
    }

    fn service_account(&mut self, policy: Option<Value>) -> String {
        let account =
            ServiceAccount { secret: "s".repeat(40), parent: self.user, policy: policy.map(document), deleted: None };
        self.state.s3.service_accounts.insert("ACCOUNT".to_owned(), account);
        "ACCOUNT".to_owned()
    }

    fn key(&self, access_key: &str) -> S3Key {
        self.state.s3_key(access_key).unwrap()
    }

    fn may(&self, access_key: &str, action: &str, key: &str) -> bool {
        authorize(&self.state, Some(&self.key(access_key)), action, "box", key, &ConditionValues::new())
    }

    fn may_list(&self, access_key: &str, prefix: &str) -> bool {
        authorize(&self.state, Some(&self.key(access_key)), "s3:ListBucket", "box", "", &listing(prefix))
    }

    fn anyone_may(&self, action: &str, key: &str) -> bool {
        authorize(&self.state, None, action, "box", key, &ConditionValues::new())
    }
}

#[test]
fn a_user_without_a_policy_may_nothing() {
    let mut scene = Scene::new();
    assert!(!scene.may("parent", "s3:ListAllMyBuckets", ""));
    scene.state.s3.attached.insert(scene.user, "readonly".to_owned());
    assert!(scene.may("parent", "s3:GetObject", "a") && !scene.may("parent", "s3:PutObject", "a"));
    scene.state.s3.attached.insert(scene.user, "writeonly".to_owned());
    assert!(!scene.may("parent", "s3:GetObject", "a") && scene.may("parent", "s3:PutObject", "a"));
    scene.state.s3.attached.insert(scene.user, "readwrite".to_owned());
    assert!(scene.may("parent", "s3:DeleteBucket", "") && scene.may("parent", "s3:PutLifecycleConfiguration", ""));
    scene.state.s3.attached.insert(scene.user, "gone".to_owned());
    assert!(!scene.may("parent", "s3:GetObject", "a"));
    assert!(!scene.may("parent", "s3:NoSuchAction", "a"));
}

#[test]
fn a_session_may_what_its_policy_and_its_parents_both_allow() {
    let mut scene = Scene::new();
    scene.attach(json!([allow(json!(["s3:GetObject", "s3:PutObject"]), "box/a/*")]));
    let plain = scene.session(None);
    let narrow = scene.session(Some(json!([allow(json!("s3:GetObject"), "box/a/b/*")])));
    let wide = scene.session(Some(json!([allow(json!("s3:*"), "*")])));
    for (key, action, object, allowed) in [
        (&plain, "s3:PutObject", "a/x", true),
        (&plain, "s3:PutObject", "c/x", false),
        (&narrow, "s3:GetObject", "a/b/x", true),
        (&narrow, "s3:GetObject", "a/x", false),
        (&narrow, "s3:PutObject", "a/b/x", false),
        (&wide, "s3:GetObject", "a/x", true),
        (&wide, "s3:GetObject", "c/x", false),
        (&wide, "s3:DeleteObject", "a/x", false),
    ] {
        assert_eq!(scene.may(key, action, object), allowed, "{action} {object}");
    }
}

#[test]
fn a_service_account_may_at_most_what_its_parent_may() {
    let mut scene = Scene::new();
    scene.attach(json!([allow(json!("s3:GetObject"), "box/*")]));
    let key = scene.service_account(None);
    assert!(scene.may(&key, "s3:GetObject", "x"));
    let key = scene.service_account(Some(json!([allow(json!("s3:*"), "box/a/*")])));
    assert!(scene.may(&key, "s3:GetObject", "a/x"));
    assert!(!scene.may(&key, "s3:GetObject", "x") && !scene.may(&key, "s3:PutObject", "a/x"));
}

#[test]
fn a_deny_wins_over_any_allow() {
    let mut scene = Scene::new();
    let deny = json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::box/secret/*" });
    scene.attach(json!([allow(json!("s3:*"), "*"), deny]));
    assert!(scene.may("parent", "s3:GetObject", "open/x") && !scene.may("parent", "s3:GetObject", "secret/x"));
}

#[test]
fn a_prefix_condition_is_read_in_each_way_that_a_switch_says() {
    let mut scene = Scene::new();
    scene.attach(json!([allow(json!("s3:*"), "*")]));
    let mut list = allow(json!("s3:ListBucket"), "box");
    list["Condition"] = json!({ "StringLike": { "s3:prefix": ["a/*", "a/"] } });
    let key = scene.session(Some(json!([list])));
    assert!(scene.may_list(&key, "a/b") && scene.may_list(&key, "a/"));
    assert!(!scene.may_list(&key, "b/") && !scene.may_list(&key, ""));
    assert!(!scene.may(&key, "s3:ListBucket", ""), "no prefix at all");
    scene.state.switches.s3_conditions = Conditions::Ignored;
    assert!(scene.may_list(&key, "b/") && scene.may_list(&key, ""));
    scene.state.switches.s3_conditions = Conditions::NeverMatch;
    assert!(!scene.may_list(&key, "a/"));
    scene.state.switches.s3_conditions = Conditions::Refused;
    assert!(!scene.may_list(&key, "a/"));
}

#[test]
fn a_negated_condition_negates_once() {
    let mut scene = Scene::new();
    let mut list = allow(json!("s3:ListBucket"), "box");
    list["Condition"] = json!({ "StringNotEquals": { "s3:prefix": "secret" } });
    scene.attach(json!([list]));
    assert!(scene.may_list("parent", "open") && !scene.may_list("parent", "secret"));
}

#[test]
fn anonymous_callers_get_what_the_bucket_says_and_signed_ones_do_not() {
    let mut scene = Scene::new();
    assert!(!scene.anyone_may("s3:GetObject", "a"));
    let open = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::box/pub/*"],
    }] });
    let policy = Document::bucket(&open, "box", &Switches::default()).unwrap();
    scene.state.s3.buckets.get_mut("box").unwrap().policy = Some(policy);
    assert!(scene.anyone_may("s3:GetObject", "pub/a"));
    assert!(!scene.anyone_may("s3:GetObject", "a") && !scene.anyone_may("s3:PutObject", "pub/a"));
    assert!(!scene.may("parent", "s3:GetObject", "pub/a"));
}

#[test]
fn a_change_of_the_parents_policy_reaches_live_sessions_or_not_as_a_switch_says() {
    let mut scene = Scene::new();
    scene.attach(json!([allow(json!("s3:GetObject"), "box/*")]));
    let key = scene.session(None);
    scene.attach(json!([allow(json!("s3:PutObject"), "box/*")]));
    assert!(!scene.may(&key, "s3:GetObject", "a") && scene.may(&key, "s3:PutObject", "a"));
    scene.state.s3.attached.clear();
    assert!(!scene.may(&key, "s3:PutObject", "a"));
    scene.state.switches.sessions_keep_parent_policy = true;
    assert!(scene.may(&key, "s3:GetObject", "a") && !scene.may(&key, "s3:PutObject", "a"));
}

#[test]
fn keys_are_known_by_kind_end_by_the_clock_and_go_with_their_user() {
    let mut scene = Scene::new();
    scene.attach(json!([allow(json!("s3:*"), "*")]));
    let session = scene.session(None);
    let account = scene.service_account(None);
    let known = |scene: &Scene, key: &str| scene.state.s3_key(key).map(|key| key.kind);
    assert_eq!(known(&scene, "parent"), Some(KeyKind::User));
    assert_eq!(known(&scene, &account), Some(KeyKind::ServiceAccount));
    let key = scene.key(&session);
    assert_eq!((key.kind, key.posix_uid, key.posix_gid), (KeyKind::Session, 1000, 1001));
    assert!(key.session_token.is_some() && !key.is_expired(scene.state.now()));
    scene.state.clock.advance(900_000);
    assert!(scene.key(&session).is_expired(scene.state.now()));
    scene.state.s3.service_accounts.get_mut(&account).unwrap().deleted = Some(scene.state.now());
    assert_eq!(known(&scene, &account), None);
    scene.state.switches.service_account_linger_ms = 60_000;
    assert_eq!(known(&scene, &account), Some(KeyKind::ServiceAccount));
    scene.state.clock.advance(60_000);
    assert_eq!(known(&scene, &account), None);
    scene.state.s3.forget_user(scene.user);
    assert_eq!(known(&scene, &session), None);
}

#[test]
fn the_state_survives_being_written_down() {
    let mut scene = Scene::new();
    scene.attach(json!([allow(json!("s3:GetObject"), "box/*")]));
    let session = scene.session(Some(json!([allow(json!("s3:GetObject"), "box/a/*")])));
    scene.service_account(None);
    let written = serde_json::to_string(&scene.state.s3).unwrap();
    scene.state.s3 = serde_json::from_str(&written).unwrap();
    assert!(scene.may(&session, "s3:GetObject", "a/x") && !scene.may(&session, "s3:GetObject", "b/x"));
    assert_eq!(serde_json::to_string(&scene.state.s3).unwrap(), written);
}
