//! The hybrid archive: an OCI image layout and Docker's `manifest.json` in one, over the same blobs as the
//! registry sent them. Every Docker since 20.10 loads it with either image store, and so do podman, skopeo
//! and containerd.
//!
//! Sources: OCI image specification, `image-layout.md`; Docker's `image/tarexport`; containerd's
//! `images/annotations.go`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::header::{self, Members};
use super::oci_layout::{OCI_LAYOUT, blob_name, index, name_annotations};
use crate::descriptor::Descriptor;
use crate::document::{Document, ParseError};
use crate::manifest::Manifest;

/// An image of files, and the names that it gets. This is what stands under the first line of
/// `compositeImage.sh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Composition {
    /// Tags as Docker prints them: `debian:jessie`. The first is the image's own. An image that is known by
    /// its digest alone has none.
    pub repo_tags: Vec<String>,
    /// The name in full, with the tag or the digest: `docker.io/library/debian:jessie`.
    pub reference: String,
    /// The tag alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The manifest's own text.
    pub manifest: String,
    /// The file of the configuration.
    pub config: PathBuf,
    /// The files of the layers, in the manifest's order.
    pub layers: Vec<PathBuf>,
}

impl Composition {
    /// Parses the manifest and holds it against the number of files.
    pub fn document(&self) -> Result<Document<Manifest>, Error> {
        let document = Document::<Manifest>::parse(self.manifest.clone().into_bytes(), None)
            .map_err(Error::Manifest)?;
        if document.layers.len() != self.layers.len() {
            return Err(Error::LayerCount {
                manifest: document.layers.len(),
                files: self.layers.len(),
            });
        }
        Ok(document)
    }

    /// The descriptor for `index.json`: the manifest with the image's names.
    #[must_use]
    pub fn named_descriptor(&self, manifest: &Document<Manifest>) -> Descriptor {
        let mut descriptor = manifest.descriptor();
        descriptor.annotations = name_annotations(&self.reference, self.tag.as_deref());
        descriptor
    }

    /// Writes the archive: what is small and says what follows comes first. No blob is read into memory.
    pub fn write<W: Write>(&self, out: W) -> Result<W, Error> {
        let document = self.document()?;
        let layers: Vec<_> = document
            .layers
            .iter()
            .map(|layer| blob_name(&layer.digest))
            .collect();
        let docker_manifest = json!([{
            "Config": blob_name(&document.config.digest),
            "RepoTags": self.repo_tags,
            "Layers": layers,
        }]);
        let mut members = Members::new(out);
        members.bytes("oci-layout", OCI_LAYOUT)?;
        members.bytes("index.json", &index(&self.named_descriptor(&document)))?;
        members.bytes("manifest.json", docker_manifest.to_string().as_bytes())?;
        members.bytes(&blob_name(document.digest()), document.bytes())?;
        let mut written = HashSet::from([*document.digest()]);
        let files = std::iter::once((&document.config, &self.config))
            .chain(document.layers.iter().zip(&self.layers));
        for (descriptor, path) in files {
            // A layer may occur twice in an image.
            if written.insert(descriptor.digest) {
                write_blob(&mut members, descriptor, path)?;
            }
        }
        Ok(members.finish()?)
    }
}

/// Writes the image that `compositeImage.sh`, or anything that begins like it, describes.
pub fn composite<W: Write>(file: &Path, out: W) -> Result<W, Error> {
    let at = |source| Error::Read {
        path: file.to_owned(),
        source,
    };
    let text = std::fs::read_to_string(file).map_err(at)?;
    parse_script(&text)
        .map_err(|source| Error::Script {
            path: file.to_owned(),
            source,
        })?
        .write(out)
}

/// The text of `compositeImage.sh`: Linux hands the script's own path to the program in the first line.
pub fn script(interpreter: &str, composition: &Composition) -> Result<String, serde_json::Error> {
    Ok(format!(
        "#!{interpreter} composite\n{}\n",
        serde_json::to_string(composition)?
    ))
}

fn parse_script(text: &str) -> Result<Composition, serde_json::Error> {
    let json = match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("#!") => rest,
        _ => text,
    };
    serde_json::from_str(json)
}

fn write_blob<W: Write>(
    members: &mut Members<W>,
    descriptor: &Descriptor,
    path: &Path,
) -> Result<(), Error> {
    let at = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(at)?;
    let size = file.metadata().map_err(at)?.len();
    if size != descriptor.size {
        return Err(Error::Size {
            path: path.to_owned(),
            size,
            expected: descriptor.size,
        });
    }
    Ok(members.file(&blob_name(&descriptor.digest), &file, size)?)
}

/// An archive that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("reading {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The script holds no description of an image.
    #[error("{} does not describe an image", path.display())]
    Script {
        /// The file.
        path: PathBuf,
        /// What the JSON parser says.
        #[source]
        source: serde_json::Error,
    },
    /// The manifest in it is none.
    #[error("the image's manifest cannot be used")]
    Manifest(#[source] ParseError),
    /// Files are missing or superfluous.
    #[error("the manifest names {manifest} layers, and there are {files} files")]
    LayerCount {
        /// What the manifest says.
        manifest: usize,
        /// What there is.
        files: usize,
    },
    /// A file is not what the manifest names.
    #[error("{} has {size} bytes, and the manifest says {expected}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: u64,
        /// What the manifest says.
        expected: u64,
    },
    /// A member could not be written.
    #[error(transparent)]
    Member(#[from] header::Error),
}

