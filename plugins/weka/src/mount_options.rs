//! Mount options of the wekafs client: which of them a provider or a class may set, and which shut each other out.
//!
//! Options that give rights (`suid`, `dev`), choose the mode (`ro`, `rw`) or carry a secret (`token`) are not here: the
//! node forces the first, the plan's mode decides the second, and the third travels by handle. Those of the client's own
//! set-up (`net`, `num_cores`, `container_name`) come from fields of their own, never from a class.

use std::collections::BTreeMap;

/// What follows the `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing.
    Flag,
    /// A decimal number.
    Number,
    /// An octal mask.
    Octal,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// Who may set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// A storage class as well as the provider: what matters to a user's workload.
    Class,
    /// The provider's configuration alone: what matters to the node.
    Provider,
}

/// Options by name [WEKA user guide, mount command options].
const OPTIONS: &[(&str, Form, By)] = &[
    ("acl", Form::Flag, By::Provider),
    ("connect_timeout_secs", Form::Number, By::Provider),
    ("dedicated_mode", Form::Word(&["full", "none"]), By::Provider),
    ("dentry_max_age_negative", Form::Number, By::Class),
    ("dentry_max_age_positive", Form::Number, By::Class),
    ("directory_create_mask", Form::Octal, By::Class),
    ("file_create_mask", Form::Octal, By::Class),
    ("forcedirect", Form::Flag, By::Class),
    ("inode_bits", Form::Word(&["32", "64", "auto"]), By::Provider),
    ("join_timeout_secs", Form::Number, By::Provider),
    ("memory_mb", Form::Number, By::Provider),
    ("noatime", Form::Flag, By::Class),
    ("noexec", Form::Flag, By::Class),
    ("nosync_on_close", Form::Flag, By::Class),
    ("obs_direct", Form::Flag, By::Class),
    ("qos_max_ops", Form::Number, By::Provider),
    ("qos_max_throughput_mbps", Form::Number, By::Provider),
    ("qos_preferred_throughput_mbps", Form::Number, By::Provider),
    ("readahead_kb", Form::Number, By::Class),
    ("readcache", Form::Flag, By::Class),
    ("relatime", Form::Flag, By::Class),
    ("relatime_threshold", Form::Number, By::Class),
    ("remove_after_secs", Form::Number, By::Provider),
    ("response_timeout_secs", Form::Number, By::Provider),
    ("restricted", Form::Flag, By::Provider),
    ("strictatime", Form::Flag, By::Class),
    ("sync_on_close", Form::Flag, By::Class),
    ("writecache", Form::Flag, By::Class),
];

/// At most one of each group.
const EXCLUSIVE: [&[&str]; 3] = [
    &["readcache", "writecache", "forcedirect"],
    &["sync_on_close", "nosync_on_close"],
    &["relatime", "noatime", "strictatime"],
];

/// What is wrong with a provider's options: the key and the fix.
pub(crate) fn problems(options: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let mut problems: Vec<_> =
        options.iter().filter_map(|(key, value)| Some((key.clone(), problem(key, value, By::Provider)?))).collect();
    problems.extend(conflicts(options));
    problems
}

/// Lays a class's options over the provider's; a class's choice within an exclusive group replaces the provider's.
pub(crate) fn merge(
    provider: &BTreeMap<String, String>,
    class: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Vec<(String, String)>> {
    let mut wrong: Vec<_> =
        class.iter().filter_map(|(key, value)| Some((key.clone(), problem(key, value, By::Class)?))).collect();
    wrong.extend(conflicts(class));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let replaced = |key: &str| {
        EXCLUSIVE.iter().any(|group| group.contains(&key) && group.iter().any(|other| class.contains_key(*other)))
    };
    let mut merged: BTreeMap<_, _> =
        provider.iter().filter(|(key, _)| !replaced(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
    merged.extend(class.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(merged)
}

fn problem(key: &str, value: &str, asked_by: By) -> Option<String> {
    let Some((_, form, by)) = OPTIONS.iter().find(|(name, ..)| *name == key) else {
        return Some("is not an option that a plan may set".to_owned());
    };
    if asked_by == By::Class && *by == By::Provider {
        return Some("is the provider's to set, not a class's".to_owned());
    }
    let (fits, expected) = match form {
        Form::Flag => (value.is_empty(), "no value".to_owned()),
        Form::Number => (!value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()), "a decimal number".to_owned()),
        Form::Octal => (u16::from_str_radix(value, 8).is_ok_and(|mask| mask <= 0o7777), "an octal mask".to_owned()),
        Form::Word(words) => (words.contains(&value), format!("one of {}", words.join(", "))),
    };
    (!fits).then(|| format!("takes {expected}"))
}

fn conflicts(options: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let both = |group: &&[&'static str]| {
        let set: Vec<&str> = group.iter().copied().filter(|key| options.contains_key(*key)).collect();
        (set.len() > 1).then(|| (set.join(","), "shut each other out: keep one".to_owned()))
    };
    EXCLUSIVE.iter().filter_map(both).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn rights_modes_secrets_and_unknown_options_are_refused() {
        for key in ["suid", "dev", "ro", "rw", "token", "auth_token_path", "net", "num_cores", "bind", "x"] {
            assert_eq!(problems(&options(&[(key, "")])).len(), 1, "{key}");
        }
    }

    #[test]
    fn values_have_the_options_form() {
        for (key, good, bad) in [
            ("readcache", "", "1"),
            ("readahead_kb", "32768", "much"),
            ("file_create_mask", "0777", "999"),
            ("inode_bits", "auto", "16"),
        ] {
            assert!(problems(&options(&[(key, good)])).is_empty(), "{key}");
            assert_eq!(problems(&options(&[(key, bad)])).len(), 1, "{key}");
        }
    }

    #[test]
    fn cache_modes_shut_each_other_out() {
        assert_eq!(problems(&options(&[("readcache", ""), ("forcedirect", "")])).len(), 1);
    }

    #[test]
    fn a_class_replaces_the_providers_choice_of_the_same_group_and_no_other() {
        let provider = options(&[("writecache", ""), ("noatime", "")]);
        let merged = merge(&provider, &options(&[("readcache", "")])).unwrap();
        assert_eq!(merged, options(&[("noatime", ""), ("readcache", "")]));
    }

    #[test]
    fn a_class_may_not_set_what_is_the_providers() {
        assert_eq!(merge(&BTreeMap::new(), &options(&[("memory_mb", "9")])).unwrap_err().len(), 1);
    }

    #[test]
    fn the_table_is_sorted_and_its_groups_exist() {
        assert!(OPTIONS.is_sorted_by_key(|(name, ..)| *name));
        let names: Vec<_> = OPTIONS.iter().map(|(name, ..)| *name).collect();
        assert!(EXCLUSIVE.iter().flat_map(|group| group.iter()).all(|name| names.contains(name)));
    }
}
