//! What the operator binds a provider instance to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use stowage_ports::SecretName;
use stowage_ports::provider::Description;

use crate::mask::Redactor;
use crate::table::TableError;

/// One purpose of the description, bound to where it is.
#[derive(Debug, Clone, Default)]
pub struct EndpointBinding {
    /// Purpose that the description names, such as `control`.
    pub purpose: String,
    /// Base URLs of equal servers; tried in turn when one does not answer.
    pub urls: Vec<String>,
    /// Addresses that may be dialled. `None` pins what the names resolve to when the binding is made; see
    /// [`Egress::pinned_ranges`](crate::Egress::pinned_ranges) to keep that over a restart.
    pub allowed_ranges: Option<Vec<IpNet>>,
    /// PEM certificates of the only authorities to trust; `None` trusts the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// Whether `http://` URLs are accepted.
    pub plain_http: bool,
}

/// Bounds of one binding. Each has a default, a unit and a meaning when it is hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressLimits {
    /// Largest answer body, in bytes; more gives `TooLarge`. Default 8 MiB.
    pub max_response_bytes: u64,
    /// Largest request body, in bytes; more is refused. Default 8 MiB.
    pub max_request_bytes: u64,
    /// Longest time to connect to one address, TLS included. Default 5 s.
    pub connect_timeout: Duration,
    /// Longest time for one exchange, login included; the call's budget may be shorter. Default 30 s.
    pub exchange_timeout: Duration,
    /// Longest time for a login or a refresh. Default 20 s.
    pub login_timeout: Duration,
    /// How long a refused login is remembered, so that many callers do not lock the identity out. Default 10 s.
    pub refused_login_backoff: Duration,
    /// How long a lock-out lasts when the backend does not say. Default 120 s, WEKA's own default.
    pub default_lockout: Duration,
    /// How long before its end a session is renewed. Default 30 s, at most half of the session's life.
    pub renew_before: Duration,
}

impl Default for EgressLimits {
    fn default() -> Self {
        Self {
            max_response_bytes: 8 << 20,
            max_request_bytes: 8 << 20,
            connect_timeout: Duration::from_secs(5),
            exchange_timeout: Duration::from_secs(30),
            login_timeout: Duration::from_secs(20),
            refused_login_backoff: Duration::from_secs(10),
            default_lockout: Duration::from_secs(120),
            renew_before: Duration::from_secs(30),
        }
    }
}

/// Everything that one provider instance's way out needs.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The provider instance's id, such as `weka-kind`; part of the names of captured secrets, hence one name segment.
    pub provider: String,
    /// What the adapter declared.
    pub description: Description,
    /// Where its purposes are.
    pub endpoints: Vec<EndpointBinding>,
    /// Where its declared secrets are kept. One that is not listed and is declared as made by the host stands at
    /// `made/<provider>/<name>`.
    pub secret_names: BTreeMap<String, SecretName>,
    /// Bounds.
    pub limits: EgressLimits,
    /// The host's own listeners: never dialled.
    pub forbidden: Vec<SocketAddr>,
    /// Learns every live secret value. Share one with the log layer.
    pub redactor: Redactor,
}

/// Why a binding cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The id cannot be part of a secret's name.
    #[error("provider id {0:?} cannot be bound: use a-z, 0-9, '.', '_' and '-', without '/'")]
    Provider(String),
    /// The exchange table is not sound.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A required endpoint has no binding.
    #[error("endpoint {0:?} is required and not bound: add it to the provider's endpoints")]
    EndpointMissing(String),
    /// The description knows no such purpose, or it is bound twice.
    #[error("endpoint {purpose:?} {problem}")]
    Endpoint {
        /// The purpose.
        purpose: String,
        /// What is wrong and how to repair it.
        problem: String,
    },
    /// A required secret has no name.
    #[error("secret {0:?} is required and not bound: add it to the provider's secrets")]
    SecretMissing(String),
}
