//! The served repositories. They are found at the start, by reading all documents below each `index.json`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::layout_name::LayoutName;
use super::naming::{Naming, RepositoryNames};
use super::platforms;
use super::repository::{Repositories, ServedRepository};
use super::unnamed_referrers::{self, Unnamed};
use crate::archive::on_disk::{OnDisk, Unpacked};
use crate::name::{RegistryName, Repository};
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::Document;
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;

/// All repositories of a server.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// The repositories by the registry of their images; images without a registry are under the empty text.
    registries: BTreeMap<String, Repositories>,
    /// The names for clients that do not name a registry.
    names: RepositoryNames,
    /// The digest of the path of the only repository, which is a secret. Digests are compared, so that the time of the
    /// comparison says nothing about the path.
    secret: Option<Digest>,
    unusable: Vec<(PathBuf, Error)>,
    /// The directories of archives, kept for as long as the images are served.
    _unpacked: Vec<Unpacked>,
}

impl Catalogue {
    /// Reads and verifies the documents of all layouts. Of blobs it checks only the size, except for links out of the
    /// layout: it reads and verifies their targets, unless these are in the Nix store.
    pub fn open(paths: &[PathBuf], naming: Naming) -> Result<Self, Error> {
        let mut registries = BTreeMap::new();
        let mut unusable = Vec::new();
        let mut unpacked = Vec::new();
        let mut unnamed = Vec::new();
        let mut entries = Vec::new();
        for path in paths {
            match read(path) {
                Ok(found) => {
                    let reported = found.unusable.into_iter();
                    entries.extend(reported.map(|error| (path.clone(), error)));
                    absorb(&mut registries, found.registries);
                    unnamed.extend(found.unnamed);
                    unpacked.extend(found.unpacked);
                }
                Err(error) => unusable.push((path.clone(), error)),
            }
        }
        if unusable.len() == paths.len()
            && let Some((_, error)) = unusable.pop()
        {
            return Err(error);
        }
        unusable.extend(entries);
        unnamed_referrers::attach(&mut registries, &unnamed);
        Ok(Self {
            names: RepositoryNames::of(&registries, naming),
            registries,
            secret: None,
            unusable,
            _unpacked: unpacked,
        })
    }

    /// Returns the layouts that cannot be served as a whole or in part, with the reasons. They do not stop the others, and
    /// an image that cannot be served does not stop the others of its layout.
    #[must_use]
    pub fn unusable(&self) -> &[(PathBuf, Error)] {
        &self.unusable
    }

    /// Creates a catalogue of one image, in a repository whose path is a secret: the repository is not listed, and all
    /// other paths answer 404. Fails if the file of a blob does not exist or has another size.
    pub fn of_image<'a>(
        repository: &Repository,
        manifest: &Document<Manifest>,
        index: Option<&Document<Index>>,
        files: impl Iterator<Item = (&'a Descriptor, &'a Path)>,
    ) -> Result<Self, Error> {
        let contents = ServedRepository::of_image(manifest, index, files)?;
        let repositories = BTreeMap::from([(repository.to_string(), contents)]);
        let registries = BTreeMap::from([(String::new(), repositories)]);
        Ok(Self {
            names: RepositoryNames::of(&registries, Naming::Short),
            registries,
            secret: Some(Digest::of(repository.as_str().as_bytes())),
            unusable: Vec::new(),
            _unpacked: Vec::new(),
        })
    }

    /// Whether a path below `/v2/` may be answered: any path, unless the only repository is a secret.
    pub(super) fn admits(&self, path: &str) -> bool {
        let Some(secret) = &self.secret else {
            return true;
        };
        let name = path.rsplitn(3, '/').nth(2);
        path.is_empty() || name.is_some_and(|name| Digest::of(name.as_bytes()) == *secret)
    }

    /// Returns the ambiguous names, `repository:tag`, which several images share. Each has the full names of these images,
    /// with digests if they are equal. The server has no image under an ambiguous name.
    pub fn ambiguous(&self) -> impl Iterator<Item = (String, Vec<String>)> {
        self.names.ambiguous()
    }

    /// Returns the names of all repositories: those of one registry, or those for clients that name no registry.
    pub(super) fn repositories(&self, registry: Option<&RegistryName>) -> Vec<&str> {
        match registry {
            Some(registry) => self
                .registries
                .get(registry.as_str())
                .into_iter()
                .flat_map(|repositories| repositories.keys().map(String::as_str))
                .collect(),
            None => self.names.listed().collect(),
        }
    }

    /// Returns a repository by its name, and by its registry if the client names one.
    pub(super) fn repository(
        &self,
        registry: Option<&RegistryName>,
        repository: &Repository,
    ) -> Option<&ServedRepository> {
        match registry {
            Some(registry) => self
                .registries
                .get(registry.as_str())?
                .get(repository.as_str()),
            None => self.names.find(repository),
        }
    }
}

