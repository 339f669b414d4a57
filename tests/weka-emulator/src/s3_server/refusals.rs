//! What the tree refuses, as an S3 client reads it.
//!
//! Which code a directory quota becomes is written nowhere; the switches `s3_quota_code` and `s3_quota_status` decide.

use axum::http::StatusCode;
use rustix::io::Errno;
use s3s::{S3Error, S3ErrorCode};

use crate::switches::Switches;

/// An error whose code is not one of Amazon's.
pub(crate) fn custom(code: &str, status: u16, message: &str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.to_owned().into()), message.to_owned());
    error.set_status_code(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST));
    error
}

/// A refusal of the tree.
pub(crate) fn refused(errno: Errno, switches: &Switches) -> S3Error {
    match errno {
        Errno::NOENT => S3Error::new(S3ErrorCode::NoSuchKey),
        Errno::DQUOT => custom(
            &switches.s3_quota_code,
            switches.s3_quota_status,
            "The quota of the bucket's directory does not hold this object.",
        ),
        Errno::NOSPC => {
            custom("XMinioStorageFull", 507, "Storage backend has reached its minimum free drive threshold.")
        }
        Errno::NOTDIR => custom("XMinioParentIsObject", 400, "Object-prefix is already an object."),
        Errno::ISDIR => custom("XMinioObjectExistsAsDirectory", 409, "Object name already exists as a directory."),
        Errno::NOTEMPTY => S3Error::new(S3ErrorCode::BucketNotEmpty),
        Errno::NAMETOOLONG => S3Error::new(S3ErrorCode::KeyTooLongError),
        Errno::FBIG => S3Error::new(S3ErrorCode::EntityTooLarge),
        Errno::ROFS => S3Error::with_message(S3ErrorCode::AccessDenied, "The filesystem is read-only here."),
        other => S3Error::with_message(S3ErrorCode::InternalError, format!("the tree refused: {other}")),
    }
}
