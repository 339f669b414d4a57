//! The licence: one that is installed, or none.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::clock::{Millis, rfc3339};
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::state::State;

/// How the cluster is licensed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Licence {
    mode: String,
    key: String,
}

impl Default for Licence {
    fn default() -> Self {
        Self { mode: "Classic".to_owned(), key: "license_key".to_owned() }
    }
}

impl Licence {
    pub(crate) fn is_installed(&self) -> bool {
        self.mode != "Unlicensed"
    }
}

/// Decimal gigabytes, as licences count.
fn gigabytes(bytes: u64) -> u64 {
    bytes / 1_000_000_000
}

/// The licence as `GET /license` and `GET /cluster` show it.
pub(crate) fn row(state: &State) -> Value {
    let usable = gigabytes(state.switches.cluster_total_bytes);
    let raw = usable.saturating_mul(2);
    let now = state.now();
    let day: Millis = 86_400_000;
    json!({
        "mode": state.licence.mode,
        "license": state.licence.key,
        "error": if state.licence.is_installed() { "" } else { "No license is installed" },
        "next_check": rfc3339(now.saturating_add(3_600_000)),
        "check_interval_secs": 3600,
        "usage": { "drive_capacity_gb": raw, "usable_capacity_gb": usable, "obs_capacity_gb": 0 },
        "limits": {
            "drive_capacity_gb": raw,
            "usable_capacity_gb": u64::MAX,
            "obs_capacity_gb": 1_000_000_000_000_000_u64,
            "valid_from": rfc3339(state.machines.started),
            "expires_at": rfc3339(state.machines.started.saturating_add(day.saturating_mul(365))),
        },
    })
}

/// `GET /license`
pub(crate) fn get(state: &mut State, _call: &Call) -> Answer {
    data(row(state))
}

/// `POST /license`: a classic licence, or a plan that is paid as it goes
pub(crate) fn install(state: &mut State, call: &Call) -> Answer {
    state.licence = match (call.text("license"), call.text("plan_id")) {
        (Some(key), _) => Licence { mode: "Classic".to_owned(), key },
        (None, Some(_)) => Licence { mode: "PAYG".to_owned(), key: String::new() },
        (None, None) => return Err(Refusal::missing(&["license"])),
    };
    nothing()
}

/// `DELETE /license`
pub(crate) fn reset(state: &mut State, _call: &Call) -> Answer {
    state.licence = Licence { mode: "Unlicensed".to_owned(), key: String::new() };
    nothing()
}
