//! The log level of the containers that run S3.

use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::s3::gate::ready;
use crate::state::State;
use crate::uid::Uid;

/// Names of the levels, from 0.
const LEVELS: [&str; 5] = ["FATAL", "ERROR", "WARNING", "INFO", "DEBUG"];

/// What a container starts with.
const DEFAULT_LEVEL: u64 = 2;

/// `GET /s3/debug`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let row = |(host, uid): &(u64, Uid)| {
        let level = state.s3.debug_levels.get(uid).copied().unwrap_or(DEFAULT_LEVEL);
        let name = usize::try_from(level).ok().and_then(|level| LEVELS.get(level)).unwrap_or(&"");
        json!({ "hostId": format!("HostId<{host}>"), "uid": uid, "stdout": format!("{level} ({name})"), "stderr": "" })
    };
    let rows: Vec<Value> = state.s3.running().iter().map(row).collect();
    data(Value::Array(rows))
}

/// `POST /s3/debug`
pub(crate) fn set(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    call.require(&["level", "host_uids"])?;
    let level = call.number("level")?.unwrap_or(DEFAULT_LEVEL);
    if usize::try_from(level).map_or(true, |level| level >= LEVELS.len()) {
        return Err(Refusal::bad("level", "is not in 0 to 4"));
    }
    let running = state.s3.running();
    let mut uids = Vec::new();
    for text in call.texts("host_uids")?.unwrap_or_default() {
        let uid = Uid::parse(&text).filter(|uid| running.iter().any(|(_, known)| known == uid));
        uids.push(uid.ok_or_else(|| Refusal::message(400, &format!("error: Unrecognized host ID {text}")))?);
    }
    state.s3.debug_levels.extend(uids.into_iter().map(|uid| (uid, level)));
    nothing()
}
