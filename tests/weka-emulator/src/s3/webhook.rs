//! The audit webhook: where every S3 call is reported to.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::s3::gate::{need_root, ready};
use crate::state::State;

/// Where events go.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) endpoint: String,
    /// The whole value of the `Authorization` header, its scheme included.
    pub(crate) token: String,
    pub(crate) enabled: bool,
}

/// `GET /s3/auditWebhook`: answers without any container (observed)
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    let Webhook { endpoint, token, enabled } = &state.s3.webhook;
    data(json!({ "endpoint": endpoint, "authToken": token, "enabled": enabled }))
}

/// `POST /s3/auditWebhook/enable`
pub(crate) fn enable(state: &mut State, call: &Call) -> Answer {
    need_root(call)?;
    call.require(&["endpoint", "auth_token"])?;
    ready(state, call)?;
    let endpoint = call.required_text("endpoint")?;
    if endpoint.parse::<hyper::Uri>().ok().and_then(|uri| uri.authority().map(|_| ())).is_none() {
        return Err(Refusal::bad("endpoint", "is no URL"));
    }
    state.s3.webhook = Webhook { endpoint, token: call.required_text("auth_token")?, enabled: true };
    nothing()
}

/// `POST /s3/auditWebhook/disable`
pub(crate) fn disable(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    state.s3.webhook.enabled = false;
    nothing()
}
