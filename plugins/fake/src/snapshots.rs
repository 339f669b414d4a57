//! Snapshots of what the book says of a namespace. Where namespaces are real directories there are none: a directory has no
//! snapshots, and one that only the book knows would restore nothing.

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::*;

use crate::{
    Fake, audit,
    config::Config,
    gate::{After, Gate},
    state,
    state::Namespace,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    namespace: String,
    name: String,
    owner: String,
    created_at: u64,
    used_bytes: u64,
    used_inodes: u64,
}

impl Record {
    fn native(&self) -> NativeRef {
        format!("{}/{}", self.namespace, self.name).into_bytes()
    }
}

fn ready(config: &Config, function: &str) -> Result<()> {
    if config.node_directories { Err(error::unsupported(function)) } else { Ok(()) }
}

fn key(native: &[u8]) -> Result<String> {
    Ok(format!("snap/{}", state::text(native, "ref")?))
}

impl Snapshots for Fake {
    fn create(call: Call, namespace: NativeRef, name: String) -> Result<Progress> {
        let config = Config::read()?;
        ready(&config, "snapshots.create")?;
        let of = Namespace::of(&namespace)?.value;
        if name.is_empty() || name.contains('/') {
            return Err(error::invalid("name", "must be a name without `/`"));
        }
        let record = Record {
            namespace: of.id,
            name,
            owner: call.owner.clone(),
            created_at: host::now_ms(),
            used_bytes: of.used_bytes,
            used_inodes: of.used_inodes,
        };
        let native = record.native();
        if let Some(found) = host::kv::load::<Record>(&key(&native)?)? {
            return if found.value.owner == call.owner {
                Ok(Progress::Done(native))
            } else {
                Err(error::foreign_owner(format_args!("snapshot {}", record.name), found.value.owner))
            };
        }
        let after = match Self::gate(&config, "snapshots.create", &call, &of.labels)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        host::kv::store(&key(&native)?, &record, Some(host::kv::ABSENT))?;
        audit::note(&config, "snapshot.create", Some(&record.namespace))?;
        after.finish(native)
    }

    fn delete(call: Call, native: NativeRef) -> Result<Progress> {
        let config = Config::read()?;
        ready(&config, "snapshots.delete")?;
        let after = match Self::gate(&config, "snapshots.delete", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        host::kv::delete(&key(&native)?, None)?;
        after.finish(native)
    }

    fn restore(call: Call, native: NativeRef) -> Result<Progress> {
        let config = Config::read()?;
        ready(&config, "snapshots.restore")?;
        let found = host::kv::load::<Record>(&key(&native)?)?;
        let record = found.ok_or_else(|| error::not_found("the snapshot"))?.value;
        let after: After = match Self::gate(&config, "snapshots.restore", &call, &[])? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let found = Namespace::of(record.namespace.as_bytes())?;
        let mut namespace = found.value;
        namespace.used_bytes = record.used_bytes;
        namespace.used_inodes = record.used_inodes;
        namespace.save(found.version)?;
        audit::note(&config, "snapshot.restore", Some(&record.namespace))?;
        after.finish(native)
    }

    fn list_page(namespace: NativeRef, page: PageRequest) -> Result<snapshots::Page> {
        let config = Config::read()?;
        ready(&config, "snapshots.list-page")?;
        Self::ask(&config, "snapshots.list-page", &[])?;
        let id = Namespace::of(&namespace)?.value.id;
        let (found, next) = state::list::<Record>(&format!("snap/{id}/"), &page)?;
        let items = found
            .into_iter()
            .map(|r| Snapshot {
                ref_: r.native(),
                name: r.name,
                created_at: Some(r.created_at),
                path: None,
                extensions: vec![],
            })
            .collect();
        Ok(snapshots::Page { items, next })
    }
}
