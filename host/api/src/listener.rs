//! Where the host listens, and what that needs.
//!
//! Tokens travel on every call, so a listener that other machines can reach must have TLS; without it the host doesn't
//! start. Authentication can't be switched off at all.

use std::{fmt, net::SocketAddr, path::PathBuf};

use secrecy::SecretString;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// TCP; port 0 lets the system choose one.
    Tcp(SocketAddr),
    /// A Unix socket; whoever may write to the file may connect.
    Unix(PathBuf),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

/// The certificate that the host shows.
#[derive(Debug, Clone)]
pub struct Tls {
    /// PEM certificate chain, the host's own first.
    pub certificate_pem: String,
    /// PEM private key.
    pub key_pem: SecretString,
}

/// Why a listener is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenerError {
    /// Others could read the tokens.
    #[error(
        "listen address {0} can be reached from other machines, where tokens would be readable: \
         give a certificate and key (tls), or listen on 127.0.0.1 or a Unix socket"
    )]
    TlsNeeded(SocketAddr),
    /// TLS on a Unix socket does nothing.
    #[error("a Unix socket has no TLS: remove the certificate, or listen on a TCP address")]
    TlsOnUnix,
}

/// Whether the host may listen there.
///
/// # Errors
///
/// When the address isn't loopback and there is no TLS, and when TLS is asked for on a Unix socket.
pub fn check_listener(listen: &Listen, tls: Option<&Tls>) -> Result<(), ListenerError> {
    match (listen, tls) {
        (Listen::Tcp(address), None) if !address.ip().to_canonical().is_loopback() => {
            Err(ListenerError::TlsNeeded(*address))
        }
        (Listen::Unix(_), Some(_)) => Err(ListenerError::TlsOnUnix),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(text: &str) -> Listen {
        Listen::Tcp(text.parse().unwrap())
    }

    fn tls() -> Tls {
        Tls { certificate_pem: String::new(), key_pem: SecretString::from("") }
    }

    #[test]
    fn other_machines_need_tls() {
        for open in ["0.0.0.0:7070", "10.1.2.3:7070", "[::]:7070", "[2001:db8::1]:7070", "[::ffff:10.0.0.1]:7070"] {
            assert!(matches!(check_listener(&tcp(open), None), Err(ListenerError::TlsNeeded(_))), "{open}");
            assert_eq!(check_listener(&tcp(open), Some(&tls())), Ok(()), "{open}");
        }
    }

    #[test]
    fn this_machine_needs_none() {
        for local in ["127.0.0.1:0", "127.9.9.9:7070", "[::1]:7070", "[::ffff:127.0.0.1]:7070"] {
            assert_eq!(check_listener(&tcp(local), None), Ok(()), "{local}");
        }
        assert_eq!(check_listener(&Listen::Unix("/run/s".into()), None), Ok(()));
        assert_eq!(check_listener(&Listen::Unix("/run/s".into()), Some(&tls())), Err(ListenerError::TlsOnUnix));
    }
}
