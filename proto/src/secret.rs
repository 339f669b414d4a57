//! `Debug` of the messages that carry a secret: everything but the secret.
//!
//! A derived `Debug` would put join tokens, mount secrets and keys into any log line that prints a message.

use std::fmt;

use crate::v1::{CreateNodeResponse, CredentialKeys, JoinNodeRequest, JoinNodeResponse, RedeemMountSecretResponse};

const HIDDEN: &str = "[secret]";

impl fmt::Debug for CreateNodeResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateNodeResponse")
            .field("node", &self.node)
            .field("join_token", &HIDDEN)
            .field("join_token_expire_time", &self.join_token_expire_time)
            .finish()
    }
}

impl fmt::Debug for CredentialKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialKeys")
            .field("credential", &self.credential)
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &HIDDEN)
            .field("session_token", &HIDDEN)
            .field("expire_time", &self.expire_time)
            .finish()
    }
}

impl fmt::Debug for JoinNodeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinNodeRequest")
            .field("name", &self.name)
            .field("join_token", &HIDDEN)
            .field("join_nonce", &HIDDEN)
            .field("agent_version", &self.agent_version)
            .finish()
    }
}

impl fmt::Debug for JoinNodeResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinNodeResponse")
            .field("node", &self.node)
            .field("node_token", &HIDDEN)
            .field("report_interval", &self.report_interval)
            .finish()
    }
}

impl fmt::Debug for RedeemMountSecretResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedeemMountSecretResponse")
            .field("value", &HIDDEN)
            .field("expire_time", &self.expire_time)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use prost_reflect::{FieldDescriptor, Value};

    use super::*;
    use crate::descriptors;

    /// `google.protobuf.FieldOptions.debug_redact`, by name where the library's own descriptors know it and by number else.
    fn redacted(field: &FieldDescriptor) -> bool {
        let options = field.options();
        options.get_field_by_name("debug_redact").is_some_and(|value| *value == Value::Bool(true))
            || options.unknown_fields().any(|unknown| unknown.number() == 16)
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = [
            format!("{:?}", CreateNodeResponse { join_token: "hunter2".to_owned(), ..Default::default() }),
            format!(
                "{:?}",
                JoinNodeRequest {
                    join_token: "hunter2".to_owned(),
                    join_nonce: "hunter2".to_owned(),
                    ..Default::default()
                }
            ),
            format!("{:?}", JoinNodeResponse { node_token: "hunter2".to_owned(), ..Default::default() }),
            format!(
                "{:?}",
                CredentialKeys {
                    secret_access_key: "hunter2".to_owned(),
                    session_token: "hunter2".to_owned(),
                    ..Default::default()
                }
            ),
            format!("{:?}", RedeemMountSecretResponse { value: b"hunter2".to_vec(), ..Default::default() }),
        ];
        for text in shown {
            assert!(!text.contains("hunter2") && !text.contains("104, 117"), "{text}");
            assert!(text.contains(HIDDEN), "{text}");
        }
    }

    /// A message with a new secret must be added to the build script's list and to this file.
    #[test]
    fn exactly_these_messages_carry_secrets() {
        let mut names: Vec<String> = descriptors()
            .all_messages()
            .filter(|message| message.fields().any(|field| redacted(&field)))
            .map(|message| message.name().to_owned())
            .collect();
        names.sort();
        let carriers = [
            "CreateNodeResponse",
            "CredentialKeys",
            "JoinNodeRequest",
            "JoinNodeResponse",
            "RedeemMountSecretResponse",
        ];
        assert_eq!(names, carriers);
    }
}
