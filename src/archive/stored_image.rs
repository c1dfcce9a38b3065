//! Images on disk: an output of `fetchdocker`, a script of one, any OCI layout, or an archive of another program.

mod choice;
mod images;
mod listed;
mod platform;

use std::io::Read as _;
use std::path::{Path, PathBuf};

pub use self::platform::different_platforms;

use self::choice::{Chosen, choose};
use super::composition::{self, Composition, find_script};
use super::oci_layout;
use super::on_disk::{self, OnDisk};
use crate::class::Class;
use crate::input;
use crate::oci::descriptor::Descriptor;
use crate::oci::index::{NoSuchPlatform, SelectError};
use crate::oci::platform::Platform;

/// The number of levels of indexes below `index.json` that are followed.
const MAX_NESTING: usize = 4;

/// The selection of one image.
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// The name of the image or its digest, required if a layout has several.
    pub name: Option<&'a str>,
    /// The platform, used for images in an index, and for several images that have no other difference.
    pub platform: &'a Platform,
    /// Whether the only image must be for the platform, too: the user asks for it.
    pub is_platform_required: bool,
}

/// Opens the image at `path`: a script, the output of `fetchdocker`, an OCI layout, or an archive.
pub fn open(path: &Path, selection: &Selection<'_>) -> Result<Composition, Error> {
    match script(path) {
        Some(script) => Ok(Composition::read_script(&script)?),
        None => of_layout(&open_layout(path)?, path, selection),
    }
}

/// Returns the script at `path`, unless that file is an archive.
pub(super) fn script(path: &Path) -> Option<PathBuf> {
    let is_script = |script: &Path| {
        !on_disk::is_archive(script) && (script != path || starts_like_script(script))
    };
    find_script(path).filter(|script| is_script(script))
}

/// Returns whether a text starts like a script of an image, with or without its first line.
fn starts_like_script(path: &Path) -> bool {
    let mut start = [0; 2];
    input::open(path).is_ok_and(|mut file| file.read(&mut start).is_ok())
        && (start == *b"#!" || start.first() == Some(&b'{'))
}

/// Opens the layout or the archive at `path`.
pub(super) fn open_layout(path: &Path) -> Result<OnDisk, Error> {
    OnDisk::open(path).map_err(|error| Error::on_disk(path, error))
}

/// Checks that an archive, a layout or a script is at `path`, without reading an archive or a layout.
pub fn check(path: &Path) -> Result<(), Error> {
    match script(path) {
        Some(script) => Composition::read_script(&script).map(drop)?,
        None => OnDisk::check(path).map_err(|error| Error::on_disk(path, error))?,
    }
    Ok(())
}

/// Opens the images at `path`, for several selections. Returns `None` for a script, which has one image.
pub fn open_all(path: &Path) -> Result<Option<OnDisk>, Error> {
    match script(path) {
        Some(_) => Ok(None),
        None => open_layout(path).map(Some),
    }
}

/// Returns a name or a digest for each image, as `docker load` loads all images of an archive. Returns none if there is
/// one image, or one for each platform.
pub fn choices(layout: &OnDisk) -> Result<Vec<String>, Error> {
    choice::choices(layout)
}

/// Selects an image from images that are open already. Errors name `path`.
pub fn of_layout(
    layout: &OnDisk,
    path: &Path,
    selection: &Selection<'_>,
) -> Result<Composition, Error> {
    let Chosen {
        names,
        index,
        manifest,
    } = choose(layout, path, selection)?;
    let file = |descriptor: &Descriptor| match layout.blob(descriptor)? {
        Some(file) => Ok(file),
        None => Err(layout.absent(&descriptor.digest)),
    };
    let config = file(&manifest.config)?;
    let layers = manifest.layers.iter().map(file).collect::<Result<_, _>>()?;
    let mut composition = Composition::new(names, manifest, config, layers)?;
    if let Some(index) = index {
        composition = composition.with_index(index)?;
    }
    Ok(composition.keep(layout.unpacked()))
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
    /// The archive cannot be read.
    #[error("cannot use the archive {}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<on_disk::Error>,
    },
    /// The parts of the image cannot be read, or do not belong together.
    #[error(transparent)]
    Composition(#[from] composition::Error),
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
        /// The names of the images, or the digests of those without a name.
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
    /// Converts the error of an image that cannot be opened.
    #[must_use]
    pub fn on_disk(path: &Path, error: on_disk::Error) -> Self {
        match error {
            on_disk::Error::Layout(error) => Self::Layout(error),
            source => Self::Archive {
                path: path.to_owned(),
                source: Box::new(source),
            },
        }
    }

    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Layout(error) => error.class(),
            Self::Archive { source, .. } => source.class(),
            Self::Composition(error) => error.class(),
            Self::NoImage { .. } | Self::Platform { .. } => Class::NotFound,
            Self::Nesting { .. } => Class::Unsupported,
            Self::SeveralImages { .. } => Class::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Layout;
    use super::super::names::Names;
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
        let composition = open(
            &layout.path(),
            &Selection {
                name,
                platform,
                is_platform_required: false,
            },
        )?;
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
