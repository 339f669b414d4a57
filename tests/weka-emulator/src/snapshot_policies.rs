//! Snapshot policies (4.4 and newer): schedules by which snapshots are taken of the filesystems that they are attached to.
//!
//! Schedules are kept and shown; what takes snapshots here is `runOnce`, not the clock, so that a test decides when. A
//! run keeps as many snapshots of the schedule as its retention says and removes the oldest beyond.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::state::State;
use crate::uid::Uid;

/// Longest name (documented).
const LONGEST_NAME: usize = 12;

/// A policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SnapshotPolicy {
    serial: u64,
    uid: Uid,
    org_id: u64,
    name: String,
    description: String,
    enabled: bool,
    filesystems: Vec<Uid>,
    schedules: Map<String, Value>,
    runs: u64,
}

/// A schedule that is off, as a policy shows the ones that were not given.
fn schedule_off(kind: &str) -> Value {
    let mut schedule = json!({ "days": "all", "enable": false, "retention": 4, "upload": "none" });
    let own = match kind {
        "hourly" => json!({ "hours": "all", "minuteOffset": 0 }),
        "monthly" => json!({ "months": "all", "time": "00:00" }),
        "periodic" => json!({ "start_time": "00:00", "end_time": "23:59", "interval": 30 }),
        _ => json!({ "time": "00:00" }),
    };
    if let (Some(schedule), Value::Object(own)) = (schedule.as_object_mut(), own) {
        schedule.extend(own);
    }
    schedule
}

/// The five schedules.
const SCHEDULES: [&str; 5] = ["periodic", "hourly", "daily", "weekly", "monthly"];

impl SnapshotPolicy {
    fn row(&self, state: &State) -> Value {
        json!({
            "uid": self.uid,
            "id": format!("SnapPolicyId<{}>", self.serial),
            "name": self.name,
            "description": self.description,
            "enable": self.enabled,
            "filesystems": self.names(state),
        })
    }

    fn whole_row(&self, state: &State) -> Value {
        let mut row = self.row(state);
        if let Some(row) = row.as_object_mut() {
            for kind in SCHEDULES {
                let given = self.schedules.get(kind).cloned();
                row.insert(kind.to_owned(), given.unwrap_or_else(|| schedule_off(kind)));
            }
        }
        row
    }

    pub(crate) fn org_id(&self) -> u64 {
        self.org_id
    }

    fn names(&self, state: &State) -> Vec<String> {
        let attached = state.filesystems.iter().filter(|filesystem| self.filesystems.contains(&filesystem.uid));
        attached.map(|filesystem| filesystem.name.clone()).collect()
    }
}

/// Takes the schedules of a body into those that stand; unknown kinds and forms are refused.
fn take_schedules(call: &Call, into: &mut Map<String, Value>) -> Result<(), Refusal> {
    let Some(given) = call.field("policy_params") else { return Ok(()) };
    let given = given.as_object().ok_or_else(|| Refusal::bad("policy_params", "is not an object"))?;
    for (kind, schedule) in given {
        let (true, Some(schedule)) = (SCHEDULES.contains(&kind.as_str()), schedule.as_object()) else {
            return Err(Refusal::bad("policy_params", &format!("has {kind}, which is no schedule")));
        };
        let mut whole = into.get(kind).cloned().unwrap_or_else(|| schedule_off(kind));
        if let Some(whole) = whole.as_object_mut() {
            if let Some(odd) = schedule.keys().find(|field| !whole.contains_key(*field)) {
                return Err(Refusal::bad("policy_params", &format!("has {kind}.{odd}, which is unknown")));
            }
            whole.extend(schedule.clone());
        }
        into.insert(kind.clone(), whole);
    }
    Ok(())
}

impl State {
    fn snapshot_policy_at(&self, call: &Call) -> Result<usize, Refusal> {
        let uid = call.uid("uid")?;
        let org = call.org()?;
        let at = self.snapshot_policies.iter().position(|policy| policy.uid == uid && policy.org_id == org);
        at.ok_or_else(|| Refusal::no_uid(&uid.to_string()))
    }

    fn snapshot_policy(&self, call: &Call) -> Result<&SnapshotPolicy, Refusal> {
        let at = self.snapshot_policy_at(call)?;
        self.snapshot_policies.get(at).ok_or_else(|| Refusal::no_uid(call.place("uid")))
    }

    fn snapshot_policy_mut(&mut self, call: &Call) -> Result<&mut SnapshotPolicy, Refusal> {
        let at = self.snapshot_policy_at(call)?;
        self.snapshot_policies.get_mut(at).ok_or_else(|| Refusal::no_uid(call.place("uid")))
    }

    fn check_policy_name(&self, org: u64, name: &str) -> Result<(), Refusal> {
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(Refusal::bad("name", "needs 1 to 12 characters"));
        }
        if self.snapshot_policies.iter().any(|policy| policy.org_id == org && policy.name == name) {
            let message = format!("Snapshot policy {name} already exists");
            return Err(Refusal::message(self.switches.duplicate_status, &message));
        }
        Ok(())
    }
}

/// `GET /snapshotPolicy`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let org = call.org()?;
    let mine = state.snapshot_policies.iter().filter(|policy| policy.org_id == org);
    data(mine.map(|policy| policy.row(state)).collect())
}

