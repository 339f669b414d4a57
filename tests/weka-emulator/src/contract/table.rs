//! Reading the table.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::shape::{Shape, Shapes};
use crate::release::{ALWAYS, Release};

/// The files of the table.
const FILES: &[(&str, &str)] = &[
    ("common.toml", include_str!("../../contract/common.toml")),
    ("login.toml", include_str!("../../contract/login.toml")),
    ("users.toml", include_str!("../../contract/users.toml")),
    ("organizations.toml", include_str!("../../contract/organizations.toml")),
    ("cluster.toml", include_str!("../../contract/cluster.toml")),
    ("containers.toml", include_str!("../../contract/containers.toml")),
    ("observing.toml", include_str!("../../contract/observing.toml")),
    ("filesystems.toml", include_str!("../../contract/filesystems.toml")),
    ("quotas.toml", include_str!("../../contract/quotas.toml")),
    ("snapshots.toml", include_str!("../../contract/snapshots.toml")),
    ("security.toml", include_str!("../../contract/security.toml")),
    ("s3.toml", include_str!("../../contract/s3.toml")),
];

/// The table cannot be read: a mistake in one of its files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("contract/{file}: {problem}")]
pub struct ContractError {
    /// Which file.
    pub file: String,
    /// What is wrong in it.
    pub problem: String,
}

/// Where a field of a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the query.
    Query,
    /// In the body.
    Body,
    /// In the query or in the body.
    Either,
}

/// A field of a request.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Whether a request without it is refused.
    pub required: bool,
    /// What it looks like.
    pub shape: Shape,
}

/// A way in which a route refuses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The statuses that it may come with.
    pub status: Vec<u16>,
    /// What its body contains, somewhere; empty when no source records it.
    #[serde(default)]
    pub says: String,
}

/// A request that a test sends, and its expected status. `$name` stands for an object that the test has made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Who calls: `admin` unless said otherwise.
    #[serde(default, rename = "as")]
    pub caller: Option<String>,
    /// What stands in the path's places.
    #[serde(default)]
    pub path: BTreeMap<String, String>,
    /// The query.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: Option<toml::Table>,
    /// The expected status; 200 unless said otherwise.
    #[serde(default)]
    pub status: Option<u16>,
    /// The first release that has the example's fields, when that is not the route's.
    #[serde(default)]
    pub release: Option<Release>,
}

/// One route.
#[derive(Clone, Debug)]
pub struct Route {
    /// HTTP method.
    pub method: String,
    /// With `{…}` for its places, without `/api/v2`.
    pub path: String,
    /// The first release that has it.
    pub since: [u32; 3],
    /// Roles that may call it; `None` when no token is needed.
    pub roles: Option<Vec<String>>,
    /// Its fields.
    pub parameters: Vec<Parameter>,
    /// What stands in the answer's `data`, or, if `bare`, the whole answer.
    pub answer: Shape,
    /// What stands beside `data`, when there is more.
    pub next_token: Option<Shape>,
    /// The answer has no envelope.
    pub bare: bool,
    /// How it refuses, beside the ways that every route has.
    pub refuses: Vec<String>,
    /// How and why it departs from the vendor's API description.
    pub deviates: Option<String>,
    /// What here is inferred, not observed or documented.
    pub inferred: Option<String>,
    /// The request that a test sends.
    pub example: Example,
}

/// The whole table.
#[derive(Clone, Debug)]
pub struct Contract {
    routes: Vec<Route>,
    shapes: Shapes,
    refusals: BTreeMap<String, Refusal>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    roles: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    shapes: toml::Table,
    #[serde(default)]
    refusals: BTreeMap<String, Refusal>,
    #[serde(default)]
    routes: BTreeMap<String, RouteText>,
    #[serde(default)]
    aliases: BTreeMap<String, Alias>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteText {
    #[serde(default)]
    since: Option<String>,
    roles: String,
    #[serde(default)]
    query: BTreeMap<String, String>,
    #[serde(default)]
    body: BTreeMap<String, String>,
    #[serde(default)]
    either: BTreeMap<String, String>,
    #[serde(default)]
    answer: Option<toml::Value>,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    bare: bool,
    #[serde(default)]
    refuses: Vec<String>,
    #[serde(default)]
    deviates: Option<String>,
    #[serde(default)]
    inferred: Option<String>,
    #[serde(default)]
    example: Example,
}

/// Routes that exist under a second name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alias {
    /// The first segment of the paths that are repeated.
    of: String,
    #[serde(default)]
    since: Option<String>,
    /// Fields with another name.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// How the repeated routes depart from the vendor's description.
    #[serde(default)]
    deviates: Option<String>,
    /// Routes that are not repeated.
    #[serde(default)]
    without: Vec<String>,
}

impl Contract {
    /// Reads the files and checks that they hang together.
    pub(super) fn read() -> Result<Self, ContractError> {
        let mut files = Vec::new();
        for (name, text) in FILES {
            let file: File = toml::from_str(text).map_err(|error| wrong(name, error.to_string()))?;
            files.push((*name, file));
        }
        let mut contract = Self { routes: Vec::new(), shapes: Shapes::new(), refusals: BTreeMap::new() };
        let mut roles = BTreeMap::new();
        for (name, file) in &mut files {
            roles.append(&mut file.roles);
            contract.refusals.append(&mut file.refusals);
            for (shape_name, text) in &file.shapes {
                let shape =
                    Shape::read(text).ok_or_else(|| wrong(name, format!("shape {shape_name} is unreadable")))?;
                contract.shapes.insert(shape_name.clone(), shape);
            }
        }
        for (name, file) in &files {
            for (head, text) in &file.routes {
                contract.routes.push(route(name, head, text, &roles)?);
            }
        }
        for (name, file) in &files {
            for (path, alias) in &file.aliases {
                let more = alias.routes(name, path, &contract.routes)?;
                contract.routes.extend(more);
            }
        }
        contract.check_names()?;
        Ok(contract)
    }

