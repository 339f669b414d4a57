//! Every problem that was reported from the field and every rule that follows, with the test that holds it.
//!
//! The problems are those of the vendor's CSI driver and OpenStack driver trackers (`weka/csi-wekafs`,
//! `weka/manila-weka-driver`, `weka/snaptool`, `weka/tools`, `lablup/backend.ai`, `NVIDIA/ai-cloud-validation`).

use std::sync::Arc;

use stowage_plugin_weka::Weka;
use stowage_provider_sdk::native::with_host;
use stowage_provider_sdk::prelude::*;
use weka_emulator::{Fault, Owner, Release, Rule};

use crate::bench::{Bench, DIRECTORY, FILESYSTEM, GIB, call, kind, limit, spec};
use crate::scripted::{answering, failing};
use crate::{fencing, lifecycle, mounting, organization, report, s3, scripted, snapshotting, upsets};

/// How a trap is held.
enum Held {
    /// By these tests.
    By(&'static [fn()]),
    /// By another room of the product, which is named.
    Elsewhere(&'static str),
    /// It asks nothing of an adapter, for this reason.
    Nothing(&'static str),
}

struct Trap {
    id: &'static str,
    what: &'static str,
    held: Held,
}

const fn trap(id: &'static str, what: &'static str, held: Held) -> Trap {
    Trap { id, what, held }
}

use Held::{By, Elsewhere, Nothing};

const TRAPS: &[Trap] = &[
    trap(
        "problem-01",
        "1024 filesystems at most (csi-wekafs issues 43, 192)",
        By(&[namespaces_are_directories_by_default, a_full_filesystem_table_is_told_before_anything_is_made]),
    ),
    trap("problem-02", "usage of each volume is missing (271)", By(&[usage_of_many_costs_one_list])),
    trap("problem-03", "stale NFS handles of snapshots (490)", Nothing("plans mount wekafs, never NFS")),
    trap(
        "problem-04",
        "growth beyond the cluster's free space (15, 35)",
        By(&[a_filesystem_beyond_the_free_space_is_refused_before_anything_is_made]),
    ),
    trap(
        "problem-05",
        "quota on a directory with content (40)",
        By(&[a_quota_is_put_while_the_directory_is_empty, a_quota_on_content_without_data_services_is_not_ready]),
    ),
    trap(
        "problem-06",
        "too many calls at once (56, 587)",
        Elsewhere("the host bounds calls in flight per provider; one call sends its exchanges one after another"),
    ),
    trap(
        "problem-07",
        "a missing quota taken for an error (62, 63)",
        By(&[a_missing_quota_is_none_with_either_status]),
    ),
    trap(
        "problem-08",
        "blanks in endpoints, no rotation (120, 765)",
        By(&[blanks_around_backends_do_not_reach_a_plan]),
    ),
    trap(
        "problem-09",
        "removal reported though refused (344, 732, 736, 738)",
        By(&[a_removal_that_was_not_done_is_no_success]),
    ),
    trap("problem-10", "a role that may not (365)", By(&[preflight_fails_for_a_role_that_may_not])),
    trap("problem-11", "removal that goes on for hours (437)", By(&[a_removal_in_progress_is_pending])),
    trap(
        "problem-12",
        "a mount that hangs without a client (484)",
        Elsewhere("the node's agent bounds each mount program by a timeout"),
    ),
    trap(
        "problem-13",
        "no fall-back for extended attributes (494)",
        Nothing("the adapter stores nothing in extended attributes"),
    ),
    trap(
        "problem-14",
        "resolvePath refused to the role CSI before 4.4.7 (517)",
        By(&[paths_that_cannot_be_resolved_are_a_missing_capability]),
    ),
    trap("problem-15", "pages after the first ignored (560, 561, 715)", By(&[quotas_behind_the_first_page_are_seen])),
    trap(
        "problem-16",
        "directories promised more than the filesystem has (625)",
        By(&[quotas_beyond_the_filesystem_are_refused]),
    ),
    trap("problem-17", "403 on the mount token (638)", By(&[mounting::a_token_that_is_denied_is_a_permission])),
    trap("problem-18", "grace_seconds left out (701)", By(&[every_number_of_a_quota_is_sent])),
    trap("problem-19", "stale lists (714)", By(&[filesystems_are_listed_past_the_cache])),
    trap(
        "problem-20",
        "races and half-failed logins (718)",
        Elsewhere("the host runs the declared login single-flight; the declaration is tested in `describe`"),
    ),
    trap("problem-21", "a hermetic fake of the API (720)", Nothing("these tests run on the emulator")),
    trap("problem-22", "used_bytes and total_bytes (746)", By(&[one_quota_and_a_list_tell_the_same_usage])),
    trap("problem-23", "OrgAdmin is TenantAdmin from 5.1 (751)", By(&[both_names_of_the_organizations_admin_pass])),
    trap("problem-24", "data services known only by a role of a process (786)", By(&[data_services_are_found_by_role])),
    trap("problem-25", "capacity known only from the quota (790)", By(&[effective_limits_come_from_the_quota])),
    trap(
        "problem-26",
        "32 background tasks (795)",
        By(&[
            a_full_task_table_is_throttled,
            upsets::the_thirty_third_background_task_is_put_off_and_comes_through_later,
        ]),
    ),
    trap(
        "problem-27",
        "snapshots being deleted (snaptool 6)",
        By(&[
            a_conflict_with_snapshots_is_repeated,
            snapshotting::snapshots_that_are_being_removed_make_others_wait,
            snapshotting::a_filesystem_that_its_snapshots_hold_is_removed_after_them,
        ]),
    ),
    trap(
        "problem-28",
        "S3 that is not ready yet (tools 82)",
        By(&[s3::bucketing::containers_that_are_not_ready_are_waited_for]),
    ),
    trap(
        "problem-29",
        "lock-out fed by repeated logins (manila 13)",
        By(&[a_lock_out_is_told_with_its_time_and_no_login_is_repeated]),
    ),
    trap(
        "problem-30",
        "the table of organizations is full (manila 11)",
        By(&[organization::a_full_table_of_organizations_is_told_with_its_counter]),
    ),
    trap(
        "problem-31",
        "the quota's message in another orchestrator (backend.ai 443)",
        By(&[a_missing_quota_is_none_with_either_status]),
    ),
    trap(
        "problem-32",
        "a shim for validation (ai-cloud-validation 566)",
        Nothing("it is a description of answers; they are read in the form that it shows"),
    ),
    trap(
        "rule-01",
        "one token manager; never loop logins",
        By(&[a_lock_out_is_told_with_its_time_and_no_login_is_repeated, an_expired_session_is_renewed_once]),
    ),
    trap(
        "rule-02",
        "read cluster, identity and lifetimes; S3 that is not ready is a capability",
        By(&[report::preflight_shows_the_observed_cluster, s3_that_appears_is_seen_by_the_next_probe]),
    ),
    trap(
        "rule-03",
        "classify errors",
        By(&[
            scripted::a_missing_answer_has_the_kind_of_its_cause,
            scripted::junk_with_a_good_status_is_internal_with_its_native_code,
        ]),
    ),
    trap(
        "rule-04",
        "look first, poll, verify; `already exists` is success when it is ours",
        By(&[
            a_lost_create_race_takes_the_same_object,
            lifecycle::a_repeated_create_answers_the_same_reference_and_changes_nothing,
            a_removal_that_was_not_done_is_no_success,
        ]),
    ),
    trap(
        "rule-05",
        "directories, quota right after mkdir, re-resolve",
        By(&[a_quota_is_put_while_the_directory_is_empty, a_directory_made_anew_gets_its_quota_again]),
    ),
    trap(
        "rule-06",
        "rounding, 64 bits, all numbers, query when asked",
        By(&[
            every_number_of_a_quota_is_sent,
            quota_fields_go_by_query_where_the_release_asks,
            inodes_above_two_to_the_53_are_kept,
        ]),
    ),
    trap("rule-07", "usage from whichever field is there", By(&[one_quota_and_a_list_tell_the_same_usage])),
    trap(
        "rule-08",
        "mount plans; read-only is the client's; tokens are never shown",
        By(&[
            mounting::a_plan_for_a_directory_needs_no_token_and_says_who_is_trusted,
            mounting::a_filesystem_that_requires_authentication_gets_a_sealed_token_that_mounts_it,
            fencing::a_fenced_read_only_plan_is_kept_by_the_server_and_its_fence_goes_with_it,
            fencing::from_5_1_a_read_only_plan_gets_a_token_that_cannot_write_and_ends,
        ]),
    ),
    trap(
        "rule-09",
        "parent S3 users and policies",
        By(&[
            s3::parenting::a_parent_is_made_once_with_a_password_that_only_the_host_knows,
            s3::policing::a_policy_is_replaced_by_making_attaching_and_only_then_removing,
            s3::policing::a_policy_over_2048_bytes_is_refused_with_both_numbers_and_a_smaller_one_fits,
            s3::policing::actions_that_the_backend_does_not_have_are_losses_and_never_sent,
        ]),
    ),
    trap(
        "rule-10",
        "STS lifetimes and revocation",
        By(&[
            s3::sessioning::a_session_is_issued_with_handles_and_ends_by_the_hosts_clock,
            s3::sessioning::what_cannot_be_a_session_is_refused_before_anything_is_sent,
            s3::sessioning::one_session_cannot_be_ended_alone_and_the_answer_names_what_can,
        ]),
    ),
    trap(
        "rule-11",
        "buckets",
        By(&[
            s3::bucketing::a_namespace_with_s3_is_a_bucket_over_its_directory,
            s3::bucketing::s3_is_given_to_data_and_taken_again_and_the_data_stays,
            s3::bucketing::lifecycle_rules_become_exactly_what_was_asked_for,
        ]),
    ),
    trap(
        "rule-12",
        "audit webhook",
        By(&[s3::auditing::events_are_sent_to_the_receiver_with_a_token_that_the_adapter_never_sees]),
    ),
    trap(
        "rule-13",
        "organizations",
        By(&[
            organization::a_namespace_lives_in_its_tenants_organization_and_is_mounted_by_its_token,
            organization::a_tenant_gets_an_organization_with_an_administrator_whose_password_the_adapter_never_sees,
            organization::s3_in_an_organization_is_unsupported_and_says_since_when,
        ]),
    ),
    trap(
        "rule-14",
        "count against the limits",
        By(&[
            report::the_probe_tells_identity_capabilities_and_counters,
            a_full_filesystem_table_is_told_before_anything_is_made,
        ]),
    ),
    trap(
        "rule-15",
        "few tasks at once",
        By(&[a_quota_on_an_empty_directory_needs_no_waiting, a_full_task_table_is_throttled]),
    ),
    trap(
        "rule-16",
        "encode segments, check uids, trim endpoints",
        By(&[scripted::an_uid_that_is_none_never_reaches_a_path, blanks_around_backends_do_not_reach_a_plan]),
    ),
];

#[test]
fn every_trap_stands_in_the_table_once_and_is_held() {
    let problems = (1..=32).map(|number| format!("problem-{number:02}"));
    let rules = (1..=16).map(|number| format!("rule-{number:02}"));
    let wanted: Vec<_> = problems.chain(rules).collect();
    let listed: Vec<_> = TRAPS.iter().map(|trap| trap.id).collect();
    assert_eq!(listed, wanted);
    for trap in TRAPS {
        let held = match trap.held {
            By(tests) => !tests.is_empty(),
            Elsewhere(reason) | Nothing(reason) => reason.len() > 5,
        };
        assert!(held && !trap.what.is_empty(), "{}", trap.id);
    }
}

#[test]
fn namespaces_are_directories_by_default() {
    let bench = Bench::start();
    bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    assert!(bench.requests("POST", "/fileSystems").is_empty());
}

#[test]
fn a_full_filesystem_table_is_told_before_anything_is_made() {
    let row = |n: u32| format!(r#"{{"uid":"7a6bfe5e-9944-4bf4-b799-{n:012x}","name":"f{n}","status":"READY"}}"#);
    let rows: Vec<_> = (0..1024).map(row).collect();
    let body = format!(r#"{{"data":[{}]}}"#, rows.join(","));
    let host = Arc::new(stowage_provider_sdk::native::MemoryHost::new(FILESYSTEM).answering(move |_| {
        Ok(http::Response { status: 200, headers: vec![], body: body.clone().into_bytes(), captured: vec![] })
    }));
    let answer = with_host(host.clone(), || <Weka as Namespaces>::create(call("op-1"), spec("aaaa-bbbb", GIB)));
    let error = answer.unwrap_err();
    let ErrorKind::CapacityExhausted(hit) = error.kind else { panic!("{error:?}") };
    assert_eq!((hit.counter.as_str(), hit.used, hit.limit), ("filesystems", 1024, 1024));
    assert_eq!(host.sent().len(), 1);
}

#[test]
fn usage_of_many_costs_one_list() {
    let bench = Bench::start();
    let natives: Vec<_> =
        (0..6).map(|n| bench.create(&format!("op-{n}"), &spec(&format!("ns-{n}"), GIB)).unwrap()).collect();
    let before = bench.requests("GET", "/quota").len();
    let all = bench.control().requests_after(0).len();
    let usages = bench.usage(&natives);
    assert!(usages.iter().all(Result::is_ok));
    assert_eq!(bench.requests("GET", "/quota").len(), before + 1);
    assert_eq!(bench.control().requests_after(0).len(), all + 1);
}

#[test]
fn a_filesystem_beyond_the_free_space_is_refused_before_anything_is_made() {
    let bench = Bench::configured(FILESYSTEM);
    let error = bench.create("op-1", &spec("aaaa-bbbb", 1 << 50)).unwrap_err();
    let ErrorKind::CapacityExhausted(hit) = error.kind else { panic!("{error:?}") };
    assert_eq!(hit.counter, "capacity.bytes");
    assert!(bench.changes().is_empty());
    // And the cluster's own refusal means the same.
    bench.fault(Fault::CapacityExhausted, "POST", "/fileSystems");
    assert_eq!(kind(bench.create("op-2", &spec("cccc-dddd", GIB))), "CapacityExhausted");
}

#[test]
fn a_quota_is_put_while_the_directory_is_empty() {
    let bench = Bench::start();
    assert!(!bench.control().switches().data_services);
    bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    assert_eq!(bench.requests("GET", "/resolvePath").len(), 1);
}

#[test]
fn a_quota_on_content_without_data_services_is_not_ready() {
    let bench = Bench::start();
    bench.control().make_dir("gpuaas-kind-fs", "/legacy/inner", Owner::default()).unwrap();
    let adopt = |call| Weka::adopt(call, "/legacy".to_owned(), spec("aaaa-bbbb", GIB), false);
    let error = bench.settle("op-1", adopt).unwrap_err();
    let ErrorKind::NotReady(ready) = error.kind else { panic!("{error:?}") };
    assert_eq!(ready.reason, "DATA_SERVICES_NOT_RUNNING");
}

#[test]
fn a_missing_quota_is_none_with_either_status() {
    for status in [500, 404] {
        let bench = Bench::start();
        bench.switch("quota_missing_status", status);
        let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
        bench.delete("op-2", &native, &DataPolicy::Keep).unwrap();
        let state = bench.call(|| <Weka as Namespaces>::inspect(native.clone())).unwrap();
        assert_eq!(lookup(&state.extensions, "quota"), Some("missing"), "{status}");
        let usage = &bench.usage(std::slice::from_ref(&native))[0];
        assert_eq!(usage.as_ref().unwrap_err().kind, ErrorKind::NotFound);
    }
}

#[test]
fn blanks_around_backends_do_not_reach_a_plan() {
    let bench = Bench::configured(
        r#"{"filesystem":"gpuaas-kind-fs","mount":{"client":"stateless","backends":[" 10.0.0.1 ","10.0.0.2"]}}"#,
    );
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    let plan = mounting::prepare(&bench, mounting::request(&native, "", AccessMode::ReadWrite)).unwrap();
    let MountSource::Client(source) = &plan.mounts[0].source else { panic!("{plan:?}") };
    assert_eq!(source.servers, ["10.0.0.1", "10.0.0.2"]);
}

#[test]
fn a_removal_that_was_not_done_is_no_success() {
    // A directory that is purged takes its quota along; one that is kept has it removed.
    for (config, path, data) in
        [(DIRECTORY, "/fileSystems/*/quota/*", DataPolicy::Keep), (FILESYSTEM, "/fileSystems/*", DataPolicy::Purge)]
    {
        let bench = Bench::configured(config);
        let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
        let rule = bench.fault_for_ever(Fault::DeleteIgnored, "DELETE", path);
        assert_eq!(kind(bench.delete("op-2", &native, &data)), "ConflictRetry", "{config}");
        bench.control().remove_fault(rule).unwrap();
        bench.delete("op-2", &native, &data).unwrap();
        assert!(bench.listed(10).is_empty());
    }
}

#[test]
fn preflight_fails_for_a_role_that_may_not() {
    for (role, level) in
        [("ReadOnly", FindingLevel::Fail), ("CSI", FindingLevel::Note), ("ClusterAdmin", FindingLevel::Pass)]
    {
        let body = format!(
            r#"{{"data":{{"role":"{role}","org_name":"Root","username":"x","name":"c","guid":"g","release":"4.4.22","access_token_expiry":300}}}}"#
        );
        let findings = with_host(answering(200, &body), || Weka::preflight(ProbeMode::ReadOnly)).unwrap();
        let identity = findings.iter().find(|finding| finding.check == "identity").unwrap();
        assert_eq!(identity.level, level, "{role}");
    }
}

#[test]
fn a_removal_in_progress_is_pending() {
    let bench = Bench::configured(FILESYSTEM);
    bench.switch("filesystem_remove_ms", 7_200_000);
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    for _ in 0..2 {
        let progress =
            bench.call(|| <Weka as Namespaces>::delete(call("op-2"), native.clone(), DataPolicy::Purge)).unwrap();
        let Progress::Pending(job) = progress else { panic!("{progress:?}") };
        assert!(matches!(bench.call(|| Weka::poll(job.handle.clone())).unwrap(), Status::Running(_)));
    }
    assert_eq!(bench.requests("DELETE", "").len(), 1, "a removal that runs is not asked for again");
    bench.control().clock().advance(7_200_000);
    bench.delete("op-2", &native, &DataPolicy::Purge).unwrap();
}

#[test]
fn paths_that_cannot_be_resolved_are_a_missing_capability() {
    let bench = Bench::start();
    bench.control().set_release("4.2.0".parse::<Release>().unwrap());
    let report = bench.call(|| Weka::probe(ProbeMode::ReadOnly)).unwrap();
    let posix = report.capabilities.iter().find(|capability| capability.id == "namespaces.posix").unwrap();
    assert!(format!("{:?}", posix.state).contains("RESOLVE_PATH_UNAVAILABLE"), "{:?}", posix.state);
    let findings = bench.call(|| Weka::preflight(ProbeMode::ReadOnly)).unwrap();
    assert!(findings.iter().any(|finding| finding.check == "paths" && finding.level == FindingLevel::Fail));
}

#[test]
fn quotas_behind_the_first_page_are_seen() {
    for as_uuid in [false, true] {
        let bench = Bench::start();
        let natives: Vec<_> =
            (0..7).map(|n| bench.create(&format!("op-{n}"), &spec(&format!("ns-{n}"), GIB)).unwrap()).collect();
        bench.switch("quota_page_rows", 2);
        bench.switch("next_token_is_uuid", as_uuid);
        assert!(bench.usage(&natives).iter().all(Result::is_ok));
        for (n, native) in natives.iter().enumerate() {
            assert_eq!(bench.call(|| Weka::find(format!("op-{n}"))).unwrap().as_ref(), Some(native));
        }
        for limit in [1, 2, 3, 100] {
            let mut owners: Vec<_> = bench.listed(limit).into_iter().filter_map(|state| state.owner).collect();
            owners.sort();
            assert_eq!(owners, (0..7).map(|n| format!("op-{n}")).collect::<Vec<_>>(), "pages of {limit}");
        }
    }
}

#[test]
fn quotas_beyond_the_filesystem_are_refused() {
    let bench = Bench::start();
    bench.create("op-1", &spec("aaaa-bbbb", 200 * GIB)).unwrap();
    let error = bench.create("op-2", &spec("cccc-dddd", 200 * GIB)).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::CapacityExhausted(_)), "{error:?}");
    assert_eq!(bench.listed(10).len(), 1);
    bench.host.reconfigure(r#"{"filesystem":"gpuaas-kind-fs","overcommit_percent":200}"#);
    bench.create("op-2", &spec("cccc-dddd", 200 * GIB)).unwrap();
}

#[test]
fn every_number_of_a_quota_is_sent() {
    let bench = Bench::start();
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB + 1)).unwrap();
    let sent = bench.requests("PUT", "").pop().unwrap().body;
    assert_eq!((&sent["hard_limit_bytes"], &sent["soft_limit_bytes"]), (&(GIB + 1).into(), &0.into()));
    assert_eq!((&sent["grace_seconds"], &sent["owner"]), (&0.into(), &"sw:op-1".into()));
    // Rounded up by the backend, and still what was asked for: nothing is put again.
    let again = |call| <Weka as Namespaces>::set_limits(call, native.clone(), vec![limit(GIB + 1, Enforcement::Block)]);
    bench.settle("op-2", again).unwrap();
    assert_eq!(bench.changes().len(), 1);
}

#[test]
fn filesystems_are_listed_past_the_cache() {
    let bench = Bench::configured(FILESYSTEM);
    bench.control().add_fault(Rule::new(Fault::StaleList));
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    assert_eq!(bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap(), native);
    assert_eq!(bench.requests("POST", "/fileSystems").len(), 1);
}

#[test]
fn one_quota_and_a_list_tell_the_same_usage() {
    for shows_total in [false, true] {
        let bench = Bench::start();
        bench.switch("quota_get_shows_total", shows_total);
        let first = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
        let second = bench.create("op-2", &spec("cccc-dddd", GIB)).unwrap();
        bench.control().write_file(None, "gpuaas-kind-fs", "/stowage/aaaa-bbbb/shared/f", &[1; 40_000]).unwrap();
        let one = bench.usage(std::slice::from_ref(&first))[0].as_ref().unwrap()[0].used;
        let both = bench.usage(&[first, second]);
        assert_eq!(both[0].as_ref().unwrap()[0].used, one);
        assert!(one >= 40_000 && both[1].as_ref().unwrap()[0].used < 40_000);
    }
}

#[test]
fn both_names_of_the_organizations_admin_pass() {
    for role in ["OrgAdmin", "TenantAdmin"] {
        let body =
            format!(r#"{{"data":{{"role":"{role}","org_name":"Root","name":"c","guid":"g","release":"5.1.2"}}}}"#);
        let findings = with_host(answering(200, &body), || Weka::preflight(ProbeMode::ReadOnly)).unwrap();
        let identity = findings.iter().find(|finding| finding.check == "identity").unwrap();
        assert_eq!(identity.level, FindingLevel::Pass, "{role}");
    }
}

#[test]
fn data_services_are_found_by_role() {
    let bench = Bench::start();
    for (runs, state) in [(false, "DATA_SERVICES_NOT_RUNNING"), (true, "Supported")] {
        bench.switch("data_services", runs);
        let report = bench.call(|| Weka::probe(ProbeMode::ReadOnly)).unwrap();
        let found = report.capabilities.iter().find(|capability| capability.id == "quota.non-empty").unwrap();
        assert!(format!("{:?}", found.state).contains(state), "{:?}", found.state);
    }
}

#[test]
fn effective_limits_come_from_the_quota() {
    let bench = Bench::start();
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB + 1)).unwrap();
    let state = bench.call(|| <Weka as Namespaces>::inspect(native)).unwrap();
    assert_eq!(state.effective_limits, [limit(GIB + 4096, Enforcement::Block)]);
}

#[test]
fn a_full_task_table_is_throttled() {
    let bench = Bench::start();
    bench.fault(Fault::TooManyTasks, "PUT", "/fileSystems/*/quota/*");
    let error = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Throttled(Some(_))), "{error:?}");
    assert_eq!(error.native_code.as_deref(), Some("CannotStartOperationTooManyTasks"));
    bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
}

