//! Snapshots: camelCase rows, unlike filesystems, and asynchronous removal.

use crate::uid::Uid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::{Millis, rfc3339};
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::faults::Fault;
use crate::filesystems::{Filesystem, reached, second_delete};
use crate::state::State;
use crate::tasks::TaskKind;

/// A snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// Also the number of its view.
    pub(crate) serial: u64,
    pub(crate) uid: Uid,
    pub(crate) filesystem: Uid,
    pub(crate) name: String,
    pub(crate) access_point: String,
    writable: bool,
    created: Millis,
    /// Gone at this moment, once its removal began; `Some(None)`: never.
    removal: Option<Option<Millis>>,
}

impl Snapshot {
    pub(crate) fn is_gone(&self, now: Millis) -> bool {
        matches!(self.removal, Some(Some(at)) if at <= now)
    }

    fn row(&self, filesystem: &Filesystem) -> Value {
        let stow = json!({ "stowProgress": "N/A", "locator": "", "stowStatus": "NONE" });
        json!({
            "id": format!("SnapViewId<{}>", self.serial),
            "uid": self.uid,
            "name": self.name,
            "filesystem": filesystem.name,
            "filesystemId": format!("FSId<{}>", filesystem.serial),
            "filesystemUid": filesystem.uid,
            "accessPoint": self.access_point,
            "isWritable": self.writable,
            "isRemoving": self.removal.is_some(),
            "creationTime": rfc3339(self.created),
            "locator": "",
            "stowStatus": "NONE",
            "objectProgress": "N/A",
            "task_ids": [],
            "uploadSize": { "LOCAL": 0, "REMOTE": 0 },
            "localStowInfo": stow,
            "remoteStowInfo": stow,
            "estReclaimableSize": 0,
        })
    }
}

/// `@GMT-YYYY.MM.DD-HH.MM.SS`
fn default_access_point(now: Millis) -> String {
    let time: String = rfc3339(now)
        .chars()
        .take(19)
        .map(|c| match c {
            '-' | ':' => '.',
            'T' => '-',
            other => other,
        })
        .collect();
    format!("@GMT-{time}")
}

impl State {
    fn filesystem_in_org(&self, uid: Uid, org: u64) -> Option<&Filesystem> {
        self.filesystems.iter().find(|filesystem| filesystem.uid == uid && filesystem.org_id == org)
    }

    fn snapshot(&self, call: &Call) -> Result<(&Snapshot, &Filesystem), Refusal> {
        let uid = call.uid("uid")?;
        let org = call.org()?;
        self.snapshots
            .iter()
            .find(|snapshot| snapshot.uid == uid)
            .and_then(|snapshot| Some((snapshot, self.filesystem_in_org(snapshot.filesystem, org)?)))
            .ok_or_else(|| Refusal::no_uid(&uid.to_string()))
    }

    /// Removes a snapshot and its image.
    pub(crate) fn forget_snapshot(&mut self, uid: Uid) {
        let Some(at) = self.snapshots.iter().position(|snapshot| snapshot.uid == uid) else { return };
        let snapshot = self.snapshots.remove(at);
        if let Some(filesystem) = self.filesystems.iter().find(|filesystem| filesystem.uid == snapshot.filesystem) {
            filesystem.volume.lock().thaw(snapshot.serial);
        }
    }

    /// Nothing may be taken or restored while snapshots of the filesystem are being removed (seen in the field).
    fn check_no_removal(&self, filesystem: &Filesystem) -> Result<(), Refusal> {
        let removing = |snapshot: &Snapshot| snapshot.filesystem == filesystem.uid && snapshot.removal.is_some();
        if self.snapshots.iter().any(removing) {
            let message = format!(
                "Operation not allowed to start in filesystem {} because snapshots are being deleted in it",
                filesystem.name
            );
            return Err(Refusal::exception(400, &["SnapshotsAreBeingDeletedException"], &message));
        }
        Ok(())
    }
}

