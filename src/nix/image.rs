//! The outputs of `fetchdocker`, made from files in the Nix store. No layer is copied: `oci/` is an image layout of
//! links, and `compositeImage.sh` describes an image that the program streams.
//!
//! Source: OCI image specification, `image-layout.md`.

use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use super::store_file::StoreFile;
use crate::archive::composition::{self, Composition, SCRIPT};
use crate::archive::names::Names;
use crate::archive::oci_layout::LayoutWriter;
use crate::class::Class;
use crate::input;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{self, Document, ParseError};
use crate::oci::manifest::Manifest;
use crate::oci::media_type::MediaType;

/// The outputs to write, and the image in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageJob {
    /// The image.
    pub spec: Spec,
    /// The directory that gets `oci/` and `compositeImage.sh`.
    pub out: PathBuf,
    /// The path of a script that streams the image, for users who need a single file.
    pub stream: Option<PathBuf>,
}

/// The image as the derivation's attribute `imageSpec` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// The absolute path of this program, which runs the scripts.
    pub interpreter: String,
    /// The names as Docker prints them. Empty if the image is known only by its digest.
    pub repo_tags: Vec<String>,
    /// The name in full, with the tag or the digest.
    pub reference: String,
    /// The tag alone.
    #[serde(default)]
    pub tag: Option<String>,
    /// The text of the manifest, if it is known.
    #[serde(default)]
    pub manifest: Option<String>,
    /// The text of the index that names the manifest, if it is known.
    #[serde(default)]
    pub index: Option<String>,
    /// The config.
    pub config: StoreFile,
    /// The layers, lowest first.
    pub layers: Vec<StoreFile>,
}

impl ImageJob {
    /// Verifies the files against each other and writes the outputs.
    pub fn build(&self) -> Result<(), Error> {
        let spec = &self.spec;
        let config = read_config(&spec.config.path)?;
        let manifest = spec.manifest(&config)?;
        let names = spec.names();
        let layers = spec.layers.iter().map(|layer| layer.path.clone()).collect();
        let mut composition = Composition::new(names, manifest, spec.config.path.clone(), layers)?;
        if let Some(index) = spec.index.clone() {
            composition = composition.with_index_text(index)?;
        }
        let manifest = composition.manifest();
        manifest.require_image().map_err(Error::Manifest)?;
        check_config(manifest, &config, spec)?;
        if spec.manifest.is_some() {
            for (descriptor, layer) in manifest.layers.iter().zip(&spec.layers) {
                check_layer(descriptor, layer)?;
            }
        }
        manifest.check_config(&config).map_err(Error::Manifest)?;

        let oci = self.out.join("oci");
        write_layout(&oci, &composition).map_err(writing(&oci))?;
        let script = composition
            .to_script(&spec.interpreter)
            .map_err(Error::Script)?;
        write_executable(&self.out.join(SCRIPT), &script)?;
        match &self.stream {
            Some(stream) => write_executable(stream, &script),
            None => Ok(()),
        }
    }
}

impl Spec {
    /// Returns the names of the image.
    pub(super) fn names(&self) -> Names {
        Names {
            repo_tags: self.repo_tags.clone(),
            reference: Some(self.reference.clone()),
            tag: self.tag.clone(),
            ..Names::default()
        }
    }

    /// Returns the manifest, or one that is made of the files if it is unknown.
    fn manifest(&self, config: &Document<ImageConfig>) -> Result<Document<Manifest>, Error> {
        let text = match &self.manifest {
            Some(text) => text.clone(),
            None => compose_manifest(config, self)?,
        };
        Document::parse(text.into_bytes(), None).map_err(Error::Manifest)
    }

    /// Reads and verifies the manifest and the config. The layers are not needed if the manifest is known.
    pub(super) fn documents(&self) -> Result<(Document<Manifest>, Document<ImageConfig>), Error> {
        let config = read_config(&self.config.path)?;
        let manifest = self.manifest(&config)?;
        manifest.require_image().map_err(Error::Manifest)?;
        check_config(&manifest, &config, self)?;
        Ok((manifest, config))
    }
}

