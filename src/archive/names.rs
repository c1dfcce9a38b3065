//! What an image is to be called by whoever reads an archive of it.

use std::collections::BTreeMap;

use super::oci_layout::{FULL_NAME, ImageName, REF_NAME};
use crate::name::{ParseError, Reference, Tag};
use crate::oci::descriptor::Descriptor;

/// The names of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Tags as Docker prints them: `debian:jessie`. The first is the image's own. An image that is known by
    /// its digest alone has none, as after `docker pull`.
    pub repo_tags: Vec<String>,
    /// The name in full, with the tag or the digest: `docker.io/library/debian:jessie`. An image that was
    /// found in a layout may have none.
    pub reference: Option<String>,
    /// The tag alone.
    pub tag: Option<String>,
}

impl Names {
    /// The names under which the image that `reference` asked for is known.
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

    /// The names of an image that a layout calls so.
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

    /// Whether all of them are names. Those of a script are whatever its author wrote.
    pub fn check(&self) -> Result<(), ParseError> {
        for name in self.repo_tags.iter().chain(&self.reference) {
            name.parse::<Reference>()?;
        }
        self.tag
            .as_deref()
            .map_or(Ok(()), |tag| tag.parse::<Tag>().map(drop))
    }

    /// Adds a name, which is the image's own if it had none.
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

    /// A manifest's descriptor as `index.json` has it, with the names as annotations: the reference in full
    /// for containerd, and the tag for everybody else, each where there is one.
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
