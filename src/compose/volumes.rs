//! Volumes of a service that mount an image.
//!
//! Sources: the Compose specification, `05-services.md`, "volumes", and `13-merge.md`, "Unique resources".

use super::error::Error;
use super::images::ImageVolume;
use super::interpolation::interpolate;
use super::service::{Parts, Reader};
use super::variables::ReplacementState;
use super::yaml::{Change, Node};

/// Returns the image volumes of a service. A later volume replaces an earlier one with the same path in the container.
pub(super) fn of(reader: &mut Reader<'_, '_>, parts: &Parts) -> Result<Vec<ImageVolume>, Error> {
    let mut nodes = Vec::new();
    for node in parts.iter().filter_map(|part| part.get("volumes")) {
        if node.change != Change::Merge {
            nodes.clear();
        }
        if node.change != Change::Reset {
            nodes.extend(node.items().unwrap_or_default());
        }
    }
    // Volumes without images are not read at all, so what is wrong with them is left to Compose.
    if !nodes.iter().any(|node| has_type(node)) {
        return Ok(Vec::new());
    }
    let mut volumes: Vec<(String, Option<ImageVolume>)> = Vec::new();
    let mut scratch = ReplacementState::new();
    for node in nodes {
        let (target, volume) = if has_type(node) && is_image(reader, node)? {
            let volume = read(reader, node)?;
            (volume.target.clone(), Some(volume))
        } else {
            (target(reader, node, &mut scratch), None)
        };
        match volumes.iter_mut().find(|(known, _)| *known == target) {
            Some((_, known)) => *known = volume,
            None => volumes.push((target, volume)),
        }
    }
    Ok(volumes
        .into_iter()
        .filter_map(|(_, volume)| volume)
        .collect())
}

fn has_type(node: &Node) -> bool {
    node.get("type").is_some()
}

fn is_image(reader: &mut Reader<'_, '_>, node: &Node) -> Result<bool, Error> {
    match node.get("type") {
        Some(kind) => Ok(reader.text(kind)?.as_deref() == Some("image")),
        None => Ok(false),
    }
}

fn read(reader: &mut Reader<'_, '_>, node: &Node) -> Result<ImageVolume, Error> {
    let mut field = |parent: &Node, name: &str| match parent.get(name) {
        Some(node) => Ok::<_, Error>(reader.text(node)?.filter(|text| !text.is_empty())),
        None => Ok(None),
    };
    let image = field(node, "source")?;
    let subpath = match node.get("image") {
        Some(options) => field(options, "subpath")?,
        None => None,
    };
    let target = field(node, "target")?;
    let read_only = field(node, "read_only")?.and_then(|text| text.parse().ok());
    let consistency = field(node, "consistency")?;
    let (Some(image), Some(target)) = (image, target) else {
        return Err(Error::NoVolume(crate::printable::Printable::new(
            reader.name,
        )));
    };
    Ok(ImageVolume {
        service: reader.name.to_owned(),
        written: node
            .get("source")
            .and_then(Node::text)
            .unwrap_or_default()
            .to_owned(),
        target,
        image,
        subpath,
        read_only,
        consistency,
    })
}

/// Returns the path in the container of any volume, as far as it can be known. A path may contain a secret: it goes
/// nowhere.
fn target(reader: &Reader<'_, '_>, node: &Node, scratch: &mut ReplacementState) -> String {
    let text = match node.get("target") {
        Some(target) => target.text(),
        None => node.text(),
    };
    let text = text.unwrap_or_default();
    let replaced = interpolate(text, reader.variables, scratch);
    let text = replaced.map_or_else(|_| text.to_owned(), |value| value.text);
    if node.get("target").is_some() {
        return text;
    }
    // SOURCE:TARGET[:MODE], or TARGET alone.
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    parts.next().unwrap_or(first).to_owned()
}