#[test]
fn a_conflict_with_snapshots_is_repeated() {
    let text = "Operation not allowed to start in filesystem fs01 because snapshots are being deleted in it";
    let host = answering(400, &format!(r#"{{"message":"{text}"}}"#));
    assert_eq!(kind(with_host(host, || Weka::find("op".to_owned()))), "ConflictRetry");
}

#[test]
fn a_lock_out_is_told_with_its_time_and_no_login_is_repeated() {
    let host = failing(http::HttpError::LockedOut(115));
    let error = with_host(host.clone(), || Weka::find("op".to_owned())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockedOut(115));
    assert_eq!(host.sent().len(), 1);
    let host = answering(403, r#"{"data":"Authentication Failed. User has been locked out for 2 minutes"}"#);
    let error = with_host(host.clone(), || Weka::find("op".to_owned())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockedOut(120));
    assert_eq!(host.sent().len(), 1);
}

#[test]
fn an_expired_session_is_renewed_once() {
    let bench = Bench::start();
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    bench.control().clock().advance(301_000);
    assert_eq!(bench.call(|| <Weka as Namespaces>::inspect(native)).unwrap().lifecycle, Lifecycle::Ready);
    assert_eq!(bench.requests("POST", "/login").len(), 1);
    assert_eq!(bench.requests("POST", "/login/refresh").len(), 1);
}

#[test]
fn s3_that_appears_is_seen_by_the_next_probe() {
    let bench = Bench::start();
    let s3 = || {
        let report = bench.call(|| Weka::probe(ProbeMode::ReadOnly)).unwrap();
        let found = report.capabilities.into_iter().find(|capability| capability.id == "namespaces.s3").unwrap();
        format!("{:?}", found.state)
    };
    assert!(s3().contains("S3_NOT_ENABLED"));
    bench.control().set_preset(weka_emulator::Preset::S3Ready);
    assert!(!s3().contains("S3_NOT_ENABLED"));
    bench.control().set_s3_containers(0);
    assert!(s3().contains("S3_NOT_ENABLED"));
}

#[test]
fn a_lost_create_race_takes_the_same_object() {
    let bench = Bench::configured(FILESYSTEM);
    bench.fault(Fault::LostCreateRace, "POST", "/fileSystems");
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    assert_eq!(bench.listed(10).len(), 1);
    assert_eq!(bench.call(|| Weka::find("op-1".to_owned())).unwrap(), Some(native));
}

#[test]
fn a_directory_made_anew_gets_its_quota_again() {
    let bench = Bench::start();
    let native = bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    bench.control().remove(None, "gpuaas-kind-fs", "/stowage/aaaa-bbbb").unwrap();
    bench.control().make_dir("gpuaas-kind-fs", "/stowage/aaaa-bbbb", Owner::default()).unwrap();
    let change = |call| <Weka as Namespaces>::set_limits(call, native.clone(), vec![limit(GIB, Enforcement::Block)]);
    let anew = bench.settle("op-2", change).unwrap();
    assert_ne!(anew, native, "the reference names the new inode");
    assert_eq!(bench.listed(10)[0].owner.as_deref(), Some("op-1"));
    assert!(bench.usage(&[anew])[0].is_ok());
    assert!(bench.usage(&[native])[0].is_ok(), "an older reference finds it by its path");
}

#[test]
fn quota_fields_go_by_query_where_the_release_asks() {
    for from in ["query", "body", "both"] {
        let bench = Bench::start();
        bench.switch("quota_fields_from", from);
        bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
        assert_eq!(bench.listed(10)[0].owner.as_deref(), Some("op-1"), "{from}");
    }
}

#[test]
fn inodes_above_two_to_the_53_are_kept() {
    let bench = Bench::start();
    bench.switch("big_inodes", true);
    for n in 0..6 {
        let native = bench.create(&format!("op-{n}"), &spec(&format!("ns-{n}"), GIB)).unwrap();
        assert!(bench.usage(&[native])[0].is_ok(), "{n}");
    }
    bench.fault(Fault::QuotaOtherInode, "PUT", "/fileSystems/*/quota/*");
    let native = bench.create("op-x", &spec("ns-x", GIB)).unwrap();
    assert!(bench.usage(&[native])[0].is_ok(), "the inode that was asked for counts, not the one that was answered");
}

#[test]
fn a_quota_on_an_empty_directory_needs_no_waiting() {
    let bench = Bench::start();
    bench.switch("quota_coloring_ms", 60_000);
    let offset = bench.control().clock().offset();
    bench.create("op-1", &spec("aaaa-bbbb", GIB)).unwrap();
    assert_eq!(bench.control().clock().offset(), offset, "no job was waited for");
}

#[test]
fn a_quota_that_is_being_applied_is_a_job_and_one_that_fails_is_an_error() {
    let bench = Bench::start();
    bench.switch("data_services", true);
    bench.control().make_dir("gpuaas-kind-fs", "/legacy/inner", Owner::default()).unwrap();
    let adopt = |call| Weka::adopt(call, "/legacy".to_owned(), spec("aaaa-bbbb", GIB), false);
    let progress = bench.call(|| adopt(call("op-1"))).unwrap();
    assert!(matches!(progress, Progress::Pending(_)), "{progress:?}");
    bench.settle("op-1", adopt).unwrap();
    bench.control().make_dir("gpuaas-kind-fs", "/broken/inner", Owner::default()).unwrap();
    bench.fault(Fault::QuotaError, "PUT", "/fileSystems/*/quota/*");
    let adopt = |call| Weka::adopt(call, "/broken".to_owned(), spec("cccc-dddd", GIB), false);
    let error = bench.settle("op-2", adopt).unwrap_err();
    assert_eq!(error.native_code.as_deref(), Some("QuotaError"));
}
