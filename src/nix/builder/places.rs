//! The locations that should have a blob, and the results of the attempts.

use std::cmp::Reverse;

use super::Location;
use crate::causes;
use crate::class::Class;
use crate::http::admits;
use crate::oci::digest::Digest;
use crate::registry::{self, Cause};

/// One location, and the result of the attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) location: Location,
    /// The failure. `None` before the attempt, or if the location was skipped because its registry could not be
    /// reached.
    pub(super) error: Option<Box<registry::Error>>,
}

impl Attempt {
    /// Creates the record of a location before the attempt.
    pub(super) fn at(location: Location) -> Self {
        Self {
            location,
            error: None,
        }
    }

    /// Returns whether another attempt may succeed.
    pub(super) fn may_succeed(&self) -> bool {
        let error = self.error.as_deref();
        error.is_none_or(|error| error.cause().is_transient())
    }

    /// Returns whether the registry answered that it does not have the blob.
    pub(super) fn is_absent(&self) -> bool {
        self.error.as_ref().is_some_and(|error| error.is_absent())
    }

    /// Returns whether a manifest of this registry may refer to the URL.
    pub(super) fn admits(&self, url: &str) -> bool {
        let registry = &self.location.endpoint;
        url.parse().is_ok_and(|url| admits(registry, &url).is_ok())
    }

    /// Returns whether the registry could not be reached, so that its other repositories cannot be reached either.
    pub(super) fn is_unreachable(&self) -> bool {
        let Some(Cause::Http(error)) = self.error.as_deref().map(registry::Error::cause) else {
            return false;
        };
        error.is_connect_to(self.location.endpoint.base())
    }

    /// Returns the failure in one line.
    pub(super) fn reason(&self) -> Option<String> {
        Some(causes::line(self.error.as_deref()?))
    }

    /// Returns one line with the location and the failure.
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
                "{repository} from {}: skipped, because the registry cannot be reached",
                endpoint.registry_name()
            ),
        }
    }
}

/// No location provides the blob.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch the blob {digest} from any of its {} locations", .attempts.len())]
pub struct AllLocationsFailed {
    digest: Digest,
    attempts: Vec<Attempt>,
}

impl AllLocationsFailed {
    pub(super) fn new(digest: Digest, attempts: Vec<Attempt>) -> Self {
        Self { digest, attempts }
    }

    /// Returns the result of each attempt, one line for each location.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.attempts.iter().map(Attempt::line)
    }

    /// Returns the most important error. Among errors of equal importance it is the first.
    #[must_use]
    pub fn most_important(&self) -> Option<&registry::Error> {
        let errors = self
            .attempts
            .iter()
            .filter_map(|attempt| attempt.error.as_deref());
        errors.min_by_key(|error| Reverse(weight(error.class())))
    }

    /// Returns the class of the most important error.
    #[must_use]
    pub fn class(&self) -> Class {
        self.most_important()
            .map_or(Class::Other, registry::Error::class)
    }
}

/// Returns the importance of a class. Wrong content must not be hidden by a location that lacks the blob. Access that
/// is denied can be granted, and many registries deny access to what they lack. A location that does not answer may
/// have the blob the next time. A location that lacks the blob adds no information.
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
