//! The shape of every change.

use super::{Breach, FromGuest, Reader, ToGuest, port, wit};

impl ToGuest<wit::Call> for port::Call {
    fn to_guest(&self) -> wit::Call {
        wit::Call {
            owner: self.owner.clone(),
            attempt: self.attempt,
            node_results: self.node_results.to_guest(),
            extensions: self.extensions.clone(),
        }
    }
}

impl ToGuest<wit::NodeResult> for port::NodeResult {
    fn to_guest(&self) -> wit::NodeResult {
        wit::NodeResult { id: self.id.clone(), values: self.values.clone(), error: self.error.clone() }
    }
}

impl ToGuest<Vec<u8>> for port::NativeRef {
    fn to_guest(&self) -> Vec<u8> {
        self.0.clone()
    }
}

impl FromGuest<Vec<u8>> for port::NativeRef {
    fn from_guest(answer: Vec<u8>, reader: &Reader<'_>) -> Result<Self, Breach> {
        reader.native("ref", answer)
    }
}

impl ToGuest<wit::PageRequest> for port::PageRequest {
    fn to_guest(&self) -> wit::PageRequest {
        wit::PageRequest { cursor: self.cursor.clone(), limit: self.limit }
    }
}

impl FromGuest<wit::Job> for port::Job {
    fn from_guest(answer: wit::Job, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            handle: reader.handle("job.handle", answer.handle)?,
            poll_after_ms: answer.poll_after_ms,
            expected_ms: answer.expected_ms,
        })
    }
}

impl FromGuest<wit::Progress> for port::Progress {
    fn from_guest(answer: wit::Progress, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(match answer {
            wit::Progress::Done(native) => Self::Done(reader.native("done", native)?),
            wit::Progress::Pending(job) => Self::Pending(port::Job::from_guest(job, reader)?),
            wit::Progress::NeedsNode(work) => Self::NeedsNode(port::NodeWork::from_guest(work, reader)?),
            wit::Progress::Partial(partial) => Self::Partial {
                native: reader.native("partial.ref", partial.ref_)?,
                remaining: reader.texts(partial.remaining),
            },
            wit::Progress::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<wit::NodeWork> for port::NodeWork {
    fn from_guest(answer: wit::NodeWork, reader: &Reader<'_>) -> Result<Self, Breach> {
        let work = Self {
            source: port::MountSource::from_guest(answer.source, reader)?,
            steps: Vec::from_guest(answer.steps, reader)?,
        };
        let mut ids: Vec<&str> = work.steps.iter().map(|step| step.id.as_str()).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(Breach { field: "needs-node.steps", problem: "have the same id twice".to_owned() });
        }
        Ok(work)
    }
}

impl FromGuest<wit::NodeStep> for port::NodeStep {
    fn from_guest(answer: wit::NodeStep, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            id: reader.id("needs-node.steps.id", answer.id)?,
            verb: reader.id("needs-node.steps.verb", answer.verb)?,
            path: reader.text(answer.path),
            args: reader.extensions(answer.args),
        })
    }
}
