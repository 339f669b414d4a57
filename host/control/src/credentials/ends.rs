//! What ends or is forgotten by itself. Each record says when the host looks at it next, and stands in the index of ends.

use stowage_domain::{CredentialName, UnixMillis};
use stowage_store::Transaction;

use super::{Credential, CredentialKind, CredentialState, count::give_back, rows::set_due};
use crate::{
    Caller, Control, Result, Stored,
    rows::{Reads, Writes},
};

impl Control {
    /// Does what is due for a credential at `at`; `false` when the entry of the index leads nowhere any more.
    pub(crate) async fn credential_due(&self, name: &CredentialName, at: UnixMillis) -> Result<bool> {
        let Some(Stored { value: mut credential, version }) = self.tables.find::<Credential>(name).await? else {
            return Ok(false);
        };
        if credential.due_at != Some(at) {
            return Ok(false);
        }
        let now = self.now();
        let mut change = Transaction::new();
        if credential.state.ended() {
            set_due(&mut change, &mut credential, None);
            change.remove::<Credential>(name, version);
            change.commit(&self.tables).await?;
            return Ok(true);
        }
        self.forget_sealed(&mut credential).await?;
        if credential.expires_at.is_some_and(|end| end <= now) {
            let reason = match credential.state {
                CredentialState::Issuing => "its answer was lost; whatever was issued has expired",
                _ => "",
            };
            self.close(&mut credential, CredentialState::Expired, reason, &mut change);
            give_back(&self.tables, &mut change, &mut credential).await?;
            change.update(&credential, version);
            change.commit(&self.tables).await?;
            return Ok(true);
        }
        if credential.kind == CredentialKind::ServiceAccount && credential.state == CredentialState::Issuing {
            // Nobody has its secret: what there is of it is ended.
            self.begin_revoke(&Caller::host(), Stored { value: credential, version }, None).await?;
            return Ok(true);
        }
        let end = credential.expires_at;
        set_due(&mut change, &mut credential, end);
        credential.updated_at = now;
        change.update(&credential, version);
        change.commit(&self.tables).await?;
        Ok(true)
    }
}
