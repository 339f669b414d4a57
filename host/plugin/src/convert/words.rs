//! Variants whose cases carry nothing but `other`.

use super::{Breach, FromGuest, Reader, ToGuest, port, wit};

macro_rules! words {
    ($( $name:ident { $($case:ident),+ } )+) => { $(
        impl FromGuest<wit::$name> for port::$name {
            fn from_guest(answer: wit::$name, reader: &Reader<'_>) -> Result<Self, Breach> {
                Ok(match answer {
                    $( wit::$name::$case => Self::$case, )+
                    wit::$name::Other(text) => Self::Other(reader.text(text)),
                })
            }
        }

        impl ToGuest<wit::$name> for port::$name {
            fn to_guest(&self) -> wit::$name {
                match self {
                    $( Self::$case => wit::$name::$case, )+
                    Self::Other(text) => wit::$name::Other(text.clone()),
                }
            }
        }
    )+ };
}

words! {
    Dimension { Bytes, Inodes, Objects, Buckets }
    LimitScope { Namespace, Principal, Tenant }
    Basis { Logical, Physical, Effective, Unknown }
    Protocol { Posix, S3 }
    DataPolicy { Keep, Purge, Recoverable }
    AccessMode { ReadOnly, ReadWrite }
    EnforcedBy { ServerPolicy, Credential, MountOptionOnly }
    PlanForm { NodeMount, CsiVolume, HostPrepared, AppController }
    PrincipalKind { Parent, Service }
    Privilege { Read, Write, ListKeys, Delete, Admin }
    ProbeMode { ReadOnly, Mutating }
    FindingLevel { Pass, Note, Warn, Fail }
}
