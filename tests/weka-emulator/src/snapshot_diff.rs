//! What changed between two snapshots, or since one: by inode, so that a renamed file is one change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data};
use crate::paths::text_of;
use crate::state::State;
use crate::tree::node::{Ino, Kind, Node};
use crate::tree::volume::Tree;

/// What stands in a tree at one time: by the inode of the live tree, the path and the node.
type Standing<'a> = BTreeMap<Ino, (PathBuf, Ino, &'a Node)>;

/// Everything beneath a directory, by path from there.
fn standing(tree: &Tree, top: Ino) -> Standing<'_> {
    let mut found = Standing::new();
    let mut open = vec![(PathBuf::from("/"), top, top)];
    while let Some((path, ino, parent)) = open.pop() {
        let Ok(node) = tree.node(ino) else { continue };
        let image_of = node.snapshot.map_or(ino, |view| view.image_of);
        for (name, child) in node.children().into_iter().flatten() {
            open.push((path.join(name), *child, image_of));
        }
        if ino != top {
            found.insert(image_of, (path, parent, node));
        }
    }
    found
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or(0)
}

fn kind_word(node: &Node) -> &'static str {
    match node.kind {
        Kind::Dir(_) => "DIR",
        Kind::Symlink(_) => "SYMLINK",
        Kind::File(_) => "FILE",
        Kind::Special(_) => "SPECIAL",
    }
}

fn type_bits(node: &Node) -> u32 {
    match node.kind {
        Kind::Dir(_) => 0o040_000,
        Kind::File(_) => 0o100_000,
        Kind::Symlink(_) => 0o120_000,
        Kind::Special(bits) => bits,
    }
}

struct Change<'a> {
    ino: Ino,
    parent: Ino,
    operation: String,
    path: &'a Path,
    before: Option<&'a Path>,
    node: &'a Node,
}

impl Change<'_> {
    fn row(&self, show_path: bool) -> Value {
        let Self { ino, parent, operation, path, before, node } = self;
        json!({
            "inode": format!("InodeContext<{ino}>"),
            "parent_inode": format!("InodeContext<{parent}>"),
            "op_type": operation,
            "path": show_path.then(|| text_of(path)),
            "prev_path": before.filter(|_| show_path).map(text_of),
            "renamed": before.is_some(),
            "size": node.len(),
            "mode": node.perm | type_bits(node),
            "modify_time_secs": seconds(node.mtime),
            "access_time_secs": seconds(node.atime),
            "change_time_secs": seconds(node.ctime),
            "blocks": node.len().div_ceil(512),
            "rdev": node.rdev,
            "uid": node.uid,
            "gid": node.gid,
            "nlinks": node.links.len().max(1),
        })
    }
}

fn changes<'a>(older: &'a Standing<'a>, recent: &'a Standing<'a>) -> Vec<Change<'a>> {
    let mut found = Vec::new();
    for (ino, (path, parent, node)) in recent {
        let change = |operation: &str, before| Change {
            ino: *ino,
            parent: *parent,
            operation: format!("{}_{operation}", kind_word(node)),
            path,
            before,
            node,
        };
        match older.get(ino) {
            None => found.push(change("CREATE", None)),
            Some((before, _, _)) if before != path => found.push(change("RENAME", Some(before.as_path()))),
            Some((_, _, was)) if was.ctime != node.ctime || was.len() != node.len() => {
                found.push(change("MODIFY", None));
            }
            Some(_) => {}
        }
    }
    for (ino, (path, parent, node)) in older.iter().filter(|(ino, _)| !recent.contains_key(*ino)) {
        let operation = format!("{}_DELETE", kind_word(node));
        found.push(Change { ino: *ino, parent: *parent, operation, path, before: None, node });
    }
    found
}

impl State {
    /// The filesystem of a name and the root of one of its snapshots' images.
    fn image(&self, call: &Call, tree: &Tree, name: &str) -> Result<Ino, Refusal> {
        let org = call.org()?;
        let fs_name = call.required_text("fs_name")?;
        let filesystem = self.filesystems.iter().find(|known| known.org_id == org && known.name == fs_name);
        let uid = filesystem.map(|filesystem| filesystem.uid);
        let found = self.snapshots.iter().find(|snapshot| Some(snapshot.filesystem) == uid && snapshot.name == name);
        let image = found.and_then(|snapshot| tree.image_of_view(snapshot.serial));
        image.ok_or_else(|| Refusal::message(400, &format!("Snapshot {name} does not exist")))
    }
}

/// Every difference that a request asks for.
fn differences(state: &State, call: &Call, show_path: bool) -> Result<Vec<Value>, Refusal> {
    let org = call.org()?;
    let fs_name = call.required_text("fs_name")?;
    let filesystem = state.filesystems.iter().find(|known| known.org_id == org && known.name == fs_name);
    let Some(filesystem) = filesystem else {
        return Err(Refusal::message(400, &format!("Filesystem {fs_name} does not exist")));
    };
    let tree = filesystem.volume.lock();
    let recent = standing(&tree, state.image(call, &tree, &call.required_text("recent_snap")?)?);
    let older = match call.text("older_snap") {
        Some(name) => standing(&tree, state.image(call, &tree, &name)?),
        None => Standing::new(),
    };
    Ok(changes(&older, &recent).iter().map(|change| change.row(show_path)).collect())
}

/// `POST /snapshots/diff/prepare`: where readers that work side by side shall begin; one is enough here
pub(crate) fn prepare(state: &mut State, call: &Call) -> Answer {
    call.require(&["fs_name", "recent_snap", "parallelism"])?;
    call.number("parallelism")?;
    differences(state, call, false)?;
    data(json!(["0"]))
}

/// `POST /snapshots/diff/getResults`: a page of differences; the resume token is the number of those already read
pub(crate) fn results(state: &mut State, call: &Call) -> Answer {
    call.require(&["fs_name", "recent_snap", "max_results"])?;
    let most = usize::try_from(call.number("max_results")?.unwrap_or(0)).unwrap_or(usize::MAX);
    let start = match call.text("resume_token").filter(|token| !token.is_empty()) {
        Some(token) => token.parse().map_err(|_| Refusal::bad("resume_token", "is not one of ours"))?,
        None => 0_usize,
    };
    let all = differences(state, call, call.flag("resolve_path").unwrap_or(false))?;
    let shown: Vec<Value> = all.iter().skip(start).take(most).cloned().collect();
    let end = start.saturating_add(shown.len());
    let next = if end < all.len() { end.to_string() } else { String::new() };
    data(json!({ "results_count": shown.len(), "results": shown, "next_resume_token": next }))
}
