//! Releases × isolations × S3 ready or not: in each cell what is offered works from end to end, and what is not says why.
//!
//! What a cell offers is written down here a second time, from the documents and not from the adapter: `resolvePath` came
//! with 4.3, security policies and revocation of organizations with 4.4, read-only mount tokens with 5.1, and S3 outside
//! organization Root with 5.1.

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::prelude::*;
use weka_emulator::Preset;

use crate::bench::{Bench, DIRECTORY, FILESYSTEM, GIB, ORGANIZATION, call, kind, limit, spec};
use crate::mounting::request;

const RELEASES: [(&str, (u32, u32)); 7] = [
    ("4.2.18", (4, 2)),
    ("4.3.9", (4, 3)),
    ("4.4.0", (4, 4)),
    ("4.4.10", (4, 4)),
    ("4.4.22", (4, 4)),
    ("5.0.3", (5, 0)),
    ("5.1.2", (5, 1)),
];
const ISOLATIONS: [&str; 3] = [DIRECTORY, FILESYSTEM, ORGANIZATION];

/// One cell.
struct Cell {
    bench: Bench,
    config: &'static str,
    version: (u32, u32),
    s3: bool,
    name: String,
}

impl Cell {
    fn new(config: &'static str, release: &str, version: (u32, u32), s3: bool) -> Self {
        let preset = if s3 { Preset::S3Ready } else { Preset::Live };
        let isolation = match config {
            DIRECTORY => "directory",
            FILESYSTEM => "filesystem",
            _ => "organization",
        };
        let name = format!("{release} {isolation} s3 {s3}");
        Self { bench: Bench::of_release(config, preset, release), config, version, s3, name }
    }

    fn is_directory(&self) -> bool {
        self.config == DIRECTORY
    }

    fn tenant(&self) -> NativeRef {
        match self.bench.ensure_tenant("acme", &[]) {
            Ok(tenant) => tenant,
            Err(error) => {
                assert!(
                    self.config != ORGANIZATION && matches!(error.kind, ErrorKind::Unsupported(_)),
                    "{}",
                    self.name
                );
                NativeRef::new()
            }
        }
    }

    fn spec(&self, tenant: &NativeRef, id: &str, protocols: &[Protocol]) -> NamespaceSpec {
        NamespaceSpec { tenant: tenant.clone(), protocols: protocols.to_vec(), ..spec(id, GIB) }
    }

    /// The whole of it.
    fn walk(&self) {
        let name = &self.name;
        self.probe_agrees();
        let tenant = self.tenant();
        self.s3_is_offered_or_says_why(&tenant);
        let made = self.bench.create("op-1", &self.spec(&tenant, "aaaa-bbbb", &[Protocol::Posix]));
        if self.is_directory() && self.version < (4, 3) {
            // Without resolvePath no directory gets its quota.
            assert_eq!(kind(made), "Unsupported", "{name}");
            return;
        }
        let native = made.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let state = self.bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap();
        assert_eq!((state.lifecycle, state.effective_limits[0].value), (Lifecycle::Ready, GIB), "{name}");
        let grow =
            |call| <Weka as Namespaces>::set_limits(call, native.clone(), vec![limit(2 * GIB, Enforcement::Block)]);
        self.bench.settle("op-2", grow).unwrap();
        assert_eq!(self.bench.listed(10).len(), 1, "{name}");
        assert_eq!(self.bench.call(|| Weka::find("op-1".to_owned())).unwrap(), Some(native.clone()), "{name}");
        assert!(self.bench.usage(std::slice::from_ref(&native))[0].is_ok(), "{name}");
        self.mounts(&native);
        self.snapshots(&native);
        self.bench.delete("op-9", &native, &DataPolicy::Purge).unwrap();
        assert!(self.bench.listed(10).is_empty(), "{name}");
        if self.config == ORGANIZATION {
            let revoked = self.bench.settle("op-t", |call| Weka::revoke_tokens(call, tenant.clone()));
            assert_eq!(revoked.is_ok(), self.version >= (4, 4), "{name}: {revoked:?}");
            self.bench.settle("op-e", |call| Weka::delete_empty(call, tenant.clone())).unwrap();
        }
    }

    /// The probe says what the rest of the walk then meets.
    fn probe_agrees(&self) {
        let name = &self.name;
        let report = self.bench.call(|| Weka::probe(ProbeMode::ReadOnly)).unwrap();
        let offered = |id: &str| {
            let found = report.capabilities.iter().find(|capability| capability.id == id);
            matches!(found.unwrap_or_else(|| panic!("{name}: {id}")).state, CapabilityState::Supported)
        };
        let whole = !self.is_directory();
        assert_eq!(offered("namespaces.posix"), whole || self.version >= (4, 3), "{name}");
        assert_eq!(offered("snapshots"), whole, "{name}");
        assert_eq!(offered("mounts.fence"), whole && self.version >= (4, 4), "{name}");
        assert_eq!(offered("mounts.server-read-only"), whole && self.version >= (4, 4), "{name}");
        assert_eq!(offered("isolation.server-enforced"), whole, "{name}");
        assert_eq!(offered("tenants"), self.config == ORGANIZATION, "{name}");
        assert_eq!(offered("namespaces.s3"), self.s3 && self.config == DIRECTORY && self.version >= (4, 3), "{name}");
    }

