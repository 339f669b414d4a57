//! Asking the provider for a credential: once, with every outcome sorted into issued, refused and lost.

use std::time::Duration;

use stowage_policy::Document;
use stowage_ports::provider::{
    self as port, Call, CallContext, CredentialRequest, ErrorKind, Issue, JobStatus, KeyRequest, NativeRef, Policy,
    Provider,
};

use super::Credential;
use crate::{Caller, Control, ControlError, Status};

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the provider is asked with.
pub(super) struct Asked {
    pub(super) parent: NativeRef,
    pub(super) principal: String,
    pub(super) document: Document,
    pub(super) ttl: Option<Duration>,
}

/// What became of the provider's answer.
pub(super) enum Answer {
    /// It was issued.
    Issued(Box<port::Issued>),
    /// Nothing was issued.
    Refused(ControlError),
    /// Something may have been.
    Lost(ControlError),
}

impl Control {
    /// Asks the provider, and waits for a job of its own. Nothing is asked twice.
    pub(super) async fn ask_for(&self, caller: &Caller, credential: &Credential, asked: Asked) -> Answer {
        let provider = match self.provider(&credential.provider).await {
            Ok(provider) => provider,
            Err(error) => return Answer::Refused(error),
        };
        let parent_secret = Some(format!("made/{}/{}", credential.provider.provider, asked.principal));
        let (principal, policy) = (asked.parent, Policy::IamJson(asked.document.into_bytes()));
        let request = match asked.ttl {
            Some(ttl) => CredentialRequest::Session {
                principal,
                parent_secret,
                session_name: credential.name.credential.to_string(),
                policy,
                ttl_s: u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX),
            },
            None => CredentialRequest::AccessKey(KeyRequest {
                principal,
                parent_secret,
                policy: Some(policy),
                expires_at: None,
            }),
        };
        let call = Call { owner: credential.owner.clone(), attempt: credential.attempts, ..Call::default() };
        let cx = CallContext { request_id: caller.call_id.clone(), deadline: Some(PATIENCE), safe_only: false };
        let asked = self.ask_until_issued(provider.as_ref(), &cx, &call, &request, credential);
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(answer) => answer,
            Err(_) => Answer::Lost(lost(credential, "it took longer than 60 s")),
        }
    }

    async fn ask_until_issued(
        &self,
        provider: &dyn Provider,
        cx: &CallContext,
        call: &Call,
        request: &CredentialRequest,
        credential: &Credential,
    ) -> Answer {
        loop {
            let answer = self.guard_at(&credential.provider, provider.issue_credential(cx, call, request)).await;
            let failure = match answer.map(|called| called.value) {
                Ok(Issue::Issued(issued)) => return Answer::Issued(Box::new(issued)),
                Ok(Issue::Pending(job)) => {
                    if let Err(answer) = self.follow_job(provider, cx, job, credential).await {
                        return answer;
                    }
                    continue;
                }
                Ok(Issue::NeedsNode(_)) => {
                    let message =
                        format!("{} needs a node to issue a credential, which it must not", credential.provider);
                    return Answer::Refused(ControlError::new(Status::Unimplemented, "CREDENTIAL_NEEDS_NODE", message));
                }
                Ok(Issue::Other(word)) => {
                    return Answer::Lost(lost(
                        credential,
                        &format!("it answered {word:?}, which this host does not know"),
                    ));
                }
                Err(failure) => failure,
            };
            return match failure.error.kind {
                ErrorKind::Ambiguous | ErrorKind::Internal | ErrorKind::Other(_) | ErrorKind::AlreadyExists => {
                    Answer::Lost(lost(credential, &failure.error.message))
                }
                _ => Answer::Refused(ControlError::provider(&credential.provider, &failure.error)),
            };
        }
    }

    async fn follow_job(
        &self,
        provider: &dyn Provider,
        cx: &CallContext,
        mut job: port::Job,
        credential: &Credential,
    ) -> std::result::Result<(), Answer> {
        loop {
            tokio::time::sleep(Duration::from_millis(u64::from(job.poll_after_ms).clamp(20, 5000))).await;
            match self
                .guard_at(&credential.provider, provider.poll_job(cx, &job.handle))
                .await
                .map(|called| called.value)
            {
                Ok(JobStatus::Running(next)) => job = next,
                Ok(JobStatus::Ended) => return Ok(()),
                Ok(JobStatus::Failed(error)) => return Err(Answer::Lost(lost(credential, &error.message))),
                Ok(JobStatus::Other(word)) => return Err(Answer::Lost(lost(credential, &word))),
                Err(failure) if failure.error.kind == ErrorKind::NotFound => return Ok(()),
                Err(failure) => return Err(Answer::Lost(lost(credential, &failure.error.message))),
            }
        }
    }
}

/// Nobody has the secret of what may have been issued.
pub(super) fn lost(credential: &Credential, why: &str) -> ControlError {
    let until = match credential.expires_at {
        Some(end) => format!("it counts as live until {} ms", end.0),
        None => "the host looks for it and ends it".to_owned(),
    };
    let message = format!(
        "{}: whether {} issued it is not known ({why}); {until}. Repeating the request issues and counts another",
        credential.name, credential.provider
    );
    ControlError::new(Status::Unavailable, "CREDENTIAL_ANSWER_LOST", message).with("credential", &credential.name)
}
