//! Images on disk: an output of `fetchdocker`, a script of one, or any OCI layout.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::composition::{self, Composition, find_script};
use super::names::Names;
use super::oci_layout::{self, ImageName, LayoutReader};
use crate::class::Class;
use crate::name;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::document::{Document, View};
use crate::oci::index::{Index, NoSuchPlatform, SelectError, Selected};
use crate::oci::manifest::Manifest;
use crate::oci::platform::Platform;

/// The number of levels of indexes below `index.json` that are followed.
const MAX_NESTING: usize = 4;

/// The selection of one image.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// The name of the image, required if a layout has several.
    pub name: Option<&'a str>,
    /// The platform, used for images in an index.
    pub platform: &'a Platform,
}

/// Opens the image at `path`: a script, the output of `fetchdocker`, or an OCI layout.
pub fn open(path: &Path, selection: &Selection<'_>) -> Result<Composition, Error> {
    match find_script(path) {
        Some(script) => Ok(Composition::read_script(&script)?),
        None => of_layout(&LayoutReader::open(path)?, path, selection),
    }
}

fn of_layout(
    layout: &LayoutReader,
    path: &Path,
    selection: &Selection<'_>,
) -> Result<Composition, Error> {
    let (name, entries) = choose(layout, path, selection.name)?;
    let manifest = descend(layout, path, entries, selection.platform)?;
    let file = |descriptor: &Descriptor| match layout.blob(descriptor)? {
        Some(file) => Ok(file),
        None => Err(layout.absent(&descriptor.digest)),
    };
    let config = file(&manifest.config)?;
    let layers = manifest.layers.iter().map(file).collect::<Result<_, _>>()?;
    let names = Names::of_layout(&name);
    Ok(Composition::new(names, manifest, config, layers)?)
}

/// Returns the entries of `index.json` with the wanted name, and this name. Entries for several platforms may have the
/// same name.
fn choose(
    layout: &LayoutReader,
    path: &Path,
    wanted: Option<&str>,
) -> Result<(ImageName, Index), Error> {
    let index = layout.index()?;
    let mut entries = Vec::new();
    for entry in &index.manifests {
        if entry.media_type.is_manifest() || entry.media_type.is_index() {
            let name = ImageName::of(&entry.annotations).map_err(|source| Error::Name {
                path: path.to_owned(),
                source,
            })?;
            if wanted.is_none_or(|wanted| name.is(wanted)) {
                entries.push((name, entry.clone()));
            }
        }
    }
    let Some((name, _)) = entries.first().cloned() else {
        return Err(Error::NoImage {
            path: path.to_owned(),
            wanted: wanted.map(str::to_owned),
        });
    };
    if entries.iter().any(|(other, _)| *other != name) {
        return Err(Error::SeveralImages {
            path: path.to_owned(),
            names: entries.iter().map(|(name, _)| name.to_string()).collect(),
        });
    }
    let entries = entries.into_iter().map(|(_, entry)| entry).collect();
    Ok((name, index.with(entries)))
}

/// Returns the manifest for a platform, following nested indexes.
fn descend(
    layout: &LayoutReader,
    path: &Path,
    mut index: Index,
    platform: &Platform,
) -> Result<Document<Manifest>, Error> {
    for _ in 0..=MAX_NESTING {
        let entry = match index.select(platform).map_err(|error| error.at(path))? {
            Selected::One(entry) => entry.clone(),
            Selected::Unnamed(entries) => unnamed(layout, path, &entries, platform)?,
        };
        if entry.media_type.is_index() {
            index = (*present::<Index>(layout, &entry)?).clone();
        } else {
            return present(layout, &entry);
        }
    }
    Err(Error::Nesting {
        path: path.to_owned(),
    })
}

