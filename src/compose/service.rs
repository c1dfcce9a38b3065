//! A service: the mappings that it is made of, and what they say together.
//!
//! Sources: the Compose specification, `13-merge.md` and `15-profiles.md`; and what Compose 2.26 was seen to do.

use std::sync::Arc;

use super::interpolation::interpolate;
use super::variables::{Lookup, Replacing};
use super::yaml::{Change, Node};
use super::{Error, Service};
use crate::printable::Printable;

/// The mappings that a service is made of. Later ones win.
pub(super) type Parts = Vec<Arc<Node>>;

/// Adds a mapping to those of a service, as its tag wants it.
pub(super) fn add(parts: &mut Parts, node: &Arc<Node>) {
    if node.change != Change::Merge {
        parts.clear();
    }
    if node.change != Change::Reset {
        parts.push(Arc::clone(node));
    }
}

/// What a service runs.
pub(super) enum Runs {
    Image(Service),
    /// What is built here has no registry.
    Built,
    /// A program beside Compose provides it.
    Provided,
}

/// Reads a service.
pub(super) struct Reader<'a, 'b> {
    pub(super) name: &'a str,
    pub(super) variables: Lookup<'a>,
    pub(super) replacing: &'b mut Replacing,
}

impl Reader<'_, '_> {
    /// Whether a service counts: one without profiles always does.
    pub(super) fn is_active(&mut self, parts: &Parts, profiles: &[String]) -> Result<bool, Error> {
        let mut own = Vec::new();
        for node in parts.iter().filter_map(|part| part.get("profiles")) {
            if node.change != Change::Merge {
                own.clear();
            }
            if node.change != Change::Reset {
                for profile in node.items().unwrap_or_default() {
                    own.push(self.text(profile)?.unwrap_or_default());
                }
            }
        }
        let is_wanted = |own: &String| profiles.iter().any(|one| one == own || one == "*");
        Ok(own.is_empty() || own.iter().any(is_wanted))
    }

    pub(super) fn runs(&mut self, parts: &Parts) -> Result<Runs, Error> {
        if last(parts, "provider").is_some() {
            return Ok(Runs::Provided);
        }
        let image = self.field(parts, "image")?;
        let written = last(parts, "image").and_then(Node::text);
        match image {
            Some(image) => Ok(Runs::Image(Service {
                name: self.name.to_owned(),
                image,
                written: written.unwrap_or_default().to_owned(),
                platform: self.field(parts, "platform")?,
            })),
            None if last(parts, "build").is_some() => Ok(Runs::Built),
            None => Err(Error::NoImage(Printable::new(self.name))),
        }
    }

    /// The text of a field, if it is there and not empty.
    fn field(&mut self, parts: &Parts, field: &str) -> Result<Option<String>, Error> {
        match last(parts, field) {
            Some(node) => Ok(self.text(node)?.filter(|text| !text.is_empty())),
            None => Ok(None),
        }
    }

    /// A node's text with its variables replaced.
    pub(super) fn text(&mut self, node: &Node) -> Result<Option<String>, Error> {
        let Some(text) = node.text() else {
            return Ok(None);
        };
        let value = interpolate(text, self.variables, self.replacing).map_err(|source| {
            Error::Interpolation {
                what: Printable::new(self.name),
                source,
            }
        })?;
        match value.secret {
            Some(variable) => Err(Error::Secret {
                what: Printable::new(self.name),
                variable,
            }),
            None => Ok(Some(value.text)),
        }
    }
}

/// The field of the last mapping that says something of it.
fn last<'a>(parts: &'a Parts, field: &str) -> Option<&'a Node> {
    let mut nodes = parts.iter().rev().filter_map(|part| part.get(field));
    nodes
        .find(|node| !node.is_null() || node.change == Change::Reset)
        .filter(|node| node.change != Change::Reset)
}
