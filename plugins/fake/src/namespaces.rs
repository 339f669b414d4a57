//! Namespaces: booked in the state, and with `node_directories` real directories that nodes make.

use stowage_provider_sdk::prelude::*;

use crate::{
    Fake, audit, capacity,
    config::Config,
    gate::{After, Gate},
    show, state,
    state::Namespace,
    tenants, usage,
};

/// The step that makes or removes the root of a namespace.
const ROOT_STEP: &str = "root";
const STAT_STEP: &str = "stat";

/// Checks limits and rounds byte limits up, as the backend would.
fn effective(config: &Config, limits: Vec<Limit>) -> Result<Vec<Limit>> {
    let mut rounded = Vec::with_capacity(limits.len());
    for (i, mut limit) in limits.into_iter().enumerate() {
        let at = |field: &str| format!("limits[{i}].{field}");
        if limit.value == 0 {
            return Err(error::invalid(&at("value"), "must be more than 0; leave the limit out to have none"));
        }
        match &limit.dimension {
            Dimension::Bytes => {
                let up = limit.value.checked_next_multiple_of(config.granularity_bytes);
                limit.value = up.ok_or_else(|| error::too_large("bytes", limit.value, u64::MAX))?;
            }
            Dimension::Inodes | Dimension::Objects => {}
            other => return Err(error::invalid(&at("dimension"), format_args!("{other:?} is not counted here"))),
        }
        if limit.scope != LimitScope::Namespace {
            return Err(error::invalid(&at("scope"), "a namespace takes limits of the scope `namespace` only"));
        }
        if let Enforcement::Other(word) = &limit.enforcement {
            return Err(error::invalid(&at("enforcement"), format_args!("{word:?} is not known here")));
        }
        rounded.push(limit);
    }
    Ok(rounded)
}

fn byte_limit(limits: &[Limit]) -> u64 {
    limits.iter().find(|l| l.dimension == Dimension::Bytes).map_or(0, |l| l.value)
}

fn check_protocols(config: &Config, protocols: &[Protocol]) -> Result<()> {
    for protocol in protocols {
        let word = match protocol {
            Protocol::Posix => "posix",
            Protocol::S3 => "s3",
            Protocol::Other(word) => word,
        };
        if !config.protocols.iter().any(|p| p == word) {
            return Err(error::invalid(
                "protocols",
                format_args!("{word:?} is not served here: {:?}", config.protocols),
            ));
        }
    }
    Ok(())
}

fn check_id(id: &str) -> Result<()> {
    let fits = !id.is_empty()
        && id.len() <= 63
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if fits {
        Ok(())
    } else {
        Err(error::invalid("physical-id", format_args!("{id:?} must be 1 to 63 of a-z, 0-9 and -")))
    }
}

/// The steps that make a namespace's directories.
fn make_steps(path: &str, owner: &str, spec: &NamespaceSpec) -> Vec<NodeStep> {
    let owned = |step: NodeStep| match spec.posix {
        Some(p) => step.arg("uid", p.uid).arg("gid", p.gid).arg("mode", format_args!("{:04o}", p.mode)),
        None => step,
    };
    let mut steps = vec![owned(NodeStep::new(ROOT_STEP, "make-directory", path).arg("mark", owner))];
    for (i, prefix) in spec.prefixes.iter().enumerate() {
        steps.push(owned(NodeStep::new(&format!("prefix-{i}"), "make-directory", &format!("{path}/{prefix}"))));
    }
    steps
}

/// What the node's failure means here.
fn node_failure(result: &NodeResult, what: &str) -> Option<Error> {
    let text = result.error.as_deref()?;
    Some(
        match result.error_word().unwrap_or_default() {
            "foreign-mark" => error::foreign_owner(format_args!("the directory of {what}"), text),
            "path-refused" | "invalid-argument" => error::invalid("spec", text),
            "unsupported-verb" => error::unsupported("node-work"),
            _ => error::internal(format_args!("the node could not do its work for {what}: {text}")),
        }
        .with_native_code(format_args!("node.{}", result.error_word().unwrap_or_default())),
    )
}

/// The first failure among the node's results.
fn node_failed(call: &Call, what: &str) -> Result<()> {
    call.node_results.iter().find_map(|r| node_failure(r, what)).map_or(Ok(()), Err)
}

