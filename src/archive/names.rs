//! The names of an image in an archive or a layout.

use std::collections::BTreeMap;

use super::oci_layout::{FULL_NAME, ImageName, REF_NAME};
use crate::name::{ParseError, Reference, Tag};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;

/// The names of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The names as Docker prints them: `debian:jessie`. The first is the image's own. An image that is known only by
    /// its digest has none, as after `docker pull`.
    pub repo_tags: Vec<String>,
    /// The name in full, with the tag or the digest: `docker.io/library/debian:jessie`. An image from a layout may have
    /// none.
    pub reference: Option<String>,
    /// The tag of the image's own name.
    pub tag: Option<String>,
    /// Further texts by which a layout lists the image. They do not name a repository, so they are for layouts alone.
    pub ref_names: Vec<String>,
}

impl Names {
    /// Returns the names of the image that `reference` resolved to.
    #[must_use]
    pub fn of_reference(reference: &Reference) -> Self {
        let full_name = reference.full_name();
        match &reference.digest {
            Some(digest) if reference.tag.is_none() => Self {
                repo_tags: Vec::new(),
                reference: Some(format!("{full_name}@{digest}")),
                ..Self::default()
            },
            _ => {
                let tag = reference.tag_or_latest().to_string();
                Self {
                    repo_tags: vec![format!("{}:{tag}", reference.familiar_name())],
                    reference: Some(format!("{full_name}:{tag}")),
                    tag: Some(tag),
                    ref_names: Vec::new(),
                }
            }
        }
    }

    /// Returns the names of an image that a layout lists under `names`.
    #[must_use]
    pub fn of_layout(names: &[ImageName]) -> Self {
        let mut all = Self::default();
        for name in names {
            match name {
                ImageName::Full(reference) => all.add(reference),
                ImageName::Tag(_) | ImageName::Text(_) | ImageName::Unnamed => {}
            }
        }
        for name in names {
            match name {
                ImageName::Tag(tag) if all.reference.is_none() && all.tag.is_none() => {
                    all.tag = Some(tag.to_string());
                }
                ImageName::Tag(_) | ImageName::Text(_) => all.ref_names.push(name.to_string()),
                ImageName::Full(_) | ImageName::Unnamed => {}
            }
        }
        all
    }

    /// Returns the names in full, as `docker.io/library/debian:jessie`.
    #[must_use]
    pub fn full_tags(&self) -> Vec<String> {
        let full = |name: &String| match name.parse::<Reference>() {
            Ok(reference) => format!("{}:{}", reference.full_name(), reference.tag_or_latest()),
            Err(_) => name.clone(),
        };
        self.repo_tags.iter().map(full).collect()
    }

    /// Returns the names for the document with this digest: a name with a digest gets this one.
    #[must_use]
    pub fn with_digest(&self, digest: &Digest) -> Self {
        let mut names = self.clone();
        if let Some((name, _)) = self
            .reference
            .as_deref()
            .and_then(|name| name.split_once('@'))
        {
            names.reference = Some(format!("{name}@{digest}"));
        }
        names
    }

