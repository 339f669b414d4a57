//! Usage of many namespaces in one call of the port, against the emulator's own time for the pages that this takes.
//!
//! The bare client asks for the same pages on a kept connection and looks into none of them. So the ratio holds all that
//! reading costs: the host's parser and masks, and the guest's own parser in the sandbox.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use stowage_ports::provider::{NativeRef, PageRequest, Provider, Usages};
use tokio::task::JoinSet;

use super::bound::{self, context};
use super::made::MemorySecrets;
use crate::emulator::Emulator;
use crate::measure::Setting;
use crate::report::{Figure, Target};
use crate::rounds::{Pace, Subject, round};

pub(in crate::measure) const FIGURES: [&str; 4] =
    ["weka_usage_10k", "weka_usage_10k_exchanges", "weka_usage_10k_guest_cpu", "weka_usage_10k_connections"];

const NEAR_THE_BACKEND: Target = Target::AtMost(1.3);
const ONE_AND_ITS_PAGES: Target = Target::AtMost(1.0);
/// Rows of a page: ten pages for ten thousand namespaces.
const PAGES: usize = 10;
/// Namespaces that are prepared at a time.
const AT_ONCE: usize = 8;

pub(in crate::measure) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let namespaces = setting.plan.namespaces;
    let emulator = Arc::new(Emulator::start("live-4.4.22", &setting.scratch, None).await?);
    let token = emulator.log_in().await?;
    let filesystem = emulator.filesystem(&token).await?;
    prepare(&emulator, &token, &filesystem, namespaces).await?;
    let page = json!({ "quota_page_rows": namespaces / PAGES });
    emulator.admin(Method::PATCH, "/admin/switches", &page).await?;

    let provider = bound::bind(&emulator, MemorySecrets::default()).await?;
    let natives = list(provider.as_ref()).await?;
    ensure!(natives.len() == namespaces, "{} of {namespaces} namespaces are listed", natives.len());
    emulator.forget_requests().await?;
    let called = provider.read_usage(&context(), &natives, &[]).await?;
    let seen = emulator.requests().await?.len();
    ensure!(u32::try_from(seen) == Ok(called.receipt.exchanges), "{seen} requests came of {:?}", called.receipt);

    let urls = pages(&emulator, &token, &filesystem).await?;
    ensure!(urls.len() == PAGES, "{} pages instead of {PAGES}", urls.len());
    let bare: Arc<dyn Subject> = Arc::new(Bare { emulator: Arc::clone(&emulator), token, urls });
    let reading: Arc<dyn Subject> = Arc::new(Reading { provider, natives });
    let before = emulator.connections().await?;
    let (mut readings, mut answers) = (Vec::new(), Vec::new());
    for turn in 0..=setting.plan.rounds {
        let read = round(setting.plan.span, 1, &reading).await?;
        emulator.forget_requests().await?;
        let answered = round(setting.plan.span, 1, &bare).await?;
        emulator.forget_requests().await?;
        if turn > 0 {
            readings.push(read);
            answers.push(answered);
        }
    }
    let connections = emulator.connections().await? - before;
    let (read, answered) = (Pace::median(&readings), Pace::median(&answers));
    let exchanges = f64::from(called.receipt.exchanges);
    Ok(vec![
        Figure::by("weka_usage_10k", read.p50 / 1e3, "ms", answered.p50 / 1e3).target(NEAR_THE_BACKEND),
        Figure::by("weka_usage_10k_exchanges", exchanges, "exchanges", (1 + PAGES) as f64).target(ONE_AND_ITS_PAGES),
        Figure::alone("weka_usage_10k_guest_cpu", called.receipt.cpu_ns as f64 / 1e6, "ms"),
        Figure::alone("weka_usage_10k_connections", connections as f64, "connections"),
    ])
}

/// Directories with quotas right beneath the adapter's root.
async fn prepare(emulator: &Arc<Emulator>, token: &str, filesystem: &str, count: usize) -> Result<()> {
    let mut makers = JoinSet::new();
    for first in 0..AT_ONCE {
        let (emulator, token, filesystem) = (Arc::clone(emulator), token.to_owned(), filesystem.to_owned());
        makers.spawn(async move {
            for number in (first..count).step_by(AT_ONCE) {
                let inode = emulator.make_directory(&format!("/stowage/bench000-n{number:09}")).await?;
                let quota = json!({ "hard_limit_bytes": 1_u64 << 30, "soft_limit_bytes": 0, "grace_seconds": 0 });
                let path = format!("/fileSystems/{filesystem}/quota/{inode}");
                emulator.call(&token, Method::PUT, &path, &quota).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(made) = makers.join_next().await {
        made??;
    }
    Ok(())
}

/// References to all namespaces.
async fn list(provider: &dyn Provider) -> Result<Vec<NativeRef>> {
    let mut natives = Vec::new();
    let mut page = PageRequest { cursor: None, limit: 1000 };
    loop {
        let listed = provider.list_namespaces(&context(), &page).await?.value;
        natives.extend(listed.items.into_iter().map(|state| state.native));
        match listed.next {
            Some(next) => page.cursor = Some(next),
            None => return Ok(natives),
        }
    }
}

/// Where each page of the list of quotas is.
async fn pages(emulator: &Emulator, token: &str, filesystem: &str) -> Result<Vec<String>> {
    let path = format!("/fileSystems/{filesystem}/quota");
    let mut asked = path.clone();
    let mut urls = Vec::new();
    loop {
        let page = emulator.call(token, Method::GET, &asked, &Value::Null).await?;
        urls.push(format!("{}/api/v2{asked}", emulator.rest));
        match page.get("next_token") {
            None | Some(Value::Null) => return Ok(urls),
            Some(next) => asked = format!("{path}?next_token={next}"),
        }
    }
}

/// One call of the port for all.
struct Reading {
    provider: Arc<dyn Provider>,
    natives: Vec<NativeRef>,
}

#[async_trait]
impl Subject for Reading {
    async fn once(&self) -> Result<()> {
        match self.provider.read_usage(&context(), &self.natives, &[]).await?.value {
            Usages::Done(read) => {
                ensure!(read.len() == self.natives.len() && read.iter().all(Result::is_ok), "{read:?}")
            }
            other => bail!("{other:?}"),
        }
        Ok(())
    }
}

/// The same pages, and nobody reads them.
struct Bare {
    emulator: Arc<Emulator>,
    token: String,
    urls: Vec<String>,
}

#[async_trait]
impl Subject for Bare {
    async fn once(&self) -> Result<()> {
        for url in &self.urls {
            let answer = self.emulator.client.get(url).bearer_auth(&self.token).send().await?;
            answer.error_for_status()?.bytes().await?;
        }
        Ok(())
    }
}