/// Returns the entry that fits `platform` best, for entries without a platform. The configs of the images name the
/// platforms. Fails if different images fit equally well.
fn unnamed(
    layout: &LayoutReader,
    path: &Path,
    entries: &[&Descriptor],
    platform: &Platform,
) -> Result<Descriptor, Error> {
    let mut fitting: Vec<(usize, &Descriptor)> = Vec::new();
    let mut offered = Vec::new();
    for entry in entries {
        if entry.media_type.is_index() {
            if present::<Index>(layout, entry)?.select(platform).is_ok() {
                fitting.push((0, entry));
            }
            continue;
        }
        let manifest: Document<Manifest> = present(layout, entry)?;
        if manifest.require_image().is_ok() {
            let config: Document<ImageConfig> = present(layout, &manifest.config)?;
            let distance = platform.distance_to(config.platform());
            fitting.extend(distance.map(|distance| (distance, *entry)));
            offered.push(config.platform().clone());
        }
    }
    let Some((least, best)) = fitting.iter().min_by_key(|(distance, _)| *distance) else {
        return Err(SelectError::from(NoSuchPlatform::among(platform, &offered)).at(path));
    };
    let equals = fitting.iter().filter(|(distance, _)| distance == least);
    let digests: BTreeSet<_> = equals.map(|(_, entry)| entry.digest.to_string()).collect();
    if digests.len() > 1 {
        return Err(Error::SeveralImages {
            path: path.to_owned(),
            names: digests.into_iter().collect(),
        });
    }
    Ok((*best).clone())
}

/// Reads a document. Fails if the layout lacks it.
fn present<T: View>(layout: &LayoutReader, descriptor: &Descriptor) -> Result<Document<T>, Error> {
    let found = layout.document(descriptor)?;
    Ok(found.ok_or_else(|| layout.absent(&descriptor.digest))?)
}

impl SelectError {
    fn at(self, path: &Path) -> Error {
        let path = path.to_owned();
        match self {
            Self::Platform(source) => Error::Platform { path, source },
            Self::Entry(source) => oci_layout::Error::Document { path, source }.into(),
        }
    }
}

