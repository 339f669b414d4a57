//! Why an engine, an admission or a binding failed. Every text names the offending part and the fix.

use crate::limits::LimitError;

/// The engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A limit is out of its range.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The WebAssembly runtime refused its configuration.
    #[error("the WebAssembly runtime could not be set up: {0}")]
    Runtime(String),
    /// The artefact cache cannot be used.
    #[error("the artefact cache {path}: {problem}")]
    Cache {
        /// Directory or file.
        path: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The thread that ticks the epochs could not be started.
    #[error("the epoch thread could not be started: {0}")]
    Ticker(String),
}

/// A component was refused.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// Not a component.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// Larger than the host reads.
    #[error("the component has {bytes} bytes, over the limit `component_bytes` of {limit}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The bytes are not the ones that the operator pinned.
    #[error("the component's digest is sha256:{found}, but sha256:{expected} is pinned: check the file or the pin")]
    Digest {
        /// The pin.
        expected: String,
        /// What the bytes hash to.
        found: String,
    },
    /// It was built against another version of the contract.
    #[error("{item} belongs to another version of the contract: this host takes stowage:provider {supported}")]
    WrongVersion {
        /// The import or export.
        item: String,
        /// What this host takes.
        supported: String,
    },
    /// A required interface or function is absent.
    #[error("the component does not export {item}: this host takes stowage:provider {supported}")]
    Missing {
        /// The interface or function.
        item: String,
        /// What this host takes.
        supported: String,
    },
    /// A function is there with another signature.
    #[error("{function} differs from the contract: {difference}; this host takes stowage:provider {supported}")]
    Signature {
        /// Interface and function.
        function: String,
        /// The first difference, from the outside in.
        difference: String,
        /// What this host takes.
        supported: String,
    },
    /// It imports what this host does not give.
    #[error("the component imports {import}, which this host does not give: {hint}")]
    UnknownImport {
        /// The import.
        import: String,
        /// What to do instead.
        hint: String,
    },
    /// It could not be compiled.
    #[error("the component does not compile: {0}")]
    Compile(String),
    /// It could not be linked.
    #[error("the component cannot be linked: {0}")]
    Link(String),
    /// It needs more of something than a call may have.
    #[error("the component needs {needed} {what}, over the limit `{limit_name}` of {limit}")]
    Needs {
        /// What it needs.
        what: &'static str,
        /// How much.
        needed: u64,
        /// The limit's name.
        limit_name: &'static str,
        /// The limit.
        limit: u64,
    },
    /// `describe` failed.
    #[error("`identity.describe` failed: {code}: {message}")]
    Describe {
        /// Stable code, such as `limit.cpu` or `trap`.
        code: String,
        /// What happened.
        message: String,
    },
    /// The description breaks a rule.
    #[error("the description's {field} {problem}")]
    Description {
        /// Path of the field.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// The exchanges are not the ones that the operator approved.
    #[error(
        "the component's exchanges have the digest {found}, but {expected} was approved: look at the table and approve it again"
    )]
    Exchanges {
        /// The approved digest.
        expected: String,
        /// The found one.
        found: String,
    },
    /// The configuration breaks the plugin's schema.
    #[error("config{path}: {problem}")]
    Config {
        /// JSON pointer to the field.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A limit of the provider is out of its range.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The host itself failed.
    #[error("the host failed: {0}")]
    Host(String),
}
