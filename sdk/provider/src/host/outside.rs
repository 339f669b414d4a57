//! The one place that leaves the adapter: the component's imports on WebAssembly, the thread's [`crate::native`] host
//! elsewhere.

#[cfg(target_arch = "wasm32")]
mod imports {
    use crate::bindings::imports::stowage::provider::{
        allocate, clock, config as configuration, http, kv, log as logs,
    };
    use crate::contract::types::StateError;

    pub(in crate::host) fn send(request: &http::Request) -> Result<http::Response, http::HttpError> {
        http::send(request)
    }
    pub(in crate::host) fn log(level: logs::Level, message: &str, fields: &[(String, String)]) {
        logs::write(level, message, fields);
    }
    pub(in crate::host) fn now_ms() -> u64 {
        clock::now_ms()
    }
    pub(in crate::host) fn deadline_remaining_ms() -> u64 {
        clock::deadline_remaining_ms()
    }
    pub(in crate::host) fn config() -> String {
        configuration::get()
    }
    pub(in crate::host) fn kv_get(key: &str) -> Result<Option<(Vec<u8>, u64)>, StateError> {
        kv::get(key)
    }
    pub(in crate::host) fn kv_set(key: &str, value: &[u8], if_version: Option<u64>) -> Result<u64, StateError> {
        kv::set(key, value, if_version)
    }
    pub(in crate::host) fn kv_delete(key: &str, if_version: Option<u64>) -> Result<(), StateError> {
        kv::delete(key, if_version)
    }
    pub(in crate::host) fn kv_keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, StateError> {
        kv::keys(prefix, after, limit)
    }
    pub(in crate::host) fn take(pool: &str, owner: &str) -> Result<u32, StateError> {
        allocate::take(pool, owner)
    }
    pub(in crate::host) fn give_back(pool: &str, owner: &str) -> Result<(), StateError> {
        allocate::give_back(pool, owner)
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod imports {
    use crate::bindings::imports::stowage::provider::log::Level;
    use crate::contract::{
        http::{HttpError, Request, Response},
        types::StateError,
    };
    use crate::native::current;

    pub(in crate::host) fn send(request: &Request) -> Result<Response, HttpError> {
        current(|host| host.send(request))
    }
    pub(in crate::host) fn log(level: Level, message: &str, fields: &[(String, String)]) {
        current(|host| host.log(level, message, fields));
    }
    pub(in crate::host) fn now_ms() -> u64 {
        current(|host| host.now_ms())
    }
    pub(in crate::host) fn deadline_remaining_ms() -> u64 {
        current(|host| host.deadline_remaining_ms())
    }
    pub(in crate::host) fn config() -> String {
        current(|host| host.config())
    }
    pub(in crate::host) fn kv_get(key: &str) -> Result<Option<(Vec<u8>, u64)>, StateError> {
        current(|host| host.kv_get(key))
    }
    pub(in crate::host) fn kv_set(key: &str, value: &[u8], if_version: Option<u64>) -> Result<u64, StateError> {
        current(|host| host.kv_set(key, value, if_version))
    }
    pub(in crate::host) fn kv_delete(key: &str, if_version: Option<u64>) -> Result<(), StateError> {
        current(|host| host.kv_delete(key, if_version))
    }
    pub(in crate::host) fn kv_keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, StateError> {
        current(|host| host.kv_keys(prefix, after, limit))
    }
    pub(in crate::host) fn take(pool: &str, owner: &str) -> Result<u32, StateError> {
        current(|host| host.take(pool, owner))
    }
    pub(in crate::host) fn give_back(pool: &str, owner: &str) -> Result<(), StateError> {
        current(|host| host.give_back(pool, owner))
    }
}

pub(super) use imports::*;