    fn s3_is_offered_or_says_why(&self, tenant: &NativeRef) {
        let name = &self.name;
        let wanted = self.spec(tenant, "eeee-ffff", &[Protocol::Posix, Protocol::S3]);
        match self.bench.create("op-s3", &wanted) {
            Ok(native) => {
                assert!(self.s3 && self.is_directory(), "{name}: S3 is offered");
                let state = self.bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap();
                assert!(state.protocols.contains(&Protocol::S3), "{name}");
                self.bench.delete("op-s3-d", &native, &DataPolicy::Purge).unwrap();
            }
            Err(Error { kind: ErrorKind::NotReady(ready), .. }) => {
                assert!(!self.s3 && self.config != ORGANIZATION, "{name}: {ready:?}");
                assert_eq!(ready.reason, "S3_NOT_ENABLED", "{name}");
            }
            Err(Error { kind: ErrorKind::Unsupported(_), message, .. }) => {
                let why = match self.config {
                    ORGANIZATION => "organization",
                    FILESYSTEM => "s3",
                    _ => "route",
                };
                assert!(message.to_lowercase().contains(why), "{name}: {message}");
                assert!(!(self.s3 && self.is_directory() && self.version >= (4, 3)), "{name}: {message}");
            }
            Err(error) => panic!("{name}: {error:?}"),
        }
    }

    fn mounts(&self, native: &NativeRef) {
        let name = &self.name;
        let fence = vec![("mount.option.fence".to_owned(), "clients".to_owned())];
        let plan = |owner: &str, mode: AccessMode, extensions: Extensions| {
            let asked = MountRequest { extensions, ..request(native, "", mode) };
            match self.bench.call(|| Weka::prepare(call(owner), asked))? {
                Prepared::Plan(plan) => Ok(plan),
                other => panic!("{other:?}"),
            }
        };
        let writer = plan("op-w", AccessMode::ReadWrite, Vec::new()).unwrap();
        let reader = plan("op-r", AccessMode::ReadOnly, Vec::new()).unwrap();
        let held = |plan: &MountPlan| plan.mounts[0].enforced_by.clone();
        if self.is_directory() {
            assert_eq!(
                (held(&writer), held(&reader)),
                (EnforcedBy::MountOptionOnly, EnforcedBy::MountOptionOnly),
                "{name}"
            );
            assert_eq!(kind(plan("op-f", AccessMode::ReadOnly, fence)), "Unsupported", "{name}");
        } else {
            let by_token = if self.version >= (5, 1) { EnforcedBy::Credential } else { EnforcedBy::MountOptionOnly };
            assert_eq!((held(&writer), held(&reader)), (EnforcedBy::Credential, by_token), "{name}");
            match plan("op-f", AccessMode::ReadOnly, fence) {
                Ok(fenced) => {
                    assert!(self.version >= (4, 4), "{name}");
                    assert_ne!(held(&fenced), EnforcedBy::MountOptionOnly, "{name}");
                    self.bench.settle("op-u", |call| Weka::release(call, fenced.ref_.clone())).unwrap();
                }
                error => assert!(self.version < (4, 4) && kind(error) == "Unsupported", "{name}"),
            }
        }
        let csi = MountRequest { form: PlanForm::CsiVolume, ..request(native, "", AccessMode::ReadWrite) };
        let Prepared::Plan(csi) = self.bench.call(|| Weka::prepare(call("op-k"), csi)).unwrap() else { panic!() };
        let handle = lookup(&csi.extensions, "csi.volume-handle").unwrap();
        let stem = if self.is_directory() { "dir/v1/gpuaas-kind-fs/stowage/" } else { "weka/v2/sw-aaaa-bbbb-" };
        assert!(handle.starts_with(stem), "{name}: {handle}");
    }

    fn snapshots(&self, native: &NativeRef) {
        let name = &self.name;
        let taken =
            self.bench.settle("op-s", |call| <Weka as Snapshots>::create(call, native.clone(), "epoch-1".to_owned()));
        if self.is_directory() {
            assert_eq!(kind(taken), "Unsupported", "{name}");
            return;
        }
        let snapshot = taken.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        self.bench.settle("op-x", |call| Weka::restore(call, snapshot.clone())).unwrap();
        self.bench.settle("op-y", |call| <Weka as Snapshots>::delete(call, snapshot.clone())).unwrap();
    }
}

#[test]
fn each_release_offers_what_it_has_in_each_isolation_and_says_why_not_the_rest() {
    for (release, version) in RELEASES {
        for config in ISOLATIONS {
            for s3 in [false, true] {
                Cell::new(config, release, version, s3).walk();
            }
        }
    }
}
