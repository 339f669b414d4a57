//! From an address to clients.
//!
//! A token goes over TLS, a Unix socket or loopback only: over anything else it would be readable on the wire, and the
//! call is refused before a packet leaves.

use std::{net::IpAddr, time::Duration};

use http::Uri;
use secrecy::SecretString;
use stowage_proto::v1::{
    credential_service_client::CredentialServiceClient, drift_service_client::DriftServiceClient,
    grant_service_client::GrantServiceClient, mount_service_client::MountServiceClient,
    namespace_service_client::NamespaceServiceClient, node_service_client::NodeServiceClient,
    operation_service_client::OperationServiceClient, provider_service_client::ProviderServiceClient,
    storage_class_service_client::StorageClassServiceClient, tenant_service_client::TenantServiceClient,
    workload_service_client::WorkloadServiceClient,
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::token::{Authorized, Token};

/// Where the host is, and as whom to call it.
#[derive(Debug, Clone)]
pub struct Target {
    /// `https://host:port`, `http://host:port` (loopback, or without a token) or `unix:///path/of/socket`.
    pub uri: String,
    /// The caller's bearer token.
    pub token: Option<SecretString>,
    /// PEM certificates that the host must chain to; needed for `https:`.
    pub ca_pem: Option<Vec<u8>>,
    /// Name that the host's certificate must bear, when it isn't the one in `uri`.
    pub server_name: Option<String>,
    /// Longest time to connect; 10 s by default.
    pub connect_timeout: Duration,
    /// Longest time of one call; 120 s by default. Longer than any wait of the contract (60 s).
    pub call_timeout: Duration,
}

impl Target {
    /// A target without token and certificates.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            token: None,
            ca_pem: None,
            server_name: None,
            connect_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(120),
        }
    }

    /// Calls as the owner of this token.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<SecretString>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Trusts these PEM certificates.
    #[must_use]
    pub fn with_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem = Some(pem.into());
        self
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address isn't one.
    #[error("address `{0}` is not understood: use https://host:port, http://host:port or unix:///path")]
    Address(String),
    /// The token would be readable on the wire.
    #[error("a token is not sent in clear to `{0}`: use https:// with the host's CA, or a loopback address")]
    TokenInClear(String),
    /// The token can't stand in a header.
    #[error("the token has a character that no header may have: check the file or variable that it comes from")]
    BadToken,
    /// TLS can't be set up.
    #[error("TLS to `{uri}` can't be set up; check the CA file: {source}")]
    Tls {
        /// The address.
        uri: String,
        /// What is wrong.
        source: tonic::transport::Error,
    },
    /// Nobody answers.
    #[error("no Stowage host answers at `{uri}`; check the address and that `stowage serve` runs: {reason}")]
    Unreachable {
        /// The address.
        uri: String,
        /// The innermost cause.
        reason: String,
    },
}

/// A connection to a host, with a client for every service.
///
/// Cheap to clone; all clones share one connection, which reconnects by itself.
#[derive(Debug, Clone)]
pub struct Client {
    authorized: Authorized,
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident: $client:ident;)*) => {
        impl Client {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(&self) -> $client<Authorized> {
                $client::new(self.authorized.clone())
            })*
        }
    };
}

services! {
    /// Backends and plugins.
    providers: ProviderServiceClient;
    /// Storage classes.
    storage_classes: StorageClassServiceClient;
    /// Tenants and projects.
    tenants: TenantServiceClient;
    /// Workloads.
    workloads: WorkloadServiceClient;
    /// Namespaces.
    namespaces: NamespaceServiceClient;
    /// Grants.
    grants: GrantServiceClient;
    /// Mount plans.
    mounts: MountServiceClient;
    /// Nodes and their work.
    nodes: NodeServiceClient;
    /// S3 credentials.
    credentials: CredentialServiceClient;
    /// Drift.
    drifts: DriftServiceClient;
    /// Operations.
    operations: OperationServiceClient;
}

impl Client {
    /// Connects now, so that a wrong address shows at once.
    ///
    /// # Errors
    ///
    /// A wrong address, a token that would go in clear, bad certificates, or a host that doesn't answer.
    pub async fn connect(target: Target) -> Result<Self, ConnectError> {
        let (endpoint, token) = prepare(&target)?;
        let channel = endpoint
            .connect()
            .await
            .map_err(|error| ConnectError::Unreachable { uri: target.uri.clone(), reason: innermost(&error) })?;
        Ok(Self::over(channel, token))
    }

    /// Connects at the first call, and again whenever the connection is lost. For agents that start before the host.
    ///
    /// # Errors
    ///
    /// As [`Client::connect`], but for a host that doesn't answer.
    pub fn connect_lazy(target: &Target) -> Result<Self, ConnectError> {
        let (endpoint, token) = prepare(target)?;
        Ok(Self::over(endpoint.connect_lazy(), token))
    }

    fn over(channel: Channel, token: Token) -> Self {
        Self { authorized: Authorized::new(channel, token) }
    }
}

fn prepare(target: &Target) -> Result<(Endpoint, Token), ConnectError> {
    let address = || ConnectError::Address(target.uri.clone());
    let token = Token::new(target.token.as_ref()).ok_or(ConnectError::BadToken)?;
    let local = match target.uri.strip_prefix("unix:") {
        Some(path) if path.trim_start_matches('/').is_empty() => return Err(address()),
        Some(_) => true,
        None => {
            let uri: Uri = target.uri.parse().map_err(|_| address())?;
            let host = uri.host().ok_or_else(address)?;
            match uri.scheme_str() {
                Some("https") => true,
                Some("http") => is_loopback(host),
                _ => return Err(address()),
            }
        }
    };
    if target.token.is_some() && !local {
        return Err(ConnectError::TokenInClear(target.uri.clone()));
    }
    let mut endpoint = Endpoint::from_shared(target.uri.clone())
        .map_err(|_| address())?
        .connect_timeout(target.connect_timeout)
        .timeout(target.call_timeout)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_while_idle(true);
    if target.uri.starts_with("https:") {
        let mut tls = ClientTlsConfig::new();
        if let Some(pem) = &target.ca_pem {
            tls = tls.ca_certificate(Certificate::from_pem(pem));
        }
        if let Some(name) = &target.server_name {
            tls = tls.domain_name(name.clone());
        }
        endpoint = endpoint.tls_config(tls).map_err(|source| ConnectError::Tls { uri: target.uri.clone(), source })?;
    }
    Ok((endpoint, token))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(target: &Target) -> String {
        prepare(target).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_token_in_clear_is_refused_before_a_packet_leaves() {
        assert!(refusal(&Target::new("http://10.0.0.1:7070").with_token("t")).contains("not sent in clear"));
        assert_eq!(refusal(&Target::new("http://127.0.0.1:7070").with_token("t")), "");
        assert_eq!(refusal(&Target::new("http://[::1]:7070").with_token("t")), "");
        assert_eq!(refusal(&Target::new("unix:///run/stowage.sock").with_token("t")), "");
        assert_eq!(refusal(&Target::new("http://10.0.0.1:7070")), "");
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        for uri in ["", "nonsense", "ftp://host", "unix:", "127.0.0.1:7070"] {
            assert!(refusal(&Target::new(uri)).contains("is not understood"), "{uri}");
        }
    }

    #[tokio::test]
    async fn a_host_that_does_not_answer_is_named_with_its_cause() {
        let error = Client::connect(Target::new("unix:///nowhere/stowage.sock")).await.unwrap_err().to_string();
        assert!(error.contains("unix:///nowhere/stowage.sock") && error.contains("stowage serve"), "{error}");
    }
}
