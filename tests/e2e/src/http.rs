//! One plain HTTP call, for the emulator's admin port and the metrics of a host.

use serde_json::Value;

/// Calls `{"method", "url", "body", "bearer"}` and answers the JSON body, or `null`.
///
/// # Panics
/// When the call cannot be made or is refused.
#[must_use]
pub fn call(request: &Value) -> Value {
    serde_json::from_str(&text(request)).unwrap_or(Value::Null)
}

/// The same, and answers the body as it is.
///
/// # Panics
/// When the call cannot be made or is refused.
#[must_use]
pub fn text(request: &Value) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let method = request["method"].as_str().and_then(|m| m.parse().ok()).expect("method");
        let url = request["url"].as_str().expect("url");
        let mut builder = reqwest::Client::new().request(method, url);
        if let Some(token) = request["bearer"].as_str() {
            builder = builder.bearer_auth(token);
        }
        if !request["body"].is_null() {
            builder = builder.json(&request["body"]);
        }
        let answer = builder.send().await.unwrap_or_else(|error| panic!("{url}: {error}"));
        let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
        assert!(status.is_success(), "{request}: {status}: {text}");
        text
    })
}
