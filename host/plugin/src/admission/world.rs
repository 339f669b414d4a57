//! Compares a component's world with the contract before anything of it is compiled or run.
//!
//! Problem: a linker says "type mismatch" about an import and leaves a vendor guessing. Rule: the error names the import,
//! export or function, the first difference from the outside in, and the versions that this host takes. What a component
//! may import is a closed list; what it exports beyond the contract is left alone, since nothing ever calls it.

use std::sync::OnceLock;

use wit_parser::decoding::{DecodedWasm, decode, decode_world};
use wit_parser::{Function, Interface, PackageName, Resolve, World, WorldId, WorldItem, WorldKey};

use super::signature;
use crate::bindings::COMPONENT_TYPE;
use crate::error::AdmitError;
use crate::imports::wasi;
use crate::provider::VERSION;

/// Interfaces that every adapter exports.
const REQUIRED: [&str; 2] = ["identity", "health"];

/// The versions of the contract that this host takes.
#[must_use]
pub fn supported_range() -> String {
    ">=0.1.0, <0.2.0".to_owned()
}

fn in_range(name: &PackageName) -> bool {
    name.version.as_ref().is_some_and(|version| (version.major, version.minor) == (0, 1) && version.pre.is_empty())
}

/// The contract itself, read once.
fn contract() -> Result<&'static (Resolve, WorldId), AdmitError> {
    static CONTRACT: OnceLock<Result<(Resolve, WorldId), String>> = OnceLock::new();
    let read = CONTRACT.get_or_init(|| decode_world(COMPONENT_TYPE).map_err(|error| format!("{error:#}")));
    read.as_ref().map_err(|error| AdmitError::Host(format!("the contract cannot be read: {error}")))
}

/// Checks a component's bytes; answers the optional interfaces that it exports, in the order of the contract.
pub(super) fn check(wasm: &[u8]) -> Result<Vec<String>, AdmitError> {
    let not = |why: String| AdmitError::NotAComponent(why);
    match wasm.get(..8) {
        Some([0, b'a', b's', b'm', 0x0d, 0, 1, 0]) => {}
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => {
            return Err(not("it is a core module: build it for wasm32-wasip2".to_owned()));
        }
        _ => return Err(not("it does not begin as a component does".to_owned())),
    }
    let (resolve, world) = match decode(wasm) {
        Ok(DecodedWasm::Component(resolve, world)) => (resolve, world),
        Ok(DecodedWasm::WitPackage(..)) => return Err(not("it is a WIT package without code".to_owned())),
        Err(error) => return Err(not(format!("{error:#}"))),
    };
    let (own, own_world) = contract()?;
    let (Some(guest), Some(host)) = (resolve.worlds.get(world), own.worlds.get(*own_world)) else {
        return Err(not("it has no world".to_owned()));
    };
    let check = Check { host: own, guest: &resolve };
    check.imports(guest, host)?;
    check.exports(guest, host)
}

struct Check<'a> {
    host: &'a Resolve,
    guest: &'a Resolve,
}

/// An interface of a world by package and name.
struct Named<'a> {
    package: &'a PackageName,
    interface: &'a Interface,
    name: &'a str,
}

impl Named<'_> {
    fn is_contract(&self) -> bool {
        self.package.namespace == "stowage" && self.package.name == "provider"
    }

    fn full(&self) -> String {
        self.package.interface_id(self.name)
    }
}

fn named<'a>(resolve: &'a Resolve, key: &WorldKey) -> Option<Named<'a>> {
    let WorldKey::Interface(id) = key else { return None };
    let interface = resolve.interfaces.get(*id)?;
    let package = &resolve.packages.get(interface.package?)?.name;
    Some(Named { package, interface, name: interface.name.as_deref()? })
}

fn find<'a>(resolve: &'a Resolve, items: impl Iterator<Item = &'a WorldKey>, name: &str) -> Option<Named<'a>> {
    items.filter_map(|key| named(resolve, key)).find(|found| found.is_contract() && found.name == name)
}

