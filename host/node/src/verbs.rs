//! The closed set of verbs that an adapter may ask of a node. Never a program.
//!
//! | verb | arguments | values |
//! |---|---|---|
//! | `make-directory` | `uid`, `gid`, `mode` (octal), `mark` | `inode`, `uid`, `gid`, `mode` |
//! | `remove-directory` | `mark`: only if the directory bears it | none |
//! | `stat` | none | `exists`, and if so `inode`, `uid`, `gid`, `mode`, `type`, `mark` |
//! | `create-subvolume` | as `make-directory`; the parent must be there | as `make-directory` |
//! | `remove-subvolume` | as `remove-directory` | none |
//! | `set-quota` | `bytes`; absent takes the limit away | as `read-quota` |
//! | `read-quota` | none | `used-bytes`, and `limit-bytes` if there is a limit |
//!
//! The last four need a root that is btrfs. `set-project-id` is in the contract and not on this node: it answers
//! `unsupported-verb`.

use crate::beneath::{Beneath, BeneathError, Facts, Ownership};
use crate::subvolume::{Quota, SubvolumeError, Subvolumes};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Unique within the work.
    pub id: String,
    /// The verb.
    pub verb: String,
    /// Relative to the root.
    pub path: String,
    /// Arguments.
    pub args: Vec<(String, String)>,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepResult {
    /// The step's id.
    pub id: String,
    /// What was read.
    pub values: Vec<(String, String)>,
    /// A stable code, a colon and a text; `None` when it worked.
    pub error: Option<String>,
}

/// Why a step did not work.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The verb is not in the closed set, or not on this node.
    #[error("unsupported-verb: {0:?} is not a verb that this node runs")]
    Verb(String),
    /// An argument is wrong.
    #[error("invalid-argument: `{name}` is {value:?}, expected {expected}")]
    Argument {
        /// Which.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// It failed beneath the root.
    #[error("{code}: {0}", code = code(.0))]
    Beneath(#[from] BeneathError),
    /// It failed on a subvolume.
    #[error("{code}: {0}", code = subvolume_code(.0))]
    Subvolume(#[from] SubvolumeError),
}

const fn subvolume_code(error: &SubvolumeError) -> &'static str {
    match error {
        SubvolumeError::Beneath(error) => code(error),
        SubvolumeError::NotASubvolume(_) => "not-a-subvolume",
        SubvolumeError::Program { .. } | SubvolumeError::Answer { .. } => "system",
    }
}

const fn code(error: &BeneathError) -> &'static str {
    match error {
        BeneathError::Path(_) | BeneathError::Escape(_) => "path-refused",
        BeneathError::Missing(_) => "not-found",
        BeneathError::ForeignMark { .. } => "foreign-mark",
        BeneathError::System { .. } => "system",
    }
}

