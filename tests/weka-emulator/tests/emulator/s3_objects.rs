//! Objects and files are the same bytes: written over S3, read through a mount, and the other way round.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use rustix::io::Errno;
use serde_json::json;

use crate::s3_client::Keys;
use crate::support::{Bench, errno};

const MIB: usize = 1 << 20;

/// A bucket `data` over `/p/data` of `default`, and a user of uid 1000 and gid 2000 who may do everything.
async fn bench() -> (Bench, Keys) {
    let bench = Bench::with_s3().await;
    bench.bucket_over("data", "default", "/p/data").await;
    let keys = bench.s3_user("alice", (1000, 2000), json!("readwrite")).await;
    (bench, keys)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_a_file_of_the_users_uid_and_gid_and_a_file_is_an_object() {
    let (bench, keys) = bench().await;
    let mount = bench.mount("default", "a");
    let put = bench.s3_put(&keys, "/data/set/one.txt", b"over s3").await;
    assert_eq!((put.status, put.header("etag")), (200, "\"1b2dc33d93e248a47f5089da8c72e138\""));
    let file = mount.join("p/data/set/one.txt");
    assert_eq!(fs::read(&file).unwrap(), b"over s3");
    let meta = fs::metadata(&file).unwrap();
    assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777), (1000, 2000, 0o644));
    assert_eq!(fs::metadata(mount.join("p/data/set")).unwrap().uid(), 1000);

    fs::write(mount.join("p/data/set/two.txt"), b"through posix").unwrap();
    let got = bench.s3_get(&keys, "/data/set/two.txt").await;
    assert_eq!((got.status, got.body.as_slice()), (200, b"through posix".as_slice()));
    let listed = bench.s3_get(&keys, "/data?list-type=2&prefix=set%2F").await;
    assert_eq!(listed.elements("Key"), ["set/one.txt", "set/two.txt"]);
    assert_eq!(listed.elements("Size"), ["7", "13"]);

    fs::remove_file(&file).unwrap();
    assert_eq!(bench.s3_get(&keys, "/data/set/one.txt").await.refusal(), (404, "NoSuchKey".to_owned()));
    assert_eq!(bench.s3_delete(&keys, "/data/set/two.txt").await.status, 204);
    assert!(!mount.join("p/data/set").exists(), "a directory that a delete leaves empty goes");
    assert!(mount.join("p/data").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_quota_stops_a_put_as_it_stops_a_writer_and_counts_both() {
    let bench = Bench::with_s3().await;
    let quota = bench.dir_with_quota("gpuaas-kind-fs", "/ns", MIB as u64).await;
    bench.bucket_over("data", "gpuaas-kind-fs", "/ns").await;
    let keys = bench.s3_user("alice", (1000, 1000), json!("readwrite")).await;
    let mount = bench.mount("gpuaas-kind-fs", "a");
    assert_eq!(bench.s3_put(&keys, "/data/half", &vec![1; MIB / 2]).await.status, 200);
    assert_eq!(bench.data(&quota).await["used_bytes"], MIB / 2 + 4096);
    assert_eq!(errno(fs::write(mount.join("ns/posix"), vec![2; MIB / 2])), Errno::DQUOT.raw_os_error());
    fs::remove_file(mount.join("ns/posix")).unwrap();
    let refused = bench.s3_put(&keys, "/data/dir/more", &vec![3; MIB / 2]).await;
    assert_eq!(refused.refusal(), (403, "QuotaExceeded".to_owned()));
    assert_eq!(bench.data(&quota).await["used_bytes"], MIB / 2 + 4096);
    fs::write(mount.join("ns/posix"), vec![4; MIB / 2 - 8192]).unwrap();
    assert_eq!(bench.s3_put(&keys, "/data/tiny", b"x").await.status, 200);
    assert_eq!(bench.s3_put(&keys, "/data/tiny2", b"x").await.refusal(), (403, "QuotaExceeded".to_owned()));
    // What is replaced is given back in the same step.
    assert_eq!(bench.s3_put(&keys, "/data/half", &vec![5; MIB / 2]).await.status, 200);
    assert_eq!(bench.data(&quota).await["used_bytes"], MIB);
    assert_eq!(bench.s3_delete(&keys, "/data/half").await.status, 204);
    assert_eq!(bench.data(&quota).await["used_bytes"], MIB / 2);
    bench.switch("s3_quota_code", json!("XMinioAdminBucketQuotaExceeded"));
    bench.switch("s3_quota_status", json!(400));
    let refused = bench.s3_put(&keys, "/data/half", &vec![6; MIB]).await;
    assert_eq!(refused.refusal(), (400, "XMinioAdminBucketQuotaExceeded".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_metadata_come_back_and_a_posix_writer_outdates_the_entity_tag() {
    let (bench, keys) = bench().await;
    let mount = bench.mount("default", "a");
    let headers = [
        ("content-type", "image/png"),
        ("cache-control", "no-store"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-tagging", "a=1&b=two%20words"),
    ];
    let put = bench.ask(Some(&keys), Method::PUT, "/data/pic", &headers, b"0123456789").await;
    let etag = put.header("etag").to_owned();
    let head = bench.s3_head(&keys, "/data/pic").await;
    for (name, value) in
        [("content-type", "image/png"), ("cache-control", "no-store"), ("x-amz-meta-colour", "blue"), ("etag", &etag)]
    {
        assert_eq!(head.header(name), value, "{name}");
    }
    assert_eq!((head.header("content-length"), head.body.len()), ("10", 0));
    assert_eq!(bench.s3_get(&keys, "/data/pic?tagging").await.elements("Value"), ["1", "two words"]);

    let renamed = mount.join("p/data/renamed");
    fs::rename(mount.join("p/data/pic"), &renamed).unwrap();
    assert_eq!(bench.s3_head(&keys, "/data/renamed").await.header("etag"), etag);
    fs::write(&renamed, b"9876543210").unwrap();
    let outdated = bench.s3_head(&keys, "/data/renamed").await;
    assert!(outdated.header("etag") != etag && outdated.header("etag").ends_with("-1\""), "{outdated:?}");
    assert_eq!(outdated.header("content-type"), "image/png");

    let many = [("x-amz-meta-long", "x".repeat(2048))];
    let many = [(many[0].0, many[0].1.as_str())];
    let refused = bench.ask(Some(&keys), Method::PUT, "/data/pic", &many, b"").await;
    assert_eq!(refused.refusal(), (400, "MetadataTooLarge".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_and_conditions_are_those_of_http() {
    let (bench, keys) = bench().await;
    let etag = bench.s3_put(&keys, "/data/f", b"0123456789").await.header("etag").to_owned();
    let range = async |range: &str| {
        let got = bench.ask(Some(&keys), Method::GET, "/data/f", &[("range", range)], b"").await;
        (got.status, got.text(), got.header("content-range").to_owned())
    };
    assert_eq!(range("bytes=2-4").await, (206, "234".to_owned(), "bytes 2-4/10".to_owned()));
    assert_eq!(range("bytes=7-").await, (206, "789".to_owned(), "bytes 7-9/10".to_owned()));
    assert_eq!(range("bytes=-3").await, (206, "789".to_owned(), "bytes 7-9/10".to_owned()));
    assert_eq!(range("bytes=5-99").await.1, "56789");
    assert_eq!(range("bytes=10-").await.0, 416);
    let with = async |name: &str, value: &str| {
        bench.ask(Some(&keys), Method::GET, "/data/f", &[(name, value)], b"").await.status
    };
    assert_eq!(with("if-none-match", &etag).await, 304);
    assert_eq!(with("if-none-match", "\"other\"").await, 200);
    assert_eq!(with("if-match", "\"other\"").await, 412);
    assert_eq!(with("if-match", &etag).await, 200);
    let (past, future) = ("Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    assert_eq!((with("if-modified-since", past).await, with("if-modified-since", future).await), (200, 304));
    assert_eq!((with("if-unmodified-since", past).await, with("if-unmodified-since", future).await), (412, 200));
    let create = [("if-none-match", "*")];
    let refused = bench.ask(Some(&keys), Method::PUT, "/data/f", &create, b"new").await;
    assert_eq!(refused.refusal(), (412, "PreconditionFailed".to_owned()));
    assert_eq!(bench.ask(Some(&keys), Method::PUT, "/data/g", &create, b"new").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_replaces_in_one_step_and_who_has_the_old_file_open_keeps_it() {
    let (bench, keys) = bench().await;
    let mount = bench.mount("default", "a");
    bench.s3_put(&keys, "/data/f", b"old bytes").await;
    let mut open = File::open(mount.join("p/data/f")).unwrap();
    let bad = [("content-md5", STANDARD.encode([0; 16]))];
    let bad = [(bad[0].0, bad[0].1.as_str())];
    let refused = bench.ask(Some(&keys), Method::PUT, "/data/f", &bad, b"new").await;
    assert_eq!(refused.refusal(), (400, "BadDigest".to_owned()));
    assert_eq!(fs::read(mount.join("p/data/f")).unwrap(), b"old bytes");
    assert_eq!(bench.s3_put(&keys, "/data/f", b"new").await.status, 200);
    let mut text = String::new();
    open.read_to_string(&mut text).unwrap();
    assert_eq!(text, "old bytes");
    assert_eq!(fs::read(mount.join("p/data/f")).unwrap(), b"new");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_the_tree_cannot_hold_and_links_out_of_the_bucket_are_refused() {
    let (bench, keys) = bench().await;
    let mount = bench.mount("default", "a");
    fs::write(mount.join("secret"), b"outside").unwrap();
    std::os::unix::fs::symlink("../../secret", mount.join("p/data/link")).unwrap();
    std::os::unix::fs::symlink("/", mount.join("p/data/up")).unwrap();
    assert_eq!(bench.s3_get(&keys, "/data/link").await.refusal(), (404, "NoSuchKey".to_owned()));
    assert_eq!(bench.s3_get(&keys, "/data/up/secret").await.refusal(), (404, "NoSuchKey".to_owned()));
    assert_eq!(bench.s3_get(&keys, "/data?list-type=2").await.elements("Key"), Vec::<String>::new());
    assert_eq!(bench.s3_put(&keys, "/data/up/x", b"").await.refusal(), (400, "XMinioParentIsObject".to_owned()));
    for key in ["a//b", "/a", "a//"] {
        let refused = bench.s3_put(&keys, &format!("/data/{key}"), b"").await;
        assert_eq!(refused.refusal(), (400, "XMinioInvalidObjectName".to_owned()), "{key}");
    }
    let long = "k".repeat(1025);
    assert_eq!(bench.s3_put(&keys, &format!("/data/{long}"), b"").await.refusal().1, "KeyTooLongError");
    bench.s3_put(&keys, "/data/file", b"1").await;
    assert_eq!(bench.s3_put(&keys, "/data/file/x", b"").await.refusal().1, "XMinioParentIsObject");
    bench.s3_put(&keys, "/data/dir/x", b"1").await;
    assert_eq!(
        bench.s3_put(&keys, "/data/dir", b"").await.refusal(),
        (409, "XMinioObjectExistsAsDirectory".to_owned())
    );
    assert_eq!(fs::read(mount.join("secret")).unwrap(), b"outside");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_with_prefixes_and_delimiters_in_both_versions() {
    let (bench, keys) = bench().await;
    for key in ["a/1", "a/2", "a-b", "b/c/d", "e%20f", "z"] {
        assert_eq!(bench.s3_put(&keys, &format!("/data/{key}"), b"x").await.status, 200);
    }
    let all = bench.s3_get(&keys, "/data").await;
    assert_eq!(all.elements("Key"), ["a-b", "a/1", "a/2", "b/c/d", "e f", "z"]);
    let encoded = bench.s3_get(&keys, "/data?list-type=2&encoding-type=url&prefix=e").await;
    assert_eq!((encoded.element("Key"), encoded.element("EncodingType")), ("e%20f".to_owned(), "url".to_owned()));
    let mut token = String::new();
    let mut seen = Vec::new();
    loop {
        let page = bench.s3_get(&keys, &format!("/data?delimiter=%2F&list-type=2&max-keys=2{token}")).await;
        seen.extend(page.elements("Key"));
        seen.extend(page.elements("CommonPrefixes"));
        assert!(page.element("KeyCount").parse::<usize>().unwrap() <= 2);
        if page.element("IsTruncated") == "false" {
            break;
        }
        token = format!("&continuation-token={}", page.element("NextContinuationToken"));
    }
    assert_eq!(seen, ["a-b", "<Prefix>a/</Prefix>", "e f", "<Prefix>b/</Prefix>", "z"]);
    let first = bench.s3_get(&keys, "/data?delimiter=%2F&max-keys=2").await;
    assert_eq!((first.element("NextMarker"), first.element("IsTruncated")), ("a/".to_owned(), "true".to_owned()));
    let second = bench.s3_get(&keys, "/data?delimiter=%2F&marker=a%2F&max-keys=2").await;
    assert_eq!(
        (second.elements("Key"), second.element("CommonPrefixes")),
        (vec!["e f".to_owned()], "<Prefix>b/</Prefix>".to_owned())
    );
    let after = bench.s3_get(&keys, "/data?list-type=2&start-after=b%2Fc%2Fd").await;
    assert_eq!(after.elements("Key"), ["e f", "z"]);
    let wrong = bench.s3_get(&keys, "/data?list-type=2&continuation-token=%21").await;
    assert_eq!(wrong.refusal(), (400, "InvalidArgument".to_owned()));
    assert_eq!(bench.s3_get(&keys, "/nothere?list-type=2").await.refusal(), (404, "NoSuchBucket".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_in_parts_becomes_one_file_and_an_aborted_one_none() {
    let (bench, keys) = bench().await;
    let mount = bench.mount("default", "a");
    let begun = bench.s3_post(&keys, "/data/big?uploads=", b"").await;
    let id = begun.element("UploadId");
    let part = async |number: u32, bytes: &[u8]| {
        let put = bench.s3_put(&keys, &format!("/data/big?partNumber={number}&uploadId={id}"), bytes).await;
        assert_eq!(put.status, 200, "{}", put.text());
        put.header("etag").to_owned()
    };
    let first = vec![1; 5 * MIB];
    let tags = [part(1, &first).await, part(2, &[2; 100]).await, part(3, b"end").await];
    let listed = bench.s3_get(&keys, &format!("/data/big?max-parts=2&uploadId={id}")).await;
    assert_eq!(
        (listed.elements("PartNumber"), listed.element("IsTruncated")),
        (vec!["1".to_owned(), "2".to_owned()], "true".to_owned())
    );
    assert!(!mount.join("p/data/big").exists());
    let complete = async |parts: &[usize]| {
        let part = |at: &usize| {
            format!("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", at + 1, tags[*at].replace('"', "&quot;"))
        };
        let parts: String = parts.iter().map(part).collect();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        bench.s3_post(&keys, &format!("/data/big?uploadId={id}"), body.as_bytes()).await
    };
    assert_eq!(complete(&[0, 1, 2]).await.refusal(), (400, "EntityTooSmall".to_owned()));
    assert_eq!(complete(&[2, 0]).await.refusal(), (400, "InvalidPartOrder".to_owned()));
    let done = complete(&[0, 2]).await;
    assert!(done.status == 200 && done.element("ETag").contains("-2"), "{}", done.text());
    let bytes = fs::read(mount.join("p/data/big")).unwrap();
    assert!(bytes.len() == 5 * MIB + 3 && bytes.starts_with(&first) && bytes.ends_with(b"end"));
    assert_eq!(complete(&[0, 2]).await.refusal(), (404, "NoSuchUpload".to_owned()));

    let id = bench.s3_post(&keys, "/data/other?uploads=", b"").await.element("UploadId");
    let path = format!("/data/other?partNumber=1&uploadId={id}");
    assert_eq!(bench.s3_put(&keys, &path, b"x").await.status, 200);
    let outside = format!("/data/other?partNumber=10001&uploadId={id}");
    assert_eq!(bench.s3_put(&keys, &outside, b"x").await.refusal(), (400, "InvalidArgument".to_owned()));
    assert_eq!(bench.s3_delete(&keys, &format!("/data/other?uploadId={id}")).await.status, 204);
    assert_eq!(bench.s3_put(&keys, &path, b"x").await.refusal(), (404, "NoSuchUpload".to_owned()));
    assert!(!mount.join("p/data/other").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_stops_parts_and_the_completion() {
    let bench = Bench::with_s3().await;
    bench.dir_with_quota("default", "/q", 6 * MIB as u64).await;
    bench.bucket_over("data", "default", "/q").await;
    let keys = bench.s3_user("alice", (0, 0), json!("readwrite")).await;
    let id = bench.s3_post(&keys, "/data/big?uploads=", b"").await.element("UploadId");
    let put = async |number: u32, len: usize| {
        bench.s3_put(&keys, &format!("/data/big?partNumber={number}&uploadId={id}"), &vec![1; len]).await
    };
    let tag = put(1, 5 * MIB).await.header("etag").replace('"', "");
    assert_eq!(put(2, 2 * MIB).await.refusal(), (403, "QuotaExceeded".to_owned()));
    bench.control().write_file(None, "default", "/q/other", &vec![0; 2 * MIB]).unwrap();
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
    );
    let complete = async || bench.s3_post(&keys, &format!("/data/big?uploadId={id}"), body.as_bytes()).await;
    assert_eq!(complete().await.refusal(), (403, "QuotaExceeded".to_owned()));
    bench.control().remove(None, "default", "/q/other").unwrap();
    assert_eq!(complete().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_keep_bytes_and_metadata_also_between_filesystems_and_many_go_at_once() {
    let (bench, keys) = bench().await;
    bench.bucket_over("other", "gpuaas-fs", "/o").await;
    let bytes = vec![9; 200_000];
    let headers = [("x-amz-meta-a", "1"), ("content-type", "text/x")];
    bench.ask(Some(&keys), Method::PUT, "/data/from", &headers, &bytes).await;
    let copy = async |to: &str, more: &[(&str, &str)]| {
        let mut headers = vec![("x-amz-copy-source", "/data/from")];
        headers.extend(more);
        bench.ask(Some(&keys), Method::PUT, to, &headers, b"").await
    };
    assert_eq!(copy("/data/to", &[]).await.status, 200);
    assert_eq!(copy("/other/to", &[("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-b", "2")]).await.status, 200);
    assert_eq!(copy("/data/from", &[]).await.refusal(), (400, "InvalidRequest".to_owned()));
    bench.control().write_file(None, "default", "/p/data/from", b"changed").unwrap();
    let (same, far) = (bench.s3_get(&keys, "/data/to").await, bench.s3_get(&keys, "/other/to").await);
    assert!(same.body == bytes && far.body == bytes);
    assert_eq!((same.header("x-amz-meta-a"), same.header("content-type")), ("1", "text/x"));
    assert_eq!((far.header("x-amz-meta-a"), far.header("x-amz-meta-b")), ("", "2"));

    let body = "<Delete><Object><Key>to</Key></Object><Object><Key>from</Key></Object><Object><Key>none</Key></Object></Delete>";
    let md5 = STANDARD.encode(md5_of(body));
    let headers = [("content-md5", md5.as_str())];
    let gone = bench.ask(Some(&keys), Method::POST, "/data?delete=", &headers, body.as_bytes()).await;
    assert_eq!((gone.status, gone.elements("Key")), (200, vec!["to".to_owned(), "from".to_owned(), "none".to_owned()]));
    assert_eq!(bench.s3_get(&keys, "/data").await.elements("Key"), Vec::<String>::new());
}

fn md5_of(text: &str) -> [u8; 16] {
    use s3s::crypto::Checksum as _;
    s3s::crypto::Md5::checksum(text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_other_than_the_signed_ones_change_nothing() {
    let (bench, keys) = bench().await;
    let url = bench.s3("/data/f");
    let signed = keys.signed("s3", &Method::PUT, &url, &[], b"the signed bytes");
    let mut request = bench.client.put(&url).body("some other bytes");
    for (name, value) in signed {
        request = request.header(name, value);
    }
    let refused = crate::s3_client::answer_of(request).await;
    assert_eq!(refused.refusal(), (400, "XAmzContentSHA256Mismatch".to_owned()));
    assert_eq!(bench.s3_get(&keys, "/data/f").await.refusal(), (404, "NoSuchKey".to_owned()));
}