/// The image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The layout cannot be read.
    #[error(transparent)]
    Layout(#[from] oci_layout::Error),
    /// The parts of the image cannot be read, or do not belong together.
    #[error(transparent)]
    Composition(#[from] composition::Error),
    /// The name of an image is invalid.
    #[error("{} gives an image an invalid name", path.display())]
    Name {
        /// The layout.
        path: PathBuf,
        /// The cause.
        #[source]
        source: name::ParseError,
    },
    /// The layout has no image, or none with the wanted name.
    #[error("{} has no image{}", path.display(), of_name(wanted.as_deref()))]
    NoImage {
        /// The layout.
        path: PathBuf,
        /// The wanted name.
        wanted: Option<String>,
    },
    /// The layout has several images, and the selection fits more than one.
    #[error("{} has several images: {}", path.display(), names.join(", "))]
    SeveralImages {
        /// The layout.
        path: PathBuf,
        /// The names of the images.
        names: Vec<String>,
    },
    /// The layout has no image for the platform.
    #[error("cannot select a platform from {}", path.display())]
    Platform {
        /// The layout.
        path: PathBuf,
        /// The cause, with the available platforms.
        #[source]
        source: NoSuchPlatform,
    },
    /// The indexes are nested too deeply.
    #[error("the indexes in {} have more than {MAX_NESTING} levels", path.display())]
    Nesting {
        /// The layout.
        path: PathBuf,
    },
}

fn of_name(wanted: Option<&str>) -> String {
    wanted.map_or_else(String::new, |name| format!(" named {name}"))
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Layout(error) => error.class(),
            Self::Composition(error) => error.class(),
            Self::NoImage { .. } | Self::Platform { .. } => Class::NotFound,
            Self::Name { .. } | Self::Nesting { .. } => Class::Unsupported,
            Self::SeveralImages { .. } => Class::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Layout;
    use super::*;
    use serde_json::{Value, json};
    use std::fs;

    /// An image with the layer `layer`.
    fn image(layout: &Layout, layer: &str) -> Value {
        layout.manifest(b"{}", &[layer_of(layout, layer)])
    }

    /// An image whose config names its platform.
    fn image_for(layout: &Layout, architecture: &str, layer: &str) -> Value {
        let layer = layer_of(layout, layer);
        let config = json!({
            "os": "linux",
            "architecture": architecture,
            "rootfs": { "diff_ids": [layer["digest"]] },
        });
        layout.manifest(config.to_string().as_bytes(), &[layer])
    }

    fn layer_of(layout: &Layout, content: &str) -> Value {
        layout.blob("application/vnd.oci.image.layer.v1.tar", content.as_bytes())
    }

    /// Returns the content of the selected image's layer, and the names of the image.
    fn choose(
        layout: &Layout,
        name: Option<&str>,
        platform: &str,
    ) -> Result<(String, Names), Error> {
        let platform = &platform.parse().unwrap();
        let composition = open(&layout.path(), &Selection { name, platform })?;
        let (_, layer) = composition.files().last().unwrap();
        Ok((fs::read_to_string(layer).unwrap(), composition.names))
    }

    fn for_platform(mut entry: Value, architecture: &str) -> Value {
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        entry
    }

    fn named(mut entry: Value, name: &str) -> Value {
        entry["annotations"] = json!({ oci_layout::FULL_NAME: name });
        entry
    }

    #[test]
    fn the_only_image_needs_no_name() {
        let layout = Layout::new();
        layout.list(&[image(&layout, "a")]);
        let (layer, names) = choose(&layout, None, "linux/amd64").unwrap();
        assert_eq!((layer.as_str(), names), ("a", Names::default()));
    }

    #[test]
    fn a_name_selects_one_of_several_images() {
        let layout = Layout::new();
        layout.list(&[
            named(image(&layout, "a"), "docker.io/library/app:1"),
            named(image(&layout, "b"), "docker.io/library/app:2"),
        ]);
        let (layer, names) = choose(&layout, Some("app:2"), "linux/amd64").unwrap();
        assert_eq!(layer, "b");
        assert_eq!(names.repo_tags, ["app:2"]);
        let error = choose(&layout, None, "linux/amd64")
            .unwrap_err()
            .to_string();
        assert!(
            error.ends_with("has several images: app:1, app:2"),
            "{error}"
        );
        let error = choose(&layout, Some("app:3"), "linux/amd64").unwrap_err();
        assert!(
            error.class() == Class::NotFound && error.to_string().ends_with("no image named app:3")
        );
    }

    #[test]
    fn the_platform_is_selected_through_nested_indexes() {
        let layout = Layout::new();
        let inner = layout.index(&[
            for_platform(image(&layout, "amd"), "amd64"),
            for_platform(image(&layout, "arm"), "arm64"),
        ]);
        layout.list(&[layout.index(&[inner])]);
        assert_eq!(choose(&layout, None, "linux/arm64").unwrap().0, "arm");
        assert_eq!(
            choose(&layout, None, "linux/s390x").unwrap_err().class(),
            Class::NotFound
        );
    }

    #[test]
    fn configs_name_the_platforms_that_the_index_omits() {
        let layout = Layout::new();
        let (arm, amd) = (
            image_for(&layout, "arm64", "a"),
            image_for(&layout, "amd64", "b"),
        );
        let inner = layout.index(&[arm.clone(), amd.clone()]);
        for entries in [vec![arm.clone(), amd.clone()], vec![inner]] {
            layout.list(&entries);
            assert_eq!(choose(&layout, None, "linux/arm64").unwrap().0, "a");
            assert_eq!(choose(&layout, None, "linux/amd64").unwrap().0, "b");
            let error = choose(&layout, None, "linux/s390x").unwrap_err();
            assert_eq!(error.class(), Class::NotFound, "{error}");
        }
        // An image that occurs twice counts once.
        layout.list(&[arm.clone(), amd.clone(), amd.clone()]);
        assert_eq!(choose(&layout, None, "linux/amd64").unwrap().0, "b");
        layout.list(&[arm, amd, image_for(&layout, "amd64", "c")]);
        assert!(matches!(
            choose(&layout, None, "linux/amd64"),
            Err(Error::SeveralImages { .. })
        ));
    }

    #[test]
    fn an_invalid_entry_that_is_not_selected_does_no_harm() {
        let layout = Layout::new();
        let mut odd = for_platform(image(&layout, "odd"), "s390x");
        odd["digest"] = json!("sha384:00");
        let good = for_platform(image(&layout, "good"), "amd64");
        layout.list(&[layout.index(&[odd, good])]);
        assert_eq!(choose(&layout, None, "linux/amd64").unwrap().0, "good");
        let error = choose(&layout, None, "linux/s390x").unwrap_err();
        assert!(matches!(
            error,
            Error::Layout(oci_layout::Error::Document { .. })
        ));
    }

    #[test]
    fn the_depth_of_nested_indexes_is_limited() {
        let layout = Layout::new();
        let mut entry = image(&layout, "a");
        for _ in 0..=MAX_NESTING {
            entry = layout.index(&[entry]);
        }
        layout.list(&[entry]);
        assert!(matches!(
            choose(&layout, None, "linux/amd64"),
            Err(Error::Nesting { .. })
        ));
    }
}
