//! Where the built programs and plugins are.

use std::path::PathBuf;

/// A program of this workspace, beside the running one.
///
/// `make` builds all of them before any test runs; the panic names the command for whoever runs a test alone.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("own path");
    let beside = own.ancestors().skip(1).take(2).map(|directory| directory.join(name));
    let found = beside.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built beside {}: run `make build`", own.display()))
}

/// The directory of built plugins.
#[must_use]
pub fn plugins() -> PathBuf {
    let directory = std::env::var_os("STOWAGE_PLUGINS_DIR").map(PathBuf::from).or_else(|| {
        let own = std::env::current_exe().ok()?;
        own.ancestors().map(|a| a.join("plugins")).find(|path| path.is_dir())
    });
    let directory = directory.expect("no plugins: run `make plugins`");
    assert!(directory.join("weka.wasm").is_file(), "no plugins in {}: run `make plugins`", directory.display());
    directory
}
