//! What admission refuses, and what the digest covers.

use stowage_ports::exchange::Step;
use stowage_ports::provider::{EndpointNeed, SensitivePlace};

use super::*;

fn pointer(p: &str) -> Vec<Step> {
    vec![Step::JsonPointer(p.to_owned())]
}

fn exchange(id: &str) -> ExchangeDecl {
    ExchangeDecl {
        id: id.to_owned(),
        purpose: "control".to_owned(),
        method: "POST".to_owned(),
        path_template: format!("/{id}"),
        safe: false,
        idempotent: false,
        slots: vec![pointer("/refresh_token")],
        sensitive: vec![],
        doc: String::new(),
        extensions: vec![],
    }
}

fn sound() -> Description {
    Description {
        name: "p".to_owned(),
        vendor: "v".to_owned(),
        version: "1".to_owned(),
        doc: String::new(),
        config_schema: "{}".to_owned(),
        endpoints: ["control", "data"]
            .map(|purpose| EndpointNeed { purpose: purpose.to_owned(), required: false, doc: String::new() })
            .to_vec(),
        secrets: vec![],
        exchanges: vec![exchange("login"), exchange("refresh"), exchange("read")],
        auth_flows: vec![AuthFlow {
            name: "main".to_owned(),
            login_exchange: "login".to_owned(),
            login_body: "{}".to_owned(),
            login_slots: vec![(pointer("/password"), "password".to_owned())],
            refresh_exchange: Some("refresh".to_owned()),
            refresh_body: None,
            token_at: pointer("/data/token"),
            refresh_token_at: Some(pointer("/data/refresh")),
            expires_in_at: None,
            default_ttl_s: 300,
            expired_when: vec![Matcher::Status(401)],
            locked_out_when: vec![],
            header_name: "authorization".to_owned(),
            header_template: "Bearer {token}".to_owned(),
            extensions: vec![],
        }],
        client_kinds: vec![],
        capabilities: vec![],
        extensions: vec![],
    }
}

/// A change to a sound table, the id that the refusal names, and a word of its reason.
type Case = (fn(&mut Description), &'static str, &'static str);

#[test]
fn an_unsound_table_is_refused_by_the_name_of_its_entry() {
    assert_eq!(check_exchange_table(&sound()), Ok(()));
    let cases: &[Case] = &[
        (|d| d.exchanges[2].slots.push(vec![Step::Other("css".to_owned())]), "read", "css"),
        (|d| d.exchanges[2].slots.push(vec![]), "read", "at least one step"),
        (|d| d.exchanges[2].slots.push(pointer("")), "read", "whole document"),
        (|d| d.exchanges[2].slots.push(pointer("a/b")), "read", "RFC 6901"),
        (|d| d.exchanges[2].slots.push(vec![Step::XmlPath("a".to_owned())]), "read", "XML"),
        (|d| d.exchanges[2].slots.push(vec![Step::EmbeddedJson]), "read", "json-pointer or form-field"),
        (|d| d.exchanges[2].slots.push(vec![Step::Header("host".to_owned())]), "read", "host"),
        (|d| d.exchanges[2].slots.push([pointer("/a"), pointer("/b")].concat()), "read", "embedded-json"),
        (
            |d| {
                d.exchanges[2]
                    .sensitive
                    .push(SensitivePlace { at: pointer("/a"), keep: PlaceKeep::Other("mail".to_owned()) })
            },
            "read",
            "mail",
        ),
        (
            |d| {
                let at = [pointer("/a"), vec![Step::EmbeddedJson, Step::Other("x".to_owned())]].concat();
                d.exchanges[2].sensitive.push(SensitivePlace { at, keep: PlaceKeep::Sealed });
            },
            "read",
            "embedded-json",
        ),
        (
            |d| {
                d.exchanges[2]
                    .sensitive
                    .push(SensitivePlace { at: pointer("/a"), keep: PlaceKeep::Stored("../x".to_owned()) })
            },
            "read",
            "secret name",
        ),
        (|d| d.exchanges[2].id = "login".to_owned(), "login", "twice"),
        (|d| d.exchanges[2].id = String::new(), "", "1 to 128"),
        (|d| d.exchanges[2].method = "TRACE".to_owned(), "read", "TRACE"),
        (|d| d.exchanges[2].method = "get".to_owned(), "read", "get"),
        (|d| d.exchanges[2].path_template = "/a/{b".to_owned(), "read", "'}'"),
        (|d| d.exchanges[2].purpose = "elsewhere".to_owned(), "read", "elsewhere"),
        (|d| d.auth_flows[0].login_exchange = "nobody".to_owned(), "main", "nobody"),
        (|d| d.auth_flows[0].refresh_exchange = Some("nobody".to_owned()), "main", "nobody"),
        (|d| d.auth_flows[0].refresh_token_at = None, "main", "refresh-token-at"),
        (|d| d.exchanges[1].slots.clear(), "main", "slot for the refresh token"),
        (|d| d.exchanges[1].purpose = "data".to_owned(), "main", "same endpoint"),
        (|d| d.exchanges[0].path_template = "/{org}/login".to_owned(), "main", "parameters"),
        (|d| d.auth_flows[0].login_body = "[]".to_owned(), "main", "JSON object"),
        (|d| d.auth_flows[0].expired_when.push(Matcher::Other("mood".to_owned())), "main", "mood"),
        (|d| d.auth_flows[0].locked_out_when.push(Matcher::BodyContains(String::new())), "main", "needs a text"),
        (|d| d.auth_flows[0].token_at = vec![Step::EmbeddedJson], "main", "another step"),
        (|d| d.auth_flows[0].header_name = "transfer-encoding".to_owned(), "main", "frames"),
        (|d| d.auth_flows[0].header_template = "Bearer".to_owned(), "main", "{token}"),
        (|d| d.auth_flows.push(d.auth_flows[0].clone()), "main", "twice"),
    ];
    for (i, (change, id, word)) in cases.iter().enumerate() {
        let mut description = sound();
        change(&mut description);
        let error = check_exchange_table(&description).expect_err(&format!("case {i} ({word}) was admitted"));
        assert_eq!(error.id, *id, "{error}");
        assert!(error.to_string().contains(word), "case {i}: {error} lacks {word:?}");
    }
}

