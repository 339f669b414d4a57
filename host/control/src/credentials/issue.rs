//! Issuing: decide, count, ask, answer. The count is durable before the provider is asked, the record before the answer.

use std::time::Duration;

use stowage_audit::Outcome;
use stowage_domain::{
    Actions, CredentialId, CredentialName, Millis, NamespaceName, Prefix, ProjectName, UnixMillis, WorkloadName,
};
use stowage_ports::provider::{self as port, NativeRef};
use stowage_store::Transaction;

use super::{
    Credential, CredentialKind, CredentialState, Keys, Parent,
    ask::{Answer, Asked, lost},
    count::{give_back_one, take},
    keys::sealed_name,
    plan::{Plan, check},
    record::SETTLE,
    rows::{index_credential, set_due},
};
use crate::{
    Caller, Control, ControlError, Result, Stored, WriteOptions, ids,
    rows::{Reads, Request, Writes},
};

/// How long a client that names its request may ask for the same answer again.
pub(super) const REPEATABLE: Millis = Millis(5 * 60_000);

/// A credential to issue.
#[derive(Debug, Clone)]
pub struct IssueCredential {
    /// To whom.
    pub project: ProjectName,
    /// For what.
    pub namespace: NamespaceName,
    /// Below which prefix; empty for the whole namespace.
    pub prefix: Prefix,
    /// What.
    pub actions: Actions,
    /// The workload that owns it.
    pub workload: Option<WorkloadName>,
    /// How long it lives.
    pub kind: CredentialKind,
    /// For how many seconds; `None` for an hour, or less where the grants end before.
    pub ttl: Option<u64>,
}

/// An issued credential.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Its record.
    pub credential: Credential,
    /// What its client needs; `None` when it was only validated.
    pub keys: Option<Keys>,
}

impl Control {
    /// Issues a credential for one prefix, never wider than the grants.
    ///
    /// # Errors
    /// `CREDENTIAL_NOT_GRANTED` with the missing actions or the narrower prefixes; the reason of a provider that is not
    /// ready, such as `S3_NOT_ENABLED`; `PROTOCOL_NOT_ENABLED`, `POLICY_TOO_LARGE`, `SESSIONS_EXHAUSTED`,
    /// `SERVICE_ACCOUNTS_EXHAUSTED`, `WORKLOAD_RELEASED`, `GRANT_ENDS_TOO_SOON`; `CREDENTIAL_ANSWER_LOST` when it may have
    /// been issued and nobody has its secret; `CREDENTIAL_SHOWN` for a late repeat; wrong fields.
    pub async fn issue_credential(
        &self,
        caller: &Caller,
        command: IssueCredential,
        options: WriteOptions,
    ) -> Result<Issued> {
        caller.may_touch(&command.project)?;
        check(&command, &options)?;
        let request = Request::new(caller, &options, "issue-credential", &command, self.now())?;
        let _turn = match &options.request_id {
            Some(id) => Some(self.turns.take(&format!("{} {id}", caller.identity.subject)).await),
            None => None,
        };
        let before = match request.answered(&self.tables).await? {
            Some(name) => Some(self.tables.read::<Credential>(&CredentialName::parse(&name)?).await?),
            None => None,
        };
        if let Some(answered) = self.answer_again(before.as_ref()).await? {
            return Ok(answered);
        }
        let plan = self.plan_credential(caller, &command).await?;
        if options.validate_only {
            let mut credential = self.draft_credential(&command, &plan)?;
            take(&self.tables, &mut Transaction::new(), &mut credential, plan.bounds).await?;
            return Ok(Issued { credential: Credential { keys: 0, ..credential }, keys: None });
        }
        let parent = self
            .ensure_parent(caller, &command.namespace.project_name().parent(&plan.namespace.value.provider))
            .await?;
        let (credential, asked) = self.intend_credential(caller, &command, &request, before, parent).await?;
        let answer = self.ask_for(caller, &credential.value, asked).await;
        self.settle_issue(caller, &options, &credential, answer).await
    }

