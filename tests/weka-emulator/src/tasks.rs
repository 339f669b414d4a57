//! Background tasks: at most 32 at once, then the operation that needs one is refused.

use crate::uid::Uid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::Millis;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::organizations::ROOT;
use crate::state::State;

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TaskKind {
    /// Walks a directory for its new quota.
    QuotaColoring,
    /// Removes a snapshot's data.
    SnapshotRemoval,
}

impl TaskKind {
    fn name(self) -> &'static str {
        match self {
            Self::QuotaColoring => "QUOTA_COLORING",
            Self::SnapshotRemoval => "SNAPSHOT_REMOVAL",
        }
    }
}

/// A task that runs until its time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    serial: u64,
    uid: Uid,
    /// The organization whose filesystem it works on.
    org_id: u64,
    kind: TaskKind,
    description: String,
    started: Millis,
    ends: Millis,
    paused: bool,
}

impl Task {
    pub(crate) fn is_done(&self, now: Millis) -> bool {
        self.ends <= now && !self.paused
    }

    fn row(&self, now: Millis) -> Value {
        let length = self.ends.saturating_sub(self.started).max(1);
        let done = now.saturating_sub(self.started).min(length);
        let permille = done.saturating_mul(1000) / length;
        json!({
            "id": format!("CWTaskId<{}>", self.serial),
            "uid": self.uid,
            "type": self.kind.name(),
            "state": if self.paused { "PAUSED" } else { "RUNNING" },
            "progress": f64::from(u32::try_from(permille).unwrap_or(1000)) / 10.0,
            "description": self.description,
            "params": {},
            "is_explicitly_paused": self.paused,
        })
    }
}

impl State {
    /// Starts a task and answers its number; refused when too many run.
    pub(crate) fn start_task(
        &mut self,
        org_id: u64,
        kind: TaskKind,
        millis: u64,
        description: &str,
    ) -> Result<u64, Refusal> {
        let now = self.now();
        self.tasks.retain(|task| !task.is_done(now));
        let most = usize::try_from(self.switches.task_limit).unwrap_or(usize::MAX);
        if self.tasks.len() >= most {
            return Err(Refusal::too_many_tasks(self.tasks.len()));
        }
        let serial = self.serial("task");
        self.tasks.push(Task {
            serial,
            uid: Uid::fresh(),
            org_id,
            kind,
            description: description.to_owned(),
            started: now,
            ends: now.saturating_add(millis),
            paused: false,
        });
        Ok(serial)
    }
}

/// `GET /tasks`: the cluster's, or to an organization its own
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let org = call.org()?;
    let shown = state.tasks.iter().filter(|task| org == ROOT || task.org_id == org);
    data(shown.map(|task| task.row(call.now)).collect())
}

fn find<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Task, Refusal> {
    let uid = call.uid("uid")?;
    state.tasks.iter_mut().find(|task| task.uid == uid).ok_or_else(|| Refusal::no_uid(&uid.to_string()))
}

/// `POST /tasks/{uid}/abort`
pub(crate) fn abort(state: &mut State, call: &Call) -> Answer {
    let uid = find(state, call)?.uid;
    state.tasks.retain(|task| task.uid != uid);
    nothing()
}

/// `POST /tasks/{uid}/pause`
pub(crate) fn pause(state: &mut State, call: &Call) -> Answer {
    find(state, call)?.paused = true;
    nothing()
}

/// `POST /tasks/{uid}/resume`
pub(crate) fn resume(state: &mut State, call: &Call) -> Answer {
    find(state, call)?.paused = false;
    nothing()
}

/// `GET /tasks/limits`
pub(crate) fn limits(state: &mut State, _call: &Call) -> Answer {
    data(json!({ "cpuPercentLimit": state.task_cpu_percent }))
}

/// `PUT /tasks/limits`
pub(crate) fn set_limits(state: &mut State, call: &Call) -> Answer {
    let percent = call.number("cpu_limit")?.unwrap_or(state.task_cpu_percent);
    if !(1..=100).contains(&percent) {
        return Err(Refusal::bad("cpu_limit", "is not in 1 to 100"));
    }
    state.task_cpu_percent = percent;
    nothing()
}