impl Error {
    /// Whether files are not what the manifest names, rather than out of reach.
    #[must_use]
    pub fn is_integrity(&self) -> bool {
        matches!(
            self,
            Self::Manifest(_)
                | Self::LayerCount { .. }
                | Self::Size { .. }
                | Self::Member(header::Error::Short { .. } | header::Error::Long { .. })
        )
    }

    /// The system's error when the output failed, where there is one: a closed pipe is not a failure.
    #[must_use]
    pub fn io(&self) -> Option<&io::Error> {
        match self {
            Self::Member(error) => error.io(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::media_type::MediaType;
    use std::io::Read as _;

    fn composition(directory: &Path) -> Composition {
        let (config, layer) = (&b"{}"[..], &b"layer"[..]);
        std::fs::write(directory.join("config"), config).unwrap();
        std::fs::write(directory.join("layer"), layer).unwrap();
        let layer = json!({
            "mediaType": MediaType::DOCKER_LAYER_GZIP, "size": layer.len(), "digest": Digest::of(layer),
        });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::DOCKER_MANIFEST,
            "config": { "mediaType": MediaType::DOCKER_CONFIG, "size": config.len(), "digest": Digest::of(config) },
            "layers": [layer, layer],
        });
        Composition {
            repo_tags: vec!["debian:jessie".to_owned()],
            reference: "docker.io/library/debian:jessie".to_owned(),
            tag: Some("jessie".to_owned()),
            manifest: manifest.to_string(),
            config: directory.join("config"),
            layers: vec![directory.join("layer"), directory.join("layer")],
        }
    }

    fn members(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut archive = tar::Archive::new(bytes);
        let member = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content)
        };
        archive.entries().unwrap().map(member).collect()
    }

    #[test]
    fn json_comes_first_and_each_blob_once() {
        let directory = tempfile::tempdir().unwrap();
        let composition = composition(directory.path());
        let bytes = composition.write(Vec::new()).unwrap();
        assert_eq!(bytes, composition.write(Vec::new()).unwrap());
        let members = members(&bytes);
        let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        let blob = |bytes: &[u8]| format!("blobs/sha256/{}", Digest::of(bytes).hex());
        let manifest = blob(composition.manifest.as_bytes());
        let (config, layer) = (blob(b"{}"), blob(b"layer"));
        let expected = [
            "oci-layout",
            "index.json",
            "manifest.json",
            &manifest,
            &config,
            &layer,
        ];
        assert_eq!(names, expected);
        let index: serde_json::Value = serde_json::from_slice(&members[1].1).unwrap();
        assert_eq!(
            index["manifests"][0]["annotations"],
            json!({
                "io.containerd.image.name": "docker.io/library/debian:jessie",
                "org.opencontainers.image.ref.name": "jessie",
            })
        );
        let docker: serde_json::Value = serde_json::from_slice(&members[2].1).unwrap();
        assert_eq!(
            docker,
            json!([{ "Config": config, "RepoTags": ["debian:jessie"], "Layers": [layer, layer] }])
        );
    }

    #[test]
    fn an_image_without_a_tag_is_named_by_its_digest_and_takes_no_name_from_another() {
        let directory = tempfile::tempdir().unwrap();
        let mut composition = composition(directory.path());
        let digest = Digest::of(composition.manifest.as_bytes());
        composition.repo_tags.clear();
        composition.reference = format!("docker.io/library/debian@{digest}");
        composition.tag = None;
        let text = script("/bin/hocker", &composition).unwrap();
        assert_eq!(parse_script(&text).unwrap(), composition);
        let members = members(&composition.write(Vec::new()).unwrap());
        let index: serde_json::Value = serde_json::from_slice(&members[1].1).unwrap();
        assert_eq!(
            index["manifests"][0]["annotations"],
            json!({ "io.containerd.image.name": composition.reference })
        );
        let docker: serde_json::Value = serde_json::from_slice(&members[2].1).unwrap();
        assert_eq!(docker[0]["RepoTags"], json!([]));
    }

    #[test]
    fn the_script_composes_the_same_archive() {
        let directory = tempfile::tempdir().unwrap();
        let composition = composition(directory.path());
        let path = directory.path().join("compositeImage.sh");
        let text = script("/bin/hocker", &composition).unwrap();
        assert!(text.starts_with("#!/bin/hocker composite\n{"));
        std::fs::write(&path, text).unwrap();
        assert_eq!(
            composite(&path, Vec::new()).unwrap(),
            composition.write(Vec::new()).unwrap()
        );
    }

    #[test]
    fn refuses_files_that_are_not_what_the_manifest_names() {
        let directory = tempfile::tempdir().unwrap();
        let good = composition(directory.path());
        let text =
            |composition: &Composition| composition.write(io::sink()).unwrap_err().to_string();
        let mut fewer = good.clone();
        fewer.layers.pop();
        assert_eq!(
            text(&fewer),
            "the manifest names 2 layers, and there are 1 files"
        );
        std::fs::write(directory.path().join("layer"), b"longer").unwrap();
        assert!(text(&good).ends_with("layer has 6 bytes, and the manifest says 5"));
        std::fs::remove_file(directory.path().join("layer")).unwrap();
        assert!(text(&good).starts_with("reading "));
    }
}
