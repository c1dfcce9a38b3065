//! The names of an image in an archive or a layout.

use std::collections::BTreeMap;

use super::oci_layout::{FULL_NAME, ImageName, REF_NAME};
use crate::name::{ParseError, Reference, Tag};
use crate::oci::descriptor::Descriptor;

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
                tag: None,
            },
            _ => {
                let tag = reference.tag_or_latest().to_string();
                Self {
                    repo_tags: vec![format!("{}:{tag}", reference.familiar_name())],
                    reference: Some(format!("{full_name}:{tag}")),
                    tag: Some(tag),
                }
            }
        }
    }

    /// Returns the names of an image whose name in a layout is `name`.
    #[must_use]
    pub fn of_layout(name: &ImageName) -> Self {
        match name {
            ImageName::Full(reference) => Self::of_reference(reference),
            ImageName::Tag(tag) => Self {
                tag: Some(tag.to_string()),
                ..Self::default()
            },
            ImageName::Unnamed => Self::default(),
        }
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
        }
        for tag in names.repo_tags {
            if !self.repo_tags.contains(&tag) {
                self.repo_tags.push(tag);
            }
        }
    }

    /// Returns the descriptor of a manifest for `index.json`, with the names as annotations: the full reference for
    /// containerd, and the tag for other readers.
    #[must_use]
    pub fn annotate(&self, mut manifest: Descriptor) -> Descriptor {
        let annotations = [(FULL_NAME, &self.reference), (REF_NAME, &self.tag)];
        manifest.annotations = annotations
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)))
            .collect::<BTreeMap<_, _>>();
        manifest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::digest::Digest;
    use crate::oci::media_type::MediaType;

    fn names(reference: &str) -> Names {
        Names::of_reference(&reference.parse().unwrap())
    }

    #[test]
    fn docker_gets_the_short_name_and_containerd_the_full_one() {
        let names = names("debian:jessie");
        assert_eq!(names.repo_tags, ["debian:jessie"]);
        let descriptor = Descriptor::new(MediaType::OCI_MANIFEST, Digest::of(b""), 0);
        let annotations = names.annotate(descriptor).annotations;
        assert_eq!(annotations[FULL_NAME], "docker.io/library/debian:jessie");
        assert_eq!(annotations[REF_NAME], "jessie");
    }

    #[test]
    fn an_image_known_by_its_digest_alone_has_no_tag() {
        let digest = Digest::of(b"");
        let by_digest = names(&format!("ghcr.io/a/b@{digest}"));
        assert_eq!(by_digest.repo_tags, Vec::<String>::new());
        assert_eq!(by_digest.reference, Some(format!("ghcr.io/a/b@{digest}")));
        assert_eq!(by_digest.tag, None);
        let both = names(&format!("ghcr.io/a/b:1@{digest}"));
        assert_eq!(both, names("ghcr.io/a/b:1"));
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
