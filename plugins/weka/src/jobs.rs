//! Native jobs: a quota that is being applied or removed, a filesystem that is being made or removed, a snapshot that is
//! being removed.
//!
//! A job that has gone away has ended: the call that started it looks at what there is and goes on from there.

use serde::{Deserialize, Serialize};
use stowage_provider_sdk::prelude::{Job, Jobs, Result, Status, error};

use crate::Weka;
use crate::api::FilesystemPhase;
use crate::filesystems;
use crate::home::Home;
use crate::quotas::{self, ADDING, DELETING, FAILED};
use crate::reference::Place;
use crate::rest::Rest;
use crate::snapshots;

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Handle {
    /// A quota to leave ADDING or DELETING.
    Quota {
        /// The filesystem's uid.
        filesystem: String,
        /// The directory's inode.
        inode: u64,
    },
    /// A filesystem to become ready, or to go.
    Filesystem {
        /// Its uid.
        uid: String,
        /// What.
        awaited: Awaited,
        /// Where it is, if not in the configured organization.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
    },
    /// A snapshot to go.
    Snapshot {
        /// Its uid.
        uid: String,
        /// Where its filesystem is, if not in the configured organization.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
    },
}

/// What a filesystem is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Awaited {
    /// READY.
    Ready,
    /// Not there any more.
    Gone,
}

impl Handle {
    /// The bytes that the host keeps.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Jobs for Weka {
    fn poll(handle: Vec<u8>) -> Result<Status> {
        let rest = Rest::connect()?;
        let poll = &rest.config.poll;
        let running =
            |after_ms| Status::Running(Job { handle: handle.clone(), poll_after_ms: after_ms, expected_ms: None });
        let parsed: Handle =
            serde_json::from_slice(&handle).map_err(|_| error::invalid("handle", "is no job of this adapter"))?;
        Ok(match parsed {
            Handle::Quota { filesystem, inode } => match quotas::get(&rest, &filesystem, inode)? {
                Some(quota) if quota.status == ADDING || quota.status == DELETING => running(poll.quota_ms),
                Some(quota) if quota.status == FAILED => Status::Failed(quotas::failed("the directory")),
                _ => Status::Ended,
            },
            Handle::Snapshot { uid, place } => {
                let home = Home::of(&rest, place.as_ref());
                match snapshots::get(&home.rest, &uid)? {
                    Some(found) if found.is_removing => running(poll.filesystem_ms),
                    _ => Status::Ended,
                }
            }
            Handle::Filesystem { uid, awaited, place } => {
                match (filesystems::get(&Home::of(&rest, place.as_ref()).rest, &uid)?, awaited) {
                    (None, Awaited::Gone) => Status::Ended,
                    (None, Awaited::Ready) => Status::Failed(error::not_found("the filesystem that was being made")),
                    (Some(found), awaited) => match (found.phase(), awaited) {
                        (FilesystemPhase::Creating, Awaited::Ready) | (FilesystemPhase::Removing, Awaited::Gone) => {
                            running(poll.filesystem_ms)
                        }
                        _ => Status::Ended,
                    },
                }
            }
        })
    }
}
