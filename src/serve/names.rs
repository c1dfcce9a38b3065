//! What a name means where the client does not say which registry it had in mind.
//!
//! containerd says it (`?ns=`), dockerd and podman do not. So a path stands for Docker Hub's repository of that
//! path first, because a daemon with this registry as its `registry-mirrors` asks for nothing else; then for another
//! registry's, unless several have different images there. And a path may begin with the registry's name, as far as
//! paths can: without a port.

use std::collections::{BTreeMap, BTreeSet};

use super::contents::{Contents, Repositories};
use crate::name::{DOCKER_HUB, Repository};

/// Whether the registry of an image may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// Of every image.
    #[default]
    Short,
    /// Of Docker Hub's alone, as everywhere else. A daemon that asks for `team/app` and means Docker Hub's then never
    /// gets another registry's.
    Full,
}

/// Repositories by all the names that they have.
#[derive(Debug, Default)]
pub(super) struct Names {
    all: BTreeMap<String, Contents>,
    /// Those that say nothing new, because a shorter one leads to the same tags.
    aliases: BTreeSet<String>,
}

impl Names {
    /// Finds the names of all repositories.
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

    pub(super) fn find(&self, name: &Repository) -> Option<&Contents> {
        self.all.get(name.as_str())
    }

    /// Each repository's shortest name that leads to all of its tags, sorted.
    pub(super) fn listed(&self) -> impl Iterator<Item = &str> {
        let names = self.all.keys();
        names
            .filter(|name| !self.aliases.contains(*name))
            .map(String::as_str)
    }

    /// The names with a tag that mean several images, and those.
    pub(super) fn ambiguous(&self) -> impl Iterator<Item = (String, Vec<String>)> {
        self.all.iter().flat_map(|(name, contents)| {
            let tags = contents.ambiguous();
            tags.map(move |(tag, images)| (format!("{name}:{tag}"), images))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Catalogue;
    use super::super::contents::Found;
    use super::super::fixture::{LAYER, LayoutFixture, digest_of};
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

    fn find(catalogue: &Catalogue, registry: &str, name: &str) -> Found {
        let registry: Option<RegistryName> =
            (!registry.is_empty()).then(|| registry.parse().unwrap());
        let contents = catalogue.repository(registry.as_ref(), &name.parse().unwrap());
        contents.map_or(Found::Nothing, |contents| {
            contents.tagged(&"1".parse().unwrap())
        })
    }

    #[test]
    fn each_registrys_image_answers_where_the_registry_is_said() {
        let names = ["docker.io/a/b:1", "ghcr.io/a/b:1", "localhost:5000/a/b:1"];
        for naming in [Naming::Short, Naming::Full] {
            let (catalogue, digests) = catalogue(&names, naming);
            for (registry, digest) in [
                ("docker.io", digests[0]),
                ("ghcr.io", digests[1]),
                ("localhost:5000", digests[2]),
            ] {
                assert_eq!(find(&catalogue, registry, "a/b"), Found::One(digest));
            }
            assert_eq!(find(&catalogue, "quay.io", "a/b"), Found::Nothing);
            assert_eq!(find(&catalogue, "", "ghcr.io/a/b"), Found::One(digests[1]));
        }
    }

    #[test]
    fn without_a_registry_docker_hubs_image_goes_first() {
        let (catalogue, digests) = catalogue(
            &["a.io/a/b:1", "docker.io/a/b:1", "z.io/a/b:1"],
            Naming::Short,
        );
        assert_eq!(find(&catalogue, "", "a/b"), Found::One(digests[1]));
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
        assert_eq!(find(&catalogue, "", "a/b"), Found::Several(both.clone()));
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
            Found::One(digest_of(&manifest))
        );
        assert_eq!(catalogue.repositories(None), ["a/b"]);
    }

    #[test]
    fn full_names_leave_only_docker_hubs_images_their_short_ones() {
        let (catalogue, digests) =
            catalogue(&["docker.io/library/a:1", "ghcr.io/a/b:1"], Naming::Full);
        assert_eq!(find(&catalogue, "", "library/a"), Found::One(digests[0]));
        assert_eq!(find(&catalogue, "", "a/b"), Found::Nothing);
        assert_eq!(catalogue.repositories(None), ["ghcr.io/a/b", "library/a"]);
    }
}
