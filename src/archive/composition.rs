//! An image whose parts are files, and its names. `compositeImage.sh` describes it, and every writer of archives starts
//! from it.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::ser::Error as _;
use serde::{Deserialize, Serialize};

use super::names::Names;
use super::on_disk::Unpacked;
use crate::class::Class;
use crate::input;
use crate::name;
use crate::oci::config::ImageConfig;
use crate::oci::descriptor::Descriptor;
use crate::oci::digest::Digest;
use crate::oci::document::{self, Document, MAX_DOCUMENT_SIZE, ParseError};
use crate::oci::index::Index;
use crate::oci::manifest::Manifest;
use crate::verify::{self, Verifier};

/// The name of the script in the output of `fetchdocker`.
pub const SCRIPT: &str = "compositeImage.sh";

/// The largest script in bytes: a manifest and an index of the greatest size with escaped quotation marks, and the paths.
const MAX_SCRIPT_SIZE: u64 = 5 * MAX_DOCUMENT_SIZE as u64;

/// An image whose config and layers are files, with one file for each layer, and the names that it gets.
#[derive(Clone, Debug)]
pub struct Composition {
    /// The names of the image.
    pub names: Names,
    manifest: Document<Manifest>,
    index: Option<Document<Index>>,
    config: PathBuf,
    layers: Vec<PathBuf>,
    /// Keeps the files that were unpacked from an archive.
    unpacked: Option<Unpacked>,
}

/// Finds the script at `path`: the file itself, or `compositeImage.sh` in a directory.
#[must_use]
pub fn find_script(path: &Path) -> Option<PathBuf> {
    let script = path.join(SCRIPT);
    if path.is_file() {
        Some(path.to_owned())
    } else {
        script.is_file().then_some(script)
    }
}

/// The description of a [`Composition`] in a script, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Script {
    repo_tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    manifest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<String>,
    config: PathBuf,
    layers: Vec<PathBuf>,
}

impl Composition {
    /// Creates an image from the file of its config and those of its layers, in the order of the manifest. Fails if a
    /// name is invalid or the number of files is wrong.
    pub fn new(
        names: Names,
        manifest: Document<Manifest>,
        config: PathBuf,
        layers: Vec<PathBuf>,
    ) -> Result<Self, Error> {
        names.check().map_err(Error::Name)?;
        if manifest.layers.len() != layers.len() {
            return Err(Error::LayerCount {
                manifest: manifest.layers.len(),
                files: layers.len(),
            });
        }
        Ok(Self {
            names,
            manifest,
            index: None,
            config,
            layers,
            unpacked: None,
        })
    }

    /// Keeps the files of an archive for as long as the image is used.
    #[must_use]
    pub(super) fn keep(mut self, unpacked: Option<Unpacked>) -> Self {
        self.unpacked = unpacked;
        self
    }

    /// Returns what keeps the files that were unpacked from an archive.
    #[must_use]
    pub fn unpacked(&self) -> Option<Unpacked> {
        self.unpacked.clone()
    }

    /// Adds the index that names the manifest, from its text. Fails if it does not name it.
    pub fn with_index_text(self, text: String) -> Result<Self, Error> {
        let index = Document::parse(text.into_bytes(), None).map_err(Error::Index)?;
        self.with_index(index)
    }

    /// Adds the index that names the manifest. Fails if it does not name it.
    pub fn with_index(mut self, index: Document<Index>) -> Result<Self, Error> {
        let manifest = *self.manifest.digest();
        if !index.names(&manifest) {
            return Err(Error::NotInIndex {
                index: Box::new(*index.digest()),
                manifest: Box::new(manifest),
            });
        }
        self.index = Some(index);
        Ok(self)
    }

    /// Returns the index that names the manifest, if it is known. Its other manifests are absent.
    #[must_use]
    pub fn index(&self) -> Option<&Document<Index>> {
        self.index.as_ref()
    }

    /// Returns the index if the names of the image belong to it: a name with the digest of the manifest does not.
    #[must_use]
    pub fn named_index(&self) -> Option<&Document<Index>> {
        let is_of_manifest = self.names.digest() == Some(*self.manifest.digest());
        self.index().filter(|_| !is_of_manifest)
    }

    /// Returns the manifest.
    #[must_use]
    pub fn manifest(&self) -> &Document<Manifest> {
        &self.manifest
    }

    /// Reads the config and checks it against the manifest: the digest, which is the image ID, the size, and the number
    /// of diff IDs.
    pub fn image_config(&self) -> Result<Document<ImageConfig>, Error> {
        let manifest = &self.manifest;
        manifest.require_image().map_err(Error::Manifest)?;
        let path = &match &self.unpacked {
            Some(unpacked) => unpacked.shown(&self.config),
            None => self.config.clone(),
        };
        let bytes = input::open(&self.config)
            .and_then(document::read)
            .map_err(|source| Error::Read {
                path: path.clone(),
                source,
            })?;
        let expected = &manifest.config;
        Verifier::check(expected.digest, Some(expected.size), &bytes).map_err(|source| {
            Error::Content {
                path: path.clone(),
                source,
            }
        })?;
        let config = Document::parse(bytes, None).map_err(|source| Error::Config {
            path: path.clone(),
            source,
        })?;
        manifest.check_config(&config).map_err(Error::Manifest)?;
        Ok(config)
    }

