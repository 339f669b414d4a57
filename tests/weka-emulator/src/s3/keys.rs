//! Access keys, secrets and session tokens, in the form of the documents' examples.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const MIXED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn random_text(alphabet: &[u8], bytes: &[u8]) -> String {
    bytes.iter().filter_map(|byte| alphabet.get(usize::from(*byte) % alphabet.len())).map(|c| char::from(*c)).collect()
}

/// 20 characters of `[A-Z0-9]`.
pub(crate) fn access_key() -> String {
    random_text(UPPER, &rand::random::<[u8; 20]>())
}

/// 40 characters.
pub(crate) fn secret_key() -> String {
    let halves = [rand::random::<[u8; 20]>(), rand::random::<[u8; 20]>()].concat();
    random_text(MIXED, &halves)
}

/// A token as documented: `exp` is the duration in nanoseconds, not a moment, and nothing can be told from it.
pub(crate) fn session_token(access_key: &str, duration_secs: u64, policy: &str) -> String {
    let nanos = duration_secs.saturating_mul(1_000_000_000);
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS512","typ":"JWT"}"#);
    let claims = json!({ "accessKey": access_key, "exp": nanos, "policy": policy });
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    let halves = [rand::random::<[u8; 32]>(), rand::random::<[u8; 32]>()].concat();
    format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(halves))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_look_like_the_documented_ones() {
        let key = access_key();
        assert!(key.len() == 20 && key.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()), "{key}");
        assert_eq!(secret_key().len(), 40);
        assert_ne!(access_key(), key);
        let token = session_token("JR9O0U6V42KLPFQDO2Z3", 604_800, "readwrite");
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(claims["exp"], 604_800_000_000_000_u64);
        assert_eq!(claims["policy"], "readwrite");
    }
}
