//! A mount as the host believes it, against its node and what the provider sees.
//!
//! The node is the witness: it reports every mount that it has. What a provider sees is coarser, most often whether a client
//! of that node is attached at all, so alone it is worth knowing and proves nothing.

use super::{Difference, DriftKind, DriftSeverity, shown};
use crate::Millis;

/// What the host believes of a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountBelief {
    /// The plan stands and nobody has reported a mount.
    Requested,
    /// The node has it mounted.
    Mounted,
    /// The node had it, and says why it has it no more.
    Stale(String),
}

/// What the provider sees of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountSight {
    /// It cannot tell, or was not asked.
    Untold,
    /// No client.
    Nobody,
    /// A client is attached.
    Attached,
    /// A client was attached and is not well.
    Broken(String),
}

/// All that is known of one mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountView {
    /// What the host believes.
    pub belief: MountBelief,
    /// For how long its node has been silent, if it is offline.
    pub node_silent: Option<Millis>,
    /// What the provider sees.
    pub sight: MountSight,
}

/// What differs, if anything: one finding for a mount.
#[must_use]
pub fn compare_mount(view: &MountView) -> Option<Difference> {
    let also = match view.sight {
        MountSight::Attached => "; the provider still sees a client of its node",
        MountSight::Nobody => "; the provider sees no client of its node",
        MountSight::Untold | MountSight::Broken(_) => "",
    };
    let stale = |what: String| {
        Some(Difference::new(DriftKind::MountStale, DriftSeverity::Warning, format!("believed mounted; {what}{also}")))
    };
    let differs = |what: &str| Some(Difference::new(DriftKind::MountDiffers, DriftSeverity::Info, what));
    match (&view.belief, view.node_silent, &view.sight) {
        (MountBelief::Stale(why), _, _) => stale(format!("its node says {}", shown(why))),
        (MountBelief::Mounted, Some(silent), _) => stale(format!("its node is silent for {} s", silent.0 / 1000)),
        (MountBelief::Mounted, None, MountSight::Broken(why)) => stale(format!("the provider says {}", shown(why))),
        (MountBelief::Mounted, None, MountSight::Nobody) => {
            differs("its node has it mounted; the provider sees no client of that node")
        }
        (MountBelief::Requested, _, MountSight::Attached) => {
            differs("nobody has reported it mounted; the provider sees a client of its node")
        }
        (MountBelief::Mounted, None, MountSight::Attached | MountSight::Untold) | (MountBelief::Requested, _, _) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view(belief: MountBelief, silent: Option<u64>, sight: MountSight) -> MountView {
        MountView { belief, node_silent: silent.map(Millis), sight }
    }

    fn kind(belief: MountBelief, silent: Option<u64>, sight: MountSight) -> Option<DriftKind> {
        compare_mount(&view(belief, silent, sight)).map(|difference| difference.kind)
    }

    #[test]
    fn a_mount_is_stale_when_its_node_says_so_or_is_silent() {
        let gone = || MountBelief::Stale("the directory does not answer".into());
        assert_eq!(kind(gone(), None, MountSight::Untold), Some(DriftKind::MountStale));
        assert_eq!(kind(MountBelief::Mounted, Some(31_000), MountSight::Attached), Some(DriftKind::MountStale));
        let found = compare_mount(&view(gone(), None, MountSight::Attached)).unwrap();
        assert!(found.evidence.contains("still sees a client"), "{}", found.evidence);
    }

    #[test]
    fn what_only_the_provider_sees_otherwise_is_worth_knowing_and_no_more() {
        for (belief, sight) in
            [(MountBelief::Mounted, MountSight::Nobody), (MountBelief::Requested, MountSight::Attached)]
        {
            let found = compare_mount(&view(belief, None, sight)).unwrap();
            assert_eq!((found.kind, found.severity), (DriftKind::MountDiffers, DriftSeverity::Info));
        }
    }

    proptest! {
        #[test]
        fn a_mount_that_all_agree_on_is_no_drift(silent in prop::option::of(0u64..1 << 40), sees in any::<bool>()) {
            let sight = if sees { MountSight::Attached } else { MountSight::Untold };
            prop_assert_eq!(kind(MountBelief::Mounted, None, sight), None);
            // Nobody waits for a report from a silent node that has not mounted.
            prop_assert_eq!(kind(MountBelief::Requested, silent, MountSight::Nobody), None);
        }
    }
}
