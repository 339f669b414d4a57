//! One purpose's servers behind one pooled client.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Once};
use std::time::Duration;

use ipnet::IpNet;
use reqwest::{Certificate, Client, redirect};
use url::{Host, Url};

use super::address::AddressRules;
use super::resolve::{CheckedResolver, Resolver};
use crate::binding::{BindError, EgressLimits, EndpointBinding};

/// Idle connections live longer than the pause between two plugin calls.
const POOL_IDLE: Duration = Duration::from_secs(90);

/// A bound endpoint.
pub(crate) struct Endpoint {
    pub(super) client: Client,
    pub(super) bases: Vec<Base>,
    /// Where the last answer came from; the next request starts there.
    pub(super) preferred: AtomicUsize,
    pub(crate) allowed: Vec<IpNet>,
}

/// One server of an endpoint.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) url: Url,
}

impl Base {
    /// The base URL with a path and query put after its own path.
    pub(super) fn join(&self, path_and_query: &str) -> Result<Url, url::ParseError> {
        Url::parse(&format!("{}{path_and_query}", self.url.as_str().trim_end_matches('/')))
    }

    /// Host and port, for messages.
    pub(super) fn shown(&self) -> String {
        format!("{}:{}", self.url.host_str().unwrap_or_default(), self.url.port_or_known_default().unwrap_or_default())
    }
}

/// Checks a binding, pins its addresses and makes its client.
pub(crate) async fn bind_endpoint(
    binding: &EndpointBinding,
    forbidden: &[std::net::SocketAddr],
    limits: &EgressLimits,
    resolver: Arc<dyn Resolver>,
) -> Result<Endpoint, BindError> {
    let err = |problem: String| BindError::Endpoint { purpose: binding.purpose.clone(), problem };
    if binding.urls.is_empty() {
        return Err(err("has no URL: add one".to_owned()));
    }
    let bases =
        binding.urls.iter().map(|text| base(text, binding.plain_http)).collect::<Result<Vec<_>, _>>().map_err(err)?;

    let mut rules =
        AddressRules { allowed: binding.allowed_ranges.clone().unwrap_or_default(), forbidden: forbidden.to_vec() };
    let mut ports: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    for base in &bases {
        let port = base.url.port_or_known_default().unwrap_or_default();
        let literal: Option<IpAddr> = match base.url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            Some(Host::Domain(name)) => {
                ports.entry(name.to_owned()).or_default().push(port);
                None
            }
            None => return Err(err("has a URL without a host".to_owned())),
        };
        if binding.allowed_ranges.is_none() {
            let host = base.url.host_str().unwrap_or_default();
            let found = match literal {
                Some(ip) => vec![ip],
                None => resolver.resolve(host).await.map_err(|e| {
                    err(format!(
                        "cannot be pinned, since {host} does not resolve ({e}): give allowed_ranges or repair the name"
                    ))
                })?,
            };
            rules.allowed.extend(found.into_iter().map(IpNet::from));
        }
        if let Some(ip) = literal {
            rules.check(ip, port).map_err(err)?;
        }
    }
    rules.allowed.sort();
    rules.allowed.dedup();
    if let (None, Some(bad)) =
        (&binding.allowed_ranges, ports.iter().find_map(|(_, ports)| none_dialable(&rules, ports)))
    {
        return Err(err(format!("resolves to no address that may be dialled: {bad}")));
    }

    let allowed = rules.allowed.clone();
    let resolver = CheckedResolver { resolver, rules: Arc::new(rules), ports: Arc::new(ports) };
    let client = client(binding, limits, resolver).map_err(err)?;
    Ok(Endpoint { client, bases, preferred: AtomicUsize::new(0), allowed })
}

/// Why no pinned address may be dialled, when that is so.
fn none_dialable(rules: &AddressRules, ports: &[u16]) -> Option<String> {
    let check = |net: &IpNet| ports.iter().try_for_each(|port| rules.check(net.addr(), *port));
    let refused: Vec<String> = rules.allowed.iter().map_while(|net| check(net).err()).collect();
    (refused.len() == rules.allowed.len()).then(|| refused.join("; "))
}

fn base(text: &str, plain_http: bool) -> Result<Base, String> {
    let url = Url::parse(text).map_err(|e| format!("has URL {text:?}, which does not parse: {e}"))?;
    match url.scheme() {
        "https" => {}
        "http" if plain_http => {}
        "http" => return Err(format!("has URL {text:?}: use https, or set plain_http if the network is trusted")),
        other => return Err(format!("has a URL of scheme {other:?}: use https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a URL with a user in it: put the login into the provider's secrets".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("has URL {text:?}: a base URL has no query and no fragment"));
    }
    Ok(Base { url })
}

fn client(binding: &EndpointBinding, limits: &EgressLimits, resolver: CheckedResolver) -> Result<Client, String> {
    install_crypto();
    let mut builder = Client::builder()
        .user_agent(concat!("stowage/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(Arc::new(resolver))
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true)
        .connect_timeout(limits.connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .https_only(!binding.plain_http);
    if let Some(pem) = &binding.ca_pem {
        let certificates =
            Certificate::from_pem_bundle(pem).map_err(|e| format!("has a ca_pem that does not parse: {e}"))?;
        if certificates.is_empty() {
            return Err("has a ca_pem without a certificate".to_owned());
        }
        builder = builder.tls_certs_only(certificates);
    }
    builder.build().map_err(|e| format!("has no usable client: {e}"))
}

/// The one crypto provider of the process, unless the binary has set it.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that one is installed already, which is what is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
