//! The contract table, walked: every route answers its example with the shape that the table gives, misses no required
//! field in silence, lets no other role in, and exists from its release on.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use weka_emulator::contract::{self, Place, Route};
use weka_emulator::{DEFAULT_PASSWORD, Options, Owner, Preset, Uid};

use crate::support::Bench;

const PASSWORD: &str = "Secret-pass1";

/// Objects that examples name, made when they are asked for.
struct Made {
    bench: Bench,
    known: BTreeMap<String, String>,
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Made {
    async fn start(release: &str) -> Self {
        let options =
            Options { preset: Preset::S3Ready, release: Some(release.parse().unwrap()), ..Options::default() };
        let bench = Bench::with(options).await;
        bench.switch("data_services", json!(true));
        Self { bench, known: BTreeMap::new() }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.bench.post(path, body.clone()).await;
        assert_eq!(status, 200, "POST {path} {body}: {answer}");
        answer["data"].clone()
    }

    async fn first(&self, path: &str) -> Value {
        self.bench.data(path).await[0]["uid"].clone()
    }

    /// The value of `$name`.
    async fn object(&mut self, name: &str) -> String {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let value = text(&Box::pin(self.make(name)).await);
        self.known.insert(name.to_owned(), value.clone());
        value
    }

    async fn dir(&self, path: &str) -> Value {
        json!(self.bench.control().make_dir("default", path, Owner::default()).unwrap())
    }

    async fn make(&mut self, name: &str) -> Value {
        let fs = self.bench.fs_uid("default");
        let limits = json!({ "hard_limit_bytes": 1_000_000, "soft_limit_bytes": 0, "grace_seconds": 0 });
        match name {
            "password" => json!(if self.known.contains_key("s3_user") { PASSWORD } else { DEFAULT_PASSWORD }),
            "nobody" => json!("7a6bfe5e-9944-4bf4-b799-527e9b5c2a13"),
            "refresh_token" => {
                self.bench.try_login("admin", DEFAULT_PASSWORD, "Root").await.1["data"]["refresh_token"].clone()
            }
            "user" => {
                let ask = json!({ "username": "bob", "password": PASSWORD, "role": "Regular" });
                self.post("/users", ask).await["uid"].clone()
            }
            "organization" => {
                let ask = json!({ "name": "org-1", "username": "org-admin", "password": PASSWORD });
                self.post("/organizations", ask).await["uid"].clone()
            }
            "policy" => {
                let ask = json!({ "name": "fence", "action": "Allow", "ip": ["10.0.0.0/24"] });
                self.post("/security/policies", ask).await["uid"].clone()
            }
            "filesystem" => {
                self.dir("/dir").await;
                json!(fs)
            }
            "group" => self.post("/fileSystemGroups", json!({ "name": "spare" })).await["uid"].clone(),
            "inode" => self.dir("/plain").await,
            "quota_inode" => {
                let inode = self.dir("/limited").await;
                let (status, answer) = self.bench.put(&format!("/fileSystems/{fs}/quota/{inode}"), limits).await;
                assert_eq!(status, 200, "{answer}");
                inode
            }
            "default_inode" => {
                let inode = self.dir("/parent").await;
                let (status, answer) = self.bench.put(&format!("/fileSystems/quota/{inode}"), limits).await;
                assert_eq!(status, 200, "{answer}");
                inode
            }
            "task" => {
                self.bench.switch("quota_coloring_ms", json!(600_000));
                let inode = self.dir("/full").await;
                self.bench.control().write_file(None, "default", "/full/f", b"x").unwrap();
                self.bench.put(&format!("/fileSystems/{fs}/quota/{inode}"), limits).await;
                self.first("/tasks").await
            }
            "snapshot" => {
                let ask = json!({ "fs_uid": fs, "name": "taken", "access_point": "taken" });
                self.post("/snapshots", ask).await["uid"].clone()
            }
            "snapshot_name" => {
                self.object("snapshot").await;
                json!("taken")
            }
            "quota_owner" => {
                let ask = json!({ "user_id": 4242, "hard_limit_bytes": 1_000_000 });
                self.post(&format!("/fileSystems/{fs}/quota/user"), ask).await;
                json!("4242")
            }
            "s3_user_uid" => {
                self.object("s3_user").await;
                let users = self.bench.data("/users").await;
                users.as_array().unwrap().iter().find(|user| user["role"] == "S3").unwrap()["uid"].clone()
            }
            "freed_s3_container" => {
                let uid = self.object("s3_container").await;
                let (status, answer) = self.bench.delete(&format!("/s3/containers?container_uids={uid}")).await;
                assert_eq!(status, 200, "{answer}");
                json!(uid)
            }
            "snapshot_policy" => self.post("/snapshotPolicy", json!({ "name": "daily" })).await["uid"].clone(),
            "container" => self.bench.data("/containers").await[6]["uid"].clone(),
            "s3_container" => self.first("/containers").await,
            "idle_container" => self.post("/containers", json!({ "container_name": "idle" })).await["uid"].clone(),
            "netdev" => {
                let uid = self.object("container").await;
                self.first(&format!("/containers/{uid}/netdevs")).await
            }
            "process" => self.first("/processes").await,
            "bucket" => self.bucket("bucket-one").await,
            "ruled_bucket" => {
                let bucket = self.bucket("bucket-two").await;
                let path = format!("/s3/buckets/{}/lifecycle/rules", text(&bucket));
                let rule = self.post(&path, json!({ "expiry_days": "30" })).await;
                self.known.insert("rule".to_owned(), text(&rule["id"]));
                bucket
            }
            "rule" => {
                self.object("ruled_bucket").await;
                json!(self.known["rule"])
            }
            "s3_policy" => {
                let document = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
                    "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::bucket-one/*"] }] });
                self.post("/s3/policies", json!({ "policy_name": "own", "policy_file_content": document })).await;
                json!("own")
            }
            "s3_user" => {
                self.known.remove("password");
                self.bench.user("s3-user", "S3").await;
                let ask = json!({ "policy_name": "readwrite", "user_name": "s3-user" });
                self.post("/s3/policies/attach", ask).await;
                json!("s3-user")
            }
            "access_key" => {
                let token = self.token("s3-user").await;
                let made = self.bench.send(&token, Method::POST, "/s3/serviceAccounts", Some(json!({}))).await;
                made.1["data"]["access_key"].clone()
            }
            other => panic!("the tests cannot make ${other}"),
        }
    }

    async fn bucket(&self, name: &str) -> Value {
        self.post("/s3/buckets", json!({ "bucket_name": name, "policy": "none" })).await;
        json!(name)
    }

    async fn token(&self, user: &str) -> String {
        if user == "admin" { self.bench.token.clone() } else { self.bench.login(user, PASSWORD, "Root").await }
    }

    /// Replaces each `$name` in a value.
    async fn fill(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => json!(self.object(name).await),
                None => value.clone(),
            },
            Value::Array(items) => {
                let mut filled = Vec::new();
                for item in items {
                    filled.push(Box::pin(self.fill(item)).await);
                }
                Value::Array(filled)
            }
            Value::Object(fields) => {
                let mut filled = serde_json::Map::new();
                for (name, field) in fields {
                    filled.insert(name.clone(), Box::pin(self.fill(field)).await);
                }
                Value::Object(filled)
            }
            other => other.clone(),
        }
    }
}

