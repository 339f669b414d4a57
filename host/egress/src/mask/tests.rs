//! Masking over any text: a value that was injected is not in it afterwards, in any encoding.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::Needles;

fn encodings(secret: &str) -> Vec<String> {
    let quoted = serde_json::to_string(secret).unwrap();
    let json = quoted.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
    vec![
        secret.to_owned(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        hex::encode(secret),
        hex::encode_upper(secret),
        json.to_owned(),
        json.replace('/', "\\/"),
    ]
}

proptest! {
    #[test]
    fn masking_never_leaves_the_secret_in_any_encoding(
        secret in "[ -~äö€😀]{6,40}", before in "[a-zA-Z0-9 _.:/,=<>\"-]{0,20}",
        after in "[a-zA-Z0-9 _.:/,=<>\"-]{0,20}", twice in any::<bool>()
    ) {
        prop_assume!(!"[masked]".contains(&secret) && !secret.contains("[masked]"));
        let needles = Needles::new([secret.as_str()]);
        for encoded in encodings(&secret) {
            let again = if twice { encoded.as_str() } else { "" };
            let text = format!("{before}{encoded}{after}{again}");
            let masked = needles.mask_str(&text);
            prop_assert!(masked.is_some(), "{encoded:?} was not found in {text:?}");
            let masked = masked.unwrap();
            for other in encodings(&secret) {
                prop_assert!(!masked.contains(&other), "{other:?} is left in {masked:?}");
            }
        }
    }

    #[test]
    fn a_login_echoed_as_basic_is_masked(user in "[a-z]{1,9}", secret in "[!-~]{8,40}") {
        let needles = Needles::new([secret.as_str()]);
        let echoed = format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")));
        prop_assert!(needles.mask_str(&echoed).is_some(), "{echoed}");
    }
}
