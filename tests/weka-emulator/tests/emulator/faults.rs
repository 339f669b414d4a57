//! Faults of the wire, outages, TLS, several endpoints.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use weka_emulator::{DEFAULT_PASSWORD, Fault, Options, Outage, Rule, Tls};

use crate::support::{Bench, client};

#[tokio::test]
async fn every_fault_of_the_wire_looks_to_a_client_as_it_says() {
    let bench = Bench::start().await;
    let on = |fault| Rule::new(fault).on("GET", "/cluster").times(1);
    let control = bench.control();
    for (rule, status) in [
        (on(Fault::Unauthorized), 401),
        (on(Fault::LockedOut), 403),
        (on(Fault::Status), 500),
        (Rule { status: Some(502), body: Some(json!({ "data": "Bad" })), ..on(Fault::Status) }, 502),
        (on(Fault::TooManyRequests), 429),
        (on(Fault::Unavailable), 503),
        (on(Fault::TooManyTasks), 400),
        (Rule { delay_ms: Some(1), ..on(Fault::Slow) }, 200),
        (Rule { delay_ms: Some(0), ..on(Fault::SlowBody) }, 200),
    ] {
        let fault = rule.fault;
        control.add_fault(rule);
        assert_eq!(bench.get("/cluster").await.0, status, "{fault:?}");
        assert_eq!(bench.get("/cluster").await.0, 200, "{fault:?} strikes once");
    }
    let raw = async || {
        let sent = bench.client.get(bench.url("/cluster")).bearer_auth(&bench.token).send().await;
        match sent {
            Ok(response) => response.text().await,
            Err(error) => Err(error),
        }
    };
    control.add_fault(on(Fault::ResetBefore));
    assert!(raw().await.is_err());
    control.add_fault(on(Fault::ResetAfter));
    assert!(raw().await.is_err());
    control.add_fault(on(Fault::Truncated));
    assert!(raw().await.is_err());
    control.add_fault(on(Fault::EmptyBody));
    assert_eq!(raw().await.unwrap(), "");
    control.add_fault(on(Fault::Junk));
    assert!(serde_json::from_str::<serde_json::Value>(&raw().await.unwrap()).is_err());
    for fault in [Fault::HangBefore, Fault::HangAfter] {
        control.add_fault(on(fault));
        let request = bench.client.get(bench.url("/cluster")).bearer_auth(&bench.token);
        let error = request.timeout(Duration::from_millis(50)).send().await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
    }
    assert!(raw().await.unwrap().contains("wekacb2"));
    assert_eq!(Fault::ALL.iter().filter(|fault| fault.is_of_the_wire()).count(), 15, "a new fault needs its line here");
}

#[tokio::test]
async fn a_lost_answer_was_applied_and_a_lost_request_was_not() {
    let bench = Bench::start().await;
    let ask = |name: &str| json!({ "name": name, "group_name": "default", "total_capacity": 1_u64 << 30 });
    let send = async |name: &str| {
        bench.client.post(bench.url("/fileSystems")).bearer_auth(&bench.token).json(&ask(name)).send().await
    };
    bench.control().add_fault(Rule::new(Fault::ResetBefore).on("POST", "/fileSystems").times(1));
    assert!(send("never").await.is_err());
    bench.control().add_fault(Rule::new(Fault::ResetAfter).on("POST", "/fileSystems").times(1));
    assert!(send("applied").await.is_err());
    assert!(bench.control().filesystem_uid("never").is_none());
    assert!(bench.control().filesystem_uid("applied").is_some());
    let struck: Vec<u64> = bench.control().faults().iter().map(|rule| rule.struck).collect();
    assert_eq!(struck, [1, 1]);
}

#[tokio::test]
async fn login_can_answer_a_list_and_refresh_can_fail() {
    let bench = Bench::start().await;
    bench.control().add_fault(Rule::new(Fault::LoginList).times(1));
    let (_, body) = bench.try_login("admin", DEFAULT_PASSWORD, "Root").await;
    assert_eq!(body["data"][0]["expires_in"], 300);
    bench.control().add_fault(Rule::new(Fault::Unauthorized).on("POST", "/login/refresh"));
    let refresh = json!({ "refresh_token": body["data"][0]["refresh_token"] });
    assert_eq!(bench.send("none", Method::POST, "/login/refresh", Some(refresh)).await.0, 401);
}

#[tokio::test]
async fn one_of_several_endpoints_can_fail_alone() {
    let any = Options::default();
    let listen = vec![any.listen[0]; 2];
    let bench = Bench::with(Options { listen, ..any }).await;
    let urls = bench.emulator.rest_urls().to_vec();
    let status = async |url: &str| {
        let sent = bench.client.get(format!("{url}/api/v2/cluster")).bearer_auth(&bench.token).send().await;
        sent.map(|response| response.status().as_u16()).unwrap_or(0)
    };
    bench.control().add_fault(Rule { endpoint: Some(1), ..Rule::new(Fault::Unavailable) });
    assert_eq!((status(&urls[0]).await, status(&urls[1]).await), (200, 503));
    bench.control().clear_faults();
    for outage in [Outage::Refuse, Outage::Reset] {
        bench.control().set_outage(Some(0), outage).unwrap();
        assert_eq!((status(&urls[0]).await, status(&urls[1]).await), (0, 200), "{outage:?}");
    }
    bench.control().set_outage(None, Outage::None).unwrap();
    crate::support::until("the endpoint is back", async || status(&urls[0]).await == 200).await;
    assert!(bench.control().set_outage(Some(7), Outage::Hang).is_err());
}

#[tokio::test]
async fn a_hanging_cluster_neither_answers_nor_refuses() {
    let bench = Bench::start().await;
    bench.control().set_outage(None, Outage::Hang).unwrap();
    let request = client().get(bench.url("/healthcheck")).timeout(Duration::from_millis(50));
    assert!(request.send().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn tls_is_served_with_the_given_certificate() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let tls = Tls { cert_pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem() };
    let emulator = weka_emulator::Emulator::start(Options { tls: Some(tls), ..Options::default() }).await.unwrap();
    client();
    let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let trusting = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap();
    let url = format!("{}/api/v2/healthcheck", emulator.rest_url());
    assert!(url.starts_with("https://"));
    assert_eq!(trusting.get(&url).send().await.unwrap().text().await.unwrap(), "\"ok\"");
    assert!(client().get(&url).send().await.is_err());
}
