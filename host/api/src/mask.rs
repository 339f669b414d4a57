//! Field masks: which fields to change, which to answer.
//!
//! Paths are those of the proto files (`deletion_protection`, `quota.hard_bytes`). A path that isn't one is refused by
//! name, with those that are.

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage};
use prost_types::FieldMask;
use tonic::{Code, Status};

use crate::refusal::Refusal;

/// The fields that an update changes: those of the mask, all of `allowed` for `*`, and those that are set in `message`
/// when the mask is empty.
pub(crate) fn to_change<M: Message + Name>(
    mask: Option<&FieldMask>,
    message: &M,
    allowed: &'static [&'static str],
) -> Result<Vec<&'static str>, Refusal> {
    let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    let chosen: Vec<&'static str> = if paths.is_empty() {
        let dynamic = dynamic(message).map_err(internal)?;
        allowed.iter().copied().filter(|name| is_set(&dynamic, name)).collect()
    } else if paths.iter().any(|path| path == "*") {
        allowed.to_vec()
    } else {
        paths
            .iter()
            .map(|path| {
                allowed
                    .iter()
                    .copied()
                    .find(|name| name == path)
                    .ok_or_else(|| unknown("update_mask", path, &allowed.join(", ")))
            })
            .collect::<Result<_, _>>()?
    };
    if chosen.is_empty() {
        let problem = format!("changes nothing: name one or more of {}", allowed.join(", "));
        return Err(Refusal::field("update_mask", problem));
    }
    Ok(chosen)
}

/// Whether a mask asks for a field that costs more than the rest and is left out unless it is named.
pub(crate) fn names(mask: Option<&FieldMask>, field: &str) -> bool {
    let first = |path: &String| path.split('.').next() == Some(field);
    mask.is_some_and(|mask| mask.paths.iter().any(|path| path == "*" || first(path)))
}

/// Which fields of a message to answer.
#[derive(Debug, Clone)]
pub(crate) struct ReadMask {
    descriptor: MessageDescriptor,
    paths: Vec<Vec<String>>,
}

impl ReadMask {
    /// Checks the mask against the message's fields; `None` answers all of them.
    pub(crate) fn parse<M: Name>(mask: Option<&FieldMask>) -> Result<Option<Self>, Refusal> {
        let Some(mask) = mask.filter(|mask| !mask.paths.is_empty() && !mask.paths.iter().any(|path| path == "*"))
        else {
            return Ok(None);
        };
        let descriptor = descriptor::<M>().map_err(internal)?;
        let mut paths = Vec::with_capacity(mask.paths.len());
        for path in &mask.paths {
            check(&descriptor, path)?;
            paths.push(path.split('.').map(str::to_owned).collect());
        }
        Ok(Some(Self { descriptor, paths }))
    }

    /// The message with the chosen fields alone.
    pub(crate) fn apply<M: Message + Default>(&self, message: &M) -> Result<M, Status> {
        let broken = |_| Status::from(internal("a message doesn't survive its own encoding"));
        let mut dynamic =
            DynamicMessage::decode(self.descriptor.clone(), message.encode_to_vec().as_slice()).map_err(broken)?;
        let paths: Vec<&[String]> = self.paths.iter().map(Vec::as_slice).collect();
        keep(&mut dynamic, &paths);
        M::decode(dynamic.encode_to_vec().as_slice()).map_err(broken)
    }
}

fn keep(message: &mut DynamicMessage, paths: &[&[String]]) {
    let fields: Vec<_> = message.descriptor().fields().collect();
    for field in fields {
        let below: Vec<&[String]> = paths
            .iter()
            .filter_map(|path| path.split_first().filter(|(first, _)| *first == field.name()).map(|(_, rest)| rest))
            .collect();
        if below.is_empty() {
            message.clear_field(&field);
        } else if !below.iter().any(|rest| rest.is_empty())
            && message.has_field(&field)
            && let Some(inner) = message.get_field_mut(&field).as_message_mut()
        {
            keep(inner, &below);
        }
    }
}