    fn check_names(&self) -> Result<(), ContractError> {
        let in_shapes = self.shapes.iter().flat_map(|(name, shape)| shape.names().into_iter().map(move |n| (name, n)));
        for (place, name) in in_shapes {
            self.shapes.get(name).ok_or_else(|| wrong("*", format!("shape {place} names {name}, which is none")))?;
        }
        for route in &self.routes {
            let head = format!("{} {}", route.method, route.path);
            let fields = route.parameters.iter().map(|field| &field.shape).chain([&route.answer]);
            for name in fields.flat_map(Shape::names) {
                self.shapes.get(name).ok_or_else(|| wrong("*", format!("{head} names {name}, which is no shape")))?;
            }
            for name in &route.refuses {
                self.refusals.get(name).ok_or_else(|| wrong("*", format!("{head} names no refusal: {name}")))?;
            }
        }
        Ok(())
    }

    /// Every route.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The refusal with this name.
    pub fn refusal(&self, name: &str) -> Option<&Refusal> {
        self.refusals.get(name)
    }

    pub(super) fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// The route of a request; of several that fit, the one with the most fixed segments.
    pub fn route(&self, method: &str, path: &str) -> Option<&Route> {
        let fixed = |route: &&Route| route.path.split('/').filter(|segment| !segment.starts_with('{')).count();
        let fits = |route: &&Route| route.method == method && path_fits(&route.path, path);
        self.routes.iter().filter(fits).max_by_key(fixed)
    }
}

fn path_fits(pattern: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    let segment_fits =
        |(wanted, given): (&&str, &&str)| wanted == given || (wanted.starts_with('{') && !given.is_empty());
    wanted.len() == given.len() && wanted.iter().zip(&given).all(segment_fits)
}

fn wrong(file: &str, problem: String) -> ContractError {
    ContractError { file: file.to_owned(), problem }
}

fn since_in(file: &str, text: Option<&str>) -> Result<[u32; 3], ContractError> {
    let Some(text) = text else { return Ok(ALWAYS) };
    let release: Release = text.parse().map_err(|error| wrong(file, format!("since {text}: {error}")))?;
    Ok(release.parts())
}

fn route(
    file: &str,
    head: &str,
    text: &RouteText,
    roles: &BTreeMap<String, Vec<String>>,
) -> Result<Route, ContractError> {
    let (method, path) = head.split_once(' ').ok_or_else(|| wrong(file, format!("{head} is no method and path")))?;
    let mut parameters = Vec::new();
    for (place, fields) in [(Place::Query, &text.query), (Place::Body, &text.body), (Place::Either, &text.either)] {
        for (name, word) in fields {
            let (word, required) = word.strip_suffix('!').map_or((word.as_str(), false), |word| (word, true));
            let shape = Shape::word(word).ok_or_else(|| wrong(file, format!("{head}: field {name} is unreadable")))?;
            parameters.push(Parameter { name: name.clone(), place, required, shape });
        }
    }
    let answer = match &text.answer {
        None => Some(Shape::Null),
        Some(text) => Shape::read(text),
    };
    let may_call = match text.roles.as_str() {
        "open" => None,
        set => Some(roles.get(set).cloned().ok_or_else(|| wrong(file, format!("{head}: no roles {set}")))?),
    };
    Ok(Route {
        method: method.to_owned(),
        path: path.to_owned(),
        since: since_in(file, text.since.as_deref())?,
        roles: may_call,
        parameters,
        answer: answer.ok_or_else(|| wrong(file, format!("{head}: the answer is unreadable")))?,
        next_token: text.next_token.as_deref().and_then(Shape::word),
        bare: text.bare,
        refuses: text.refuses.clone(),
        deviates: text.deviates.clone(),
        inferred: text.inferred.clone(),
        example: text.example.clone(),
    })
}

impl Alias {
    /// The routes that this alias adds.
    fn routes(&self, file: &str, path: &str, all: &[Route]) -> Result<Vec<Route>, ContractError> {
        let since = since_in(file, self.since.as_deref())?;
        let mut found = Vec::new();
        for original in all {
            let head = format!("{} {}", original.method, original.path);
            let Some(rest) = original.path.strip_prefix(&self.of) else { continue };
            if !(rest.is_empty() || rest.starts_with('/')) || self.without.contains(&head) {
                continue;
            }
            let mut route = original.clone();
            route.path = format!("{path}{rest}");
            route.since = route.since.max(since);
            route.deviates = route.deviates.or_else(|| self.deviates.clone());
            for field in &mut route.parameters {
                field.name = self.fields.get(&field.name).unwrap_or(&field.name).clone();
            }
            if let Some(body) = &mut route.example.body {
                let renamed = |(name, value)| (self.fields.get(&name).cloned().unwrap_or(name), value);
                *body = std::mem::take(body).into_iter().map(renamed).collect();
            }
            found.push(route);
        }
        if found.is_empty() {
            return Err(wrong(file, format!("alias {path} repeats nothing")));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_and_hangs_together() {
        let contract = Contract::read().unwrap();
        assert!(contract.routes().len() > 150);
    }

    #[test]
    fn a_fixed_segment_wins_over_a_place() {
        let contract = Contract::read().unwrap();
        assert_eq!(contract.route("GET", "/users/whoami").unwrap().path, "/users/whoami");
        assert_eq!(contract.route("PUT", "/users/password").unwrap().path, "/users/password");
        assert!(contract.route("GET", "/fileSystems/").is_none());
    }
}
