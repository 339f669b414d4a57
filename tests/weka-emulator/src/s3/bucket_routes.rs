//! `/s3/buckets` and the quota of a bucket.
//!
//! A clients' note: `data` of a creation must not be null for one client in production, while the documents say "none";
//! a switch has both.

use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::faults::Fault;
use crate::s3::bucket_policy;
use crate::s3::buckets::{Bucket, BucketRefused, NewBucket};
use crate::s3::gate::ready;
use crate::state::State;
use crate::uid::Uid;

/// How REST words what a bucket was refused for.
pub(crate) fn refusal(state: &State, refused: BucketRefused) -> Refusal {
    match refused {
        BucketRefused::Other(refusal) => refusal,
        BucketRefused::Unknown(_) => Refusal::message(404, &refused.to_string()),
        BucketRefused::Exists(_) => Refusal::message(state.switches.duplicate_status, &refused.to_string()),
        BucketRefused::NoPath(_) => Refusal::message(state.switches.path_missing_status, &refused.to_string()),
        BucketRefused::Name(_) => Refusal::bad("bucket_name", &refused.to_string()),
        other => Refusal::message(400, &other.to_string()),
    }
}

/// The name in the path, if it is a bucket's.
pub(crate) fn known(state: &State, call: &Call) -> Result<String, Refusal> {
    let name = call.place("bucket");
    match state.s3.bucket(name) {
        Some(_) => Ok(name.to_owned()),
        None => Err(refusal(state, BucketRefused::Unknown(name.to_owned()))),
    }
}

/// `GET /s3/buckets`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let row = |bucket: &Bucket| {
        let space = state.bucket_space(bucket);
        let filesystem = state.filesystems.iter().find(|known| known.uid == bucket.filesystem);
        json!({
            "name": bucket.name,
            "hard_limit_bytes": space.hard_limit,
            "path": bucket.path,
            "used_bytes": space.used,
            "fs": filesystem.map_or("", |filesystem| filesystem.name.as_str()),
        })
    };
    let rows: Vec<Value> = state.s3.buckets.values().map(row).collect();
    data(json!({ "session_id": Uid::fresh(), "buckets": rows }))
}

/// `POST /s3/buckets`
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let name = call.required_text("bucket_name")?;
    let filesystem = match call.text("fs_uid") {
        Some(text) => Some(Uid::parse(&text).ok_or_else(|| Refusal::no_uid(&text))?),
        None => None,
    };
    let new = NewBucket {
        policy: bucket_policy::given_at_creation(state, call, &name)?,
        filesystem,
        existing_path: call.text("existing_path"),
        creator: None,
        hard_quota: call.number("hard_quota")?,
        name,
    };
    let made = state.add_bucket(new).map_err(|refused| refusal(state, refused))?;
    if state.switches.bucket_create_answers_null { nothing() } else { data(json!({ "name": made.name })) }
}

/// `DELETE /s3/buckets/{bucket}?unlink=`
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let name = known(state, call)?;
    if state.faults.strikes(Fault::DeleteIgnored) {
        return nothing();
    }
    let unlink = call.query_flag("unlink") || call.flag("unlink") == Some(true);
    state.remove_bucket(&name, unlink).map_err(|refused| refusal(state, refused))?;
    nothing()
}

/// `PUT /s3/buckets/{bucket}/quota`: `"0B"` is none
pub(crate) fn put_quota(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let name = known(state, call)?;
    let bytes = call.number("hard_quota")?.ok_or_else(|| Refusal::missing(&["hard_quota"]))?;
    let done = if bytes == 0 { state.clear_bucket_quota(&name) } else { state.set_bucket_quota(&name, bytes) };
    done.map_err(|refused| refusal(state, refused))?;
    nothing()
}

/// `DELETE /s3/buckets/{bucket}/quota`
pub(crate) fn delete_quota(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let name = known(state, call)?;
    state.clear_bucket_quota(&name).map_err(|refused| refusal(state, refused))?;
    nothing()
}
