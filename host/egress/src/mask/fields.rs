//! Fields named like secrets: their text is masked though nobody declared them.
//!
//! A name is compared without case and punctuation, by its end: `refresh_token`, `refreshToken` and `X-Refresh-Token` are
//! one. Masked are names that end in token, password, secret, credential, certificate, licence and their plurals and short
//! forms, and the keys that are secrets (`secret_key`, `private_key`, `api_key`, …). Not masked, because adapters must
//! read them and they are no secret:
//!
//! - paging marks such as `next_token`, which go back into a query;
//! - `access_key` and `access_key_id`: the public half that SigV4 sends in the clear and every list answers;
//! - a bare `key`: an object's name in S3 listings, a label's name elsewhere. A backend that answers a secret under it
//!   (Ceph's keyrings) needs a declared sensitive place;
//! - numbers, booleans, null and empty texts: `access_token_expiry: 300` and `authToken: ""` say nothing secret;
//! - names that the exchange declares in `visible-fields`, which the operator approved.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{MASK, Needles};

/// Ends of squashed names that are masked.
const SECRET_ENDS: [&str; 44] = [
    "token",
    "tokens",
    "jwt",
    "bearer",
    "cookie",
    "sessionid",
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "passwordhash",
    "secret",
    "secrets",
    "secretvalue",
    "secretdata",
    "secretkey",
    "secretkeys",
    "secretaccesskey",
    "privatekey",
    "privatekeys",
    "apikey",
    "apikeys",
    "authkey",
    "encryptionkey",
    "signingkey",
    "masterkey",
    "sharedkey",
    "accountkey",
    "sessionkey",
    "sshkey",
    "cephxkey",
    "keyring",
    "credential",
    "credentials",
    "certificate",
    "certificates",
    "cert",
    "certs",
    "pem",
    "license",
    "licence",
    "licenses",
    "licences",
];

/// Paging marks: what stands before `token` in a name that is no secret.
const PAGING: [&str; 9] =
    ["next", "page", "nextpage", "continuation", "nextcontinuation", "cursor", "marker", "previous", "prev"];

/// Whether a field of this name is of the classes token, password, secret, key, credential, certificate or licence.
#[must_use]
pub fn is_secret_field(name: &str) -> bool {
    let squashed: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    if let Some(before) = squashed.strip_suffix("token")
        && PAGING.contains(&before)
    {
        return false;
    }
    squashed == "pw" || SECRET_ENDS.iter().any(|end| squashed.ends_with(end))
}

fn secret_here(name: &str, visible: &BTreeSet<String>) -> bool {
    is_secret_field(name) && !visible.contains(name)
}

/// Masks fields by name and values by what was injected, in names, texts and numbers.
pub(crate) fn mask_json(value: &mut Value, visible: &BTreeSet<String>, injected: &Needles) {
    match value {
        Value::Object(members) => {
            let names: Vec<String> = members.keys().filter(|n| injected.mask_str(n).is_some()).cloned().collect();
            for name in names {
                if let Some(member) = members.remove(&name) {
                    members.insert(injected.clean(&name), member);
                }
            }
            for (name, member) in members.iter_mut() {
                if secret_here(name, visible) {
                    blank(member);
                }
                mask_json(member, visible, injected);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask_json(item, visible, injected)),
        Value::String(text) => {
            if let Some(masked) = injected.mask_str(text) {
                *text = masked;
            }
        }
        Value::Number(number) => {
            if injected.mask_str(&number.to_string()).is_some() {
                *value = Value::String(MASK.to_owned());
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Masks a text, or the texts of a list. Objects are walked by their own names.
fn blank(value: &mut Value) {
    match value {
        Value::String(text) if !text.is_empty() => MASK.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(blank),
        _ => {}
    }
}

/// The value that may be shown for a field of a form, or `None` when it may be shown as it is.
pub(crate) fn mask_form_field(
    name: &str,
    value: &str,
    visible: &BTreeSet<String>,
    injected: &Needles,
) -> Option<String> {
    if secret_here(name, visible) && !value.is_empty() {
        return Some(MASK.to_owned());
    }
    injected.mask_str(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_classes_are_masked_and_what_adapters_must_read_is_not() {
        for name in [
            "token",
            "access_token",
            "refreshToken",
            "X-Session-Token",
            "mount_token",
            "password",
            "bindPwd",
            "secret",
            "secret_key",
            "SecretAccessKey",
            "private_key",
            "apiKey",
            "credentials",
            "client-certificate",
            "license",
            "licence",
            "tls_cert",
            "keyring",
            "pw",
        ] {
            assert!(is_secret_field(name), "{name}");
        }
        for name in [
            "next_token",
            "NextContinuationToken",
            "pageToken",
            "access_key",
            "AccessKeyId",
            "key",
            "Key",
            "name",
            "token_type",
            "password_change_required",
            "secret_name",
            "certificate_expiry",
            "license_type",
            "inode_id",
        ] {
            assert!(!is_secret_field(name), "{name}");
        }
    }

    #[test]
    fn texts_and_lists_of_a_secret_field_are_masked_and_its_numbers_stay() {
        let mut body = json!({
            "data": {"access_token": "A1", "access_token_expiry": 300, "authToken": "", "tokens": ["a", {"id": "b"}], "n": 18446744073709551615_u64},
            "next_token": "page-2",
        });
        mask_json(&mut body, &BTreeSet::new(), &Needles::new([]));
        let want = json!({
            "data": {"access_token": MASK, "access_token_expiry": 300, "authToken": "", "tokens": [MASK, {"id": "b"}], "n": 18446744073709551615_u64},
            "next_token": "page-2",
        });
        assert_eq!(body, want);
    }

    #[test]
    fn an_injected_value_is_masked_in_names_texts_and_numbers() {
        let mut body = json!({"a": "x 12345678 y", "12345678": 1, "n": 12345678, "deep": [{"s": "12345678"}]});
        mask_json(&mut body, &BTreeSet::new(), &Needles::new(["12345678"]));
        assert_eq!(body, json!({"a": "x [masked] y", "[masked]": 1, "n": MASK, "deep": [{"s": MASK}]}));
    }

    #[test]
    fn a_field_that_the_operator_approved_stays_visible() {
        let visible = BTreeSet::from(["license".to_owned()]);
        let mut body = json!({"license": "public text", "licence": "hidden"});
        mask_json(&mut body, &visible, &Needles::new([]));
        assert_eq!(body, json!({"license": "public text", "licence": MASK}));
    }
}
