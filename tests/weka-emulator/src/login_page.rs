//! What a cluster shows before login, and which private authority it trusts: the banner and the certificate.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::state::State;

/// The banner.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Banner {
    text: String,
    enabled: bool,
}

/// `GET /security/banner`: anyone may read it, because it is shown before login
pub(crate) fn banner(state: &mut State, _call: &Call) -> Answer {
    data(json!({ "text": state.banner.text, "enabled": state.banner.enabled }))
}

/// `PUT /security/banner`
pub(crate) fn set_banner(state: &mut State, call: &Call) -> Answer {
    state.banner.text = call.required_text("login_banner")?;
    nothing()
}

/// `POST /security/banner/enable`
pub(crate) fn enable_banner(state: &mut State, _call: &Call) -> Answer {
    state.banner.enabled = true;
    nothing()
}

/// `POST /security/banner/disable`
pub(crate) fn disable_banner(state: &mut State, _call: &Call) -> Answer {
    state.banner.enabled = false;
    nothing()
}

/// `GET /security/caCert`
pub(crate) fn certificate(state: &mut State, _call: &Call) -> Answer {
    let content = state.ca_certificate.clone();
    data(json!({ "enabled": content.is_some(), "content": content.unwrap_or_default() }))
}

/// `PUT /security/caCert`
pub(crate) fn set_certificate(state: &mut State, call: &Call) -> Answer {
    let text = call.required_text("certificate")?;
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(Refusal::bad("certificate", "is no certificate in PEM"));
    }
    state.ca_certificate = Some(text);
    nothing()
}

/// `DELETE /security/caCert`
pub(crate) fn remove_certificate(state: &mut State, _call: &Call) -> Answer {
    state.ca_certificate = None;
    nothing()
}
