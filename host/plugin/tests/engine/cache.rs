//! The artefact cache: used when it is whole, never when it is not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use stowage_plugin::{CacheStats, Engine, EngineError, EngineLimits, EngineOptions};

use crate::support::admit;

fn open(directory: &Path) -> Engine {
    Engine::new(EngineOptions { limits: EngineLimits::default(), cache: Some(directory.to_owned()) }).unwrap()
}

fn artefact(directory: &Path) -> PathBuf {
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "cwasm")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_compiles_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    admit(&first, "minimal").await.unwrap();
    assert_eq!(first.cache_stats(), CacheStats { hits: 0, misses: 1, rejects: 0 });
    let second = open(directory.path());
    admit(&second, "minimal").await.unwrap();
    assert_eq!(second.cache_stats(), CacheStats { hits: 1, misses: 0, rejects: 0 });
    for file in [artefact(directory.path()), directory.path().join("cache.key")] {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_altered_artefact_is_compiled_again_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    admit(&open(directory.path()), "minimal").await.unwrap();
    let path = artefact(directory.path());
    let whole = std::fs::read(&path).unwrap();
    let altered = |change: fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        bytes
    };
    let cases = [
        ("code", altered(|bytes| *bytes.last_mut().unwrap() ^= 1)),
        ("mac", altered(|bytes| bytes[20] ^= 1)),
        ("magic", altered(|bytes| bytes[0] ^= 1)),
        ("cut", altered(|bytes| bytes.truncate(bytes.len() - 1))),
        ("empty", Vec::new()),
    ];
    for (what, bytes) in cases {
        std::fs::write(&path, bytes).unwrap();
        let engine = open(directory.path());
        admit(&engine, "minimal").await.unwrap();
        assert_eq!(engine.cache_stats(), CacheStats { hits: 0, misses: 0, rejects: 1 }, "{what}");
        assert_eq!(std::fs::read(&path).unwrap().len(), whole.len(), "{what}: it was replaced");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_artefact_of_another_component_is_refused_under_its_name() {
    let directory = tempfile::tempdir().unwrap();
    admit(&open(directory.path()), "minimal").await.unwrap();
    let path = artefact(directory.path());
    let code = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    admit(&open(directory.path()), "exit").await.unwrap();
    std::fs::write(artefact(directory.path()), code).unwrap();
    let engine = open(directory.path());
    let admitted = admit(&engine, "exit").await.unwrap();
    assert_eq!(admitted.description().name, "exit", "not the swapped one");
    assert_eq!(engine.cache_stats().rejects, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_artefact_under_another_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    admit(&open(directory.path()), "minimal").await.unwrap();
    std::fs::remove_file(directory.path().join("cache.key")).unwrap();
    let engine = open(directory.path());
    admit(&engine, "minimal").await.unwrap();
    assert_eq!(engine.cache_stats().rejects, 1);
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    let key = directory.path().join("cache.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let options = EngineOptions { limits: EngineLimits::default(), cache: Some(directory.path().to_owned()) };
    let error = Engine::new(options).unwrap_err();
    assert!(matches!(&error, EngineError::Cache { problem, .. } if problem.contains("600")), "{error}");
}
