//! Object keys as paths: which key is which file.
//!
//! A key is the path beneath the bucket's directory. So a key has at most 1024 bytes, no leading slash and segments of
//! at most 255 bytes (documented limits), and no empty, `.` or `..` segment, because a directory cannot hold them. A
//! trailing slash means the directory itself. Counter-example: `a//b` is a fine key elsewhere and none here.

use s3s::{S3Error, S3ErrorCode, S3Result};

use super::refusals::custom;

/// Longest key in bytes (documented).
const LONGEST_KEY: usize = 1024;

/// Longest segment in bytes (documented).
const LONGEST_SEGMENT: usize = 255;

/// A key that can be a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    /// The directories above.
    pub(crate) above: Vec<&'a str>,
    /// The last segment.
    pub(crate) name: &'a str,
    /// Whether it ends in a slash.
    pub(crate) is_dir: bool,
}

impl<'a> Key<'a> {
    /// Reads a key.
    pub(crate) fn parse(key: &'a str) -> S3Result<Self> {
        if key.len() > LONGEST_KEY {
            return Err(S3Error::new(S3ErrorCode::KeyTooLongError));
        }
        let (path, is_dir) = match key.strip_suffix('/') {
            Some(path) => (path, true),
            None => (key, false),
        };
        let mut above: Vec<&str> = path.split('/').collect();
        let holds = |segment: &&str| {
            !segment.is_empty()
                && *segment != "."
                && *segment != ".."
                && segment.len() <= LONGEST_SEGMENT
                && !segment.contains('\0')
        };
        if !above.iter().all(holds) {
            // The code is MinIO's, which the S3 front end derives from.
            return Err(custom("XMinioInvalidObjectName", 400, "Object name contains unsupported characters."));
        }
        match above.pop() {
            Some(name) => Ok(Self { above, name, is_dir }),
            None => Err(S3Error::new(S3ErrorCode::InvalidArgument)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_a_directory_cannot_hold_are_refused() {
        let long = "x".repeat(256);
        let deep = "ab/".repeat(400);
        for key in ["", "/", "/a", "a//b", "a/./b", "../a", "a/..", "a\0b", long.as_str(), deep.as_str()] {
            assert!(Key::parse(key).is_err(), "{key:?}");
        }
    }

    #[test]
    fn a_trailing_slash_means_the_directory() {
        let key = Key::parse("a/b/c").unwrap();
        assert_eq!((key.above, key.name, key.is_dir), (vec!["a", "b"], "c", false));
        let key = Key::parse("dir/").unwrap();
        assert_eq!((key.above.len(), key.name, key.is_dir), (0, "dir", true));
    }
}