/// The content of one layout.
struct Found {
    registries: BTreeMap<String, Repositories>,
    /// The referrers without a name, which are no images.
    unnamed: Option<Unnamed>,
    unpacked: Option<Unpacked>,
    /// The reasons why images are not served.
    unusable: Vec<Error>,
}

/// Reads the repositories of one layout.
fn read(path: &Path) -> Result<Found, Error> {
    let layout = OnDisk::open(path).map_err(|error| Error::on_disk(path, error))?;
    let index = layout.index()?;
    let checked = layout.check_entries(&index).map_err(Error::from);
    let mut unusable: Vec<Error> = checked.err().into_iter().collect();
    let documents = index.manifests.iter().filter(|descriptor| {
        descriptor.media_type.is_manifest() || descriptor.media_type.is_index()
    });
    let (unnamed, entries) = unnamed_referrers::split(&layout, documents);
    let is_only = platforms::is_only_image(&layout, &index, &entries);
    let mut registries: BTreeMap<String, Repositories> = BTreeMap::new();
    let mut names = Vec::new();
    let mut tagged: BTreeMap<String, (LayoutName, Vec<&Descriptor>)> = BTreeMap::new();
    for descriptor in entries {
        let name = LayoutName::of(&descriptor.annotations, path, is_only);
        let mut image = ServedRepository::default();
        if let Err(error) = image.add(&layout, descriptor) {
            unusable.push(error);
            continue;
        }
        repository_of(&mut registries, &name).merge(&image);
        if name.tag.is_some() {
            let images = tagged.entry(name.to_string());
            let (_, images) = images.or_insert_with(|| (name.clone(), Vec::new()));
            images.push(descriptor);
        }
        names.push(name);
    }
    for (name, images) in tagged.values() {
        let repository = repository_of(&mut registries, name);
        if let Some(index) = platforms::index(&layout, images) {
            repository.add_index(&index);
            repository.tag(name, *index.digest());
            continue;
        }
        let covering = platforms::covering(&layout, images);
        for image in images {
            if covering.is_none_or(|index| index == image.digest) {
                repository.tag(name, image.digest);
            }
        }
    }
    if names.is_empty() && unnamed.is_empty() {
        let path = path.to_owned();
        return Err(unusable.pop().unwrap_or(Error::NoImage { path }));
    }
    let unnamed = match unnamed.first() {
        None => None,
        Some(first) => {
            let home = match LayoutName::common(&names) {
                Some(common) => common.clone(),
                None => LayoutName::of(&first.annotations, path, false),
            };
            Some(Unnamed::read(&layout, home, &unnamed)?)
        }
    };
    Ok(Found {
        registries,
        unnamed,
        unpacked: layout.unpacked(),
        unusable,
    })
}

fn repository_of<'r>(
    registries: &'r mut BTreeMap<String, Repositories>,
    name: &LayoutName,
) -> &'r mut ServedRepository {
    registries
        .entry(name.registry_text().to_owned())
        .or_default()
        .entry(name.repository.to_string())
        .or_default()
}

/// Adds the repositories of one layout to those of the others.
fn absorb(all: &mut BTreeMap<String, Repositories>, found: BTreeMap<String, Repositories>) {
    for (registry, repositories) in found {
        let all = all.entry(registry).or_default();
        for (path, contents) in repositories {
            all.entry(path).or_default().merge(&contents);
        }
    }
}

#[cfg(test)]
mod tests;
