//! Lists: everything once, and an end.

use std::collections::BTreeSet;

use stowage_ports::provider::PageRequest;

use super::{Checked, holds, without};
use crate::{Broken, Subject};

/// Most pages of a list; a backend with more is not a disposable one.
const MAX_PAGES: u32 = 10_000;

pub(super) async fn namespaces(subject: &Subject<'_>) -> Checked {
    if !subject.exports("namespaces") {
        return without("namespaces");
    }
    let mut made = Vec::new();
    for tag in ["page-1", "page-2", "page-3"] {
        made.push(subject.make(tag).await?);
    }
    let mut page = PageRequest { cursor: None, limit: 1 };
    let mut seen = BTreeSet::new();
    let mut pages = 0;
    loop {
        let listed = subject.provider.list_namespaces(&subject.context(), &page).await;
        let listed = listed.map_err(|f| Broken(format!("list-page failed: {f}")))?.value;
        holds(listed.items.len() <= 1, || format!("asked for 1 item, got {}", listed.items.len()))?;
        for item in listed.items {
            let text = format!("{:?}", item.native);
            holds(seen.insert(item.native), || format!("{text} is listed twice"))?;
        }
        let Some(next) = listed.next else { break };
        page.cursor = Some(next);
        pages += 1;
        holds(pages < MAX_PAGES, || format!("the list does not end within {MAX_PAGES} pages"))?;
    }
    for namespace in &made {
        holds(seen.contains(&namespace.native), || format!("{:?} is not listed", namespace.native))?;
    }
    for namespace in made {
        subject.delete(&namespace.native, &namespace.spec.name).await?.done("delete")?;
    }
    Ok(None)
}