impl Fake {
    fn new_namespace(config: &Config, owner: String, spec: &NamespaceSpec, path: String) -> Result<Namespace> {
        let limits = effective(config, spec.limits.clone())?;
        let number = |key: &str| -> Result<u64> {
            lookup(&spec.labels, key)
                .map_or(Ok(0), |v| v.parse().map_err(|_| error::invalid(key, "must be a decimal number")))
        };
        Ok(Namespace {
            id: spec.physical_id.clone(),
            owner,
            tenant: spec.tenant.clone(),
            path,
            lifecycle: if config.node_directories { Lifecycle::Creating } else { Lifecycle::Ready },
            protocols: spec.protocols.clone(),
            reserved: byte_limit(&limits),
            limits,
            revision: 0,
            used_bytes: number("fake.used-bytes")?,
            used_inodes: number("fake.used-inodes")?,
            rules: Vec::new(),
            labels: spec.labels.clone(),
        })
    }

    /// Books a namespace that is not there yet.
    fn book(config: &Config, namespace: Namespace) -> Result<host::kv::Versioned<Namespace>> {
        capacity::reserve(config, &namespace.id, 0, namespace.reserved)?;
        state::mark("ns", &namespace.owner, &namespace.id)?;
        let version = host::kv::store(&Namespace::key(&namespace.id), &namespace, Some(host::kv::ABSENT))?;
        Ok(host::kv::Versioned { value: namespace, version })
    }

    /// Answers for a namespace that is ready from now on. One that was booked as ready is not written again: each write of
    /// the state is a durable commit of the host's.
    fn finish(config: &Config, found: host::kv::Versioned<Namespace>, after: After, event: &str) -> Result<Progress> {
        let mut namespace = found.value;
        if namespace.lifecycle != Lifecycle::Ready {
            namespace.lifecycle = Lifecycle::Ready;
            namespace = namespace.save(found.version)?;
        }
        audit::note(config, event, Some(&namespace.id))?;
        after.finish(namespace.id.into_bytes())
    }
}

impl Namespaces for Fake {
    fn create(call: Call, spec: NamespaceSpec) -> Result<Progress> {
        let config = Config::read()?;
        check_id(&spec.physical_id)?;
        check_protocols(&config, &spec.protocols)?;
        let found = host::kv::load::<Namespace>(&Namespace::key(&spec.physical_id))?;
        if let Some(found) = &found {
            if found.value.owner != call.owner {
                let what = format!("namespace {}", spec.physical_id);
                return Err(error::foreign_owner(what, &found.value.owner));
            }
            if found.value.lifecycle == Lifecycle::Ready {
                return Ok(Progress::Done(spec.physical_id.into_bytes()));
            }
        }
        let after = match Self::gate(&config, "namespaces.create", &call, &spec.labels)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let found = match found {
            Some(found) => found,
            None => {
                if !spec.tenant.is_empty() {
                    tenants::check(&spec.tenant)?;
                }
                let path = spec.physical_id.clone();
                Self::book(&config, Self::new_namespace(&config, call.owner.clone(), &spec, path)?)?
            }
        };
        if config.node_directories {
            node_failed(&call, &found.value.id)?;
            if call.node_result(ROOT_STEP).is_none() {
                let source = MountSource::host_path(&config.root, "");
                return Ok(Progress::needs_node(source, make_steps(&found.value.path, &call.owner, &spec)));
            }
        }
        Self::finish(&config, found, after, "namespace.create")
    }

    fn adopt(call: Call, location: String, spec: NamespaceSpec, dry_run: bool) -> Result<Progress> {
        let config = Config::read()?;
        check_id(&spec.physical_id)?;
        check_protocols(&config, &spec.protocols)?;
        let after = match Self::gate(&config, "namespaces.adopt", &call, &spec.labels)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let namespace = Self::new_namespace(&config, call.owner.clone(), &spec, location.clone())?;
        if config.node_directories {
            let Some(seen) = call.node_result(STAT_STEP) else {
                let source = MountSource::host_path(&config.root, "");
                return Ok(Progress::needs_node(source, vec![NodeStep::new(STAT_STEP, "stat", &location)]));
            };
            node_failed(&call, &location)?;
            if seen.value("exists") != Some("true") {
                return Err(error::not_found(format_args!("the directory {location:?}")));
            }
            if let Some(mark) = seen.value("mark").filter(|mark| *mark != call.owner) {
                return Err(error::foreign_owner(format_args!("the directory {location:?}"), mark));
            }
        } else if !config.adoptable.contains(&location) {
            return Err(error::not_found(format_args!("the location {location:?}")));
        }
        if dry_run {
            return after.finish(spec.physical_id.into_bytes());
        }
        if config.node_directories && call.node_result(ROOT_STEP).is_none() {
            let source = MountSource::host_path(&config.root, "");
            let mut steps = vec![NodeStep::new(STAT_STEP, "stat", &location)];
            steps.push(NodeStep::new(ROOT_STEP, "make-directory", &location).arg("mark", &call.owner));
            return Ok(Progress::needs_node(source, steps));
        }
        let found = match host::kv::load::<Namespace>(&Namespace::key(&spec.physical_id))? {
            Some(found) if found.value.owner == call.owner => found,
            Some(found) => {
                let what = format!("namespace {}", spec.physical_id);
                return Err(error::foreign_owner(what, &found.value.owner));
            }
            None => Self::book(&config, namespace)?,
        };
        Self::finish(&config, found, after, "namespace.adopt")
    }

