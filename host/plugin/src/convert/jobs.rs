//! States of native jobs.

use super::{Breach, FromGuest, Reader, exports, port};

impl FromGuest<exports::jobs::Status> for port::JobStatus {
    fn from_guest(answer: exports::jobs::Status, reader: &Reader<'_>) -> Result<Self, Breach> {
        use exports::jobs::Status;
        Ok(match answer {
            Status::Running(job) => Self::Running(port::Job::from_guest(job, reader)?),
            Status::Ended => Self::Ended,
            Status::Failed(error) => Self::Failed(port::Error::from_guest(error, reader)?),
            Status::Other(text) => Self::Other(reader.text(text)),
        })
    }
}
