//! What needs an object store. The emulated cluster has none, so attaching one, and reading from one, is refused as the
//! real one refuses a name that it does not know.

use crate::call::Call;
use crate::envelope::{Answer, Refusal};
use crate::state::State;

fn unknown(name: &str) -> Refusal {
    let message = format!("Object store {name} does not exist");
    Refusal::exception(400, &["ObjectStorageDoesNotExistException"], &message)
}

/// `POST /fileSystems/{uid}/objectStores` and its newer name
pub(crate) fn attach(state: &mut State, call: &Call) -> Answer {
    state.filesystem(call)?;
    Err(unknown(&call.required_text("obs_name")?))
}

/// `DELETE /fileSystems/{uid}/objectStores/{obs_uid}` and its newer name
pub(crate) fn detach(state: &mut State, call: &Call) -> Answer {
    state.filesystem(call)?;
    Err(Refusal::no_uid(call.place("obs_uid")))
}

/// `POST /fileSystems/download`
pub(crate) fn download_filesystem(_state: &mut State, call: &Call) -> Answer {
    call.require(&["name", "group_name", "total_capacity", "object_storage", "locator", "ssd_capacity"])?;
    Err(unknown(&call.required_text("object_storage")?))
}

/// `POST /snapshots/{uid}/upload`
pub(crate) fn upload_snapshot(state: &mut State, call: &Call) -> Answer {
    let filesystem = state.filesystem_of_snapshot(call)?;
    let message = format!("Filesystem {filesystem} has no object store to upload to");
    Err(Refusal::exception(400, &["FilesystemNotTieredException"], &message))
}

/// `POST /snapshots/download`
pub(crate) fn download_snapshot(_state: &mut State, call: &Call) -> Answer {
    call.require(&["fs_uid", "locator"])?;
    let message = format!("Locator {} is in no attached object store", call.required_text("locator")?);
    Err(Refusal::exception(400, &["LocatorNotFoundException"], &message))
}

/// `POST /snapshots/locatorInfo`
pub(crate) fn locator_info(_state: &mut State, call: &Call) -> Answer {
    call.require(&["object_storage", "locator"])?;
    Err(unknown(&call.required_text("object_storage")?))
}