fn check(descriptor: &MessageDescriptor, path: &str) -> Result<(), Refusal> {
    let mut at = Some(descriptor.clone());
    for part in path.split('.') {
        let Some(message) = at else {
            return Err(unknown("read_mask", path, "a field of a single message before each dot"));
        };
        let Some(field) = message.get_field_by_name(part) else {
            let names: Vec<String> = message.fields().map(|field| field.name().to_owned()).collect();
            return Err(unknown("read_mask", path, &names.join(", ")));
        };
        at = match field.kind() {
            Kind::Message(inner) if !field.is_list() && !field.is_map() => Some(inner),
            _ => None,
        };
    }
    Ok(())
}

fn unknown(mask: &str, path: &str, known: &str) -> Refusal {
    Refusal::field(mask, format!("`{path}` is not a path here: use {known}"))
}

fn descriptor<M: Name>() -> Result<MessageDescriptor, String> {
    let name = M::full_name();
    stowage_proto::descriptors().get_message_by_name(&name).ok_or_else(|| format!("{name} is not in the contract"))
}

fn dynamic<M: Message + Name>(message: &M) -> Result<DynamicMessage, String> {
    DynamicMessage::decode(descriptor::<M>()?, message.encode_to_vec().as_slice()).map_err(|error| error.to_string())
}

fn is_set(message: &DynamicMessage, name: &str) -> bool {
    message.descriptor().get_field_by_name(name).is_some_and(|field| message.has_field(&field))
}

fn internal(problem: impl Into<String>) -> Refusal {
    Refusal::new(Code::Internal, "INTERNAL", problem)
}

#[cfg(test)]
mod tests {
    use stowage_proto::v1::{Namespace, Quota};

    use super::*;

    const ALLOWED: &[&str] = &["labels", "deletion_protection"];

    fn mask(paths: &[&str]) -> FieldMask {
        FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }
    }

    fn full() -> Namespace {
        Namespace {
            name: "n".to_owned(),
            deletion_protection: true,
            quota: Some(Quota { hard_bytes: 5, soft_bytes: Some(4), ..Quota::default() }),
            ..Namespace::default()
        }
    }

    #[test]
    fn an_unknown_path_is_named_with_the_known_ones() {
        let refusal = to_change(Some(&mask(&["labels", "colour"])), &full(), ALLOWED).unwrap_err();
        let text = format!("{refusal:?}");
        assert!(text.contains("`colour`") && text.contains("labels, deletion_protection"), "{text}");
        let text = format!("{:?}", ReadMask::parse::<Namespace>(Some(&mask(&["quota.colour"]))).unwrap_err());
        assert!(text.contains("quota.colour") && text.contains("hard_bytes"), "{text}");
        assert!(ReadMask::parse::<Namespace>(Some(&mask(&["labels.a"]))).is_err());
    }

    #[test]
    fn a_costly_field_is_answered_when_it_is_named() {
        for paths in [&["placement"][..], &["name", "placement.provider"], &["*"]] {
            assert!(names(Some(&mask(paths)), "placement"), "{paths:?}");
        }
        assert!(!names(Some(&mask(&["name", "placements"])), "placement"));
        assert!(!names(None, "placement"));
    }

    #[test]
    fn an_empty_mask_changes_what_is_set() {
        assert_eq!(to_change(None, &full(), ALLOWED).unwrap(), ["deletion_protection"]);
        assert_eq!(to_change(Some(&mask(&["*"])), &full(), ALLOWED).unwrap(), ALLOWED);
        assert!(to_change(None, &Namespace::default(), ALLOWED).is_err());
    }

    #[test]
    fn a_read_mask_keeps_its_fields_alone() {
        let read = ReadMask::parse::<Namespace>(Some(&mask(&["name", "quota.hard_bytes"]))).unwrap().unwrap();
        let kept = read.apply(&full()).unwrap();
        let expected = Namespace {
            name: "n".to_owned(),
            quota: Some(Quota { hard_bytes: 5, ..Quota::default() }),
            ..Namespace::default()
        };
        assert_eq!(kept, expected);
        assert!(ReadMask::parse::<Namespace>(None).unwrap().is_none());
    }
}
