//! The binary: its ready line, and its manners at the end.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{client, is_mounted};

fn spawn(arguments: &[&str]) -> (Child, Value) {
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_weka-emulator")).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

#[tokio::test]
async fn it_prints_its_ports_and_unmounts_on_sigterm() {
    let (mut child, ready) = spawn(&["--preset", "s3-ready", "--switch", "data_services=true"]);
    assert_eq!(ready["ready"], true);
    let health = format!("{}/wekas3api/health/ready", ready["s3_url"].as_str().unwrap());
    assert_eq!(client().get(health).send().await.unwrap().status(), 200);
    let target = tempfile::tempdir().unwrap();
    let mounts = format!("{}/admin/mounts", ready["admin_url"].as_str().unwrap());
    let ask = json!({ "filesystem": "default", "target": target.path() });
    assert_eq!(client().post(mounts).json(&ask).send().await.unwrap().status(), 200);
    std::fs::write(target.path().join("f"), b"through the binary").unwrap();
    assert!(is_mounted(target.path()));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!is_mounted(target.path()));
}

#[test]
fn help_names_the_options_of_the_s3_port() {
    let run = Command::new(env!("CARGO_BIN_EXE_weka-emulator")).arg("--help").output().unwrap();
    let help = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success() && help.contains("--s3-listen") && help.contains("9000"), "{help}");
}

#[test]
fn the_help_names_every_switch_fault_and_release() {
    let run = Command::new(env!("CARGO_BIN_EXE_weka-emulator")).arg("--help").output().unwrap();
    let help = String::from_utf8(run.stdout).unwrap();
    let switches = weka_emulator::Switches::default().table();
    let names = switches.iter().map(|row| row["name"].as_str().unwrap().to_owned());
    let faults = weka_emulator::Fault::ALL.iter().map(|fault| json!(fault).as_str().unwrap().to_owned());
    let others = ["--state", "--release", "--s3-listen", "4.2", "4.3", "4.4", "5.0", "5.1"].map(str::to_owned);
    for name in names.chain(faults).chain(others) {
        assert!(help.contains(&name), "{name}");
    }
}

#[test]
fn a_wrong_preset_or_switch_is_said_before_anything_starts() {
    for arguments in [["--preset", "tomato"], ["--switch", "nope=1"], ["--release", "1.0"]] {
        let run = Command::new(env!("CARGO_BIN_EXE_weka-emulator")).args(arguments).output().unwrap();
        assert!(!run.status.success());
        assert!(run.stdout.is_empty());
    }
}