impl Check<'_> {
    fn imports(&self, guest: &World, host: &World) -> Result<(), AdmitError> {
        for (key, item) in &guest.imports {
            if matches!(item, WorldItem::Type { .. }) {
                continue;
            }
            let Some(import) = named(self.guest, key) else {
                return Err(unknown(plain(key), "import the contract's interfaces only"));
            };
            if import.is_contract() {
                if !in_range(import.package) {
                    return Err(wrong_version("import", &import));
                }
                let Some(own) = find(self.host, host.imports.keys(), import.name) else {
                    return Err(unknown(import.full(), "it is not an import of this version of the contract"));
                };
                for (name, function) in &import.interface.functions {
                    let Some(expected) = own.interface.functions.get(name) else {
                        return Err(unknown(
                            format!("{}.{name}", import.full()),
                            "it is not a function of this version of the contract",
                        ));
                    };
                    self.function(&import, expected, function)?;
                }
            } else if import.package.namespace == "wasi" {
                self.wasi(&import)?;
            } else {
                return Err(unknown(import.full(), "import the contract's interfaces only"));
            }
        }
        Ok(())
    }

    fn wasi(&self, import: &Named<'_>) -> Result<(), AdmitError> {
        let short = format!("{}/{}", import.package.name, import.name);
        let current = import.package.version.as_ref().is_some_and(|version| (version.major, version.minor) == (0, 2));
        if current && wasi::INTERFACES.contains(&short.as_str()) {
            return Ok(());
        }
        let hint = match import.package.name.as_str() {
            "sockets" | "http" => "the only way out is `stowage:provider/http`, along declared exchanges",
            "filesystem" => "an adapter has no files: keep what must last in `stowage:provider/kv`",
            "keyvalue" | "blobstore" | "config" => "use `stowage:provider/kv` and `stowage:provider/config`",
            _ if !current => "build for WASI 0.2",
            _ => "it is not needed to talk to a backend",
        };
        Err(unknown(import.full(), hint))
    }

    fn exports(&self, guest: &World, host: &World) -> Result<Vec<String>, AdmitError> {
        for key in guest.exports.keys() {
            if let Some(export) = named(self.guest, key)
                && export.is_contract()
                && !in_range(export.package)
            {
                return Err(wrong_version("export", &export));
            }
        }
        let mut optional = Vec::new();
        for key in host.exports.keys() {
            let Some(own) = named(self.host, key) else { continue };
            let Some(export) = find(self.guest, guest.exports.keys(), own.name) else {
                if REQUIRED.contains(&own.name) {
                    let item = format!("stowage:provider/{}@{VERSION}", own.name);
                    return Err(AdmitError::Missing { item, supported: supported_range() });
                }
                continue;
            };
            for (name, expected) in &own.interface.functions {
                let Some(function) = export.interface.functions.get(name) else {
                    let item = format!("{}.{name}", export.full());
                    return Err(AdmitError::Missing { item, supported: supported_range() });
                };
                self.function(&export, expected, function)?;
            }
            if !REQUIRED.contains(&own.name) {
                optional.push(own.name.to_owned());
            }
        }
        Ok(optional)
    }

    fn function(&self, of: &Named<'_>, expected: &Function, found: &Function) -> Result<(), AdmitError> {
        match signature::difference(self.host, expected, self.guest, found) {
            None => Ok(()),
            Some(difference) => Err(AdmitError::Signature {
                function: format!("{}.{}", of.full(), expected.name),
                difference,
                supported: supported_range(),
            }),
        }
    }
}

fn plain(key: &WorldKey) -> String {
    match key {
        WorldKey::Name(name) => name.clone(),
        WorldKey::Interface(_) => "an interface without a name".to_owned(),
    }
}

fn unknown(import: String, hint: &str) -> AdmitError {
    AdmitError::UnknownImport { import, hint: hint.to_owned() }
}

fn wrong_version(what: &str, named: &Named<'_>) -> AdmitError {
    AdmitError::WrongVersion { item: format!("{what} {}", named.full()), supported: supported_range() }
}
