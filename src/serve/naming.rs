//! The meaning of a name if the client does not name the registry.
//!
//! containerd names it (`?ns=`); dockerd and podman do not. Without it, a path first means the repository of Docker Hub,
//! because a daemon that has this registry in `registry-mirrors` asks only for Docker Hub's images. Otherwise it means the
//! repository of another registry, unless several registries have different images there. A path may also begin with the
//! name of the registry, if that has no port.

use std::collections::{BTreeMap, BTreeSet};

use super::repository::{Repositories, ServedRepository};
use crate::name::{DOCKER_HUB, Repository};

/// The images whose registry clients may leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// All images.
    #[default]
    Short,
    /// Only images of Docker Hub. A daemon that asks for Docker Hub's `team/app` then never gets the image of another
    /// registry.
    Full,
}

/// All names of the repositories.
#[derive(Debug, Default)]
pub(super) struct RepositoryNames {
    all: BTreeMap<String, ServedRepository>,
    /// Names that lists leave out, because a shorter name has the same tags.
    aliases: BTreeSet<String>,
}

impl RepositoryNames {
    /// Returns the names of all repositories.
    pub(super) fn of(registries: &BTreeMap<String, Repositories>, naming: Naming) -> Self {
        let mut names = Self::default();
        let repositories = || {
            registries.iter().flat_map(|(registry, repositories)| {
                let each = repositories.iter();
                each.map(move |(path, contents)| (registry.as_str(), path, contents))
            })
        };
        let has_short_name =
            |registry: &str| naming == Naming::Short || ["", DOCKER_HUB].contains(&registry);
        for (registry, path, contents) in repositories() {
            if has_short_name(registry) {
                names.all.entry(path.clone()).or_default().merge(contents);
            }
        }
        for (registry, path, contents) in repositories() {
            let full = format!("{registry}/{path}");
            if registry.is_empty() || full.parse::<Repository>().is_err() {
                continue;
            }
            let short = names.all.get(path).filter(|_| has_short_name(registry));
            if short.is_some_and(|short| contents.is_part_of(short)) {
                names.aliases.insert(full.clone());
            }
            names.all.entry(full).or_default().merge(contents);
        }
        names
    }

    pub(super) fn find(&self, name: &Repository) -> Option<&ServedRepository> {
        self.all.get(name.as_str())
    }

    /// Returns, in order, the shortest name of each repository with all of its tags.
    pub(super) fn listed(&self) -> impl Iterator<Item = &str> {
        let names = self.all.keys();
        names
            .filter(|name| !self.aliases.contains(*name))
            .map(String::as_str)
    }

    /// Returns the ambiguous names, `repository:tag`, each with the full names of its images.
    pub(super) fn ambiguous(&self) -> impl Iterator<Item = (String, Vec<String>)> {
        let names = self.all.iter();
        let names = names.filter(|(name, _)| !self.aliases.contains(*name));
        names.flat_map(|(name, contents)| {
            let tags = contents.ambiguous();
            tags.map(move |(tag, images)| (format!("{name}:{tag}"), images))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Catalogue;
    use super::super::fixture::{LAYER, LayoutFixture, digest_of};
    use super::super::repository::TagLookup;
    use super::*;
    use crate::name::RegistryName;
    use crate::oci::digest::Digest;

    /// A catalogue of images that differ, and their digests.
    fn catalogue(names: &[&str], naming: Naming) -> (Catalogue, Vec<Digest>) {
        let mut layout = LayoutFixture::new();
        let digests = names
            .iter()
            .map(|name| {
                let manifest = layout.image(name.as_bytes());
                layout.list(manifest.clone(), name);
                digest_of(&manifest)
            })
            .collect();
        let catalogue = Catalogue::open(&[layout.path()], naming).unwrap();
        (catalogue, digests)
    }

    fn find(catalogue: &Catalogue, registry: &str, name: &str) -> TagLookup {
        let registry: Option<RegistryName> =
            (!registry.is_empty()).then(|| registry.parse().unwrap());
        let contents = catalogue.repository(registry.as_ref(), &name.parse().unwrap());
        contents.map_or(TagLookup::Unknown, |contents| {
            contents.tagged(&"1".parse().unwrap())
        })
    }

    #[test]
    fn a_client_that_names_the_registry_gets_its_image() {
        let names = ["docker.io/a/b:1", "ghcr.io/a/b:1", "localhost:5000/a/b:1"];
        for naming in [Naming::Short, Naming::Full] {
            let (catalogue, digests) = catalogue(&names, naming);
            for (registry, digest) in [
                ("docker.io", digests[0]),
                ("ghcr.io", digests[1]),
                ("localhost:5000", digests[2]),
            ] {
                assert_eq!(find(&catalogue, registry, "a/b"), TagLookup::One(digest));
            }
            assert_eq!(find(&catalogue, "quay.io", "a/b"), TagLookup::Unknown);
            assert_eq!(
                find(&catalogue, "", "ghcr.io/a/b"),
                TagLookup::One(digests[1])
            );
        }
    }

    #[test]
    fn without_a_registry_docker_hubs_image_goes_first() {
        let (catalogue, digests) = catalogue(
            &["a.io/a/b:1", "docker.io/a/b:1", "z.io/a/b:1"],
            Naming::Short,
        );
        assert_eq!(find(&catalogue, "", "a/b"), TagLookup::One(digests[1]));
        assert_eq!(catalogue.ambiguous().count(), 0);
        assert_eq!(
            catalogue.repositories(None),
            ["a.io/a/b", "a/b", "z.io/a/b"]
        );
    }

    #[test]
    fn a_name_that_could_mean_two_images_means_neither() {
        let (catalogue, digests) = catalogue(&["a.io/a/b:1", "z.io/a/b:1"], Naming::Short);
        let both = vec!["a.io/a/b:1".to_owned(), "z.io/a/b:1".to_owned()];
        assert_eq!(
            find(&catalogue, "", "a/b"),
            TagLookup::Ambiguous(both.clone())
        );
        assert_eq!(
            catalogue.ambiguous().collect::<Vec<_>>(),
            [("a/b:1".to_owned(), both)]
        );
        let contents = catalogue.repository(None, &"a/b".parse().unwrap()).unwrap();
        assert_eq!(contents.tags().count(), 0);
        // What is asked for by digest cannot be mistaken.
        assert!(
            digests
                .iter()
                .all(|digest| contents.document(digest).is_some())
        );
    }

    #[test]
    fn one_image_of_two_registries_is_found_without_saying_which() {
        let mut layout = LayoutFixture::new();
        let manifest = layout.image(LAYER);
        for name in ["a.io/a/b:1", "z.io/a/b:1"] {
            layout.list(manifest.clone(), name);
        }
        let catalogue = layout.open().unwrap();
        assert_eq!(
            find(&catalogue, "", "a/b"),
            TagLookup::One(digest_of(&manifest))
        );
        assert_eq!(catalogue.repositories(None), ["a/b"]);
    }

    #[test]
    fn full_names_leave_only_docker_hubs_images_their_short_ones() {
        let (catalogue, digests) =
            catalogue(&["docker.io/library/a:1", "ghcr.io/a/b:1"], Naming::Full);
        assert_eq!(
            find(&catalogue, "", "library/a"),
            TagLookup::One(digests[0])
        );
        assert_eq!(find(&catalogue, "", "a/b"), TagLookup::Unknown);
        assert_eq!(catalogue.repositories(None), ["ghcr.io/a/b", "library/a"]);
    }
}