#[test]
fn the_digest_is_stable_over_order_and_words_for_people_and_changes_with_everything_else() {
    let digest = exchange_table_digest(&sound());
    assert_eq!(
        digest, "sha256:444c33222c213d170c5dfc6467e4f59b6cae47cb256bbe002fdf9ec52e0cb912",
        "the canonical form has changed: every approval would be asked for again"
    );
    let same: &[fn(&mut Description)] = &[
        |d| d.exchanges.reverse(),
        |d| d.exchanges[0].doc = "better words".to_owned(),
        |d| d.version = "2".to_owned(),
        |d| d.doc = "x".to_owned(),
    ];
    for (i, change) in same.iter().enumerate() {
        let mut description = sound();
        change(&mut description);
        assert_eq!(exchange_table_digest(&description), digest, "case {i}");
    }
    let different: &[fn(&mut Description)] = &[
        |d| d.exchanges[2].safe = true,
        |d| d.exchanges[2].idempotent = true,
        |d| d.exchanges[2].method = "GET".to_owned(),
        |d| d.exchanges[2].purpose = "data".to_owned(),
        |d| d.exchanges[2].path_template = "/x".to_owned(),
        |d| d.exchanges[2].slots.clear(),
        |d| d.exchanges[2].sensitive.push(SensitivePlace { at: pointer("/a"), keep: PlaceKeep::Sealed }),
        |d| d.exchanges[2].extensions.push((VISIBLE_FIELDS.to_owned(), "license".to_owned())),
        |d| d.exchanges.push(exchange("more")),
        |d| d.auth_flows[0].login_body = "{\"a\":1}".to_owned(),
        |d| d.auth_flows[0].login_slots.clear(),
        |d| d.auth_flows[0].header_template = "Token {token}".to_owned(),
        |d| d.auth_flows[0].expired_when.clear(),
        |d| d.auth_flows.clear(),
    ];
    let mut seen = std::collections::BTreeSet::from([digest]);
    for (i, change) in different.iter().enumerate() {
        let mut description = sound();
        change(&mut description);
        assert!(seen.insert(exchange_table_digest(&description)), "case {i} has the digest of another table");
    }
}

#[test]
fn matchers_look_at_status_and_body() {
    let both = [Matcher::StatusAndBody(403, "locked out".to_owned())];
    assert!(matches(&both, 403, b"you are locked out for 2 minutes"));
    assert!(!matches(&both, 403, b"Forbidden") && !matches(&both, 401, b"locked out"));
    assert!(
        matches(&[Matcher::Status(401)], 401, b"") && matches(&[Matcher::BodyContains("x".to_owned())], 200, b"axb")
    );
    assert!(!matches(&[], 401, b""));
}