/// `GET /snapshotPolicy/{uid}`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    data(state.snapshot_policy(call)?.whole_row(state))
}

/// `POST /snapshotPolicy`
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let org_id = call.org()?;
    let name = call.required_text("name")?;
    state.check_policy_name(org_id, &name)?;
    let mut schedules = Map::new();
    take_schedules(call, &mut schedules)?;
    let policy = SnapshotPolicy {
        serial: state.serial("snapshot policy"),
        uid: Uid::fresh(),
        org_id,
        name,
        description: call.text("description").unwrap_or_default(),
        enabled: call.flag("enable").unwrap_or(true),
        filesystems: Vec::new(),
        schedules,
        runs: 0,
    };
    let row = policy.row(state);
    state.snapshot_policies.push(policy);
    data(row)
}

/// `PUT /snapshotPolicy/{uid}`
pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let org = call.org()?;
    let mut changed = state.snapshot_policy(call)?.clone();
    if let Some(name) = call.text("new_name").filter(|name| *name != changed.name) {
        state.check_policy_name(org, &name)?;
        changed.name = name;
    }
    take_schedules(call, &mut changed.schedules)?;
    changed.enabled = call.flag("enable").unwrap_or(changed.enabled);
    changed.description = call.text("description").unwrap_or(changed.description);
    let row = changed.row(state);
    *state.snapshot_policy_mut(call)? = changed;
    data(row)
}

/// `DELETE /snapshotPolicy/{uid}`
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let policy = state.snapshot_policy(call)?;
    if !policy.names(state).is_empty() {
        return Err(Refusal::message(400, "Snapshot policy is in use: detach it from its filesystems first"));
    }
    let uid = policy.uid;
    state.snapshot_policies.retain(|policy| policy.uid != uid);
    nothing()
}

/// `GET /snapshotPolicy/{uid}/filesystems`
pub(crate) fn filesystems(state: &mut State, call: &Call) -> Answer {
    data(json!(state.snapshot_policy(call)?.names(state)))
}

fn named_filesystems(state: &State, call: &Call) -> Result<Vec<Uid>, Refusal> {
    let org = call.org()?;
    let texts = call.texts("filesystems")?.ok_or_else(|| Refusal::missing(&["filesystems"]))?;
    let find = |text: &String| {
        let mut mine = state.filesystems.iter().filter(|filesystem| filesystem.org_id == org);
        let found = mine.find(|filesystem| filesystem.uid.to_string() == *text);
        found.map(|filesystem| filesystem.uid).ok_or_else(|| Refusal::no_uid(text))
    };
    texts.iter().map(find).collect()
}

/// `POST /snapshotPolicy/{uid}/filesystems/attach`
pub(crate) fn attach(state: &mut State, call: &Call) -> Answer {
    let named = named_filesystems(state, call)?;
    let policy = state.snapshot_policy_mut(call)?;
    let new: Vec<Uid> = named.into_iter().filter(|uid| !policy.filesystems.contains(uid)).collect();
    policy.filesystems.extend(new);
    filesystems(state, call)
}

/// `POST /snapshotPolicy/{uid}/filesystems/detach`
pub(crate) fn detach(state: &mut State, call: &Call) -> Answer {
    let named = named_filesystems(state, call)?;
    state.snapshot_policy_mut(call)?.filesystems.retain(|uid| !named.contains(uid));
    filesystems(state, call)
}

/// `POST /snapshotPolicy/{uid}/duplicate`
pub(crate) fn duplicate(state: &mut State, call: &Call) -> Answer {
    let org = call.org()?;
    let name = call.required_text("name")?;
    state.check_policy_name(org, &name)?;
    let mut copy = state.snapshot_policy(call)?.clone();
    copy.serial = state.serial("snapshot policy");
    copy.uid = Uid::fresh();
    copy.name = name;
    copy.description = call.text("description").unwrap_or(copy.description);
    if !call.query_flag("include_attached_filesystems") {
        copy.filesystems.clear();
    }
    let row = copy.whole_row(state);
    state.snapshot_policies.push(copy);
    data(row)
}

/// `POST /snapshotPolicy/{uid}/runOnce`: one snapshot of every attached filesystem, now
pub(crate) fn run_once(state: &mut State, call: &Call) -> Answer {
    let wanted = call.required_text("schedule_type")?;
    let kind = SCHEDULES.iter().find(|kind| kind.to_uppercase() == wanted);
    let kind = kind.ok_or_else(|| Refusal::bad("schedule_type", "is no schedule"))?;
    let policy = state.snapshot_policy_mut(call)?;
    policy.runs = policy.runs.saturating_add(1);
    let policy = policy.clone();
    let schedule = policy.schedules.get(*kind).cloned().unwrap_or_else(|| schedule_off(kind));
    let keep = schedule.get("retention").and_then(Value::as_u64).unwrap_or(4);
    let series = format!("{}.{kind}.", policy.name);
    for filesystem in &policy.filesystems {
        state.take_scheduled_snapshot(*filesystem, &format!("{series}{}", policy.runs), &series, keep)?;
    }
    data(json!("Background jobs are initiated"))
}
