//! The name of an image on disk: the one in its layout, or one made from the path of the layout.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::archive::oci_layout::ImageName;
use crate::name::{Reference, RegistryName, Repository, Tag};

/// A registry, a repository and a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LayoutName {
    /// The registry that the image is from. It is absent if the layout contains only a tag, or no name.
    registry: Option<RegistryName>,
    /// The repository.
    pub(super) repository: Repository,
    /// The tag. It is absent if the name has only a digest.
    pub(super) tag: Option<Tag>,
}

impl LayoutName {
    /// Returns the name in the `annotations`. Without one there, the name is made from the path of the layout, and its tag
    /// is `latest` if the layout has this image `only`.
    pub(super) fn of(annotations: &BTreeMap<String, String>, path: &Path, only: bool) -> Self {
        let tag = match ImageName::of(annotations) {
            ImageName::Full(reference) => return reference.into(),
            ImageName::Tag(tag) => Some(tag),
            // No registry can have such a name, so clients ask for the image by its digest.
            ImageName::Text(_) => None,
            ImageName::Unnamed => only.then(Tag::latest),
        };
        Self {
            registry: None,
            repository: Repository::of_file_name(&base_name(path)),
            tag,
        }
    }

    /// Returns one of the names if all are in the same repository.
    pub(super) fn common(names: &[Self]) -> Option<&Self> {
        let first = names.first()?;
        let is_common = names
            .iter()
            .all(|name| (&name.registry, &name.repository) == (&first.registry, &first.repository));
        is_common.then_some(first)
    }

    /// The name of the registry, or an empty text.
    pub(super) fn registry_text(&self) -> &str {
        self.registry.as_ref().map_or("", RegistryName::as_str)
    }
}

/// Returns the last component of a path; for `.` or `/x/..`, that of the directory that it leads to.
fn base_name(path: &Path) -> String {
    let canonical;
    let path = if path.file_name().is_some() {
        path
    } else {
        canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        &canonical
    };
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if path.is_file() {
        return without_endings(&name).to_owned();
    }
    name
}

/// Returns the name of an archive without `.tar` and the ending of its compression.
fn without_endings(name: &str) -> &str {
    let name = [".gz", ".zst", ".xz", ".bz2", ".tgz"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    name.strip_suffix(".tar").unwrap_or(name)
}

impl From<Reference> for LayoutName {
    fn from(reference: Reference) -> Self {
        let tag = match reference.digest {
            None => Some(reference.tag_or_latest()),
            Some(_) => reference.tag,
        };
        Self {
            registry: Some(reference.registry),
            repository: reference.repository,
            tag,
        }
    }
}

impl fmt::Display for LayoutName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        write!(f, "{}", self.repository)?;
        match &self.tag {
            Some(tag) => write!(f, ":{tag}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL_NAME: &str = "io.containerd.image.name";
    const REF_NAME: &str = "org.opencontainers.image.ref.name";

    fn name(annotations: &[(&str, &str)], only: bool) -> String {
        let annotations = annotations
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        LayoutName::of(&annotations, Path::new("/images/app"), only).to_string()
    }

    #[test]
    fn a_name_is_full_or_made_of_the_layouts_path() {
        for (annotations, served) in [
            (
                &[(FULL_NAME, "docker.io/library/debian:jessie")][..],
                "docker.io/library/debian:jessie",
            ),
            (
                &[(FULL_NAME, "localhost:5000/team/app:1")],
                "localhost:5000/team/app:1",
            ),
            (&[(REF_NAME, "docker.io/a/b:2")], "docker.io/a/b:2"),
            (&[(REF_NAME, "debian:12")], "docker.io/library/debian:12"),
            (&[(REF_NAME, "ghcr.io/a/b")], "ghcr.io/a/b:latest"),
            (&[(REF_NAME, "1.0-rc")], "app:1.0-rc"),
            (
                &[(FULL_NAME, "x.io/full:1"), (REF_NAME, "2")],
                "x.io/full:1",
            ),
        ] {
            assert_eq!(name(annotations, true), served);
        }
    }

    #[test]
    fn an_image_without_a_name_is_latest_only_where_it_is_alone() {
        assert_eq!(name(&[], true), "app:latest");
        assert_eq!(name(&[], false), "app");
    }

    #[test]
    fn an_image_named_by_digest_has_no_tag() {
        let digest = crate::oci::digest::Digest::of(b"");
        let full = format!("ghcr.io/a/b@{digest}");
        assert_eq!(name(&[(FULL_NAME, &full)], true), "ghcr.io/a/b");
    }

    #[test]
    fn an_image_with_a_name_that_no_registry_can_have_has_no_tag() {
        for text in ["../../etc", "A/B:1", "a b", "v1+build"] {
            for key in [FULL_NAME, REF_NAME] {
                assert_eq!(name(&[(key, text)], true), "app", "{text}");
            }
        }
    }

    #[test]
    fn an_archive_gives_its_name_without_its_endings() {
        for (name, expected) in [
            ("debian.tar", "debian"),
            ("debian.tar.gz", "debian"),
            ("debian.tgz", "debian"),
            ("debian.tar.xz", "debian"),
            ("debian.tar.bz2", "debian"),
            ("debian.tar.zst", "debian"),
            ("app-1.0", "app-1.0"),
        ] {
            assert_eq!(without_endings(name), expected);
        }
    }

    #[test]
    fn takes_the_directory_that_a_dot_leads_to() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image");
        std::fs::create_dir_all(path.join("oci")).unwrap();
        assert_eq!(base_name(&path.join("oci/..")), "image");
    }
}
