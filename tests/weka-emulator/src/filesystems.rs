//! Filesystems: asynchronous creation and removal, capacity, and their rows.

use std::sync::Arc;

use crate::uid::Uid;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::Millis;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::faults::Fault;
use crate::organizations::ROOT;
use crate::state::State;
use crate::tree::accounting::{BLOCK, round_up};
use crate::tree::volume::Volume;
use crate::users::Role;

/// The smallest filesystem (documented).
const LEAST_BYTES: u64 = 1 << 30;

/// Since this release a filesystem has an audit flag.
const AUDITED: [u32; 3] = [4, 4, 0];

/// Since this release the CSI role may make filesystems of its own.
const CSI_OWNS: [u32; 3] = [5, 1, 0];

/// Longest name (documented).
const LONGEST_NAME: usize = 32;

/// A filesystem and its tree.
#[derive(Clone, Debug)]
pub(crate) struct Filesystem {
    pub(crate) serial: u64,
    pub(crate) uid: Uid,
    pub(crate) name: String,
    pub(crate) org_id: u64,
    pub(crate) group: Uid,
    pub(crate) total_budget: u64,
    pub(crate) ssd_budget: u64,
    /// Least and most SSD of a thin filesystem.
    pub(crate) thin: Option<(u64, u64)>,
    pub(crate) auth_required: bool,
    pub(crate) encrypted: bool,
    pub(crate) audit: bool,
    pub(crate) data_reduction: bool,
    pub(crate) policies: Vec<Uid>,
    pub(crate) life: Life,
    pub(crate) volume: Arc<Volume>,
}

/// Where a filesystem stands in its life.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Life {
    /// Ready from this moment; `None`: never.
    Since(Option<Millis>),
    /// Gone from this moment; `None`: never.
    Until(Option<Millis>),
}

impl Filesystem {
    pub(crate) fn is_ready(&self, now: Millis) -> bool {
        matches!(self.life, Life::Since(Some(at)) if at <= now)
    }

    pub(crate) fn is_removing(&self) -> bool {
        matches!(self.life, Life::Until(_))
    }

    pub(crate) fn is_gone(&self, now: Millis) -> bool {
        matches!(self.life, Life::Until(Some(at)) if at <= now)
    }

    fn status(&self, now: Millis) -> &'static str {
        match self.life {
            Life::Until(_) => "REMOVING",
            Life::Since(_) if self.is_ready(now) => "READY",
            Life::Since(_) => "CREATING",
        }
    }
}

impl State {
    pub(crate) fn filesystem_row(&self, filesystem: &Filesystem) -> Value {
        let now = self.now();
        let tree = filesystem.volume.lock();
        let used = tree.used();
        let (_, metadata_blocks) = tree.blocks_beneath(tree.root);
        drop(tree);
        let metadata = metadata_blocks.saturating_mul(BLOCK);
        let data = used.saturating_sub(metadata);
        let group = self.groups.iter().find(|group| group.uid == filesystem.group);
        let (thin_min, thin_max) = filesystem.thin.unwrap_or((0, 0));
        let mut row = json!({
            "id": format!("FSId<{}>", filesystem.serial),
            "uid": filesystem.uid,
            "name": filesystem.name,
            "group_id": group.map_or_else(String::new, |group| format!("FSGroupId<{}>", group.serial)),
            "group_name": group.map_or("", |group| group.name.as_str()),
            "status": filesystem.status(now),
            "is_creating": filesystem.status(now) == "CREATING",
            "is_ready": filesystem.is_ready(now),
            "is_removing": filesystem.is_removing(),
            "is_encrypted": filesystem.encrypted,
            "auth_required": filesystem.auth_required,
            "auto_max_files": false,
            "total_budget": filesystem.total_budget,
            "used_total": used,
            "used_total_data": data,
            "available_total": filesystem.total_budget,
            "free_total": filesystem.total_budget.saturating_sub(used),
            "ssd_budget": filesystem.ssd_budget,
            "used_ssd": used,
            "used_ssd_data": data,
            "used_ssd_metadata": metadata,
            "available_ssd": filesystem.ssd_budget,
            "free_ssd": filesystem.ssd_budget.saturating_sub(used),
            "metadata_budget": 4_202_496,
            "available_ssd_metadata": 4_202_496,
            "object_storages": [],
            "obs_buckets": [],
            "data_reduction": filesystem.data_reduction,
            "data_reduction_ratio": 1.0,
            "used_ssd_pending": 0,
            "compressed_estimation": 0,
            "kms_key_identifier": "",
            "kms_namespace": "",
            "kms_role": "",
            "is_thinly_provisioned": filesystem.thin.is_some(),
            "thin_provisioning_min_ssd": thin_min,
            "thin_provisioning_max_ssd": thin_max,
        });
        let audited = self.release.has(AUDITED) && !self.switches.audit_field.is_empty();
        if let (Some(row), true) = (row.as_object_mut(), audited) {
            row.insert(self.switches.audit_field.clone(), json!(filesystem.audit));
        }
        row
    }