    /// What a repeated request is answered with, if the first was carried out.
    async fn answer_again(&self, before: Option<&Stored<Credential>>) -> Result<Option<Issued>> {
        let Some(Stored { value, .. }) = before else { return Ok(None) };
        match value.state_at(self.now()) {
            CredentialState::Issuing | CredentialState::Failed => Ok(None),
            CredentialState::Live => {
                let keys = self.open(value).await?;
                Ok(Some(Issued { credential: value.clone(), keys: Some(keys) }))
            }
            CredentialState::Expired | CredentialState::Revoked => {
                let what = "it has ended: ask for another with a new request id";
                Err(ControlError::precondition("CREDENTIAL_ENDED", &value.name, what))
            }
        }
    }

    /// The record of a credential that nobody has asked the provider for yet.
    fn draft_credential(&self, command: &IssueCredential, plan: &Plan) -> Result<Credential> {
        let now = self.now();
        let uid = ids::uid();
        Ok(Credential {
            name: command.project.credential(CredentialId::parse(&ids::chosen("c"))?),
            owner: format!("stw-{}", ids::digest(20, &[&self.config.installation, &uid])),
            uid,
            namespace: command.namespace.clone(),
            provider: plan.namespace.value.provider.clone(),
            bucket: plan.bucket.clone(),
            prefix: command.prefix.clone(),
            actions: command.actions.clone(),
            workload: command.workload.clone(),
            kind: command.kind,
            state: CredentialState::Issuing,
            state_reason: String::new(),
            grants: plan.access.grants.clone(),
            attempts: 0,
            asked_at: now,
            keys: 0,
            native: None,
            access_key_id: String::new(),
            endpoint: String::new(),
            region: String::new(),
            secret: None,
            token: None,
            expires_at: plan.ttl.map(|ttl| ends(now, ttl)),
            due_at: None,
            operation: None,
            created_at: now,
            revoked_at: None,
            updated_at: now,
        })
    }