/// A request as it goes out.
#[derive(Clone, Debug)]
struct Sent {
    token: String,
    path: String,
    query: BTreeMap<String, String>,
    body: Option<Value>,
}

async fn send(bench: &Bench, method: &str, sent: &Sent) -> (u16, Value) {
    let request = bench.client.request(method.parse().unwrap(), bench.url(&sent.path)).bearer_auth(&sent.token);
    let request = request.query(&sent.query);
    let request = if let Some(body) = &sent.body { request.json(body) } else { request };
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// The example of a route with its objects made. Users come first: what `$password` means follows from them.
async fn example(made: &mut Made, route: &Route) -> Sent {
    let body = route.example.body.as_ref().map(|body| serde_json::to_value(body).unwrap());
    if body.as_ref().is_some_and(|body| body.to_string().contains("$s3_user")) {
        made.object("s3_user").await;
    }
    let caller = made.fill(&json!(route.example.caller.clone().unwrap_or_else(|| "admin".to_owned()))).await;
    let mut path = route.path.clone();
    for (place, value) in &route.example.path {
        path = path.replace(&format!("{{{place}}}"), &text(&made.fill(&json!(value)).await));
    }
    assert!(!path.contains('{'), "{path}: its example does not fill the path");
    let mut query = BTreeMap::new();
    for (name, value) in &route.example.query {
        query.insert(name.clone(), text(&made.fill(&json!(value)).await));
    }
    let body = match body {
        Some(body) => Some(made.fill(&body).await),
        None => None,
    };
    let token = made.token(&text(&caller)).await;
    Sent { token, path, query, body }
}

async fn walk(route: &'static Route) -> Vec<String> {
    let head = format!("{} {}", route.method, route.path);
    let mut made = Made::start("5.1.26").await;
    let sent = example(&mut made, route).await;
    let mut problems = Vec::new();
    for field in route.parameters.iter().filter(|field| field.required) {
        let mut lacking = sent.clone();
        lacking.query.remove(&field.name);
        if let Some(body) = lacking.body.as_mut().and_then(Value::as_object_mut) {
            body.remove(&field.name);
        }
        let (status, answer) = send(&made.bench, &route.method, &lacking).await;
        if status != 400 || !answer["data"]["missing_params"].to_string().contains(&field.name) {
            problems.push(format!("{head} without {}: {status} {answer}", field.name));
        }
        let checked = check(route, &lacking, 0, &Value::Null);
        if checked.is_ok() {
            problems.push(format!("{head}: the table does not notice that {} is missing", field.name));
        }
    }
    let (status, answer) = send(&made.bench, &route.method, &sent).await;
    if status != route.example.status.unwrap_or(200) {
        problems.push(format!("{head}: {status} {answer}"));
    }
    problems.extend(check(route, &sent, status, &answer).err().map(|violation| violation.to_string()));
    problems
}

fn check(route: &Route, sent: &Sent, status: u16, answer: &Value) -> Result<(), contract::Violation> {
    let body = sent.body.clone().unwrap_or(Value::Null);
    contract::check_exchange(&route.method, &format!("/api/v2{}", sent.path), &sent.query, &body, status, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_its_example_and_refuses_it_without_a_required_field() {
    let routes = contract::contract().unwrap().routes();
    let walks = futures_util::stream::iter(routes.iter().map(|route| tokio::spawn(walk(route)))).buffer_unordered(8);
    let problems: Vec<String> = walks.flat_map(|found| futures_util::stream::iter(found.unwrap())).collect().await;
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// A path with something in each of its places.
fn some_path(route: &Route) -> String {
    let segment = |segment: &str| match segment {
        "{mode}" => "client".to_owned(),
        "{inode_id}" => "7".to_owned(),
        place if place.starts_with('{') => "7a6bfe5e-9944-4bf4-b799-527e9b5c2a13".to_owned(),
        fixed => fixed.to_owned(),
    };
    route.path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn roles_that_the_table_does_not_name_are_refused_and_so_is_who_has_no_token() {
    let made = Made::start("5.1.26").await;
    let mut tokens = BTreeMap::new();
    for role in ["OrgAdmin", "CSI", "Regular", "ReadOnly", "S3"] {
        tokens.insert(role, made.bench.user(&format!("user-{role}"), role).await);
    }
    for route in contract::contract().unwrap().routes() {
        let Some(allowed) = &route.roles else { continue };
        let mut sent = Sent { token: "none".to_owned(), path: some_path(route), query: BTreeMap::new(), body: None };
        let head = format!("{} {}", route.method, route.path);
        assert_eq!(send(&made.bench, &route.method, &sent).await.0, 401, "{head}");
        for (role, token) in tokens.iter().filter(|(role, _)| !allowed.contains(&(**role).to_owned())) {
            sent.token.clone_from(token);
            let refused = send(&made.bench, &route.method, &sent).await;
            assert_eq!(refused, (403, json!({ "data": "Forbidden" })), "{role} {head}");
        }
    }
}

/// Routes whose fixed name an older release takes for a uid or an inode.
const SHADOWED: [&str; 2] = ["/fileSystems/freeSpaceInOrg", "/fileSystems/{uid}/quota/user"];

#[tokio::test]
async fn a_route_does_not_exist_before_its_release() {
    let releases = ["4.2.0", "4.3.0", "4.4.22", "5.0.0", "5.1.2", "5.1.26"];
    let number = |release: &str| -> Vec<u32> { release.split('.').map(|part| part.parse().unwrap()).collect() };
    for release in releases {
        let made = Made::start(release).await;
        for route in contract::contract().unwrap().routes() {
            let path = some_path(route);
            let sent = Sent { token: "none".to_owned(), path: path.clone(), query: BTreeMap::new(), body: None };
            let (status, answer) = send(&made.bench, &route.method, &sent).await;
            let unknown = json!({ "message": format!("Route {} - /api/v2{path} does not exist", route.method) });
            let there = number(release) >= route.since.to_vec();
            // Before a release with a fixed name, the name stands in the place of another route.
            if !there && SHADOWED.contains(&route.path.as_str()) {
                continue;
            }
            assert_eq!((status, &answer) != (404, &unknown), there, "{release} {} {path}: {answer}", route.method);
        }
    }
}

#[tokio::test]
async fn an_exchange_that_departs_from_the_table_is_told_with_its_place() {
    let none = BTreeMap::new();
    let check = |method: &str, path: &str, body: Value, status: u16, answer: Value| {
        let checked = contract::check_exchange(method, path, &BTreeMap::new(), &body, status, &answer);
        checked.map_err(|violation| violation.problems)
    };
    let user = json!({ "username": "u", "password": "p", "role": "S3" });
    assert_eq!(check("POST", "/api/v2/users", user.clone(), 0, Value::Null), Ok(()));
    assert_eq!(check("POST", "/users", user.clone(), 400, json!({ "message": "no" })), Ok(()));
    let wrong = check("POST", "/users", json!({ "username": 1, "name": "x", "password": "p" }), 0, Value::Null);
    let expected = ["body.username is 1, not text", "the required field role is missing", "body.name is unknown"];
    assert_eq!(wrong.unwrap_err().len(), expected.len());
    assert_eq!(check("POST", "/users", user.clone(), 418, json!({ "message": "" })).unwrap_err().len(), 1);
    assert_eq!(check("POST", "/users", user, 400, json!({})).unwrap_err(), ["the refusal says nothing: {}"]);
    let gone = check("DELETE", "/users/x", Value::Null, 200, json!({ "data": {} }));
    assert_eq!(gone.unwrap_err(), ["data is {}, not null"]);
    let bare = contract::check_exchange("GET", "/users", &none, &Value::Null, 200, &json!([]));
    assert_eq!(bare.unwrap_err().to_string(), "GET /users: the answer is not an object");
    assert_eq!(check("GET", "/capacity", Value::Null, 0, Value::Null).unwrap_err(), ["the table has no such route"]);
    let asked = BTreeMap::from([("path".to_owned(), "/p".to_owned()), ("file".to_owned(), "x".to_owned())]);
    let uid = Uid::default();
    let path = format!("/fileSystems/{uid}/resolvePath");
    let found = contract::check_exchange("GET", &path, &asked, &Value::Null, 0, &Value::Null);
    assert_eq!(found.unwrap_err().problems, ["query.file is unknown"]);
}

#[test]
fn every_departure_from_the_description_has_its_reason() {
    for route in contract::contract().unwrap().routes() {
        let reasons = [&route.deviates, &route.inferred].into_iter().flatten();
        for reason in reasons {
            assert!(reason.len() > 20 && reason.ends_with('.'), "{} {}: {reason}", route.method, route.path);
        }
        let body = route.parameters.iter().any(|field| field.required && field.place != Place::Query);
        assert!(!body || route.method != "GET", "{} {}: a GET has no body", route.method, route.path);
    }
}
