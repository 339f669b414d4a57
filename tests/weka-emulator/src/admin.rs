//! The admin port: JSON over HTTP on a loopback listener of its own, for tests, demos and the mount helper.
//!
//! `GET /admin` lists the routes. Every answer is JSON; a refusal is `{"error": "…"}` with 400, 403, 404 or 409.

use std::path::PathBuf;

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::control::{Control, ControlError, Owner};
use crate::faults::{Port, Rule, kinds};
use crate::listen::Outage;
use crate::mounts::MountRequest;
use crate::presets::Preset;
use crate::release::Release;

/// What `GET /admin` shows.
const INDEX: &[(&str, &str)] = &[
    ("GET /admin/state", "what there is, in short"),
    ("GET /admin/switches", "every inferred behaviour with value, default and meaning"),
    ("PATCH /admin/switches", "{name: value, …}"),
    ("GET /admin/faults", "the rules in force"),
    ("GET /admin/faults/kinds", "every fault with its meaning"),
    (
        "POST /admin/faults",
        "{fault, port? (rest | s3), method?, path?, endpoint?, skip?, count?, every?, status?, body?, delay_ms?} → {id}",
    ),
    ("DELETE /admin/faults", "all rules"),
    ("DELETE /admin/faults/{id}", "one rule"),
    ("GET /admin/clock", "{now_ms, offset_ms}"),
    ("POST /admin/clock", "{advance_ms}: negative goes back"),
    ("GET|PUT /admin/preset", "{preset: live-4.4.22 | s3-ready}"),
    ("PUT /admin/s3", "{containers}: backends that may run S3; 0 takes its containers away, its configuration stays"),
    ("GET|PUT /admin/release", "{release: 4.4.22}: drives which routes exist"),
    ("PATCH /admin/cluster", "overrides fields of GET /cluster, such as status or io_status; null takes back"),
    ("PUT /admin/outage", "{outage: none | refuse | reset | hang, port? (rest | s3), endpoint?}"),
    ("GET /admin/requests?after=seq", "the request log, secrets as received"),
    ("DELETE /admin/requests", "empties the log"),
    ("POST /admin/dirs", "{filesystem, path, organization?, uid?, gid?, perm?} → {inode}"),
    ("DELETE /admin/dirs?filesystem=&path=", "removes a file or a whole directory"),
    ("PUT /admin/files", "{filesystem, path, text | bytes (a length of zeros)}: quotas apply"),
    ("GET /admin/files?filesystem=&path=", "the file's bytes"),
    ("GET /admin/tree?filesystem=&path=", "everything beneath a path"),
    ("GET /admin/mounts", "the mounts in being"),
    (
        "POST /admin/mounts",
        "{filesystem, target, mode?, token?, refresh_token?, client_ip?, options?, pid?}: checks as a backend, mounts by FUSE",
    ),
    ("DELETE /admin/mounts?target=&pid=", "unmounts"),
];

/// A refusal of the admin port.
struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let status = match &error {
            ControlError::Unknown(_) => StatusCode::NOT_FOUND,
            ControlError::Tree(rustix::io::Errno::NOENT) => StatusCode::NOT_FOUND,
            ControlError::Tree(rustix::io::Errno::DQUOT | rustix::io::Errno::NOSPC) => StatusCode::INSUFFICIENT_STORAGE,
            ControlError::Invalid(_) | ControlError::Tree(_) => StatusCode::BAD_REQUEST,
            ControlError::Mount(refused) => {
                StatusCode::from_u16(refused.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        };
        Self(status, error.to_string())
    }
}

type Answer = Result<Json<Value>, Problem>;

fn done() -> Answer {
    Ok(Json(json!({ "ok": true })))
}

