//! A service: the mappings that make it up, and their common meaning.
//!
//! Sources: the Compose specification, `13-merge.md` and `15-profiles.md`; the behaviour of Compose 2.26.

use std::sync::Arc;

use super::interpolation::interpolate;
use super::variables::{Lookup, ReplacementState};
use super::yaml::{Change, Node};
use super::{Error, Service};
use crate::printable::Printable;

/// The mappings that make up a service. Later ones take precedence.
pub(super) type Parts = Vec<Arc<Node>>;

/// Adds a mapping to those of a service, as its tag requires.
pub(super) fn add(parts: &mut Parts, node: &Arc<Node>) {
    if node.change != Change::Merge {
        parts.clear();
    }
    if node.change != Change::Reset {
        parts.push(Arc::clone(node));
    }
}

/// The source of the program of a service.
pub(super) enum Program {
    Image(Service),
    /// A build, whose result is in no registry.
    Built,
    /// A provider, which is a program outside of Compose.
    Provided,
}

/// Reads a service.
pub(super) struct Reader<'a, 'b> {
    pub(super) name: &'a str,
    pub(super) variables: Lookup<'a>,
    pub(super) replacing: &'b mut ReplacementState,
}

impl Reader<'_, '_> {
    /// Returns whether a service is active. A service without profiles always is.
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

    pub(super) fn program(&mut self, parts: &Parts) -> Result<Program, Error> {
        if last(parts, "provider").is_some() {
            return Ok(Program::Provided);
        }
        let image = self.field(parts, "image")?;
        let written = last(parts, "image").and_then(Node::text);
        match image {
            Some(image) => Ok(Program::Image(Service {
                name: self.name.to_owned(),
                image,
                written: written.unwrap_or_default().to_owned(),
                platform: self.field(parts, "platform")?,
                is_built: last(parts, "build").is_some(),
                is_included: false,
            })),
            None if last(parts, "build").is_some() => Ok(Program::Built),
            None => Err(Error::NoImage(Printable::new(self.name))),
        }
    }

    /// Returns the text of a field that is present and not empty.
    fn field(&mut self, parts: &Parts, field: &str) -> Result<Option<String>, Error> {
        match last(parts, field) {
            Some(node) => Ok(self.text(node)?.filter(|text| !text.is_empty())),
            None => Ok(None),
        }
    }

    /// Returns the text of a node, with its variables replaced.
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

/// Returns the field of the last mapping that has it.
fn last<'a>(parts: &'a Parts, field: &str) -> Option<&'a Node> {
    let mut nodes = parts.iter().rev().filter_map(|part| part.get(field));
    nodes
        .find(|node| !node.is_null() || node.change == Change::Reset)
        .filter(|node| node.change != Change::Reset)
}
