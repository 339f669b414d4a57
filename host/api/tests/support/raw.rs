//! Calls any method of the contract by its path, with a request built from its descriptor.

use bytes::{Buf, BufMut};
use prost::Message;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, MethodDescriptor, ReflectMessage, Value};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// Messages as they are on the wire.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        *self
    }
    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }
}

/// Calls `/service/method` with `message`, as the owner of `token`.
pub(crate) async fn call(
    channel: &Channel,
    path: &str,
    message: Vec<u8>,
    token: Option<&str>,
) -> Result<Vec<u8>, Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let path = path.parse().unwrap();
    client.unary(request, path, Raw).await.map(tonic::Response::into_inner)
}

/// The method of a path.
pub(crate) fn method(path: &str) -> MethodDescriptor {
    let (service, method) = path.trim_start_matches('/').split_once('/').unwrap();
    let service = stowage_proto::descriptors().get_service_by_name(service).unwrap();
    service.methods().find(|found| found.name() == method).unwrap()
}

/// A request of the method whose names lie in `tenants/{tenant}`, with every message field present.
pub(crate) fn request(method: &MethodDescriptor, tenant: &str) -> Vec<u8> {
    let mut message = filled(&method.input(), 0);
    for (field, name) in names(method, tenant) {
        set(&mut message, &field, &name);
    }
    message.encode_to_vec()
}

/// Fills required fields with something of the right shape.
fn filled(descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        if field.is_list() || field.is_map() || depth > 2 {
            continue;
        }
        match field.kind() {
            Kind::Message(inner) if inner.full_name().starts_with("stowage.") => {
                message.set_field(&field, Value::Message(filled(&inner, depth + 1)));
            }
            Kind::String if field.name().ends_with("_id") && field.name() != "request_id" => {
                message.set_field(&field, Value::String("thing".to_owned()));
            }
            _ => {}
        }
    }
    message
}

/// The fields of the path, each with a name after its pattern: `tenants/*` becomes `tenants/{tenant}`.
fn names(method: &MethodDescriptor, tenant: &str) -> Vec<(String, String)> {
    let extension = stowage_proto::descriptors().get_extension_by_name("google.api.http").unwrap();
    let options = method.options();
    let value = options.get_extension(&extension);
    let rule = value.as_message().unwrap();
    let template = ["get", "put", "post", "delete", "patch"]
        .into_iter()
        .filter_map(|verb| rule.get_field_by_name(verb).and_then(|path| path.as_str().map(str::to_owned)))
        .find(|path| !path.is_empty())
        .unwrap();
    let mut found = Vec::new();
    let mut rest = template.as_str();
    while let Some((_, after)) = rest.split_once('{') {
        let (variable, after) = after.split_once('}').unwrap();
        let (field, pattern) = variable.split_once('=').unwrap();
        let mut collection = "";
        let segments: Vec<&str> = pattern
            .split('/')
            .map(|segment| {
                let id = if collection == "tenants" { tenant } else { "thing" };
                collection = segment;
                if segment == "*" { id } else { segment }
            })
            .collect();
        found.push((field.to_owned(), segments.join("/")));
        rest = after;
    }
    found
}

fn set(message: &mut DynamicMessage, path: &str, text: &str) {
    match path.split_once('.') {
        None => message.set_field_by_name(path, Value::String(text.to_owned())),
        Some((first, rest)) => {
            let field = message.descriptor().get_field_by_name(first).unwrap();
            set(message.get_field_mut(&field).as_message_mut().unwrap(), rest, text);
        }
    }
}
