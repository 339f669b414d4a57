//! Native jobs: each poll is one step nearer to the end.

use stowage_provider_sdk::prelude::*;

use crate::{Fake, config::Config, demand::JobEnd, gate::JobRecord, state};

fn key(handle: &[u8]) -> Result<String> {
    Ok(format!("job/{}", state::text(handle, "handle")?))
}

impl Jobs for Fake {
    fn poll(handle: Vec<u8>) -> Result<Status> {
        let config = Config::read()?;
        Self::ask(&config, "jobs.poll", &[])?;
        let key = key(&handle)?;
        if host::kv::get(&key)?.is_none() {
            return Err(error::not_found("the job"));
        }
        let record = state::change::<JobRecord, JobRecord>(&key, |found| {
            let mut record = found.ok_or_else(|| error::not_found("the job"))?;
            record.polls_left = record.polls_left.saturating_sub(1);
            Ok((record.clone(), record))
        })?;
        if record.polls_left > 0 {
            return Ok(Status::Running(Job { handle, poll_after_ms: config.poll_after_ms, expected_ms: None }));
        }
        Ok(match record.end {
            JobEnd::Ended => Status::Ended,
            JobEnd::Failed(error) => Status::Failed(*error),
            JobEnd::Other(word) => Status::Other(word),
        })
    }

    fn cancel(handle: Vec<u8>) -> Result<()> {
        Self::ask(&Config::read()?, "jobs.cancel", &[])?;
        host::kv::delete(&key(&handle)?, None)?;
        Ok(())
    }
}