    fn set_limits(call: Call, native: NativeRef, limits: Vec<Limit>) -> Result<Progress> {
        let config = Config::read()?;
        let found = Namespace::of(&native)?;
        let after = match Self::gate(&config, "namespaces.set-limits", &call, &found.value.labels)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let limits = effective(&config, limits)?;
        let mut namespace = found.value;
        capacity::reserve(&config, &namespace.id, namespace.reserved, byte_limit(&limits))?;
        namespace.reserved = byte_limit(&limits);
        namespace.limits = limits;
        if let Some(used) = call.extension("fake.used-bytes") {
            namespace.used_bytes = used.parse().map_err(|_| error::invalid("fake.used-bytes", "must be a number"))?;
        }
        let namespace = namespace.save(found.version)?;
        audit::note(&config, "namespace.set-limits", Some(&namespace.id))?;
        after.finish(native)
    }

    fn set_protocols(call: Call, native: NativeRef, protocols: Vec<Protocol>) -> Result<Progress> {
        let config = Config::read()?;
        let found = Namespace::of(&native)?;
        let after = match Self::gate(&config, "namespaces.set-protocols", &call, &found.value.labels)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        check_protocols(&config, &protocols)?;
        let mut namespace = found.value;
        namespace.protocols = protocols;
        namespace.save(found.version)?;
        after.finish(native)
    }

    fn set_lifecycle(call: Call, native: NativeRef, rules: Vec<Extensions>) -> Result<Progress> {
        let config = Config::read()?;
        let found = Namespace::of(&native)?;
        let after = match Self::gate(&config, "namespaces.set-lifecycle", &call, &found.value.labels)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        let mut namespace = found.value;
        namespace.rules = rules;
        namespace.save(found.version)?;
        after.finish(native)
    }

    fn delete(call: Call, native: NativeRef, data: DataPolicy) -> Result<Progress> {
        let config = Config::read()?;
        let id = state::text(&native, "ref")?.to_owned();
        let Some(found) = host::kv::load::<Namespace>(&Namespace::key(&id))? else {
            return Ok(Progress::Done(native));
        };
        let after = match Self::gate(&config, "namespaces.delete", &call, &found.value.labels)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        match data {
            DataPolicy::Recoverable => {
                let mut namespace = found.value;
                let until = host::now_ms().saturating_add(config.recoverable_s.saturating_mul(1000));
                namespace.lifecycle = Lifecycle::Recoverable(until);
                namespace.save(found.version)?;
                audit::note(&config, "namespace.delete", Some(&id))?;
                after.finish(native)
            }
            DataPolicy::Keep => remove(&config, &call, found, false, after),
            DataPolicy::Purge => remove(&config, &call, found, true, after),
            DataPolicy::Other(word) => {
                Err(error::invalid("data", format_args!("{word:?} is not a policy of this backend")))
            }
        }
    }

    fn undelete(call: Call, native: NativeRef) -> Result<Progress> {
        let config = Config::read()?;
        let found = Namespace::of(&native)?;
        let after = match Self::gate(&config, "namespaces.undelete", &call, &found.value.labels)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        match found.value.lifecycle {
            Lifecycle::Ready => after.finish(native),
            Lifecycle::Recoverable(until) if until > host::now_ms() => {
                Self::finish(&config, found, after, "namespace.undelete")
            }
            Lifecycle::Recoverable(_) => Err(error::not_found("the time to have it back is over; the namespace")),
            state => Err(error::invalid("ref", format_args!("the namespace is {state:?}, not deleted"))),
        }
    }