fn write_layout(oci: &Path, composition: &Composition) -> io::Result<()> {
    let manifest = composition.manifest();
    let layout = LayoutWriter::create(oci)?;
    layout
        .create_blob(manifest.digest())?
        .write_all(manifest.bytes())?;
    let mut linked = HashSet::from([*manifest.digest()]);
    for (descriptor, target) in composition.files() {
        if linked.insert(descriptor.digest) {
            layout.link_blob(&descriptor.digest, target)?;
        }
    }
    // With an index, `index.json` lists only the index: several readers refuse a layout with two entries, unless the user
    // chooses one. They select the image from the index, and do not look for its other manifests.
    if let Some(index) = composition.index() {
        layout
            .create_blob(index.digest())?
            .write_all(index.bytes())?;
    }
    let listed = match composition.named_index() {
        Some(index) => index.descriptor(),
        None => manifest.descriptor(),
    };
    let names = composition.names.with_digest(&listed.digest);
    layout.finish(&names.entries(&listed))
}

fn read_config(path: &Path) -> Result<Document<ImageConfig>, Error> {
    let bytes = input::open(path)
        .and_then(document::read)
        .map_err(reading(path))?;
    Document::parse(bytes, None).map_err(|source| Error::Config {
        path: path.to_owned(),
        source,
    })
}

/// Returns a Docker schema 2 manifest of the files, for an image whose own manifest is unknown.
fn compose_manifest(config: &Document<ImageConfig>, spec: &Spec) -> Result<String, Error> {
    let layers = spec.layers.iter().map(|layer| {
        let describe = || {
            Ok(Descriptor::new(
                layer.media_type()?,
                layer.digest()?,
                layer.size()?,
            ))
        };
        describe().map_err(reading(&layer.path))
    });
    let layers = layers.collect::<Result<Vec<_>, Error>>()?;
    Ok(json!({
        "schemaVersion": 2,
        "mediaType": MediaType::DOCKER_MANIFEST,
        "config": Descriptor::new(MediaType::DOCKER_CONFIG, *config.digest(), config.size()),
        "layers": layers,
    })
    .to_string())
}

fn check_config(
    manifest: &Manifest,
    config: &Document<ImageConfig>,
    spec: &Spec,
) -> Result<(), Error> {
    check(
        &manifest.config,
        &spec.config.path,
        config.digest(),
        config.size(),
    )
}

fn check_layer(descriptor: &Descriptor, layer: &StoreFile) -> Result<(), Error> {
    let at = reading(&layer.path);
    let (digest, size) = (layer.digest().map_err(&at)?, layer.size().map_err(&at)?);
    check(descriptor, &layer.path, &digest, size)
}

fn check(descriptor: &Descriptor, path: &Path, digest: &Digest, size: u64) -> Result<(), Error> {
    if descriptor.digest != *digest {
        return Err(Error::Digest {
            path: path.to_owned(),
            digest: Box::new(*digest),
            expected: Box::new(descriptor.digest),
        });
    }
    if descriptor.size != size {
        return Err(Error::Size {
            path: path.to_owned(),
            size,
            expected: descriptor.size,
        });
    }
    Ok(())
}

fn write_executable(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o755)))
        .map_err(writing(path))
}

fn reading(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Read {
        path: path.to_owned(),
        source,
    }
}

fn writing(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Write {
        path: path.to_owned(),
        source,
    }
}

/// The image cannot be made from these files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// An output cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The output.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The config is invalid.
    #[error("cannot use the image config {}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: ParseError,
    },
    /// The manifest contradicts itself or the config.
    #[error("cannot use the image's manifest")]
    Manifest(#[source] ParseError),
    /// The number of files is wrong, or a name is invalid.
    #[error(transparent)]
    Composition(#[from] composition::Error),
    /// The content of a file does not have the digest that the manifest names.
    #[error("digest mismatch in {}: expected {expected}, got {digest}", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// The digest of the file.
        digest: Box<Digest>,
        /// The value in the manifest.
        expected: Box<Digest>,
    },
    /// A file does not have the size that the manifest names.
    #[error("size mismatch in {}: expected {expected} bytes, got {size}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// The size of the file in bytes.
        size: u64,
        /// The value in the manifest.
        expected: u64,
    },
    /// A path in the script is not UTF-8.
    #[error("cannot describe the image")]
    Script(#[source] serde_json::Error),
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Config { source, .. } | Self::Manifest(source) => source.class(),
            Self::Composition(error) => error.class(),
            Self::Digest { .. } | Self::Size { .. } => Class::Integrity,
            Self::Read { .. } | Self::Write { .. } | Self::Script(_) => Class::Other,
        }
    }
}

#[cfg(test)]
mod tests;