    /// Returns the digest in the image's own name, if it has one.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        let (_, digest) = self.reference.as_deref()?.split_once('@')?;
        digest.parse().ok()
    }

    /// Checks that all names are valid. The names in a script may be anything.
    pub fn check(&self) -> Result<(), ParseError> {
        for name in self.repo_tags.iter().chain(&self.reference) {
            name.parse::<Reference>()?;
        }
        self.tag
            .as_deref()
            .map_or(Ok(()), |tag| tag.parse::<Tag>().map(drop))
    }

    /// Adds a name. If the image had none, the name becomes its own.
    pub fn add(&mut self, name: &Reference) {
        let names = Self::of_reference(name);
        if self.reference.is_none() {
            (self.reference, self.tag) = (names.reference, names.tag);
            self.ref_names.clear();
        }
        for tag in names.repo_tags {
            if !self.repo_tags.contains(&tag) {
                self.repo_tags.push(tag);
            }
        }
    }

    /// Returns the descriptors of a manifest for `index.json`, one for each name: an entry has room for one. The
    /// annotations are the full reference for containerd, and the tag for other readers.
    #[must_use]
    pub fn entries(&self, manifest: &Descriptor) -> Vec<Descriptor> {
        let own = (self.reference.clone(), self.tag.clone());
        let references = self.repo_tags.iter().filter_map(|name| name.parse().ok());
        let others = references.map(|name: Reference| {
            let names = Self::of_reference(&name);
            (names.reference, names.tag)
        });
        let texts = self.ref_names.iter().map(|text| (None, Some(text.clone())));
        let mut names: Vec<(Option<String>, Option<String>)> = Vec::new();
        for name in std::iter::once(own).chain(others).chain(texts) {
            if name != (None, None) && !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            names.push((None, None));
        }
        let entry = |(reference, tag)| {
            let mut entry = manifest.clone();
            let annotations = [(FULL_NAME, reference), (REF_NAME, tag)];
            entry.annotations = annotations
                .into_iter()
                .filter_map(|(key, value): (_, Option<String>)| Some((key.to_owned(), value?)))
                .collect::<BTreeMap<_, _>>();
            entry
        };
        names.into_iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::media_type::MediaType;

    fn names(reference: &str) -> Names {
        Names::of_reference(&reference.parse().unwrap())
    }

    #[test]
    fn docker_gets_the_short_name_and_containerd_the_full_one() {
        let names = names("debian:jessie");
        assert_eq!(names.repo_tags, ["debian:jessie"]);
        let descriptor = Descriptor::new(MediaType::OCI_MANIFEST, Digest::of(b""), 0);
        let entries = names.entries(&descriptor);
        assert_eq!(entries.len(), 1);
        let annotations = &entries[0].annotations;
        assert_eq!(annotations[FULL_NAME], "docker.io/library/debian:jessie");
        assert_eq!(annotations[REF_NAME], "jessie");
    }

    #[test]
    fn a_layout_lists_an_image_once_for_each_name() {
        let mut names = names("debian:12");
        for name in ["ghcr.io/a/b:1", "debian:latest"] {
            names.add(&name.parse().unwrap());
        }
        let descriptor = Descriptor::new(MediaType::OCI_MANIFEST, Digest::of(b""), 0);
        let entries = names.entries(&descriptor);
        let listed: Vec<_> = entries
            .iter()
            .map(|entry| entry.annotations[FULL_NAME].as_str())
            .collect();
        assert_eq!(
            listed,
            [
                "docker.io/library/debian:12",
                "ghcr.io/a/b:1",
                "docker.io/library/debian:latest"
            ]
        );
        let unnamed = Names::default().entries(&descriptor);
        assert_eq!(unnamed, [descriptor]);
    }

    #[test]
    fn an_image_known_by_its_digest_alone_has_no_tag() {
        let digest = Digest::of(b"");
        let by_digest = names(&format!("ghcr.io/a/b@{digest}"));
        assert_eq!(by_digest.repo_tags, Vec::<String>::new());
        assert_eq!(by_digest.reference, Some(format!("ghcr.io/a/b@{digest}")));
        assert_eq!(by_digest.tag, None);
        assert_eq!(by_digest.digest(), Some(digest));
        let both = names(&format!("ghcr.io/a/b:1@{digest}"));
        assert_eq!(both, names("ghcr.io/a/b:1"));
        assert_eq!(both.digest(), None);
        let other = Digest::of(b"index");
        assert_eq!(
            by_digest.with_digest(&other),
            names(&format!("ghcr.io/a/b@{other}"))
        );
        assert_eq!(both.with_digest(&other), both);
    }

    #[test]
    fn a_name_that_is_added_is_the_only_one_of_an_image_that_had_none() {
        let mut unnamed = Names::default();
        unnamed.add(&"debian:12".parse().unwrap());
        assert_eq!(unnamed, names("debian:12"));
        for tag in ["debian:13", "debian:12"] {
            unnamed.add(&tag.parse().unwrap());
        }
        assert_eq!(unnamed.repo_tags, ["debian:12", "debian:13"]);
        assert_eq!(unnamed.reference, names("debian:12").reference);
    }
}
