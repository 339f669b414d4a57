//! The caller's token on every call.

use secrecy::{ExposeSecret, SecretString};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

/// A connection that presents the caller's token.
pub type Authorized = InterceptedService<Channel, Token>;

/// Adds `authorization: Bearer …` to each call, or nothing without a token.
#[derive(Clone, Default)]
pub struct Token {
    header: Option<MetadataValue<Ascii>>,
}

impl Token {
    /// Prepares the header; `None` when the token has a character that no header may have.
    pub(crate) fn new(token: Option<&SecretString>) -> Option<Self> {
        let Some(token) = token else { return Some(Self::default()) };
        let mut header: MetadataValue<Ascii> = format!("Bearer {}", token.expose_secret().trim()).parse().ok()?;
        header.set_sensitive(true);
        Some(Self { header: Some(header) })
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.header.is_some() { "Token([secret])" } else { "Token(none)" })
    }
}

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.header {
            request.metadata_mut().insert("authorization", header.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_sent_and_never_shown() {
        let mut token = Token::new(Some(&SecretString::from("hunter2\n"))).unwrap();
        let request = token.call(Request::new(())).unwrap();
        assert_eq!(request.metadata().get("authorization").unwrap(), "Bearer hunter2");
        assert!(!format!("{token:?} {request:?}").contains("hunter2"));
    }

    #[test]
    fn a_token_with_a_line_break_inside_is_refused() {
        assert!(Token::new(Some(&SecretString::from("a\nb"))).is_none());
    }
}
