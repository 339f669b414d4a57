//! Faults on demand: which request fails, how, from which matching call on and how often.
//!
//! A rule names a fault, and may name a method and a path pattern (`*` is one path segment, a trailing `**` is the
//! rest). It strikes on the REST API, or with `port: s3` on the S3 port, where the path is `/<bucket>/<key>`. It skips the first `skip` matching requests and then strikes `count` times (no count: until removed). Faults of
//! the wire are applied by the server around the handler; faults of behaviour are asked for by the handler.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

macro_rules! faults {
    ($($(#[doc = $about:literal])+ $name:ident = $wire:literal,)+) => {
        /// What goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Fault {
            $($(#[doc = $about])+ $name,)+
        }

        impl Fault {
            /// Every fault.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// What it does.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($about),+).trim_ascii(),)+ }
            }

            /// Whether the server applies it around any handler; the others change what certain handlers do.
            pub fn is_of_the_wire(self) -> bool {
                match self { $(Self::$name => $wire,)+ }
            }
        }
    };
}

faults! {
    /// Answers 401 without running the request, as after a session was lost.
    Unauthorized = true,
    /// Answers 403 "User has been locked out for 2 minutes".
    LockedOut = true,
    /// Answers `status` (default 500) with `body` if given, without running the request.
    Status = true,
    /// Answers 429.
    TooManyRequests = true,
    /// Answers 503.
    Unavailable = true,
    /// Answers 400 CannotStartOperationTooManyTasks.
    TooManyTasks = true,
    /// Resets the connection before the request runs.
    ResetBefore = true,
    /// Runs the request, then resets the connection: the answer is lost.
    ResetAfter = true,
    /// Never answers; holds the connection for `delay_ms` (default 600000), then resets it. The request does not run.
    HangBefore = true,
    /// Runs the request, then never answers, as `hang_before`.
    HangAfter = true,
    /// Waits `delay_ms` (default 1000) before it runs the request.
    Slow = true,
    /// Sends the body in pieces, `delay_ms` (default 50) apart.
    SlowBody = true,
    /// Runs the request and cuts the body in the middle.
    Truncated = true,
    /// Answers 200 with text that is not JSON, without running the request.
    Junk = true,
    /// Runs the request and answers 200 with an empty body.
    EmptyBody = true,
    /// Login answers a list of one object, as one page of the documents shows.
    LoginList = false,
    /// A new filesystem stays CREATING for ever.
    StuckCreating = false,
    /// A deleted filesystem stays REMOVING for ever.
    StuckRemoving = false,
    /// A new quota stays ADDING for ever.
    QuotaStuckAdding = false,
    /// A new quota ends in ERROR.
    QuotaError = false,
    /// Quota PUT answers another inode_id than the one asked for (WEKAPP-240948).
    QuotaOtherInode = false,
    /// DELETE answers 200 and removes nothing.
    DeleteIgnored = false,
    /// Lists are those of the time when the rule was set, unless asked with force_fresh=true.
    StaleList = false,
    /// Creating or growing a filesystem finds no capacity.
    CapacityExhausted = false,
    /// Creating an organization finds its table full.
    OrganizationTableFull = false,
    /// Another client creates the same filesystem just before this request.
    LostCreateRace = false,
    /// Issuing a temporary S3 credential finds the table of live ones full.
    StsTableFull = false,
}

/// The side that a rule strikes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Port {
    /// The REST API.
    #[default]
    Rest,
    /// The S3 protocol.
    S3,
}

/// One rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Set by the emulator.
    #[serde(default)]
    pub id: u64,
    /// What goes wrong.
    pub fault: Fault,
    /// Where it strikes.
    #[serde(default)]
    pub port: Port,
    /// Only this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only this path, without `/api/v2`: `/fileSystems/*/quota/*`, `/s3/**`.
    #[serde(default)]
    pub path: Option<String>,
    /// Only requests that came in on this one of several listeners, counted from 0.
    #[serde(default)]
    pub endpoint: Option<usize>,
    /// Matching requests to let pass first.
    #[serde(default)]
    pub skip: u64,
    /// Times to strike; absent: for ever.
    #[serde(default)]
    pub count: Option<u64>,
    /// Strike every n-th matching request only (after `skip`).
    #[serde(default)]
    pub every: Option<u64>,
    /// For `status`.
    #[serde(default)]
    pub status: Option<u16>,
    /// For `status`.
    #[serde(default)]
    pub body: Option<Value>,
    /// For the faults that wait.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// Matching requests so far.
    #[serde(default)]
    pub seen: u64,
    /// Times it struck.
    #[serde(default)]
    pub struck: u64,
}

impl Rule {
    /// A rule that strikes every request until removed.
    pub fn new(fault: Fault) -> Self {
        Self {
            id: 0,
            fault,
            port: Port::Rest,
            method: None,
            path: None,
            endpoint: None,
            skip: 0,
            count: None,
            every: None,
            status: None,
            body: None,
            delay_ms: None,
            seen: 0,
            struck: 0,
        }
    }

