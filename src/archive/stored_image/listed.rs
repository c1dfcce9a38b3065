//! What `index.json` lists: each image and each index once, with all of its names.

use std::collections::BTreeSet;

use super::Error;
use super::images::{is_artifact, is_document};
use super::platform::label;
use crate::archive::composition;
use crate::archive::names::Names;
use crate::archive::oci_layout::{ImageName, LayoutReader};
use crate::name::{ParseError, Reference};
use crate::oci::descriptor::Descriptor;
use crate::oci::index::Index;

/// One image, or one index, that `index.json` lists.
pub(super) struct Listed {
    pub(super) entry: Descriptor,
    /// The names of all entries with this digest, without the entries that have no name.
    pub(super) names: Vec<ImageName>,
    /// The annotations from which the names were read.
    pub(super) texts: BTreeSet<String>,
}

/// Returns the images and indexes in `index.json`, each digest once.
pub(super) fn list(layout: &LayoutReader, index: &Index) -> Vec<Listed> {
    let mut all: Vec<Listed> = Vec::new();
    for entry in index.images().filter(|entry| is_document(entry)) {
        let position = all
            .iter()
            .position(|listed| listed.entry.digest == entry.digest);
        let position = position.unwrap_or_else(|| {
            all.push(Listed {
                entry: entry.clone(),
                names: Vec::new(),
                texts: BTreeSet::new(),
            });
            all.len() - 1
        });
        if let Some(listed) = all.get_mut(position) {
            listed.add(entry);
        }
    }
    // Whether a manifest is that of an image is of interest only if there is a choice.
    let images = |listed: &Listed| all.len() == 1 || !is_artifact(layout, &listed.entry);
    let keep: Vec<bool> = all.iter().map(images).collect();
    if keep.contains(&true) {
        let mut keep = keep.into_iter();
        all.retain(|_| keep.next().unwrap_or(true));
    }
    all
}

impl Listed {
    /// Adds the name of an entry with the same digest.
    fn add(&mut self, entry: &Descriptor) {
        if self.entry.platform.is_none() {
            self.entry.platform.clone_from(&entry.platform);
        }
        let name = ImageName::of(&entry.annotations);
        if name != ImageName::Unnamed && !self.names.contains(&name) {
            self.names.push(name);
        }
        self.texts
            .extend(ImageName::texts(&entry.annotations).map(str::to_owned));
    }

    /// Returns the names that the image gets. Fails for a name that a reader would take for the ID of another image.
    pub(super) fn names(&self) -> Result<Names, Error> {
        for name in &self.names {
            if let ImageName::Text(text) = name
                && let Err(error @ ParseError::Algorithm(_)) = text.parse::<Reference>()
            {
                return Err(composition::Error::Name(error).into());
            }
        }
        Ok(Names::of_layout(&self.names))
    }

    /// Describes the image for a list from which the user selects one.
    pub(super) fn label(&self, layout: &LayoutReader) -> String {
        let names: Vec<_> = self.names.iter().map(ToString::to_string).collect();
        if names.is_empty() {
            label(layout, &self.entry)
        } else {
            names.join(" or ")
        }
    }
}
