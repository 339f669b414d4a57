//! Events: what happened, newest first, kept up to a number and readable in pages.
//!
//! A change that succeeds makes the event that [`kinds`] names for its route, with the plain values of its request but
//! never a secret. Each organization reads its own.

mod kinds;
mod routes;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::auth::Session;
use crate::call::Call;
use crate::clock::{Millis, rfc3339};
use crate::organizations::ROOT;
use crate::state::State;
use crate::uid::Uid;
use kinds::EventKind;
pub(crate) use kinds::KINDS;
pub(crate) use routes::{aggregate, custom, describe, list, local};

/// Events that are kept.
const KEPT: usize = 2000;

/// Fields whose values no event may show.
const SECRETS: [&str; 10] = [
    "password",
    "old_password",
    "new_password",
    "secret",
    "secret_key",
    "key",
    "auth_token",
    "refresh_token",
    "license",
    "certificate",
];

/// Something that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Event {
    uid: Uid,
    at: Millis,
    kind: String,
    entity: String,
    org_id: u64,
    params: Map<String, Value>,
}

/// What happened lately, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Events {
    entries: VecDeque<Event>,
    /// Whether S3 served when it was looked at last.
    s3_served: Option<bool>,
}

impl Event {
    fn kind(&self) -> Option<&'static EventKind> {
        KINDS.iter().find(|kind| kind.name == self.kind)
    }

    fn row(&self) -> Value {
        let at = rfc3339(self.at);
        let kind = self.kind();
        json!({
            "category": kind.map_or("", |kind| kind.category),
            "cloud_digested_ts": at,
            "cloud_id": self.uid,
            "entity": self.entity,
            "guid": self.uid,
            "hash": 0,
            "is_backend": true,
            "nid": "NodeId<0>",
            "org_id": format!("OrgId<{}>", self.org_id),
            "params": self.params,
            "permission": "USER",
            "related_node_ids": [],
            "s3_time": at,
            "severity": kind.map_or("INFO", |kind| kind.severity),
            "snid": [],
            "sqs_message_time": at,
            "timestamp": at,
            "description": kind.map_or("", |kind| kind.description),
            "type": self.kind,
        })
    }
}

impl State {
    /// Notes an event.
    pub(crate) fn note(&mut self, kind: &str, session: Option<&Session>, params: Map<String, Value>) {
        let entity = match session {
            Some(session) => format!("{} internal user ({})", session.role_name(), session.username),
            None => "Cluster".to_owned(),
        };
        let org_id = session.map_or(ROOT, |session| session.org_id);
        let event = Event { uid: Uid::fresh(), at: self.now(), kind: kind.to_owned(), entity, org_id, params };
        self.events.entries.push_back(event);
        if self.events.entries.len() > KEPT {
            self.events.entries.pop_front();
        }
    }

    /// Notes an event of the S3 port, where users come with keys instead of sessions.
    pub(crate) fn note_by_user<'a>(
        &mut self,
        kind: &str,
        user: Uid,
        params: impl IntoIterator<Item = (&'static str, &'a str)>,
    ) {
        let session = self.session_of(user);
        let params = params.into_iter().map(|(name, value)| (name.to_owned(), json!(value)));
        self.note(kind, session.as_ref(), params.collect());
    }

    /// Notes the event of a route that succeeded, if it has one.
    pub(crate) fn note_success(&mut self, method: &str, pattern: &str, call: &Call) {
        let matches = |kind: &&EventKind| kind.route.split_once(' ') == Some((method, pattern));
        let Some(kind) = KINDS.iter().find(matches) else { return };
        let session = call.session.clone().or_else(|| self.session_at_login(call));
        self.note(kind.name, session.as_ref(), params_of(call));
    }

    /// Who has just logged in: that route has no session of its own.
    fn session_at_login(&self, call: &Call) -> Option<Session> {
        let name = call.text("username")?;
        let org = call.text("org").unwrap_or_else(|| "Root".to_owned());
        let org_id = self.organizations.iter().find(|known| known.name == org)?.id;
        let user = self.users.iter().find(|user| user.org_id == org_id && user.username == name)?;
        self.session_of(user.uid)
    }

    /// Notes that S3 began or ceased to serve since this was asked last.
    pub(crate) fn note_s3_status(&mut self) {
        let serves = self.s3.is_ready();
        let before = self.events.s3_served.replace(serves);
        if before.is_some_and(|before| before != serves) {
            let kind = if serves { "S3ClusterStatusActiveEvent" } else { "S3ClusterStatusInactiveEvent" };
            self.note(kind, None, Map::new());
        }
    }
}

/// The plain values of a request, without secrets.
fn params_of(call: &Call) -> Map<String, Value> {
    let places = call.places.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
    let plain = |value: &&Value| value.is_string() || value.is_number() || value.is_boolean();
    let fields = call.body.iter().filter(|(_, value)| plain(value)).map(|(name, value)| (name.clone(), value.clone()));
    places.chain(fields).filter(|(name, _)| !SECRETS.contains(&name.as_str())).collect()
}
