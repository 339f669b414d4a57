//! What is refused before anything of it runs, and in which words.

use serde_json::json;
use stowage_plugin::{AdmitError, AdmitOptions, Approved, CallLimits, Engine, EngineLimits};
use stowage_ports::provider::ErrorKind;

use crate::support::{World, admit, beside_a_neighbour, cx, engine, wasm};

async fn refusal(engine: &Engine, name: &str) -> AdmitError {
    beside_a_neighbour(engine, admit(engine, name)).await.expect_err("it must be refused")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_import_is_refused_by_its_name() {
    let error = refusal(&engine(EngineLimits::default()), "unknown_import").await;
    assert!(
        matches!(&error, AdmitError::UnknownImport { import, .. } if import == "acme:backdoor/run@1.0.0"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_are_refused_by_their_name_with_the_way_out() {
    let error = refusal(&engine(EngineLimits::default()), "sockets_import").await;
    let AdmitError::UnknownImport { import, hint } = &error else { panic!("{error}") };
    assert!(import.starts_with("wasi:sockets/"), "{import}");
    assert!(hint.contains("stowage:provider/http"), "{hint}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_refused_by_their_name_with_the_way_out() {
    let error = refusal(&engine(EngineLimits::default()), "filesystem_import").await;
    let AdmitError::UnknownImport { import, hint } = &error else { panic!("{error}") };
    assert!(import.starts_with("wasi:filesystem/"), "{import}");
    assert!(hint.contains("stowage:provider/kv"), "{hint}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version_is_refused_with_the_range_that_this_host_takes() {
    let error = refusal(&engine(EngineLimits::default()), "wrong_version").await;
    assert!(matches!(error, AdmitError::WrongVersion { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "export stowage:provider/identity@9.0.0 belongs to another version of the contract: \
         this host takes stowage:provider >=0.1.0, <0.2.0"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_with_another_signature_is_refused_by_its_name() {
    let error = refusal(&engine(EngineLimits::default()), "wrong_signature").await;
    let AdmitError::Signature { function, difference, supported } = &error else { panic!("{error}") };
    assert_eq!(function, "stowage:provider/identity@0.1.0.describe");
    assert_eq!(difference, "result: string where the contract has record `description`");
    assert_eq!(supported, ">=0.1.0, <0.2.0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_required_interface_is_refused_by_its_name() {
    let error = refusal(&engine(EngineLimits::default()), "no_health").await;
    assert!(matches!(&error, AdmitError::Missing { item, .. } if item == "stowage:provider/health@0.1.0"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_that_never_ends_is_refused() {
    let error =
        refusal(&engine(EngineLimits { describe_cpu_ms: 20, ..EngineLimits::default() }), "describe_loop").await;
    assert!(matches!(&error, AdmitError::Describe { code, .. } if code == "limit.cpu"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_smallest_adapter_loads_and_the_rest_of_the_contract_is_unsupported() {
    let engine = engine(EngineLimits::default());
    let admitted = admit(&engine, "minimal").await.unwrap();
    assert!(admitted.interfaces().is_empty());
    let provider = World::default().bind(&engine, &admitted).unwrap();
    let failure = provider.find_namespace(&cx(), "op-1").await.unwrap_err();
    assert_eq!(failure.error.kind, ErrorKind::Unsupported("namespaces".to_owned()));
    assert_eq!(failure.receipt.wall_ns, 0, "nothing ran");
    let job = provider.poll_job(&cx(), b"j").await.unwrap_err();
    assert_eq!(job.error.kind, ErrorKind::Unsupported("jobs".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_component_is_refused_with_the_reason() {
    let engine = engine(EngineLimits::default());
    let mut cut = wasm("minimal");
    cut.truncate(cut.len() / 2);
    let cases: [(&[u8], &str); 4] = [
        (b"#!/bin/sh\necho hello\n", "does not begin"),
        (b"", "does not begin"),
        (b"\0asm\x01\0\0\0", "core module"),
        (&cut, "not a WebAssembly component"),
    ];
    for (bytes, reason) in cases {
        let error = engine.admit(bytes, AdmitOptions::default()).await.unwrap_err();
        assert!(matches!(error, AdmitError::NotAComponent(_)), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_digest_must_fit() {
    let engine = engine(EngineLimits::default());
    let wasm = wasm("minimal");
    let pinned = |digest: &str| AdmitOptions { expected_digest: Some(digest.to_owned()), ..AdmitOptions::default() };
    let admitted = engine.admit(&wasm, AdmitOptions::default()).await.unwrap();
    for digest in [admitted.digest().to_owned(), format!("sha256:{}", admitted.digest())] {
        engine.admit(&wasm, pinned(&digest)).await.unwrap();
    }
    let error = engine.admit(&wasm, pinned("sha256:00")).await.unwrap_err();
    assert!(matches!(&error, AdmitError::Digest { found, .. } if found == admitted.digest()), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approved_table_of_exchanges_must_fit() {
    let engine = engine(EngineLimits::default());
    let wasm = wasm("hang_in_host_call");
    let of = stowage_egress::exchange_table_digest;
    let options = |digest: &str| AdmitOptions {
        approved: Some(Approved { digest: digest.to_owned(), of }),
        ..AdmitOptions::default()
    };
    let approved = of(engine.admit(&wasm, AdmitOptions::default()).await.unwrap().description());
    engine.admit(&wasm, options(&approved)).await.unwrap();
    let other = of(admit(&engine, "minimal").await.unwrap().description());
    let error = engine.admit(&wasm, options(&other)).await.unwrap_err();
    assert!(matches!(error, AdmitError::Exchanges { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_fails_the_schema_is_refused_by_its_field() {
    let engine = engine(EngineLimits::default());
    let admitted = admit(&engine, "well_behaved").await.unwrap();
    for (config, path) in [(json!({ "greeting": 7 }), "/greeting"), (json!({ "colour": "red" }), "")] {
        let options = AdmitOptions { config: Some(config.clone()), ..AdmitOptions::default() };
        let at_admission = engine.admit(&wasm("well_behaved"), options).await.unwrap_err();
        let world = World { config, ..World::default() };
        let at_binding = world.bind(&engine, &admitted).err().expect("it must be refused");
        for error in [at_admission, at_binding] {
            assert!(matches!(&error, AdmitError::Config { path: at, .. } if at == path), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_needs_more_than_a_call_may_have_is_refused() {
    let engine = engine(EngineLimits::default());
    let limits = CallLimits { memories: 3, ..CallLimits::default() };
    let error =
        engine.admit(&wasm("many_memories"), AdmitOptions { limits, ..AdmitOptions::default() }).await.unwrap_err();
    assert!(
        matches!(error, AdmitError::Needs { what: "memories", needed: 4, limit_name: "memories", limit: 3 }),
        "{error}"
    );
}
