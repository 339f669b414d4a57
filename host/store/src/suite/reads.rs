//! Reading.

use super::*;

pub async fn a_value_reads_back_with_the_version_of_its_commit(site: Arc<Site>) {
    let store = site.open();
    let first = store.commit(writes([put("a", "1")])).await.unwrap();
    let second = store.commit(writes([put("b", "2")])).await.unwrap();
    let a = store.get(b"a").await.unwrap().unwrap();
    let b = store.get(b"b").await.unwrap().unwrap();
    assert_eq!((a.value, a.version), (key("1"), first));
    assert_eq!((b.value, b.version), (key("2"), second));
    assert!(second > first);
    assert_eq!(store.version(), second);
}

pub async fn an_absent_key_is_none_and_not_an_error(site: Arc<Site>) {
    let store = site.open();
    assert_eq!(store.get(b"a").await.unwrap(), None);
    assert_eq!(store.get(b"").await.unwrap(), None);
    assert_eq!(store.version(), Version(0));
}

pub async fn a_scan_is_ordered_by_bytes_and_keeps_to_its_range_and_limit(site: Arc<Site>) {
    let store = site.open();
    let keys: [&[u8]; 7] = [b"\0", b"a", b"a\0", b"a\0\xff", b"a\x01", b"b", b"\xfe\xff"];
    for shuffled in [3, 0, 6, 1, 5, 2, 4] {
        let write = Write::Put(Bytes::from_static(keys[shuffled]), key("x"));
        store.commit(writes([write])).await.unwrap();
    }
    let scan = async |range: KeyRange, limit| {
        let rows = store.scan(range, limit).await.unwrap();
        rows.into_iter().map(|(key, _)| key.to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(scan(KeyRange::prefix(b""), 100).await, keys.map(<[u8]>::to_vec));
    assert_eq!(scan(KeyRange::prefix(b""), 3).await, keys[..3].iter().map(|key| key.to_vec()).collect::<Vec<_>>());
    assert_eq!(scan(KeyRange::prefix(b"a"), 100).await, keys[1..5].iter().map(|key| key.to_vec()).collect::<Vec<_>>());
    let to_b = KeyRange { start: key("a\0"), end: key("b") };
    assert_eq!(scan(to_b, 100).await, keys[2..5].iter().map(|key| key.to_vec()).collect::<Vec<_>>());
    assert_eq!(scan(KeyRange::prefix(b""), 0).await, Vec::<Vec<u8>>::new());
}

pub async fn pages_neither_repeat_nor_skip(site: Arc<Site>) {
    let store = site.open();
    let name = |n: usize| format!("row/{n:03}");
    for chunk in (0..250).collect::<Vec<_>>().chunks(Commit::MAX_WRITES) {
        store.commit(writes(chunk.iter().map(|n| put(&name(*n), "x")))).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut range = KeyRange::prefix(b"row/");
    loop {
        let page = store.scan(range.clone(), 7).await.unwrap();
        let Some((last, _)) = page.last() else { break };
        // A row before the cursor goes and one comes; neither may disturb the pages after it.
        store.commit(writes([delete(&name(0)), put("row/", "x")])).await.unwrap();
        range = range.after(last);
        seen.extend(page.into_iter().map(|(key, _)| key));
    }
    assert_eq!(seen, (0..250).map(|n| key(&name(n))).collect::<Vec<_>>());
}

pub async fn an_empty_or_inverted_range_holds_nothing(site: Arc<Site>) {
    let store = site.open();
    store.commit(writes([put("b", "1")])).await.unwrap();
    for (start, end) in [("b", "b"), ("c", "a"), ("", "")] {
        let range = KeyRange { start: key(start), end: key(end) };
        assert_eq!(store.scan(range.clone(), 10).await.unwrap(), vec![]);
        let check = when([Precondition::EmptyRange(range)], []);
        assert_eq!(store.commit(check).await, Ok(Version(1)));
    }
}

pub async fn large_values_and_empty_values_read_back(site: Arc<Site>) {
    let site_ref = &site;
    let sizes = [0usize, 1, 4 << 10, 100 << 10, 1 << 20];
    let content = |size: usize| Bytes::from((0..size).map(|at| (at * 31 % 251) as u8).collect::<Vec<_>>());
    let check = async |store: &Arc<dyn Store>| {
        for size in sizes {
            let row = store.get(format!("size/{size}").as_bytes()).await.unwrap().unwrap();
            assert_eq!(row.value, content(size), "{size} bytes");
        }
        assert_eq!(store.scan(KeyRange::prefix(b"size/"), 100).await.unwrap().len(), sizes.len());
    };
    let store = site_ref.open();
    for size in sizes {
        store.commit(writes([Write::Put(key(&format!("size/{size}")), content(size))])).await.unwrap();
    }
    check(&store).await;
    store.close().await.unwrap();
    drop(store);
    check(&site_ref.open()).await;
}
