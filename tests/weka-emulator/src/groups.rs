//! Filesystem groups: tiering policy shared by filesystems. Only the cluster administrator changes them.

use crate::uid::Uid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::state::State;

/// A group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) serial: u64,
    pub(crate) uid: Uid,
    pub(crate) name: String,
    target_ssd_retention: u64,
    start_demote: u64,
}

impl Group {
    /// A group with the documented retention times.
    pub(crate) fn new(serial: u64, name: &str) -> Self {
        Self { serial, uid: Uid::fresh(), name: name.to_owned(), target_ssd_retention: 86_400, start_demote: 1800 }
    }

    fn row(&self) -> Value {
        json!({
            "name": self.name,
            "start_demote": self.start_demote,
            "target_ssd_retention": self.target_ssd_retention,
            "uid": self.uid,
            "id": format!("FSGroupId<{}>", self.serial),
        })
    }

    fn change(&mut self, call: &Call) -> Result<(), Refusal> {
        self.target_ssd_retention = call.number("target_ssd_retention")?.unwrap_or(self.target_ssd_retention);
        self.start_demote = call.number("start_demote")?.unwrap_or(self.start_demote);
        Ok(())
    }
}

fn find<'a>(state: &'a mut State, call: &Call) -> Result<&'a mut Group, Refusal> {
    let uid = call.uid("uid")?;
    state.groups.iter_mut().find(|group| group.uid == uid).ok_or_else(|| Refusal::no_uid(&uid.to_string()))
}

fn check_free(state: &State, name: &str) -> Result<(), Refusal> {
    if state.groups.iter().any(|group| group.name == name) {
        let message = format!("Filesystem group {name} already exists");
        return Err(Refusal::message(state.switches.duplicate_status, &message));
    }
    Ok(())
}

/// `GET /fileSystemGroups`
pub(crate) fn list(state: &mut State, _call: &Call) -> Answer {
    data(state.groups.iter().map(Group::row).collect())
}

/// `GET /fileSystemGroups/{uid}`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    data(find(state, call)?.row())
}

/// `POST /fileSystemGroups`
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let name = call.required_text("name")?;
    check_free(state, &name)?;
    let mut group = Group::new(state.serial("group"), &name);
    group.change(call)?;
    let row = group.row();
    state.groups.push(group);
    data(row)
}

/// `PUT /fileSystemGroups/{uid}`
pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let current = find(state, call)?.name.clone();
    let name = call.text("new_name").unwrap_or_else(|| current.clone());
    if name != current {
        check_free(state, &name)?;
    }
    let group = find(state, call)?;
    group.name = name;
    group.change(call)?;
    data(group.row())
}

/// `DELETE /fileSystemGroups/{uid}`
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let uid = find(state, call)?.uid;
    if state.filesystems.iter().any(|filesystem| filesystem.group == uid) {
        return Err(Refusal::message(400, "Filesystem group is in use"));
    }
    state.groups.retain(|group| group.uid != uid);
    nothing()
}