    /// Bytes of the cluster that no filesystem has.
    pub(crate) fn unprovisioned(&self) -> u64 {
        let taken = self.filesystems.iter().fold(0_u64, |sum, filesystem| sum.saturating_add(filesystem.total_budget));
        self.switches.cluster_total_bytes.saturating_sub(taken)
    }

    /// The filesystem in the path, if it belongs to the caller's organization.
    pub(crate) fn filesystem(&self, call: &Call) -> Result<&Filesystem, Refusal> {
        let uid = call.uid("uid")?;
        let org = call.org()?;
        self.filesystems
            .iter()
            .find(|filesystem| filesystem.uid == uid && filesystem.org_id == org)
            .ok_or_else(|| Refusal::no_uid(&uid.to_string()))
    }

    pub(crate) fn filesystem_mut(&mut self, call: &Call) -> Result<&mut Filesystem, Refusal> {
        let uid = self.filesystem(call)?.uid;
        let found = self.filesystems.iter_mut().find(|filesystem| filesystem.uid == uid);
        found.ok_or_else(|| Refusal::no_uid(&uid.to_string()))
    }

    pub(crate) fn list_of_filesystems(&self, org: u64) -> Value {
        self.filesystems
            .iter()
            .filter(|filesystem| filesystem.org_id == org)
            .map(|filesystem| self.filesystem_row(filesystem))
            .collect()
    }

    fn round_capacity(&self, bytes: u64) -> u64 {
        if self.switches.filesystem_capacity_rounds { round_up(bytes) } else { bytes }
    }

    /// Whether `grown` more bytes can be given to an organization's filesystems.
    fn check_capacity(&mut self, org_id: u64, grown: u64, ssd_grown: u64) -> Result<(), Refusal> {
        let exhausted = self.faults.strikes(Fault::CapacityExhausted);
        let free = if exhausted { 0 } else { self.unprovisioned() };
        if grown > free || exhausted {
            let message = format!("There is not enough capacity: {grown} bytes requested, {free} bytes available");
            return Err(Refusal::exception(400, &["NotEnoughCapacityException"], &message));
        }
        let org = self.organizations.iter().find(|org| org.id == org_id);
        let (total, ssd) = org.map_or((0, 0), |org| (org.total_quota, org.ssd_quota));
        let wanted = [
            ("", total, self.allocated_by(org_id).saturating_add(grown)),
            ("SSD ", ssd, self.ssd_allocated_by(org_id).saturating_add(ssd_grown)),
        ];
        if let Some((kind, quota, _)) = wanted.into_iter().find(|(_, quota, wanted)| *quota != 0 && wanted > quota) {
            let message = format!("insufficient capacity in the organization: its {kind}quota is {quota} bytes");
            return Err(Refusal::exception(400, &["OrganizationQuotaExceededException"], &message));
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Refusal::bad("name", "needs 1 to 32 characters"));
    }
    if name.contains(['/', '\\']) {
        return Err(Refusal::bad("name", "contains a slash"));
    }
    Ok(())
}

/// `GET /fileSystems`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let org = call.org()?;
    if !call.query_flag("force_fresh") && state.faults.strikes(Fault::StaleList) {
        return data(state.stale_filesystems.get(&org).cloned().unwrap_or_else(|| json!([])));
    }
    data(state.list_of_filesystems(org))
}

/// Whether so many are all that a limit allows.
pub(crate) fn reached(count: usize, limit: u64) -> bool {
    u64::try_from(count).unwrap_or(u64::MAX) >= limit
}

