//! Relative paths: the operator's, which are plain, and a tenant's, which may have any name that a file may have.

/// Longest path that is taken.
const LONGEST: usize = 1024;

/// Directories beneath a filesystem's root or a namespace's that belong to the node's agent.
const AGENTS: [&str; 2] = [".stowage-trash", ".stowage-owner"];

/// Whether a relative path stays beneath its root and has no name that cannot be.
pub(crate) fn is_relative(path: &str) -> bool {
    let fits = |part: &str| {
        !part.is_empty()
            && part.len() <= 255
            && part != "."
            && part != ".."
            && !AGENTS.contains(&part)
            && !part.chars().any(|c| c.is_control() || c == '\\')
    };
    path.len() <= LONGEST && path.split('/').all(fits)
}

/// As [`is_relative`], of letters, digits, `-`, `_` and `.` only: what every shell, URL and mount line takes unquoted.
pub(crate) fn is_plain(path: &str) -> bool {
    is_relative(path) && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_climbs_hides_or_names_the_agents_directories() {
        for path in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            ".",
            "a/.",
            ".stowage-trash/x",
            "a/.stowage-owner",
            "a\0",
            "a\nb",
        ] {
            assert!(!is_relative(path), "{path:?}");
        }
        for path in ["a", "a/b", "my data/ä", ".hidden", "..a"] {
            assert!(is_relative(path), "{path:?}");
        }
        assert!(is_plain("a-b_c.d/e") && !is_plain("a b") && !is_plain("ä"));
    }
}