fn shown(value: &impl Serialize) -> Answer {
    let value = serde_json::to_value(value);
    value.map(Json).map_err(|error| Problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

/// The routes.
pub(crate) fn router(control: Control) -> Router {
    Router::new()
        .route("/admin", get(index))
        .route("/admin/state", get(summary))
        .route("/admin/switches", get(switches).patch(set_switches))
        .route("/admin/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/admin/faults/kinds", get(fault_kinds))
        .route("/admin/faults/{id}", delete(remove_fault))
        .route("/admin/clock", get(clock).post(advance))
        .route("/admin/preset", get(preset).put(set_preset))
        .route("/admin/s3", put(set_s3))
        .route("/admin/release", get(release).put(set_release))
        .route("/admin/cluster", axum::routing::patch(override_cluster))
        .route("/admin/outage", put(set_outage))
        .route("/admin/requests", get(requests).delete(clear_requests))
        .route("/admin/dirs", post(make_dir).delete(remove))
        .route("/admin/files", put(write_file).get(read_file))
        .route("/admin/tree", get(tree))
        .route("/admin/mounts", get(mounts).post(mount).delete(unmount))
        .layer(middleware::from_fn_with_state(control.clone(), keep))
        .with_state(control)
}

/// What the admin port changed is kept before it answers.
async fn keep(State(control): State<Control>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match control.save() {
        Ok(()) => response,
        Err(error) => Problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn index() -> Answer {
    let rows = INDEX.iter().map(|(route, about)| json!({ "route": route, "about": about }));
    Ok(Json(rows.collect()))
}

async fn summary(State(control): State<Control>) -> Answer {
    Ok(Json(control.summary()))
}

async fn switches(State(control): State<Control>) -> Answer {
    Ok(Json(Value::Array(control.switches().table())))
}

async fn set_switches(State(control): State<Control>, Json(changes): Json<Map<String, Value>>) -> Answer {
    control.set_switches(&changes)?;
    done()
}

async fn faults(State(control): State<Control>) -> Answer {
    shown(&control.faults())
}

async fn fault_kinds() -> Answer {
    Ok(Json(kinds()))
}

async fn add_fault(State(control): State<Control>, Json(rule): Json<Rule>) -> Answer {
    Ok(Json(json!({ "id": control.add_fault(rule) })))
}

async fn clear_faults(State(control): State<Control>) -> Answer {
    control.clear_faults();
    done()
}

async fn remove_fault(State(control): State<Control>, Path(id): Path<u64>) -> Answer {
    control.remove_fault(id)?;
    done()
}

async fn clock(State(control): State<Control>) -> Answer {
    Ok(Json(json!({ "now_ms": control.clock().now(), "offset_ms": control.clock().offset() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: i64,
}

async fn advance(State(control): State<Control>, Json(step): Json<Advance>) -> Answer {
    control.clock().advance(step.advance_ms);
    clock(State(control)).await
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetName {
    preset: Preset,
}

async fn preset(State(control): State<Control>) -> Answer {
    shown(&PresetName { preset: control.preset() })
}

async fn set_preset(State(control): State<Control>, Json(wanted): Json<PresetName>) -> Answer {
    control.set_preset(wanted.preset);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct S3Containers {
    containers: usize,
}

async fn set_s3(State(control): State<Control>, Json(wanted): Json<S3Containers>) -> Answer {
    control.set_s3_containers(wanted.containers);
    done()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseName {
    release: Release,
}

async fn release(State(control): State<Control>) -> Answer {
    shown(&ReleaseName { release: control.release() })
}

async fn set_release(State(control): State<Control>, Json(wanted): Json<ReleaseName>) -> Answer {
    control.set_release(wanted.release);
    done()
}

async fn override_cluster(State(control): State<Control>, Json(fields): Json<Map<String, Value>>) -> Answer {
    control.override_cluster(fields);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutageOf {
    outage: Outage,
    #[serde(default)]
    port: Port,
    #[serde(default)]
    endpoint: Option<usize>,
}

async fn set_outage(State(control): State<Control>, Json(wanted): Json<OutageOf>) -> Answer {
    match wanted.port {
        Port::Rest => control.set_outage(wanted.endpoint, wanted.outage)?,
        Port::S3 => control.set_s3_outage(wanted.outage),
    }
    done()
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn requests(State(control): State<Control>, Query(from): Query<After>) -> Answer {
    shown(&control.requests_after(from.after))
}

async fn clear_requests(State(control): State<Control>) -> Answer {
    control.clear_requests();
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDir {
    filesystem: String,
    path: String,
    #[serde(default)]
    organization: Option<String>,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
    #[serde(default)]
    perm: Option<u32>,
}

async fn make_dir(State(control): State<Control>, Json(dir): Json<NewDir>) -> Answer {
    let owner = Owner { uid: dir.uid, gid: dir.gid, perm: dir.perm.unwrap_or(0o755) };
    let inode = control.make_dir_in(dir.organization.as_deref(), &dir.filesystem, &dir.path, owner)?;
    Ok(Json(json!({ "inode": inode })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    filesystem: String,
    #[serde(default = "root_path")]
    path: String,
    #[serde(default)]
    organization: Option<String>,
}

fn root_path() -> String {
    "/".to_owned()
}

async fn remove(State(control): State<Control>, Query(place): Query<Place>) -> Answer {
    control.remove(place.organization.as_deref(), &place.filesystem, &place.path)?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFile {
    filesystem: String,
    path: String,
    #[serde(default)]
    organization: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    bytes: Option<usize>,
}

/// Zeros that the files hook writes at most, so that a slip of the hand does not fill the memory.
const MOST_ZEROS: usize = 1 << 30;

async fn write_file(State(control): State<Control>, Json(file): Json<NewFile>) -> Answer {
    let data = match (file.text, file.bytes) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(len)) if len <= MOST_ZEROS => vec![0; len],
        _ => return Err(Problem(StatusCode::BAD_REQUEST, "give text, or bytes up to 1 GiB".to_owned())),
    };
    control.write_file(file.organization.as_deref(), &file.filesystem, &file.path, &data)?;
    done()
}

async fn read_file(State(control): State<Control>, Query(place): Query<Place>) -> Result<Vec<u8>, Problem> {
    Ok(control.read_file(place.organization.as_deref(), &place.filesystem, &place.path)?)
}

async fn tree(State(control): State<Control>, Query(place): Query<Place>) -> Answer {
    shown(&control.list_tree(place.organization.as_deref(), &place.filesystem, &place.path)?)
}

async fn mounts(State(control): State<Control>) -> Answer {
    shown(&control.mounts())
}

async fn mount(State(control): State<Control>, Json(request): Json<MountRequest>) -> Answer {
    let made = off_thread(move || control.mount(&request)).await?;
    shown(&made)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    target: PathBuf,
    #[serde(default)]
    pid: Option<u32>,
}

async fn unmount(State(control): State<Control>, Query(target): Query<Target>) -> Answer {
    off_thread(move || control.unmount(&target.target, target.pid)).await?;
    done()
}

/// Mounting calls the kernel, which may wait for another mount of ours.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ControlError> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(Problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}
