//! Path to inode and back. There is no mkdir in this API: directories are made through mounts.

use std::path::Path;

use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data};
use crate::state::State;
use crate::users::Role;

/// The CSI role may resolve paths since this release (CSI driver's compatibility table).
const CSI_RESOLVES_SINCE: [u32; 3] = [4, 4, 7];

/// `GET /fileSystems/{uid}/resolvePath?path=`: the inode number comes as a string
pub(crate) fn resolve(state: &mut State, call: &Call) -> Answer {
    if call.session()?.role == Role::Csi && !state.release.has(CSI_RESOLVES_SINCE) {
        return Err(Refusal::forbidden());
    }
    let path = call.query.get("path").ok_or_else(|| Refusal::missing(&["path"]))?;
    let found = state.filesystem(call)?.volume.lock().resolve(path);
    match found {
        Ok(inode) => data(json!({ "inode_id": inode.to_string() })),
        Err(_) => {
            let status = state.switches.path_missing_status;
            Err(Refusal::message(status, &format!("PATH_NOT_FOUND: {path} does not exist")))
        }
    }
}

/// `GET /fileSystems/{inode_id}/getPath`, over the caller's filesystems
pub(crate) fn get_path(state: &mut State, call: &Call) -> Answer {
    data(place(state, call)?)
}

/// `GET /fileSystems/{inode_id}/resolve`: the deprecated form, with typed ids
pub(crate) fn get_path_typed(state: &mut State, call: &Call) -> Answer {
    let mut row = place(state, call)?;
    let inode = call.place("uid").to_owned();
    if let Some(row) = row.as_object_mut() {
        row.insert("inode_id".to_owned(), json!(format!("InodeId<{inode}>")));
        row.insert("inode_context".to_owned(), json!(format!("InodeContext<{inode}>")));
    }
    data(row)
}

fn place(state: &State, call: &Call) -> Result<Value, Refusal> {
    let org = call.org()?;
    let text = call.place("uid");
    let inode: u64 = text.parse().map_err(|_| Refusal::bad("inode_id", "is not a number"))?;
    for filesystem in state.filesystems.iter().filter(|filesystem| filesystem.org_id == org) {
        let tree = filesystem.volume.lock();
        let Ok(node) = tree.node(inode) else { continue };
        let view = node.snapshot.map_or(0, |view| view.view_id);
        let snapshot = state.snapshots.iter().find(|snapshot| node.snapshot.is_some() && snapshot.serial == view);
        return Ok(json!({
            "access_point": snapshot.map_or("", |snapshot| snapshot.access_point.as_str()),
            "fs_id": format!("FSId<{}>", filesystem.serial),
            "fs_name": filesystem.name,
            "inode_id": text,
            "path": text_of(&tree.path_of(inode)),
            "snap_name": snapshot.map_or("", |snapshot| snapshot.name.as_str()),
            "snap_view_id": format!("SnapViewId<{view}>"),
        }));
    }
    let status = state.switches.path_missing_status;
    Err(Refusal::message(status, &format!("PATH_NOT_FOUND: inode {text} does not exist")))
}

/// A path as JSON can carry it.
pub(crate) fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
