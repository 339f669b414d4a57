//! Numbers with their unit in the type, so that no limit is off by 1024 or 1000.

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The number without its unit.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }
        }
    };
}

unit!(
    /// Bytes.
    Bytes
);
unit!(
    /// Milliseconds of duration.
    Millis
);
unit!(
    /// Seconds of duration.
    Seconds
);
unit!(
    /// A point in time: milliseconds since 1970-01-01T00:00:00Z.
    UnixMillis
);

impl UnixMillis {
    /// So much later.
    #[must_use]
    pub const fn plus(self, by: Millis) -> Self {
        Self(self.0.saturating_add(by.0))
    }

    /// How long from `earlier` to this; zero when this is earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl Seconds {
    /// The same in milliseconds.
    #[must_use]
    pub const fn millis(self) -> Millis {
        Millis(self.0.saturating_mul(1000))
    }
}

/// With the largest binary unit that keeps one decimal honest: `1.5 GiB`, `512 B`.
impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const UNITS: [(&str, u64); 5] =
            [("PiB", 1 << 50), ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        for (unit, size) in UNITS {
            if self.0 >= size {
                let (whole, rest) = (self.0 / size, self.0 % size);
                return match (u128::from(rest) * 10) / u128::from(size) {
                    0 => write!(f, "{whole} {unit}"),
                    tenth => write!(f, "{whole}.{tenth} {unit}"),
                };
            }
        }
        write!(f, "{} B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_in_binary_units() {
        assert_eq!(Bytes(0).to_string(), "0 B");
        assert_eq!(Bytes(1536).to_string(), "1.5 KiB");
        assert_eq!(Bytes(1 << 40).to_string(), "1 TiB");
        assert!(Bytes(u64::MAX).to_string().ends_with("PiB"));
    }
}