/// `GET /fileSystems/freeSpaceInOrg` (5.0): what the cluster has left, within the organization's quotas
pub(crate) fn free_space(state: &mut State, call: &Call) -> Answer {
    let org_id = call.org()?;
    let org = state.organizations.iter().find(|org| org.id == org_id);
    let (total, ssd) = org.map_or((0, 0), |org| (org.total_quota, org.ssd_quota));
    let free = state.unprovisioned();
    let within = |quota: u64, taken: u64| if quota == 0 { free } else { quota.saturating_sub(taken).min(free) };
    data(json!({
        "total_free_bytes": within(total, state.allocated_by(org_id)),
        "ssd_free_bytes": within(ssd, state.ssd_allocated_by(org_id)),
    }))
}

/// `GET /fileSystems/{uid}`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    data(state.filesystem_row(state.filesystem(call)?))
}

/// `POST /fileSystems`
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    let session = call.session()?.clone();
    let owns = state.release.has(CSI_OWNS) && call.flag("has_permissions") == Some(true);
    if session.role == Role::Csi && !owns && !state.switches.csi_creates_filesystems {
        return Err(Refusal::forbidden());
    }
    call.require(&["name", "group_name", "total_capacity"])?;
    let name = call.required_text("name")?;
    check_name(&name)?;
    let asked = call.number("total_capacity")?.unwrap_or(0);
    if asked < LEAST_BYTES {
        return Err(Refusal::bad("total_capacity", "is less than 1 GiB"));
    }
    let group_name = call.required_text("group_name")?;
    let Some(group) = state.groups.iter().find(|group| group.name == group_name).map(|group| group.uid) else {
        return Err(Refusal::message(400, &format!("Filesystem group {group_name} does not exist")));
    };
    let total_budget = state.round_capacity(asked);
    let asks = Asks {
        name,
        org_id: session.org_id,
        group,
        total_budget,
        ssd_budget: call.number("ssd_capacity")?.map_or(total_budget, |bytes| state.round_capacity(bytes)),
        thin: match (call.number("thin_provision_min_ssd")?, call.number("thin_provision_max_ssd")?) {
            (None, None) => None,
            (min, max) => Some((min.unwrap_or(0), max.unwrap_or(total_budget))),
        },
        auth_required: call.flag("auth_required").unwrap_or(session.org_id != ROOT),
        encrypted: call.flag("encrypted").unwrap_or(false),
        audit: call.flag("audit").unwrap_or(false),
        data_reduction: call.flag("data_reduction").unwrap_or(false),
    };
    if state.faults.strikes(Fault::LostCreateRace) && !state.name_is_taken(asks.org_id, &asks.name) {
        state.add_filesystem(asks.clone(), 0)?;
    }
    if state.name_is_taken(asks.org_id, &asks.name) {
        let message = format!("Filesystem {} already exists", asks.name);
        return Err(Refusal::exception(
            state.switches.duplicate_status,
            &["FilesystemAlreadyExistsException"],
            &message,
        ));
    }
    if reached(state.filesystems.len(), state.switches.filesystem_limit) {
        let message = format!("Filesystem table is full: {} filesystems exist", state.filesystems.len());
        return Err(Refusal::message(400, &message));
    }
    state.check_capacity(asks.org_id, asks.total_budget, asks.ssd_budget)?;
    let delay = state.switches.filesystem_create_ms;
    let uid = state.add_filesystem(asks, delay)?;
    if state.faults.strikes(Fault::StuckCreating)
        && let Some(filesystem) = state.filesystems.iter_mut().find(|filesystem| filesystem.uid == uid)
    {
        filesystem.life = Life::Since(None);
    }
    let made = state.filesystems.iter().find(|filesystem| filesystem.uid == uid);
    data(made.map_or(Value::Null, |filesystem| state.filesystem_row(filesystem)))
}

/// What a new filesystem shall be.
#[derive(Clone, Debug)]
pub(crate) struct Asks {
    pub(crate) name: String,
    pub(crate) org_id: u64,
    pub(crate) group: Uid,
    pub(crate) total_budget: u64,
    pub(crate) ssd_budget: u64,
    pub(crate) thin: Option<(u64, u64)>,
    pub(crate) auth_required: bool,
    pub(crate) encrypted: bool,
    pub(crate) audit: bool,
    pub(crate) data_reduction: bool,
}

impl State {
    fn name_is_taken(&self, org_id: u64, name: &str) -> bool {
        self.filesystems.iter().any(|filesystem| filesystem.org_id == org_id && filesystem.name == name)
    }