/// `GET /snapshots`: of the caller's filesystems; `?filesystem=` filters by name
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let org = call.org()?;
    let wanted = call.query.get("filesystem");
    let row = |snapshot: &Snapshot| {
        let filesystem = state.filesystem_in_org(snapshot.filesystem, org)?;
        wanted.is_none_or(|wanted| *wanted == filesystem.name).then(|| snapshot.row(filesystem))
    };
    data(state.snapshots.iter().filter_map(row).collect())
}

/// `GET /snapshots/{uid}`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    let (snapshot, filesystem) = state.snapshot(call)?;
    data(snapshot.row(filesystem))
}

/// `POST /snapshots`
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    call.require(&["fs_uid", "name"])?;
    let org = call.org()?;
    let fs_text = call.required_text("fs_uid")?;
    let fs_uid = Uid::parse(&fs_text).ok_or_else(|| Refusal::no_uid(&fs_text))?;
    state.filesystem_in_org(fs_uid, org).ok_or_else(|| Refusal::no_uid(&fs_text))?;
    let source = match call.text("source_snap_uid") {
        Some(text) => {
            let source = state.snapshots.iter().find(|snapshot| snapshot.uid.to_string() == text);
            Some(source.ok_or_else(|| Refusal::no_uid(&text))?.serial)
        }
        None => None,
    };
    let shot = Shot {
        name: call.required_text("name")?,
        access_point: call.text("access_point").unwrap_or_else(|| default_access_point(call.now)),
        writable: call.flag("is_writable").unwrap_or(false),
        source,
    };
    data(state.take_snapshot(fs_uid, shot)?)
}

/// What a snapshot shall be.
struct Shot {
    name: String,
    access_point: String,
    writable: bool,
    /// The view whose content it shall have; none is the live filesystem.
    source: Option<u64>,
}

impl State {
    fn take_snapshot(&mut self, fs_uid: Uid, shot: Shot) -> Result<Value, Refusal> {
        let Shot { name, access_point, writable, source } = shot;
        if name.is_empty() {
            return Err(Refusal::bad("name", "is empty"));
        }
        if access_point.is_empty() || access_point.contains('/') {
            return Err(Refusal::bad("access_point", "is empty or contains a slash"));
        }
        let filesystem = self.filesystems.iter().find(|filesystem| filesystem.uid == fs_uid).cloned();
        let filesystem = filesystem.ok_or_else(|| Refusal::no_uid(&fs_uid.to_string()))?;
        self.check_no_removal(&filesystem)?;
        self.check_snapshot_room(writable)?;
        let status = self.switches.duplicate_status;
        if self.snapshots.iter().any(|snapshot| snapshot.filesystem == fs_uid && snapshot.name == name) {
            return Err(Refusal::message(status, &format!("Snapshot {name} already exists")));
        }
        // View 0 is the live filesystem.
        let serial = self.serial("snapshot").saturating_add(1);
        let frozen = filesystem.volume.lock().freeze(serial, &access_point, writable, source);
        if frozen.is_err() {
            return Err(Refusal::message(status, &format!("Access point {access_point} is already in use")));
        }
        let created = self.now();
        let uid = Uid::fresh();
        let snapshot =
            Snapshot { serial, uid, filesystem: fs_uid, name, access_point, writable, created, removal: None };
        let row = snapshot.row(&filesystem);
        self.snapshots.push(snapshot);
        Ok(row)
    }

    /// Live filesystems count as writable snapshots (documented).
    fn check_snapshot_room(&self, writable: bool) -> Result<(), Refusal> {
        let same = self.snapshots.iter().filter(|snapshot| snapshot.writable == writable).count();
        let (count, limit) = if writable {
            (same.saturating_add(self.filesystems.len()), self.switches.writable_snapshot_limit)
        } else {
            (same, self.switches.snapshot_limit)
        };
        if reached(count, limit) {
            return Err(Refusal::message(400, &format!("Snapshot table is full: {count} exist")));
        }
        Ok(())
    }

