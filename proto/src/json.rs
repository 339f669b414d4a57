//! The contract's messages as canonical proto JSON: camelCase names, 64-bit numbers as text, times in RFC 3339.
//!
//! One rule for every face (CLI `-o json`, documents): it is what any other language's protobuf library would print.

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, SerializeOptions};

use crate::descriptors;

/// A message that couldn't be written as JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The message is of another contract.
    #[error("`{0}` is not a message of stowage.v1 or of what it imports")]
    UnknownMessage(String),
    /// The bytes of the message, or of one inside a `google.protobuf.Any`, can't be read.
    #[error("the message does not decode: {0}")]
    Decode(#[from] prost::DecodeError),
    /// A value has no JSON form.
    #[error("the message has no JSON form: {0}")]
    Write(#[from] serde_json::Error),
}

/// Writes a message as canonical proto JSON; fields with their default value are left out.
///
/// # Errors
///
/// When the message isn't of this contract, or holds an `Any` of an unknown type.
pub fn to_json<M: Message + Name>(message: &M) -> Result<serde_json::Value, JsonError> {
    let name = M::full_name();
    let descriptor = descriptors().get_message_by_name(&name).ok_or_else(|| JsonError::UnknownMessage(name.clone()))?;
    let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?;
    let options = SerializeOptions::new().stringify_64_bit_integers(true).skip_default_fields(true);
    Ok(dynamic.serialize_with_options(serde_json::value::Serializer, &options)?)
}

#[cfg(test)]
mod tests {
    use prost_types::{Any, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::v1::{Namespace, NamespaceState, Operation, Quota, operation};

    #[test]
    fn a_packed_response_is_written_with_its_type() {
        let namespace = Namespace {
            name: "tenants/t/projects/p/namespaces/n".to_owned(),
            state: NamespaceState::Ready.into(),
            quota: Some(Quota { hard_bytes: 1 << 60, ..Quota::default() }),
            create_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ..Namespace::default()
        };
        let operation = Operation {
            name: "operations/o".to_owned(),
            done: true,
            result: Some(operation::Result::Response(Any::from_msg(&namespace).unwrap())),
            ..Operation::default()
        };
        assert_eq!(
            to_json(&operation).unwrap(),
            json!({
                "name": "operations/o",
                "done": true,
                "response": {
                    "@type": "type.googleapis.com/stowage.v1.Namespace",
                    "name": "tenants/t/projects/p/namespaces/n",
                    "state": "NAMESPACE_STATE_READY",
                    "quota": {"hardBytes": "1152921504606846976"},
                    "createTime": "2023-11-14T22:13:20Z",
                },
            })
        );
    }
}
