//! Alerts: what is wrong with the cluster now. They follow from its state and cannot be raised by hand.

use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::state::State;

/// A kind of alert.
pub(crate) struct Kind {
    name: &'static str,
    title: &'static str,
    action: &'static str,
    severity: &'static str,
    holds: fn(&State) -> bool,
}

/// The kinds that this cluster knows; their names are those of the vendor's list of alerts.
const KINDS: &[Kind] = &[
    Kind {
        name: "AdminDefaultPassword",
        title: "The default password is in use",
        action: "Give the user admin another password.",
        severity: "WARNING",
        holds: |state| state.switches.password_change_required,
    },
    Kind {
        name: "ClusterIsUpgrading",
        title: "The cluster is being upgraded",
        action: "Wait until the upgrade has finished.",
        severity: "WARNING",
        holds: |state| overridden(state, "upgrade").is_some_and(|upgrade| !upgrade.is_empty()),
    },
    Kind {
        name: "DataProtection",
        title: "Some data is not fully protected",
        action: "Bring failed containers and drives back.",
        severity: "CRITICAL",
        holds: |state| {
            let down = state.machines.backends.iter().any(|backend| !backend.is_active());
            down || overridden(state, "status").is_some_and(|status| status != "OK")
        },
    },
    Kind {
        name: "NoClusterLicense",
        title: "The cluster has no licence",
        action: "Install a licence.",
        severity: "MAJOR",
        holds: |state| !state.licence.is_installed(),
    },
];

fn overridden<'a>(state: &'a State, field: &str) -> Option<&'a str> {
    state.cluster_overrides.get(field).and_then(Value::as_str)
}

fn is_muted(state: &State, kind: &Kind) -> bool {
    state.muted_alerts.get(kind.name).is_some_and(|until| *until > state.now())
}

/// Alerts that hold and are not muted.
pub(crate) fn active(state: &State) -> Vec<&'static Kind> {
    KINDS.iter().filter(|kind| (kind.holds)(state) && !is_muted(state, kind)).collect()
}

/// `GET /alerts`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    let severity = call.query.get("severity");
    let shown = |kind: &&Kind| (kind.holds)(state) && severity.is_none_or(|severity| severity == kind.severity);
    let row = |kind: &Kind| {
        json!({
            "type": kind.name,
            "muted": is_muted(state, kind),
            "severity": kind.severity,
            "fmt": kind.title,
            "action": kind.action,
            "title": kind.title,
            "params": {},
        })
    };
    data(KINDS.iter().filter(shown).map(row).collect())
}

/// `GET /alerts/types`
pub(crate) fn types(_state: &mut State, _call: &Call) -> Answer {
    data(KINDS.iter().map(|kind| json!(kind.name)).collect())
}

/// `GET /alerts/description`
pub(crate) fn descriptions(_state: &mut State, _call: &Call) -> Answer {
    let row = |kind: &Kind| json!({ "type": kind.name, "action": kind.action, "title": kind.title });
    data(KINDS.iter().map(row).collect())
}

fn kind_in(call: &Call) -> Result<&'static Kind, Refusal> {
    let name = call.place("alert_type");
    let found = KINDS.iter().find(|kind| kind.name == name);
    found.ok_or_else(|| Refusal::message(404, &format!("Alert type {name} does not exist")))
}

/// `PUT /alerts/{alert_type}/mute`: for so many seconds
pub(crate) fn mute(state: &mut State, call: &Call) -> Answer {
    let kind = kind_in(call)?;
    let secs = call.number("duration")?.ok_or_else(|| Refusal::missing(&["duration"]))?;
    state.muted_alerts.insert(kind.name.to_owned(), call.now.saturating_add(secs.saturating_mul(1000)));
    nothing()
}

/// `PUT /alerts/{alert_type}/unmute`
pub(crate) fn unmute(state: &mut State, call: &Call) -> Answer {
    state.muted_alerts.remove(kind_in(call)?.name);
    nothing()
}
