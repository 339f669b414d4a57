//! Names become addresses here and nowhere else, and only checked addresses go on to be dialled.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::AddressRules;

/// Looks a name up. Tests put their own answers here.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of `host`.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect())
    }
}

/// Every address of a name was refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{host} was not dialled: {why}")]
pub(crate) struct AddressRefused {
    pub(crate) host: String,
    pub(crate) why: String,
}

/// What the HTTP client asks: it dials exactly the addresses that this answers, so there is no second lookup between
/// check and dial.
pub(super) struct CheckedResolver {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) rules: Arc<AddressRules>,
    /// Ports at which each name of the endpoint is dialled.
    pub(super) ports: Arc<BTreeMap<String, Vec<u16>>>,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, rules, ports) = (Arc::clone(&self.resolver), Arc::clone(&self.rules), Arc::clone(&self.ports));
        let host = name.as_str().to_owned();
        Box::pin(async move {
            let found = resolver.resolve(&host).await?;
            let ports = ports.get(&host).map(Vec::as_slice).unwrap_or_default();
            let mut why = "it has no address".to_owned();
            let mut checked = Vec::new();
            for ip in found {
                match ports.iter().try_for_each(|port| rules.check(ip, *port)) {
                    Ok(()) => checked.push(SocketAddr::new(ip, 0)),
                    Err(refused) => {
                        tracing::warn!(%host, %ip, %refused, "an address was refused");
                        why = refused;
                    }
                }
            }
            if checked.is_empty() {
                return Err(AddressRefused { host, why }.into());
            }
            Ok(Box::new(checked.into_iter()) as Addrs)
        })
    }
}
