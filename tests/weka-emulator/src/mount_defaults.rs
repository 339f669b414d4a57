//! Throughput limits that every client mounts with unless it says otherwise; 0 is unlimited.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::envelope::{Answer, data, nothing};
use crate::state::State;

/// The defaults, in MB per second.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct MountDefaults {
    most: u64,
    preferred: u64,
}

/// `GET /mountDefaults`
pub(crate) fn get(state: &mut State, _call: &Call) -> Answer {
    let MountDefaults { most, preferred } = state.mount_defaults;
    data(json!({ "qos_max_throughput": most, "qos_preferred_throughput": preferred }))
}

/// `PUT /mountDefaults`
pub(crate) fn set(state: &mut State, call: &Call) -> Answer {
    let most = call.number("qos_max_throughput_mbps")?;
    let preferred = call.number("qos_preferred_throughput_mbps")?;
    let defaults = &mut state.mount_defaults;
    defaults.most = most.unwrap_or(defaults.most);
    defaults.preferred = preferred.unwrap_or(defaults.preferred);
    nothing()
}

/// `DELETE /mountDefaults`: those that the query names, or both
pub(crate) fn reset(state: &mut State, call: &Call) -> Answer {
    let most = call.query_flag("qos_max_throughput_mbps");
    let preferred = call.query_flag("qos_preferred_throughput_mbps");
    if most || !preferred {
        state.mount_defaults.most = 0;
    }
    if preferred || !most {
        state.mount_defaults.preferred = 0;
    }
    nothing()
}