    /// Counts one more key and writes down that it is asked for, in one commit with the audit entry.
    async fn intend_credential(
        &self,
        caller: &Caller,
        command: &IssueCredential,
        request: &Request,
        before: Option<Stored<Credential>>,
        mut parent: Stored<Parent>,
    ) -> Result<(Stored<Credential>, Asked)> {
        // Inside a process they would only take each other's commits away.
        let _turn = self.turns.take(&format!("count {}", parent.value.name.provider_name())).await;
        let before = match before {
            Some(before) => self.tables.find::<Credential>(&before.value.name).await?,
            None => None,
        };
        loop {
            let plan = self.plan_credential(caller, command).await?;
            let Some(native) = parent.value.usable() else {
                parent = self.ensure_parent(caller, &parent.value.name).await?;
                continue;
            };
            let now = self.now();
            let mut change = Transaction::new();
            let draft = self.draft_credential(command, &plan)?;
            let mut credential = match &before {
                Some(before) => again(before.value.clone(), &draft),
                None => draft,
            };
            take(&self.tables, &mut change, &mut credential, plan.bounds).await?;
            credential.state = CredentialState::Issuing;
            credential.attempts += 1;
            credential.asked_at = now;
            credential.updated_at = now;
            let due = credential.expires_at.unwrap_or_else(|| now.plus(SETTLE));
            set_due(&mut change, &mut credential, Some(due));
            match &before {
                Some(before) => change.update(&credential, before.version),
                None => {
                    change.insert(&credential);
                    request.claim(&mut change, &credential.name);
                }
            }
            index_credential(&mut change, before.as_ref().map(|before| &before.value), &credential);
            change.unchanged(&parent);
            self.hold_to(&plan, command, &mut change).await?;
            self.audit(&mut change, caller, "storage.credential.issue", &credential.name, Outcome::Accepted, "");
            match change.commit(&self.tables).await {
                Ok(version) => {
                    self.ends.notify_one();
                    let asked = Asked {
                        parent: native,
                        principal: parent.value.principal,
                        document: plan.document,
                        ttl: plan.ttl,
                    };
                    return Ok((Stored { value: credential, version }, asked));
                }
                Err(error) if error.is_conflict() => {
                    if let Some(before) = &before
                        && self.tables.read::<Credential>(&before.value.name).await?.version != before.version
                    {
                        return Err(error.into());
                    }
                    parent = self.ensure_parent(caller, &parent.value.name).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes down what came of it, then answers.
    async fn settle_issue(
        &self,
        caller: &Caller,
        options: &WriteOptions,
        stored: &Stored<Credential>,
        answer: Answer,
    ) -> Result<Issued> {
        let (mut credential, mut change) = (stored.value.clone(), Transaction::new());
        let outcome = match answer {
            Answer::Issued(issued) => self.accept(&mut credential, &issued).await,
            Answer::Refused(error) => {
                let reason = error.to_string();
                credential.keys -= 1;
                if credential.keys == 0 {
                    self.close(&mut credential, CredentialState::Failed, &reason, &mut change);
                } else {
                    credential.state_reason = reason;
                }
                give_back_one(&self.tables, &mut change, &credential).await?;
                Err(error)
            }
            Answer::Lost(error) => {
                credential.state_reason = error.to_string();
                Err(error)
            }
        };
        if outcome.is_ok() {
            // Without a request id nobody can ask again and the values go at once; what a crash leaves goes then, too.
            let forget = self.now().plus(REPEATABLE);
            let due = match credential.expires_at {
                Some(end) if options.request_id.is_some() => end.min(forget),
                Some(end) => end,
                None => forget,
            };
            set_due(&mut change, &mut credential, Some(due));
        }
        credential.updated_at = self.now();
        change.update(&credential, stored.version);
        let told = if outcome.is_ok() { Outcome::Done } else { Outcome::Failed };
        self.audit(&mut change, caller, "storage.credential.issue", &credential.name, told, "");
        match change.commit(&self.tables).await {
            Ok(_) => self.ends.notify_one(),
            Err(error) if error.is_conflict() => {
                // It was revoked meanwhile, by itself or with its parent: whoever does that waits for what may come.
                self.forget_sealed(&mut credential).await?;
                let what = "it was ended while it was being issued";
                return Err(ControlError::precondition("CREDENTIAL_ENDED", &credential.name, what));
            }
            Err(error) => return Err(error.into()),
        }
        let keys = outcome?;
        if options.request_id.is_none()
            && let Err(error) = self.forget_sealed(&mut credential.clone()).await
        {
            tracing::warn!(credential = %credential.name, %error, "a shown secret could not be deleted yet");
        }
        Ok(Issued { credential, keys: Some(keys) })
    }

    /// Takes the provider's answer over, and opens it.
    async fn accept(&self, credential: &mut Credential, issued: &port::Issued) -> Result<Keys> {
        let port::Credential::AccessKey(pair) = &issued.credential else {
            return Err(lost(credential, "it answered another kind of credential"));
        };
        if issued.owner != credential.owner
            || issued.native.0.is_empty()
            || issued.native.0.len() > NativeRef::MAX_BYTES
        {
            return Err(lost(credential, "its answer is not of this request"));
        }
        credential.native = Some(issued.native.0.clone());
        credential.access_key_id.clone_from(&pair.id);
        credential.endpoint.clone_from(&issued.endpoint);
        credential.region.clone_from(&issued.region);
        for handle in [Some(&pair.secret), pair.token.as_ref()].into_iter().flatten() {
            sealed_name(&credential.provider, handle)?;
        }
        credential.secret = Some(pair.secret.clone());
        credential.token.clone_from(&pair.token);
        if credential.kind == CredentialKind::Temporary {
            // What was counted before may end later than this one.
            credential.expires_at = credential.expires_at.max(pair.expires_at.map(UnixMillis));
        }
        let keys = self.open(credential).await?;
        credential.state = CredentialState::Live;
        credential.state_reason.clear();
        Ok(keys)
    }
}

/// The same credential, asked for once more.
fn again(before: Credential, draft: &Credential) -> Credential {
    Credential {
        expires_at: before.expires_at.max(draft.expires_at),
        grants: draft.grants.clone(),
        bucket: draft.bucket.clone(),
        state_reason: String::new(),
        ..before
    }
}

fn ends(now: UnixMillis, ttl: Duration) -> UnixMillis {
    now.plus(Millis(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)))
}
