//! Changes of single fields: `None` leaves a field as it is.

/// A field that may be set, and to nothing as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Update<T> {
    /// As it is.
    #[default]
    Keep,
    /// To this.
    Set(T),
}

impl<T> Update<T> {
    pub(crate) fn apply(self, field: &mut T) {
        if let Self::Set(value) = self {
            *field = value;
        }
    }
}
