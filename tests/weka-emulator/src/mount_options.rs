//! The grammar of `mount -t wekafs -o …` (documented for 4.4): which options exist, their values, and which exclude each
//! other.

/// What an option's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    Number,
    Octal,
    Text,
}

const OPTIONS: &[(&str, Takes)] = &[
    ("ro", Takes::Nothing),
    ("rw", Takes::Nothing),
    ("readcache", Takes::Nothing),
    ("writecache", Takes::Nothing),
    ("coherent", Takes::Nothing),
    ("forcedirect", Takes::Nothing),
    ("acl", Takes::Nothing),
    ("obs_direct", Takes::Nothing),
    ("sync", Takes::Nothing),
    ("async", Takes::Nothing),
    ("sync_on_close", Takes::Nothing),
    ("nosync_on_close", Takes::Nothing),
    ("relatime", Takes::Nothing),
    ("noatime", Takes::Nothing),
    ("strictatime", Takes::Nothing),
    ("relatime_threshold", Takes::Number),
    ("dentry_max_age_positive", Takes::Number),
    ("dentry_max_age_negative", Takes::Number),
    ("inode_bits", Takes::Text),
    ("nosuid", Takes::Nothing),
    ("suid", Takes::Nothing),
    ("nodev", Takes::Nothing),
    ("dev", Takes::Nothing),
    ("noexec", Takes::Nothing),
    ("exec", Takes::Nothing),
    ("file_create_mask", Takes::Octal),
    ("directory_create_mask", Takes::Octal),
    ("force_file_mode", Takes::Octal),
    ("force_directory_mode", Takes::Octal),
    ("readahead_kb", Takes::Number),
    ("num_cores", Takes::Number),
    ("core", Takes::Number),
    ("net", Takes::Text),
    ("memory_mb", Takes::Number),
    ("remove_after_secs", Takes::Number),
    ("auth_token_path", Takes::Text),
    ("token", Takes::Text),
    ("qos_preferred_throughput_mbps", Takes::Number),
    ("qos_max_throughput_mbps", Takes::Number),
    ("qos_max_ops", Takes::Number),
    ("connect_timeout_secs", Takes::Number),
    ("response_timeout_secs", Takes::Number),
    ("join_timeout_secs", Takes::Number),
    ("dedicated_mode", Takes::Text),
    ("restricted", Takes::Nothing),
    ("container_name", Takes::Text),
    ("verbose", Takes::Nothing),
    ("quiet", Takes::Nothing),
    ("traces_capacity_mb", Takes::Number),
    ("reserve_1g_hugepages", Takes::Text),
    ("dpdk_base_memory_mb", Takes::Number),
    ("weka_version", Takes::Text),
    ("_netdev", Takes::Nothing),
];

/// Of each group a mount may name one (CSI chart's default groups).
const EXCLUSIVE: &[&[&str]] =
    &[&["readcache", "writecache", "coherent", "forcedirect"], &["sync", "async"], &["ro", "rw"], &["suid", "nosuid"]];

/// The options of one mount, read and checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MountOptions {
    given: Vec<(String, Option<String>)>,
}

impl MountOptions {
    /// Reads `a,b=c`. The error is a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut given: Vec<(String, Option<String>)> = Vec::new();
        for option in text.split(',').map(str::trim).filter(|option| !option.is_empty()) {
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (option, None),
            };
            let takes = OPTIONS.iter().find(|(known, _)| *known == name).map(|(_, takes)| *takes);
            let Some(takes) = takes else { return Err(format!("unknown mount option {name}")) };
            check_value(name, takes, value)?;
            given.push((name.to_owned(), value.map(str::to_owned)));
        }
        let options = Self { given };
        for group in EXCLUSIVE {
            let named: Vec<&str> = group.iter().copied().filter(|name| options.has(name)).collect();
            if named.len() > 1 {
                return Err(format!("mount options {} exclude each other", named.join(" and ")));
            }
        }
        if options.value("num_cores") == Some("0") && options.value("net") != Some("udp") {
            return Err("num_cores=0 needs net=udp".to_owned());
        }
        if options.value("core") == Some("0") {
            return Err("core 0 belongs to the operating system".to_owned());
        }
        let removal = options.value("remove_after_secs").and_then(|value| value.parse::<u64>().ok());
        if removal.is_some_and(|secs| secs < 60) {
            return Err("remove_after_secs is less than 60".to_owned());
        }
        Ok(options)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| given == name).and_then(|(_, value)| value.as_deref())
    }

    /// The options as given, tokens blotted out.
    pub(crate) fn shown(&self) -> String {
        let show = |(name, value): &(String, Option<String>)| match value {
            Some(_) if name == "token" => "token=***".to_owned(),
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        };
        self.given.iter().map(show).collect::<Vec<_>>().join(",")
    }
}

fn check_value(name: &str, takes: Takes, value: Option<&str>) -> Result<(), String> {
    let fits = match (takes, value) {
        (Takes::Nothing, value) => value.is_none(),
        (_, None | Some("")) => false,
        (Takes::Number, Some(value)) => value.parse::<u64>().is_ok(),
        (Takes::Octal, Some(value)) => u32::from_str_radix(value, 8).is_ok(),
        (Takes::Text, Some(_)) => true,
    };
    if !fits {
        return Err(format!("mount option {name} has a wrong value"));
    }
    match (name, value) {
        ("inode_bits", Some(bits)) if !["32", "64", "auto"].contains(&bits) => {
            Err("inode_bits is 32, 64 or auto".to_owned())
        }
        ("dedicated_mode", Some(mode)) if !["full", "none"].contains(&mode) => {
            Err("dedicated_mode is full or none".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_options_are_read_and_others_refused() {
        let options = MountOptions::parse("rw,num_cores=1,net=udp,token=abc").unwrap();
        assert_eq!(options.value("net"), Some("udp"));
        assert_eq!(options.shown(), "rw,num_cores=1,net=udp,token=***");
        for wrong in [
            "rw,ro",
            "readcache,forcedirect",
            "num_cores=0",
            "num_cores=one",
            "core=0",
            "subdir=/a",
            "ro=yes",
            "remove_after_secs=59",
            "inode_bits=16",
            "file_create_mask=9",
            "token=",
        ] {
            assert!(MountOptions::parse(wrong).is_err(), "{wrong}");
        }
    }
}