    /// Only requests with this method and path.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    /// Strikes on the S3 port.
    #[must_use]
    pub fn of_s3(mut self) -> Self {
        self.port = Port::S3;
        self
    }

    /// Lets the first matching requests pass.
    #[must_use]
    pub fn skip(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// Strikes so many times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    fn matches(&self, request: &Current) -> bool {
        let Current { port, method, path, endpoint } = request;
        let endpoint_fits = self.endpoint.is_none_or(|wanted| wanted == *endpoint);
        let method_fits = self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        self.port == *port
            && endpoint_fits
            && method_fits
            && self.path.as_ref().is_none_or(|pattern| path_fits(pattern, path))
    }

    /// Counts a matching request and says whether it strikes.
    fn strikes(&mut self) -> bool {
        self.seen = self.seen.saturating_add(1);
        let after_skip = self.seen.saturating_sub(self.skip);
        let turn = self.every.is_none_or(|every| after_skip.is_multiple_of(every.max(1)));
        let left = self.count.is_none_or(|count| self.struck < count);
        let strikes = self.seen > self.skip && turn && left;
        if strikes {
            self.struck = self.struck.saturating_add(1);
        }
        strikes
    }
}

fn path_fits(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        match (wanted, segments.next()) {
            ("**", _) => return true,
            ("*", Some(segment)) if !segment.is_empty() => {}
            (wanted, Some(segment)) if wanted == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    next_id: u64,
    current: Current,
}

/// The request that is running.
#[derive(Debug, Default)]
struct Current {
    port: Port,
    method: String,
    path: String,
    endpoint: usize,
}

impl Faults {
    /// Adds a rule and answers its id.
    pub(crate) fn add(&mut self, mut rule: Rule) -> u64 {
        self.next_id = self.next_id.saturating_add(1);
        rule.id = self.next_id;
        self.rules.push(rule);
        self.next_id
    }

    /// Removes one rule; whether it was there.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.id != id);
        self.rules.len() != before
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Begins a request and answers the first fault of the wire that strikes it.
    pub(crate) fn begin(&mut self, endpoint: usize, method: &str, path: &str) -> Option<Rule> {
        self.current = Current { port: Port::Rest, method: method.to_owned(), path: path.to_owned(), endpoint };
        self.strike(|fault| fault.is_of_the_wire())
    }

    /// As [`Self::begin`], for a request on the S3 port.
    pub(crate) fn begin_s3(&mut self, method: &str, path: &str) -> Option<Rule> {
        self.enter_s3(method, path);
        self.strike(|fault| fault.is_of_the_wire())
    }

    /// Says again which S3 request is running: others may have begun since it did.
    pub(crate) fn enter_s3(&mut self, method: &str, path: &str) {
        self.current = Current { port: Port::S3, method: method.to_owned(), path: path.to_owned(), endpoint: 0 };
    }

    /// Whether a fault of behaviour strikes the request that is running.
    pub(crate) fn strikes(&mut self, fault: Fault) -> bool {
        self.strike(|kind| kind == fault).is_some()
    }

    fn strike(&mut self, wanted: impl Fn(Fault) -> bool) -> Option<Rule> {
        let current = &self.current;
        let mut struck = None;
        for rule in self.rules.iter_mut().filter(|rule| wanted(rule.fault) && rule.matches(current)) {
            if struck.is_none() && rule.strikes() {
                struck = Some(rule.clone());
            }
        }
        struck
    }
}

/// Every fault with its meaning.
pub(crate) fn kinds() -> Value {
    let row = |fault: &Fault| json!({ "fault": fault, "about": fault.about(), "wire": fault.is_of_the_wire() });
    Fault::ALL.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_paths() {
        assert!(path_fits("/fileSystems/*/quota/*", "/fileSystems/a/quota/7"));
        assert!(!path_fits("/fileSystems/*", "/fileSystems/a/quota"));
        assert!(!path_fits("/fileSystems/*/quota", "/fileSystems/a"));
        assert!(path_fits("/s3/**", "/s3/buckets/b/policy"));
        assert!(path_fits("/s3", "/s3") && !path_fits("/s3", "/s3/buckets"));
    }

    #[test]
    fn a_rule_skips_then_strikes_its_count() {
        let mut faults = Faults::default();
        faults.add(Rule::new(Fault::Unauthorized).on("GET", "/cluster").skip(1).times(2));
        let hits: Vec<bool> = (0..5).map(|_| faults.begin(0, "GET", "/cluster").is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert!(faults.begin(0, "POST", "/cluster").is_none());
    }

    #[test]
    fn every_nth_request_can_be_struck() {
        let mut faults = Faults::default();
        faults.add(Rule { every: Some(3), ..Rule::new(Fault::Unavailable) });
        let hits: Vec<bool> = (0..6).map(|_| faults.begin(0, "GET", "/x").is_some()).collect();
        assert_eq!(hits, [false, false, true, false, false, true]);
    }
}
