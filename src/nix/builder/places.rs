//! The places where a blob should be, and what came of asking each.

use std::cmp::Reverse;

use super::Location;
use crate::causes;
use crate::class::Class;
use crate::http::admits;
use crate::oci::digest::Digest;
use crate::registry::{self, Cause};

/// One place, and what came of asking it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) location: Location,
    /// The failure. `None` if the place was not asked yet, or never because its registry could not be reached.
    pub(super) error: Option<Box<registry::Error>>,
}

impl Attempt {
    /// A place that was not asked yet.
    pub(super) fn at(location: Location) -> Self {
        Self {
            location,
            error: None,
        }
    }

    /// Whether another attempt may succeed.
    pub(super) fn may_succeed(&self) -> bool {
        let error = self.error.as_deref();
        error.is_none_or(|error| error.cause().is_transient())
    }

    /// Whether the registry says that it does not have the blob.
    pub(super) fn is_absent(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.is_absent())
    }

    /// Whether a manifest from there may send the user on to this URL.
    pub(super) fn admits(&self, url: &str) -> bool {
        let registry = &self.location.endpoint;
        url.parse().is_ok_and(|url| admits(registry, &url).is_ok())
    }

    /// Whether there was no connection to the registry, whatever the repository.
    pub(super) fn is_unreachable(&self) -> bool {
        let Some(Cause::Http(error)) = self.error.as_deref().map(registry::Error::cause) else {
            return false;
        };
        error.is_connect_to(self.location.endpoint.base())
    }

    /// The failure in one line.
    pub(super) fn reason(&self) -> Option<String> {
        Some(causes::line(self.error.as_deref()?))
    }

    /// The failure in one line that begins with the place.
    fn line(&self) -> String {
        let Location {
            endpoint,
            repository,
        } = &self.location;
        match &self.error {
            Some(error) => {
                let lines = causes::lines(&**error);
                let causes = lines.get(1..).unwrap_or_default().join(": ");
                format!("{repository} from {}: {causes}", error.registry())
            }
            None => format!(
                "{repository} from {}: not asked, because that registry could not be reached",
                endpoint.registry_name()
            ),
        }
    }
}

/// A blob that none of its places has, or gives.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch the blob {digest} from any of the {} places that should have it", .attempts.len())]
pub struct AllPlacesFailed {
    digest: Digest,
    attempts: Vec<Attempt>,
}

impl AllPlacesFailed {
    pub(super) fn new(digest: Digest, attempts: Vec<Attempt>) -> Self {
        Self { digest, attempts }
    }

    /// What came of asking each place, one line each.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.attempts.iter().map(Attempt::line)
    }

    /// The error that matters most, the first of its class.
    #[must_use]
    pub fn most_important(&self) -> Option<&registry::Error> {
        let errors = self
            .attempts
            .iter()
            .filter_map(|attempt| attempt.error.as_deref());
        errors.min_by_key(|error| Reverse(weight(error.class())))
    }

    /// The class of the error that matters most.
    #[must_use]
    pub fn class(&self) -> Class {
        self.most_important()
            .map_or(Class::Other, registry::Error::class)
    }
}

/// How much an error matters. Wrong content must not go unnoticed behind a place that has none. Access that is denied
/// can be granted, and many registries deny what they do not have. A place that does not answer may have the blob the
/// next time. A place that does not have it adds nothing.
fn weight(class: Class) -> u8 {
    match class {
        Class::Integrity => 5,
        Class::Denied => 4,
        Class::Unavailable => 3,
        Class::Unsupported => 2,
        Class::NotFound => 0,
        _ => 1,
    }
}
