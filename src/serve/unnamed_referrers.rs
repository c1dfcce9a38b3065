//! Referrers without a name in their layout, and the repositories that get them.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Error;
use super::layout_name::LayoutName;
use super::referrers;
use super::repository::{Repositories, ServedRepository};
use crate::archive::oci_layout::{ImageName, LayoutReader};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;

/// Referrers to which their layout gives no name. They belong to the repositories of their subjects.
#[derive(Debug)]
pub(super) struct Unnamed {
    /// The repository for referrers whose subjects do not exist.
    name: LayoutName,
    contents: ServedRepository,
}

impl Unnamed {
    /// Reads these referrers and all content below them. `name` is the repository of the layout.
    pub(super) fn read(
        layout: &LayoutReader,
        name: LayoutName,
        referrers: &[&Descriptor],
    ) -> Result<Self, Error> {
        let mut contents = ServedRepository::default();
        for descriptor in referrers {
            contents.add(layout, descriptor)?;
        }
        Ok(Self { name, contents })
    }
}

/// Splits entries of `index.json` into referrers without a name, and images.
pub(super) fn split<'a>(
    layout: &LayoutReader,
    entries: impl Iterator<Item = &'a Descriptor>,
) -> (Vec<&'a Descriptor>, Vec<&'a Descriptor>) {
    entries.partition(|entry| {
        let has_name = !matches!(ImageName::of(&entry.annotations), ImageName::Unnamed);
        // An entry that cannot be read is reported with the images.
        !has_name && has_subject(layout, entry).unwrap_or(false)
    })
}

fn has_subject(layout: &LayoutReader, descriptor: &Descriptor) -> Result<bool, Error> {
    let is_referrer = referrers::has_subject;
    Ok(if descriptor.media_type.is_index() {
        let index = layout.document::<Index>(descriptor)?;
        index.is_some_and(|index| is_referrer(index.bytes()))
    } else {
        let manifest = layout.document::<Manifest>(descriptor)?;
        manifest.is_some_and(|manifest| is_referrer(manifest.bytes()))
    })
}

/// Adds each referrer to all repositories that have its subject, with all content below it. Unnamed referrers of which
/// no repository has the subject are in the repository of their layout: that of all its images, or one with its name.
pub(super) fn attach(registries: &mut BTreeMap<String, Repositories>, unnamed: &[Unnamed]) {
    let mut all = ServedRepository::default();
    for repository in registries
        .values()
        .flat_map(BTreeMap::values)
        .chain(unnamed.iter().map(|unnamed| &unnamed.contents))
    {
        for referrer in repository.referrers().all() {
            all.copy(repository, referrer);
        }
    }
    let mut attached = BTreeSet::new();
    for repository in registries.values_mut().flat_map(BTreeMap::values_mut) {
        let mut pending: Vec<Digest> = repository.documents().copied().collect();
        while let Some(subject) = pending.pop() {
            for referrer in all.referrers().of(&subject) {
                attached.insert(*referrer);
                // A referrer may have referrers itself.
                pending.extend(repository.copy(&all, referrer));
            }
        }
    }
    for Unnamed { name, contents } in unnamed {
        if !contents
            .referrers()
            .all()
            .all(|referrer| attached.contains(referrer))
        {
            registries
                .entry(name.registry_text().to_owned())
                .or_default()
                .entry(name.repository.to_string())
                .or_default()
                .merge(contents);
        }
    }
}