    /// A snapshot of a schedule, and the end of those beyond its retention.
    pub(crate) fn take_scheduled_snapshot(
        &mut self,
        filesystem: Uid,
        name: &str,
        series: &str,
        keep: u64,
    ) -> Result<(), Refusal> {
        let shot = Shot { name: name.to_owned(), access_point: name.to_owned(), writable: false, source: None };
        self.take_snapshot(filesystem, shot)?;
        let taken = self.snapshots.iter().filter(|one| one.filesystem == filesystem && one.name.starts_with(series));
        let mut taken: Vec<(u64, Uid)> = taken.map(|snapshot| (snapshot.serial, snapshot.uid)).collect();
        taken.sort_unstable();
        let beyond = taken.len().saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
        taken.into_iter().take(beyond).for_each(|(_, uid)| self.forget_snapshot(uid));
        Ok(())
    }

    /// The name of the filesystem that a call's snapshot is of.
    pub(crate) fn filesystem_of_snapshot(&self, call: &Call) -> Result<String, Refusal> {
        Ok(self.snapshot(call)?.1.name.clone())
    }
}

/// `POST /snapshots/{uid}/copy`: one more with the same content
pub(crate) fn copy(state: &mut State, call: &Call) -> Answer {
    let name = call.required_text("destination_name")?;
    let (snapshot, filesystem) = state.snapshot(call)?;
    let (fs_uid, source) = (filesystem.uid, Some(snapshot.serial));
    let shot = Shot { access_point: name.clone(), name, writable: snapshot.writable, source };
    data(state.take_snapshot(fs_uid, shot)?)
}

/// `PUT /snapshots/{uid}`
pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let (snapshot, filesystem) = state.snapshot(call)?;
    let (uid, serial) = (snapshot.uid, snapshot.serial);
    let fs_uid = filesystem.uid;
    if let Some(name) = call.text("new_name").filter(|name| *name != snapshot.name)
        && state.snapshots.iter().any(|other| other.filesystem == fs_uid && other.name == name)
    {
        return Err(Refusal::message(state.switches.duplicate_status, &format!("Snapshot {name} already exists")));
    }
    let access_point = call.text("access_point").filter(|wanted| *wanted != snapshot.access_point);
    if let Some(access_point) = &access_point {
        let moved = filesystem.volume.lock().rename_frozen(serial, access_point);
        moved.map_err(|_| Refusal::bad("access_point", "cannot be changed"))?;
    }
    if let Some(snapshot) = state.snapshots.iter_mut().find(|snapshot| snapshot.uid == uid) {
        if let Some(name) = call.text("new_name") {
            snapshot.name = name;
        }
        if let Some(access_point) = access_point {
            snapshot.access_point = access_point;
        }
    }
    get(state, call)
}

/// `DELETE /snapshots/{uid}`
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let Ok((snapshot, _)) = state.snapshot(call) else {
        return Err(second_delete(state, call.place("uid"), "Snapshot"));
    };
    let uid = snapshot.uid;
    if state.faults.strikes(Fault::DeleteIgnored) {
        return nothing();
    }
    let delay = state.switches.snapshot_remove_ms;
    state.start_task(call.org()?, TaskKind::SnapshotRemoval, delay, "Removing snapshot")?;
    let stuck = state.faults.strikes(Fault::StuckRemoving);
    if let Some(snapshot) = state.snapshots.iter_mut().find(|snapshot| snapshot.uid == uid) {
        snapshot.removal = Some(if stuck { None } else { Some(call.now.saturating_add(delay)) });
    }
    nothing()
}

/// `POST /snapshots/{fs_uid}/{uid}/restore`
pub(crate) fn restore(state: &mut State, call: &Call) -> Answer {
    let (snapshot, filesystem) = state.snapshot(call)?;
    if filesystem.uid != call.uid("fs_uid")? {
        return Err(Refusal::no_uid(call.place("uid")));
    }
    state.check_no_removal(filesystem)?;
    let restored = filesystem.volume.lock().restore(snapshot.serial);
    restored.map_err(|_| Refusal::no_uid(call.place("uid")))?;
    get(state, call)
}
