//! The backend's own audit.

use stowage_ports::exchange::SecretRef;

use super::{Breach, FromGuest, Reader, ToGuest, exports, port, wit};

impl ToGuest<exports::audit::Target> for port::AuditTarget {
    fn to_guest(&self) -> exports::audit::Target {
        use exports::audit::{Push, Target};
        match self {
            Self::PushHttp { url, bearer } => Target::PushHttp(Push {
                url: url.clone(),
                bearer: bearer
                    .as_ref()
                    .map(|secret| wit::SecretRef { name: secret.name.clone(), field: secret.field.clone() }),
            }),
            Self::PushSyslog(address) => Target::PushSyslog(address.clone()),
            Self::PullLog => Target::PullLog,
            Self::None => Target::None,
            Self::Other(text) => Target::Other(text.clone()),
        }
    }
}

impl FromGuest<exports::audit::Target> for port::AuditTarget {
    fn from_guest(answer: exports::audit::Target, reader: &Reader<'_>) -> Result<Self, Breach> {
        use exports::audit::Target;
        Ok(match answer {
            Target::PushHttp(push) => Self::PushHttp {
                url: reader.text(push.url),
                bearer: push
                    .bearer
                    .map(|secret| SecretRef { name: reader.text(secret.name), field: reader.text(secret.field) }),
            },
            Target::PushSyslog(address) => Self::PushSyslog(reader.text(address)),
            Target::PullLog => Self::PullLog,
            Target::None => Self::None,
            Target::Other(text) => Self::Other(reader.text(text)),
        })
    }
}

impl FromGuest<exports::audit::Event> for port::AuditEvent {
    fn from_guest(answer: exports::audit::Event, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self {
            at: answer.at,
            id: reader.maybe(answer.id),
            operation: reader.text(answer.operation),
            namespace: reader.maybe(answer.namespace),
            object: reader.maybe(answer.object),
            status: answer.status,
            access_key: reader.maybe(answer.access_key),
            client: reader.maybe(answer.client),
            extensions: reader.extensions(answer.extensions),
        })
    }
}

impl FromGuest<exports::audit::Page> for port::AuditPage {
    fn from_guest(answer: exports::audit::Page, reader: &Reader<'_>) -> Result<Self, Breach> {
        Ok(Self { items: Vec::from_guest(answer.items, reader)?, next: reader.cursor(answer.next)?, gap: answer.gap })
    }
}