    fn purge(call: Call, native: NativeRef) -> Result<Progress> {
        let config = Config::read()?;
        let id = state::text(&native, "ref")?.to_owned();
        let Some(found) = host::kv::load::<Namespace>(&Namespace::key(&id))? else {
            return Ok(Progress::Done(native));
        };
        let after = match Self::gate(&config, "namespaces.purge", &call, &found.value.labels)? {
            Gate::Stop(stop) => return Ok(stop.into()),
            Gate::Go(after) => after,
        };
        if !matches!(found.value.lifecycle, Lifecycle::Recoverable(_) | Lifecycle::Deleting) {
            return Err(error::invalid("ref", "only a deleted namespace can be purged"));
        }
        remove(&config, &call, found, true, after)
    }

    fn inspect(native: NativeRef) -> Result<NamespaceState> {
        let config = Config::read()?;
        let found = Namespace::of(&native)?;
        Self::ask(&config, "namespaces.inspect", &found.value.labels)?;
        describe(&config, found.value)
    }

    fn find(owner: OwnerToken) -> Result<Option<NativeRef>> {
        Self::ask(&Config::read()?, "namespaces.find", &[])?;
        let Some(id) = state::marked("ns", &owner)? else { return Ok(None) };
        // The mark is written before the namespace: one without the other was never made.
        let found = host::kv::load::<Namespace>(&Namespace::key(&id))?;
        Ok(found.filter(|f| f.value.owner == owner).map(|f| f.value.id.into_bytes()))
    }

    fn list_page(page: PageRequest) -> Result<namespaces::Page> {
        let config = Config::read()?;
        Self::ask(&config, "namespaces.list-page", &[])?;
        let (found, next) = state::list::<Namespace>("ns/", &page)?;
        let items = found.into_iter().map(|n| describe(&config, n)).collect::<Result<_>>()?;
        Ok(namespaces::Page { items, next })
    }

    fn read_usage(natives: Vec<NativeRef>, node_results: Vec<NodeResult>) -> Result<Usages> {
        let config = Config::read()?;
        match Self::ask_usage(&config, &node_results)? {
            Gate::Stop(stop) => stop.usages(),
            Gate::Go(_) => usage::read(&config, &natives, &node_results),
        }
    }
}

/// Takes a namespace out of the book, and with `purge` its directory off the nodes' filesystem first.
fn remove(
    config: &Config,
    call: &Call,
    found: host::kv::Versioned<Namespace>,
    purge: bool,
    after: After,
) -> Result<Progress> {
    let namespace = found.value;
    if purge && config.node_directories {
        if let Some(failed) = call.node_result(ROOT_STEP)
            && failed.error_word() != Some("not-found")
            && let Some(error) = node_failure(failed, &namespace.id)
        {
            return Err(error);
        }
        if call.node_result(ROOT_STEP).is_none() {
            let step = NodeStep::new(ROOT_STEP, "remove-directory", &namespace.path).arg("mark", &namespace.owner);
            let hidden = Namespace { lifecycle: Lifecycle::Deleting, ..namespace };
            hidden.save(found.version)?;
            return Ok(Progress::needs_node(MountSource::host_path(&config.root, ""), vec![step]));
        }
    }
    for snapshot in host::kv::keys(&format!("snap/{}/", namespace.id), None, page::MAX_ITEMS)? {
        host::kv::delete(&snapshot, None)?;
    }
    capacity::reserve(config, &namespace.id, namespace.reserved, 0)?;
    host::kv::delete(&Namespace::key(&namespace.id), Some(found.version))?;
    state::unmark("ns", &namespace.owner)?;
    audit::note(config, "namespace.delete", Some(&namespace.id))?;
    after.finish(namespace.id.into_bytes())
}

fn describe(config: &Config, namespace: Namespace) -> Result<NamespaceState> {
    Ok(NamespaceState {
        lifecycle: show::lifecycle(config, &namespace.labels, namespace.lifecycle)?,
        location: format!("{}/{}", config.root, namespace.path),
        ref_: namespace.id.into_bytes(),
        protocols: namespace.protocols,
        effective_limits: namespace.limits,
        owner: Some(namespace.owner),
        revision: Some(namespace.revision.to_string()),
        extensions: vec![],
    })
}
