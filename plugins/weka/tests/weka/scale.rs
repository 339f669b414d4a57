//! Ten thousand namespaces in a bounded number of calls, whatever the size of the backend's pages.

use std::sync::Arc;

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::native::{MemoryHost, with_host};
use stowage_provider_sdk::prelude::*;

use crate::bench::DIRECTORY;

const NAMESPACES: usize = 10_000;
const UID: &str = "7a6bfe5e-9944-4bf4-b799-527e9b5c2a13";

fn quota(n: usize) -> String {
    format!(
        r#"{{"inode_id":{},"path":"/stowage/ns-{n:05}","total_bytes":{},"hard_limit_bytes":1073741824,"owner":"sw:op-{n}","status":"ACTIVE"}}"#,
        1_000_000 + n,
        4096 * n,
    )
}

fn refusal(body: &str) -> http::Response {
    http::Response { status: 400, headers: vec![], body: body.as_bytes().to_vec(), captured: vec![] }
}

/// A cluster whose list of quotas has pages of so many rows.
fn cluster(page: usize) -> Arc<MemoryHost> {
    Arc::new(MemoryHost::new(DIRECTORY).answering(move |request| {
        let body = match request.exchange.as_str() {
            "filesystems.list" => {
                format!(r#"{{"data":[{{"uid":"{UID}","name":"gpuaas-kind-fs","status":"READY"}}]}}"#)
            }
            "s3.buckets" => {
                return Ok(refusal(r#"{"message":"NoValidProtocolContainerToRunIn"}"#));
            }
            "quotas.list" => {
                let token = request.query.iter().find(|(key, _)| key == "next_token").map(|(_, value)| value);
                let from: usize = token.map_or(0, |token| token.parse().unwrap());
                let rows: Vec<_> = (from..NAMESPACES.min(from + page)).map(quota).collect();
                let next =
                    if from + page < NAMESPACES { format!(r#","next_token":{}"#, from + page) } else { String::new() };
                format!(r#"{{"data":[{}]{next}}}"#, rows.join(","))
            }
            other => panic!("{other}"),
        };
        Ok(http::Response { status: 200, headers: vec![], body: body.into_bytes(), captured: vec![] })
    }))
}

/// Every namespace, by pages of the host's own size.
fn all(host: &Arc<MemoryHost>, limit: u32) -> Vec<NamespaceState> {
    let mut states = Vec::new();
    let mut cursor = None;
    loop {
        let page = with_host(host.clone(), || <Weka as Namespaces>::list_page(PageRequest { cursor, limit })).unwrap();
        states.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return states;
        }
    }
}

#[test]
fn ten_thousand_namespaces_are_listed_in_two_calls_and_one_for_each_page() {
    for page in [1000, 250] {
        let host = cluster(page);
        let states = all(&host, 1000);
        assert_eq!(states.len(), NAMESPACES);
        assert_eq!(states[NAMESPACES - 1].location, "gpuaas-kind-fs:/stowage/ns-09999");
        // One list of filesystems, one look for buckets, and the pages.
        assert_eq!(host.sent().len(), 2 + NAMESPACES / page, "pages of {page}");
    }
}

#[test]
fn usage_of_ten_thousand_namespaces_costs_no_more_than_one_call_and_one_for_each_page() {
    for page in [1000, 250] {
        let host = cluster(page);
        let natives: Vec<_> = all(&host, 1000).into_iter().map(|state| state.ref_).collect();
        let before = host.sent().len();
        let usages = match with_host(host.clone(), || Weka::read_usage(natives, Vec::new())).unwrap() {
            Usages::Done(usages) => usages,
            other => panic!("{other:?}"),
        };
        let used: Vec<_> = usages.into_iter().map(|usage| usage.unwrap()[0].used).collect();
        assert_eq!(used.len(), NAMESPACES);
        assert!(used.iter().enumerate().all(|(n, used)| *used == 4096 * n as u64), "in the order of the question");
        assert!(host.sent().len() - before <= 1 + NAMESPACES / page, "pages of {page}");
    }
}
