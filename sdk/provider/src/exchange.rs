//! Exchanges: everything that an adapter can ever say to its backend, as constants.
//!
//! An exchange that `describe` does not declare cannot be sent, so the declaration and the use are one item:
//!
//! ```
//! use stowage_provider_sdk::exchange::{At, Exchange, Keep};
//!
//! const LIST: Exchange = Exchange::new("volumes.list").get("control", "/api/v1/volumes").safe().doc("Lists the volumes.");
//! const MAKE_KEY: Exchange = Exchange::new("keys.make")
//!     .post("control", "/api/v1/users/{user}/keys")
//!     .slots(&[&[At::Pointer("/password")]])
//!     .sensitive(&[(&[At::Pointer("/data/secret")], Keep::Sealed)])
//!     .doc("Makes a key. The host puts the password in and takes the secret out.");
//! ```

use crate::contract::{http::Step, identity};

/// One step into a request or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// RFC 6901, into JSON.
    Pointer(&'static str),
    /// Element names joined by `/`, from the root element.
    Xml(&'static str),
    /// A field of a form body.
    Form(&'static str),
    /// A header.
    Header(&'static str),
    /// Opens a JSON text that stands inside a string.
    EmbeddedJson,
    /// The value of `key = value` in a text.
    LineKey(&'static str),
}

impl From<At> for Step {
    fn from(at: At) -> Self {
        match at {
            At::Pointer(p) => Self::JsonPointer(p.to_owned()),
            At::Xml(p) => Self::XmlPath(p.to_owned()),
            At::Form(f) => Self::FormField(f.to_owned()),
            At::Header(name) => Self::Header(crate::contract::http::HeaderPlace { name: name.to_owned() }),
            At::EmbeddedJson => Self::EmbeddedJson,
            At::LineKey(k) => Self::LineKey(k.to_owned()),
        }
    }
}

/// A place: the steps to it, outermost first.
pub type Place = &'static [At];

pub(crate) fn steps(place: &[At]) -> Vec<Step> {
    place.iter().map(|at| Step::from(*at)).collect()
}

/// What becomes of a sensitive place of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It belongs to the auth flow's session.
    Session,
    /// It is stored in the secret store under this name.
    Stored(&'static str),
    /// It is sealed for the caller who may have it.
    Sealed,
}

/// One declared exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    id: &'static str,
    purpose: &'static str,
    method: &'static str,
    path: &'static str,
    safe: bool,
    idempotent: bool,
    slots: &'static [Place],
    sensitive: &'static [(Place, Keep)],
    doc: &'static str,
    extensions: &'static [(&'static str, &'static str)],
}

impl Exchange {
    /// A declaration with its id, such as `volumes.list`; one of the methods must follow.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self {
            id,
            purpose: "",
            method: "",
            path: "",
            safe: false,
            idempotent: false,
            slots: &[],
            sensitive: &[],
            doc: "",
            extensions: &[],
        }
    }

    /// Any method, on the endpoint of this purpose; `{name}` in the path is filled by [`crate::Request::param`].
    #[must_use]
    pub const fn method(mut self, method: &'static str, purpose: &'static str, path: &'static str) -> Self {
        self.method = method;
        self.purpose = purpose;
        self.path = path;
        self
    }

    /// GET.
    #[must_use]
    pub const fn get(self, purpose: &'static str, path: &'static str) -> Self {
        self.method("GET", purpose, path)
    }

    /// POST.
    #[must_use]
    pub const fn post(self, purpose: &'static str, path: &'static str) -> Self {
        self.method("POST", purpose, path)
    }

    /// PUT. Declared idempotent.
    #[must_use]
    pub const fn put(self, purpose: &'static str, path: &'static str) -> Self {
        self.method("PUT", purpose, path).idempotent()
    }

    /// PATCH.
    #[must_use]
    pub const fn patch(self, purpose: &'static str, path: &'static str) -> Self {
        self.method("PATCH", purpose, path)
    }

    /// DELETE. Declared idempotent.
    #[must_use]
    pub const fn delete(self, purpose: &'static str, path: &'static str) -> Self {
        self.method("DELETE", purpose, path).idempotent()
    }

    /// Changes nothing: may run in probes, plans and shadow runs. Safe ones are idempotent.
    #[must_use]
    pub const fn safe(mut self) -> Self {
        self.safe = true;
        self.idempotent = true;
        self
    }

    /// May be sent again without harm.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Where secrets may be put in.
    #[must_use]
    pub const fn slots(mut self, slots: &'static [Place]) -> Self {
        self.slots = slots;
        self
    }

    /// Which places of the answer are taken out, and what becomes of them. [`crate::Response::captured`] has a handle for
    /// each, in this order.
    #[must_use]
    pub const fn sensitive(mut self, sensitive: &'static [(Place, Keep)]) -> Self {
        self.sensitive = sensitive;
        self
    }

    /// For the operator who approves it.
    #[must_use]
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Registered keys.
    #[must_use]
    pub const fn extensions(mut self, extensions: &'static [(&'static str, &'static str)]) -> Self {
        self.extensions = extensions;
        self
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// Whether it changes nothing.
    #[must_use]
    pub const fn is_safe(&self) -> bool {
        self.safe
    }

    /// The contract's record of it.
    #[must_use]
    pub fn declare(&self) -> identity::Exchange {
        identity::Exchange {
            id: self.id.to_owned(),
            purpose: self.purpose.to_owned(),
            method: self.method.to_owned(),
            path_template: self.path.to_owned(),
            safe: self.safe,
            idempotent: self.idempotent,
            slots: self.slots.iter().map(|place| steps(place)).collect(),
            sensitive: self
                .sensitive
                .iter()
                .map(|(place, keep)| identity::SensitivePlace {
                    at: steps(place),
                    keep: match keep {
                        Keep::Session => identity::PlaceKeep::Session,
                        Keep::Stored(name) => identity::PlaceKeep::Stored((*name).to_owned()),
                        Keep::Sealed => identity::PlaceKeep::Sealed,
                    },
                })
                .collect(),
            doc: self.doc.to_owned(),
            extensions: self.extensions.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        }
    }
}
