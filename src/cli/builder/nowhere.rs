//! A blob that none of the places gave where it should be: what each said, and which of that tells most.

use std::cmp::Reverse;

use crate::class::Class;
use crate::cli::report;
use crate::http::admits;
use crate::nix::builder::Location;
use crate::oci::digest::Digest;
use crate::registry::{self, Cause};

/// One place, and what it said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) location: Location,
    /// Nothing where it was not asked, because the registry could not be reached for another repository.
    pub(super) said: Option<Box<registry::Error>>,
}

impl Answer {
    /// A place that was not asked yet.
    pub(super) fn none(location: Location) -> Self {
        Self {
            location,
            said: None,
        }
    }

    /// Whether it may say something else the next time.
    pub(super) fn may_change(&self) -> bool {
        let said = self.said.as_deref();
        said.is_none_or(|error| error.cause().is_transient())
    }

    /// Whether it says that it does not have the blob.
    pub(super) fn is_absent(&self) -> bool {
        self.said.as_ref().is_some_and(|error| error.is_absent())
    }

    /// Whether a manifest from there may send the user on to this URL.
    pub(super) fn admits(&self, url: &str) -> bool {
        let registry = &self.location.endpoint;
        url.parse().is_ok_and(|url| admits(registry, &url).is_ok())
    }

    /// Whether there was no connection to the registry, whatever the repository.
    pub(super) fn is_unreachable(&self) -> bool {
        let Some(Cause::Http(error)) = self.said.as_deref().map(registry::Error::cause) else {
            return false;
        };
        error.is_connect_to(self.location.endpoint.base())
    }

    /// What it said, in one line.
    pub(super) fn reason(&self) -> Option<String> {
        Some(report::line(self.said.as_deref()?).to_string())
    }

    /// The same, after the name of the place.
    fn line(&self) -> String {
        let Location {
            endpoint,
            repository,
        } = &self.location;
        match &self.said {
            Some(error) => {
                let chain = report::chain(&**error);
                let causes = chain.get(1..).unwrap_or_default().join(": ");
                format!("{repository} from {}: {causes}", error.registry())
            }
            None => format!(
                "{repository} from {}: not asked, because that registry could not be reached",
                endpoint.registry_name()
            ),
        }
    }
}

/// A blob that was not to be had anywhere.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch the blob {digest} from any of the {} places that should have it", .answers.len())]
pub struct Nowhere {
    digest: Digest,
    answers: Vec<Answer>,
}

impl Nowhere {
    pub(super) fn new(digest: Digest, answers: Vec<Answer>) -> Self {
        Self { digest, answers }
    }

    /// What each place said, one line each.
    pub(in crate::cli) fn lines(&self) -> impl Iterator<Item = String> {
        self.answers.iter().map(Answer::line)
    }

    /// The error that tells most, the first of its kind.
    pub(in crate::cli) fn most_telling(&self) -> Option<&registry::Error> {
        let said = self
            .answers
            .iter()
            .filter_map(|answer| answer.said.as_deref());
        said.min_by_key(|error| Reverse(weight(error.class())))
    }

    /// The class of the error that tells most.
    pub(in crate::cli) fn class(&self) -> Class {
        self.most_telling()
            .map_or(Class::Other, registry::Error::class)
    }
}

/// How much a place tells by an error. Wrong content must never go unnoticed behind a place that has none. Somebody can
/// give access where it is denied, and many registries deny what they do not have. Who does not answer may have it
/// the next time. That a place does not have it says nothing more.
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
