//! Snapshot policies, and what changed between snapshots.

use serde_json::{Value, json};

use crate::support::Bench;

#[tokio::test]
async fn a_run_takes_a_snapshot_of_each_filesystem_and_keeps_as_many_as_it_shall() {
    let bench = Bench::start().await;
    let (one, other) = (bench.fs_uid("default"), bench.fs_uid("gpuaas-fs"));
    let daily = json!({ "enable": true, "retention": 2, "time": "22:05", "days": "all", "upload": "none" });
    let ask = json!({ "name": "Backup", "policy_params": { "daily": daily } });
    let uid = bench.post("/snapshotPolicy", ask.clone()).await.1["data"]["uid"].as_str().unwrap().to_owned();
    assert_eq!(bench.post("/snapshotPolicy", ask).await.0, 400);
    let path = format!("/snapshotPolicy/{uid}");
    let whole = bench.data(&path).await;
    assert_eq!((&whole["daily"]["retention"], &whole["hourly"]["enable"]), (&json!(2), &json!(false)));
    let attached = bench.post(&format!("{path}/filesystems/attach"), json!({ "filesystems": [one, other] })).await.1;
    assert_eq!(attached["data"], json!(["default", "gpuaas-fs"]));
    assert_eq!(bench.delete(&path).await.0, 400, "it is attached");
    for _ in 0..3 {
        assert_eq!(bench.post(&format!("{path}/runOnce"), json!({ "schedule_type": "DAILY" })).await.0, 200);
    }
    let snapshots = bench.data("/snapshots?filesystem=default").await;
    let names: Vec<&str> = snapshots.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Backup.daily.2", "Backup.daily.3"]);
    assert_eq!(bench.data("/snapshots").await.as_array().unwrap().len(), 4);
    let copy = format!("{path}/duplicate?include_attached_filesystems=true");
    let copy = bench.post(&copy, json!({ "name": "Again" })).await.1["data"].clone();
    assert_eq!((&copy["filesystems"], &copy["daily"]["time"]), (&json!(["default", "gpuaas-fs"]), &json!("22:05")));
    bench.post(&format!("{path}/filesystems/detach"), json!({ "filesystems": [one, other] })).await;
    assert_eq!(bench.delete(&path).await.0, 200);
    let odd = json!({ "name": "odd", "policy_params": { "yearly": {} } });
    assert_eq!(bench.post("/snapshotPolicy", odd).await.0, 400);
}

fn changes(answer: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let row = |row: &Value| (text(&row["op_type"]), text(&row["path"]));
    let mut all: Vec<(String, String)> = answer["results"].as_array().unwrap().iter().map(row).collect();
    all.sort();
    all
}

#[tokio::test]
async fn the_difference_of_two_snapshots_names_what_came_changed_moved_and_went() {
    let bench = Bench::start().await;
    let control = bench.control();
    control.make_dir("default", "/d", weka_emulator::Owner::default()).unwrap();
    for name in ["stays", "changes", "goes"] {
        control.write_file(None, "default", &format!("/d/{name}"), b"one").unwrap();
    }
    let fs_uid = bench.fs_uid("default");
    let take = async |name: &str| {
        let ask = json!({ "fs_uid": fs_uid, "name": name, "access_point": name });
        bench.post("/snapshots", ask).await.1["data"]["uid"].as_str().unwrap().to_owned()
    };
    take("before").await;
    control.clock().advance(1000);
    control.write_file(None, "default", "/d/changes", b"another length").unwrap();
    control.write_file(None, "default", "/d/new", b"x").unwrap();
    control.remove(None, "default", "/d/goes").unwrap();
    let after = take("after").await;
    let ask = |more: Value| {
        let mut ask = json!({ "fs_name": "default", "recent_snap": "after", "older_snap": "before",
            "max_results": 100, "resolve_path": true });
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask
    };
    let (status, answer) = bench.post("/snapshots/diff/getResults", ask(json!({}))).await;
    assert_eq!(status, 200, "{answer}");
    let expected =
        [("DIR_MODIFY", "/d"), ("FILE_CREATE", "/d/new"), ("FILE_DELETE", "/d/goes"), ("FILE_MODIFY", "/d/changes")];
    assert_eq!(changes(&answer["data"]), expected.map(|(kind, path)| (kind.to_owned(), path.to_owned())));
    assert_eq!(answer["data"]["next_resume_token"], "");
    let first = bench.post("/snapshots/diff/getResults", ask(json!({ "max_results": 3 }))).await.1;
    let token = first["data"]["next_resume_token"].clone();
    let rest = bench.post("/snapshots/diff/getResults", ask(json!({ "resume_token": token }))).await.1;
    assert_eq!(rest["data"]["results_count"], 1);
    let copied = bench.post(&format!("/snapshots/{after}/copy"), json!({ "destination_name": "copy" })).await;
    assert_eq!(copied.0, 200, "{}", copied.1);
    let same = bench.post("/snapshots/diff/getResults", ask(json!({ "recent_snap": "copy", "older_snap": "after" })));
    assert_eq!(same.await.1["data"]["results_count"], 0, "a copy has the content of its source");
}
