//! The contract's record as protobuf messages.

use stowage_provider_sdk::prelude::NamespaceState;

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct InspectRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) native: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(super) request_id: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct InspectReply {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) native: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(super) lifecycle: String,
    #[prost(string, repeated, tag = "3")]
    pub(super) protocols: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    pub(super) effective_limits: Vec<Limit>,
    #[prost(string, optional, tag = "5")]
    pub(super) owner: Option<String>,
    #[prost(string, tag = "6")]
    pub(super) location: String,
    #[prost(string, optional, tag = "7")]
    pub(super) revision: Option<String>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Limit {
    #[prost(string, tag = "1")]
    pub(super) dimension: String,
    #[prost(uint64, tag = "2")]
    pub(super) value: u64,
}

impl From<NamespaceState> for InspectReply {
    fn from(state: NamespaceState) -> Self {
        let limit = |limit: &stowage_provider_sdk::prelude::Limit| Limit {
            dimension: format!("{:?}", limit.dimension),
            value: limit.value,
        };
        Self {
            native: state.ref_,
            lifecycle: format!("{:?}", state.lifecycle),
            protocols: state.protocols.iter().map(|protocol| format!("{protocol:?}")).collect(),
            effective_limits: state.effective_limits.iter().map(limit).collect(),
            owner: state.owner,
            location: state.location,
            revision: state.revision,
        }
    }
}
