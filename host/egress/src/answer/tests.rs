//! Places taken out of each kind of answer.

use serde_json::json;

use super::*;

fn answer(kind: &str, body: &str) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
    Answer::read(headers, body.as_bytes().to_vec()).unwrap()
}

fn shown(answer: Answer) -> String {
    String::from_utf8(answer.show(&BTreeSet::new(), &Needles::new([])).1).unwrap()
}

fn pointer(p: &str) -> Step {
    Step::JsonPointer(p.to_owned())
}

#[test]
fn a_json_place_is_taken_out_and_empty_ones_are_not() {
    let mut got =
        answer("application/json", r#"{"data":{"mount":"T0KEN","n":18446744073709551615,"e":"","z":null,"l":[7]}}"#);
    assert_eq!(got.take(&[pointer("/data/mount")]).as_deref(), Some("T0KEN"));
    assert_eq!(got.take(&[pointer("/data/l/0")]).as_deref(), Some("7"));
    for place in ["/data/e", "/data/z", "/data/none"] {
        assert_eq!(got.take(&[pointer(place)]), None, "{place}");
    }
    let want =
        json!({"data": {"mount": "[masked]", "n": 18446744073709551615_u64, "e": "", "z": null, "l": ["[masked]"]}});
    assert_eq!(serde_json::from_str::<Value>(&shown(got)).unwrap(), want);
}

#[test]
fn embedded_json_is_opened_and_what_cannot_be_opened_is_masked_whole() {
    let place = [pointer("/out"), Step::EmbeddedJson, pointer("/k")];
    let mut got = answer("application/json", r#"{"out":"{\"k\":\"S1\",\"v\":1}"}"#);
    assert_eq!(got.take(&place).as_deref(), Some("S1"));
    assert_eq!(shown(got), r#"{"out":"{\"k\":\"[masked]\",\"v\":1}"}"#);

    let mut got = answer("application/json", r#"{"out":"k=S1 and no json"}"#);
    assert_eq!(got.take(&place), None);
    assert_eq!(shown(got), r#"{"out":"[masked]"}"#);
}

#[test]
fn a_line_is_taken_out_of_a_text_and_of_a_text_in_json() {
    let keyring = "[client.x]\n\tkey = AQBsecret==\n\tcaps mon = \"allow r\"\n";
    let mut got = answer("text/plain", keyring);
    assert_eq!(got.take(&[Step::LineKey("key".to_owned())]).as_deref(), Some("AQBsecret=="));
    assert_eq!(shown(got), "[client.x]\n\tkey = [masked]\n\tcaps mon = \"allow r\"\n");

    let mut got = answer("application/json", &json!({"out": keyring}).to_string());
    assert_eq!(got.take(&[pointer("/out"), Step::LineKey("key".to_owned())]).as_deref(), Some("AQBsecret=="));
    assert!(!shown(got).contains("AQBsecret"));
}

#[test]
fn an_xml_place_is_taken_out_by_path_and_secret_elements_are_masked() {
    let body = r#"<?xml version="1.0"?><R xmlns="https://sts/"><C><AccessKeyId>AK</AccessKeyId><SecretAccessKey>wM0&amp;Q</SecretAccessKey><SessionToken>eyJ</SessionToken></C><M secret="s1"><Id>1</Id></M></R>"#;
    let mut got = answer("text/xml", body);
    assert_eq!(got.take(&[Step::XmlPath("R/C/SecretAccessKey".to_owned())]).as_deref(), Some("wM0&Q"));
    assert_eq!(got.take(&[Step::XmlPath("C/SessionToken".to_owned())]), None);
    let text = shown(got);
    for hidden in ["wM0", "eyJ", "s1"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    assert!(text.contains("<AccessKeyId>AK</AccessKeyId>") && text.contains("<Id>1</Id>"), "{text}");
    assert!(roxmltree::Document::parse(&text).is_ok(), "{text}");
}

#[test]
fn a_form_and_a_header_are_taken_out() {
    let mut got = answer("application/x-www-form-urlencoded", "oauth_key=K%201&password=p&a=1");
    assert_eq!(got.take(&[Step::FormField("oauth_key".to_owned())]).as_deref(), Some("K 1"));
    assert_eq!(shown(got), "oauth_key=%5Bmasked%5D&password=%5Bmasked%5D&a=1");

    let mut headers = HeaderMap::new();
    headers.insert("x-session", "S1".parse().unwrap());
    let mut got = Answer::read(headers, Vec::new()).unwrap();
    assert_eq!(got.take(&[Step::Header("X-Session".to_owned())]).as_deref(), Some("S1"));
    assert!(got.show(&BTreeSet::new(), &Needles::new([])).0.is_empty());
}

#[test]
fn a_member_given_twice_shows_neither_value_by_the_way() {
    let got = answer("application/json", r#"{"x":{"token":"A"},"x":1,"y":2}"#);
    assert_eq!(shown(got), r#"{"x":1,"y":2}"#);
}

#[test]
fn several_json_documents_are_each_masked() {
    let got = answer("application/x-ndjson", "{\"token\":\"A\"}\n{\"token\":\"B\"}\n");
    assert_eq!(shown(got), "{\"token\":\"[masked]\"}\n{\"token\":\"[masked]\"}");
}

#[test]
fn encodings_that_the_mask_cannot_read_are_refused() {
    for (name, value) in [("content-encoding", "gzip"), ("content-type", "application/json; charset=utf-16")] {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        assert!(Answer::read(headers, b"{}".to_vec()).is_err(), "{value}");
    }
}

#[test]
fn a_place_of_another_kind_than_the_body_is_seen() {
    let junk = answer("text/html", "<html><br></html> oops");
    assert!(!junk.can_hold(&[pointer("/data/token")]));
    assert!(answer("text/plain", "").can_hold(&[pointer("/data/token")]));
    assert!(answer("text/plain", " {\"a\":1}").can_hold(&[pointer("/data/token")]));
}

#[test]
fn plain_json_goes_on_as_it_came_until_something_is_found_in_it() {
    let body = "{ \"data\": [ {\"path\": \"/a/b\", \"n\": 12345678} ] }";
    let show = |needle: &str| {
        let shown = answer("application/json", body).show(&BTreeSet::new(), &Needles::new([needle])).1;
        String::from_utf8(shown).unwrap()
    };
    assert_eq!(show("nowhere-in-it"), body);
    assert_eq!(show("/a/b"), r#"{"data":[{"n":12345678,"path":"[masked]"}]}"#);
    assert_eq!(show("12345678"), r#"{"data":[{"n":"[masked]","path":"/a/b"}]}"#);
    let escaped = body.replace("/a/b", "%2Fa%2fb");
    let shown = answer("application/json", &escaped).show(&BTreeSet::new(), &Needles::new(["/a/b"])).1;
    assert_eq!(String::from_utf8(shown).unwrap(), r#"{"data":[{"n":12345678,"path":"[masked]"}]}"#);
}

#[test]
fn a_second_member_of_a_secret_name_is_not_passed_on() {
    for body in [r#"{"a":1,"token":"S1","token":"S2"}"#, r#"{"to\u006ben":"S1","token":"S2"}"#] {
        let shown = shown(answer("application/json", body));
        assert!(!shown.contains("S1") && !shown.contains("S2"), "{shown}");
    }
    let mut got = answer("application/json", r#"{"id":"S1","id":"S2"}"#);
    assert_eq!(got.take(&[pointer("/id")]).as_deref(), Some("S2"));
    assert_eq!(shown(got), r#"{"id":"[masked]"}"#);
}