    /// Returns the blobs and their files, the config first. A layer that the image has twice occurs twice.
    pub fn files(&self) -> impl Iterator<Item = (&Descriptor, &Path)> {
        std::iter::once((&self.manifest.config, &self.config))
            .chain(self.manifest.layers.iter().zip(&self.layers))
            .map(|(descriptor, path)| (descriptor, path.as_path()))
    }

    /// Returns the text of `compositeImage.sh`. Its first line starts `interpreter`, and Linux passes the path of the
    /// script as an argument. Fails if a path is not UTF-8.
    pub fn to_script(&self, interpreter: &str) -> Result<String, serde_json::Error> {
        let script = Script {
            repo_tags: self.names.repo_tags.clone(),
            reference: self.names.reference.clone(),
            tag: self.names.tag.clone(),
            manifest: str::from_utf8(self.manifest.bytes())
                .map_err(serde_json::Error::custom)?
                .to_owned(),
            index: self
                .index
                .as_ref()
                .map(|index| str::from_utf8(index.bytes()).map(str::to_owned))
                .transpose()
                .map_err(serde_json::Error::custom)?,
            config: self.config.clone(),
            layers: self.layers.clone(),
        };
        Ok(format!(
            "#!{interpreter} composite\n{}\n",
            serde_json::to_string(&script)?
        ))
    }

    /// Reads a script that [`to_script`](Self::to_script) wrote. The first line may be absent.
    pub fn read_script(path: &Path) -> Result<Self, Error> {
        let mut text = String::new();
        input::open(path)
            .and_then(|file| file.take(MAX_SCRIPT_SIZE).read_to_string(&mut text))
            .map_err(|source| Error::Read {
                path: path.to_owned(),
                source,
            })?;
        let json = match text.split_once('\n') {
            Some((first, rest)) if first.starts_with("#!") => rest,
            _ => &text,
        };
        let script: Script = serde_json::from_str(json).map_err(|source| Error::Script {
            path: path.to_owned(),
            source,
        })?;
        let names = Names {
            repo_tags: script.repo_tags,
            reference: script.reference,
            tag: script.tag,
            ..Names::default()
        };
        let manifest =
            Document::parse(script.manifest.into_bytes(), None).map_err(Error::Manifest)?;
        let composition = Self::new(names, manifest, script.config, script.layers)?;
        match script.index {
            Some(index) => composition.with_index_text(index),
            None => Ok(composition),
        }
    }
}

/// The parts of an image cannot be read, or do not belong together.
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
    /// The script does not describe an image.
    #[error("{} does not describe an image", path.display())]
    Script {
        /// The file.
        path: PathBuf,
        /// The JSON parser's error.
        #[source]
        source: serde_json::Error,
    },
    /// The manifest is invalid.
    #[error("cannot use the image's manifest")]
    Manifest(#[source] ParseError),
    /// The index is invalid.
    #[error("cannot use the image's index")]
    Index(#[source] ParseError),
    /// The index does not name the manifest.
    #[error("the index {index} does not name the manifest {manifest}")]
    NotInIndex {
        /// The digest of the index.
        index: Box<Digest>,
        /// The digest of the manifest.
        manifest: Box<Digest>,
    },
    /// A name is invalid.
    #[error("cannot use the image's name")]
    Name(#[source] name::ParseError),
    /// The config is invalid.
    #[error("cannot use the image config {}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: ParseError,
    },
    /// The content of a file does not have the digest or the size that the manifest names.
    #[error("{} does not match the manifest", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The difference.
        #[source]
        source: verify::Error,
    },
    /// The number of files differs from the number of layers.
    #[error("the manifest names {manifest} layers, but the image has {files} files")]
    LayerCount {
        /// The number of layers in the manifest.
        manifest: usize,
        /// The number of files.
        files: usize,
    },
}

impl Error {
    /// Returns the class of the failure.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Read { .. } => Class::Other,
            Self::Script { .. } | Self::Name(_) => Class::Unsupported,
            Self::Manifest(source) | Self::Index(source) | Self::Config { source, .. } => {
                source.class()
            }
            Self::Content { source, .. } => source.class(),
            Self::LayerCount { .. } | Self::NotInIndex { .. } => Class::Integrity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_starts_its_interpreter_and_can_be_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(SCRIPT);
        let digest = Digest::of(b"");
        let text = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"x/y","digest":"{digest}","size":0}},"layers":[]}}"#
        );
        for reference in ["debian:jessie", &format!("ghcr.io/a/b@{digest}")] {
            let names = Names::of_reference(&reference.parse().unwrap());
            let manifest = Document::parse(text.clone().into_bytes(), None).unwrap();
            let config = PathBuf::from("/config");
            let composition = Composition::new(names, manifest, config, Vec::new()).unwrap();
            let script = composition.to_script("/bin/hocker").unwrap();
            assert!(script.starts_with("#!/bin/hocker composite\n{"), "{script}");
            std::fs::write(&path, &script).unwrap();
            assert_eq!(find_script(directory.path()), Some(path.clone()));
            assert_eq!(find_script(&path), Some(path.clone()));
            let read = Composition::read_script(&path).unwrap();
            assert_eq!(read.names, composition.names);
            assert_eq!(read.to_script("/bin/hocker").unwrap(), script);
        }
    }
}