    /// Makes the filesystem, checking nothing; ready after `delay` milliseconds.
    pub(crate) fn add_filesystem(&mut self, asks: Asks, delay: u64) -> Result<Uid, Refusal> {
        let serial = self.serial("filesystem");
        let uid = Uid::fresh();
        let volume = self
            .new_volume(serial, uid, asks.total_budget)
            .map_err(|error| Refusal::message(500, &format!("the emulator could not make a tree: {error}")))?;
        self.filesystems.push(Filesystem {
            serial,
            uid,
            name: asks.name,
            org_id: asks.org_id,
            group: asks.group,
            total_budget: asks.total_budget,
            ssd_budget: asks.ssd_budget,
            thin: asks.thin,
            auth_required: asks.auth_required,
            encrypted: asks.encrypted,
            audit: asks.audit,
            data_reduction: asks.data_reduction,
            policies: Vec::new(),
            life: Life::Since(Some(self.now().saturating_add(delay))),
            volume,
        });
        Ok(uid)
    }
}

/// `PUT /fileSystems/{uid}`
pub(crate) fn update(state: &mut State, call: &Call) -> Answer {
    let current = state.filesystem(call)?.clone();
    let new_name = call.text("new_name");
    if let Some(name) = &new_name {
        check_name(name)?;
        if *name != current.name && state.name_is_taken(current.org_id, name) {
            let message = format!("Filesystem {name} already exists");
            return Err(Refusal::message(state.switches.duplicate_status, &message));
        }
    }
    let total = call.number("total_capacity")?.map(|bytes| state.round_capacity(bytes));
    let ssd = call.number("ssd_capacity")?.map(|bytes| state.round_capacity(bytes));
    if total.is_some() || ssd.is_some() {
        let grown = total.unwrap_or(current.total_budget).saturating_sub(current.total_budget);
        let ssd_grown = ssd.or(total).unwrap_or(current.ssd_budget).saturating_sub(current.ssd_budget);
        state.check_capacity(current.org_id, grown, ssd_grown)?;
    }
    if let Some(total) = total {
        let used = current.volume.lock().used();
        if total < LEAST_BYTES {
            return Err(Refusal::bad("total_capacity", "is less than 1 GiB"));
        }
        if state.switches.shrink_below_used_is_refused && total < used {
            return Err(Refusal::message(400, &format!("Filesystem cannot shrink below its used {used} bytes")));
        }
    }
    let resizes = total.is_some() || ssd.is_some();
    let thin = match (call.number("thin_provision_min_ssd")?, call.number("thin_provision_max_ssd")?) {
        // A resize that omits the thin limits makes the filesystem thick; a client in production works around it.
        (None, None) if resizes => None,
        (None, None) => current.thin,
        (min, max) => Some((min.unwrap_or(0), max.unwrap_or(current.total_budget))),
    };
    let filesystem = state.filesystem_mut(call)?;
    filesystem.name = new_name.unwrap_or(current.name);
    filesystem.total_budget = total.unwrap_or(current.total_budget);
    filesystem.ssd_budget = ssd.or(total).unwrap_or(current.ssd_budget);
    filesystem.thin = thin;
    filesystem.auth_required = call.flag("auth_required").unwrap_or(current.auth_required);
    filesystem.audit = call.flag("audit").unwrap_or(current.audit);
    filesystem.volume.lock().budget = filesystem.total_budget;
    get(state, call)
}

/// `DELETE /fileSystems/{uid}`
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    let Ok(filesystem) = state.filesystem(call) else {
        return Err(second_delete(state, call.place("uid"), "Filesystem"));
    };
    let uid = filesystem.uid;
    if filesystem.is_removing() {
        return nothing();
    }
    if state.switches.snapshots_hold_filesystem && state.snapshots.iter().any(|snapshot| snapshot.filesystem == uid) {
        return Err(Refusal::exception(400, &["FilesystemHasSnapshotsException"], "Filesystem has snapshots"));
    }
    if state.faults.strikes(Fault::DeleteIgnored) {
        return nothing();
    }
    let stuck = state.faults.strikes(Fault::StuckRemoving);
    let at = call.now.saturating_add(state.switches.filesystem_remove_ms);
    state.filesystem_mut(call)?.life = Life::Until(if stuck { None } else { Some(at) });
    nothing()
}

/// What a DELETE of something that is gone answers.
pub(crate) fn second_delete(state: &State, uid: &str, what: &str) -> Refusal {
    if !state.switches.second_delete_is_exception {
        return Refusal::no_uid(uid);
    }
    Refusal::exception(400, &[&format!("{what}DoesNotExistException")], &format!("{what} does not exist"))
}