/// Runs the steps in order; the first failure stops, and its result is the last.
#[must_use]
pub fn run(root: &Beneath, subvolumes: &Subvolumes, steps: &[Step]) -> Vec<StepResult> {
    let mut results = Vec::with_capacity(steps.len());
    for step in steps {
        let outcome = one(root, subvolumes, step);
        let failed = outcome.is_err();
        let (values, error) = match outcome {
            Ok(values) => (values, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        results.push(StepResult { id: step.id.clone(), values, error });
        if failed {
            break;
        }
    }
    results
}

fn one(root: &Beneath, subvolumes: &Subvolumes, step: &Step) -> Result<Vec<(String, String)>, StepError> {
    match step.verb.as_str() {
        "make-directory" => make(root, step),
        "create-subvolume" => {
            subvolumes.create(root, &step.path)?;
            make(root, step)
        }
        // An emptied subvolume goes like an emptied directory.
        "remove-directory" | "remove-subvolume" => {
            root.remove_directory(&step.path, argument(step, "mark"))?;
            Ok(Vec::new())
        }
        "stat" => {
            let Some(facts) = root.stat(&step.path)? else {
                return Ok(vec![("exists".to_owned(), "false".to_owned())]);
            };
            let kind = if facts.directory { "directory" } else { "file" };
            let mut seen = vec![("exists".to_owned(), "true".to_owned()), ("type".to_owned(), kind.to_owned())];
            seen.extend(values(&facts));
            if facts.directory
                && let Some(mark) = root.mark(&step.path)?
            {
                seen.push(("mark".to_owned(), mark));
            }
            Ok(seen)
        }
        "set-quota" => {
            if let Some(value) = argument(step, "inodes") {
                let expected = "nothing: btrfs limits bytes alone";
                return Err(StepError::Argument { name: "inodes", value: value.to_owned(), expected });
            }
            subvolumes.set_quota(root, &step.path, number(step, "bytes")?)?;
            Ok(quota(subvolumes.read_quota(root, &step.path)?))
        }
        "read-quota" => Ok(quota(subvolumes.read_quota(root, &step.path)?)),
        verb => Err(StepError::Verb(verb.to_owned())),
    }
}

fn quota(read: Quota) -> Vec<(String, String)> {
    let used = ("used-bytes".to_owned(), read.used.to_string());
    let limit = read.limit.map(|limit| ("limit-bytes".to_owned(), limit.to_string()));
    std::iter::once(used).chain(limit).collect()
}

/// Makes what the step asks for, with its mark and its owner.
fn make(root: &Beneath, step: &Step) -> Result<Vec<(String, String)>, StepError> {
    let ownership = Ownership { uid: number(step, "uid")?, gid: number(step, "gid")?, mode: mode(step)? };
    if let Some(mark) = argument(step, "mark") {
        // Marked before it is handed over, so that no crash leaves a directory of the tenant's without its owner.
        root.make_directory(&step.path, Ownership::default())?;
        root.put_mark(&step.path, mark)?;
    }
    Ok(values(&root.make_directory(&step.path, ownership)?))
}

fn values(facts: &Facts) -> Vec<(String, String)> {
    vec![
        ("inode".to_owned(), facts.inode.to_string()),
        ("uid".to_owned(), facts.uid.to_string()),
        ("gid".to_owned(), facts.gid.to_string()),
        ("mode".to_owned(), format!("{:04o}", facts.mode)),
    ]
}

fn argument<'a>(step: &'a Step, name: &str) -> Option<&'a str> {
    step.args.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn number<N: std::str::FromStr>(step: &Step, name: &'static str) -> Result<Option<N>, StepError> {
    argument(step, name)
        .map(|value| {
            let wrong = |_| StepError::Argument { name, value: value.to_owned(), expected: "a decimal number" };
            value.parse().map_err(wrong)
        })
        .transpose()
}

fn mode(step: &Step) -> Result<Option<u32>, StepError> {
    argument(step, "mode")
        .map(|value| {
            let wrong =
                || StepError::Argument { name: "mode", value: value.to_owned(), expected: "octal, at most 1777" };
            // Set-user-id and set-group-id bits are nobody's to ask for.
            u32::from_str_radix(value, 8).ok().filter(|mode| *mode <= 0o1777).ok_or_else(wrong)
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(root: &Beneath, steps: &[Step]) -> Vec<StepResult> {
        super::run(root, &Subvolumes::new("/usr/bin/btrfs".into()), steps)
    }

    fn step(id: &str, verb: &str, path: &str, args: &[(&str, &str)]) -> Step {
        let args = args.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Step { id: id.into(), verb: verb.into(), path: path.into(), args }
    }

    #[test]
    fn directories_are_made_marked_seen_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let root = Beneath::open(directory.path()).unwrap();
        let made = run(
            &root,
            &[
                step("1", "make-directory", "t/ns", &[("mode", "0770"), ("mark", "o1")]),
                step("2", "make-directory", "t/ns/shared", &[("mode", "0770")]),
                step("3", "stat", "t/ns", &[]),
            ],
        );
        assert!(made.iter().all(|result| result.error.is_none()), "{made:?}");
        let seen = made.last().unwrap();
        assert!(seen.values.contains(&("mark".to_owned(), "o1".to_owned())));
        assert!(seen.values.contains(&("mode".to_owned(), "0770".to_owned())));

        let removed =
            run(&root, &[step("1", "remove-directory", "t/ns", &[("mark", "o1")]), step("2", "stat", "t/ns", &[])]);
        assert!(removed.last().unwrap().values.contains(&("exists".to_owned(), "false".to_owned())));
    }

    #[test]
    fn the_first_failure_stops_the_rest_and_names_its_code() {
        let directory = tempfile::tempdir().unwrap();
        let root = Beneath::open(directory.path()).unwrap();
        for (bad, code) in [
            (step("1", "make-directory", "../../etc/x", &[]), "path-refused"),
            (step("1", "/bin/sh", "x", &[]), "unsupported-verb"),
            (step("1", "set-project-id", "x", &[]), "unsupported-verb"),
            (step("1", "set-quota", ".", &[]), "not-a-subvolume"),
            (step("1", "set-quota", "absent", &[]), "not-found"),
            (step("1", "make-directory", "x", &[("mode", "4755")]), "invalid-argument"),
            (step("1", "make-directory", "x", &[("uid", "root")]), "invalid-argument"),
        ] {
            let results = run(&root, &[bad, step("2", "make-directory", "after", &[])]);
            assert_eq!(results.len(), 1);
            let error = results[0].error.as_deref().unwrap();
            assert!(error.starts_with(code), "{error}");
            assert!(!directory.path().join("after").exists());
        }
    }
}
