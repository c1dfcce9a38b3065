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
        let text = match &spec.manifest {
            Some(text) => text.clone(),
            None => compose_manifest(&config, spec)?,
        };
        let manifest = Document::parse(text.into_bytes(), None).map_err(Error::Manifest)?;
        let names = Names {
            repo_tags: spec.repo_tags.clone(),
            reference: Some(spec.reference.clone()),
            tag: spec.tag.clone(),
            ..Names::default()
        };
        let layers = spec.layers.iter().map(|layer| layer.path.clone()).collect();
        let mut composition = Composition::new(names, manifest, spec.config.path.clone(), layers)?;
        if let Some(index) = spec.index.clone() {
            composition = composition.with_index(index)?;
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
    let listed = match composition.index() {
        Some(index) => {
            layout
                .create_blob(index.digest())?
                .write_all(index.bytes())?;
            index.descriptor()
        }
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
mod tests {
    use super::*;
    use crate::archive::docker_save;
    use crate::archive::oci_layout::blob_name;

    const GZIP: &[u8] = b"\x1f\x8b\x08 gzip";
    const PLAIN: &[u8] = b"plain tar";
    const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd zstd";

    /// Returns an image of three layers, the first of which occurs twice, without a manifest.
    fn job(directory: &Path) -> ImageJob {
        let diff_ids: Vec<Digest> = (0u8..4).map(|number| Digest::of(&[number])).collect();
        let config = json!({
            "os": "linux", "architecture": "amd64", "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let blob = |name: &str, content: &[u8]| {
            let path = directory.join(name);
            fs::write(&path, content).unwrap();
            StoreFile { path, digest: None }
        };
        let spec = Spec {
            interpreter: "/bin/hocker".to_owned(),
            repo_tags: vec!["app:1".to_owned()],
            reference: "docker.io/library/app:1".to_owned(),
            tag: Some("1".to_owned()),
            manifest: None,
            index: None,
            config: blob("config", config.to_string().as_bytes()),
            layers: vec![
                blob("a", GZIP),
                blob("b", PLAIN),
                blob("c", ZSTD),
                blob("a", GZIP),
            ],
        };
        fs::create_dir(directory.join("out")).unwrap();
        ImageJob {
            spec,
            out: directory.join("out"),
            stream: Some(directory.join("stream")),
        }
    }

    /// Returns the text of the manifest that was written.
    fn written_manifest(job: &ImageJob) -> String {
        let index = fs::read(job.out.join("oci/index.json")).unwrap();
        let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
        let descriptor: Descriptor = serde_json::from_value(index["manifests"][0].clone()).unwrap();
        let text =
            fs::read_to_string(job.out.join("oci").join(blob_name(&descriptor.digest))).unwrap();
        assert_eq!(Digest::of(text.as_bytes()), descriptor.digest);
        text
    }

    #[test]
    fn the_layout_links_to_the_files_and_the_scripts_run_the_program() {
        let directory = tempfile::tempdir().unwrap();
        let job = job(directory.path());
        job.build().unwrap();
        let link = |bytes| {
            let path = format!("oci/blobs/sha256/{}", Digest::of(bytes).hex());
            fs::read_link(job.out.join(path)).unwrap()
        };
        assert_eq!(link(GZIP), directory.path().join("a"));
        assert_eq!(link(PLAIN), directory.path().join("b"));
        assert_eq!(
            fs::read_dir(job.out.join("oci/blobs/sha256"))
                .unwrap()
                .count(),
            5
        );
        let script = job.out.join(SCRIPT);
        for path in [&script, job.stream.as_ref().unwrap()] {
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o777,
                0o755
            );
            let text = fs::read_to_string(path).unwrap();
            assert!(text.starts_with("#!/bin/hocker composite\n"), "{text}");
        }
        let archive =
            docker_save::write(&Composition::read_script(&script).unwrap(), Vec::new()).unwrap();
        assert!(archive.len() > 10 * 512);
    }

    #[test]
    fn a_composed_manifest_has_the_media_types_of_the_layers() {
        let directory = tempfile::tempdir().unwrap();
        let job = job(directory.path());
        job.build().unwrap();
        let text = written_manifest(&job);
        let manifest = Document::<Manifest>::parse(text.into_bytes(), None).unwrap();
        let types = manifest.layers.iter().map(|layer| layer.media_type.clone());
        let expected = [
            MediaType::DOCKER_LAYER_GZIP,
            MediaType::DOCKER_LAYER,
            MediaType::OCI_LAYER_ZSTD,
            MediaType::DOCKER_LAYER_GZIP,
        ];
        assert_eq!(types.collect::<Vec<_>>(), expected);
        assert_eq!(manifest.layers[0].digest, Digest::of(GZIP));
        assert_eq!(manifest.layers[0].size, GZIP.len() as u64);
    }

    #[test]
    fn a_given_manifest_is_kept_byte_for_byte_and_verified_against_the_files() {
        let directory = tempfile::tempdir().unwrap();
        let mut job = job(directory.path());
        job.build().unwrap();
        let text = format!(" {}\n\n", written_manifest(&job));
        let digest = format!("{}", Digest::of(PLAIN));
        let wrong = |from: &str, to: &str| {
            assert!(text.contains(from));
            Some(text.replace(from, to))
        };
        let cases = [
            (Some(text.clone()), None, Class::Other),
            (
                wrong(&digest, &Digest::of(b"").to_string()),
                Some("expected sha256:e3b0c"),
                Class::Integrity,
            ),
            (
                wrong(r#""size":9"#, r#""size":8"#),
                Some("expected 8 bytes, got 9"),
                Class::Integrity,
            ),
            (
                Some("{}".to_owned()),
                Some("cannot use the image's manifest"),
                Class::Unsupported,
            ),
            (
                wrong("vnd.docker.container.image.v1+json", "x"),
                Some("cannot use the image's manifest"),
                Class::Unsupported,
            ),
        ];
        for (number, (manifest, expected, class)) in cases.into_iter().enumerate() {
            job.spec.manifest = manifest;
            job.out = directory.path().join(number.to_string());
            match (job.build(), expected) {
                (Ok(()), None) => assert_eq!(written_manifest(&job), text),
                (Err(error), Some(expected)) => {
                    assert!(error.to_string().contains(expected), "{error}");
                    assert_eq!(error.class(), class, "{error}");
                    assert!(!job.out.exists());
                }
                (result, _) => panic!("{number}: {result:?}"),
            }
        }
    }

    #[test]
    fn the_layout_lists_the_index_and_lacks_its_other_manifests() {
        let directory = tempfile::tempdir().unwrap();
        let mut job = job(directory.path());
        job.build().unwrap();
        let manifest = written_manifest(&job);
        let other = Digest::of(b"other");
        let index = |digest: &Digest, size: usize| {
            json!({
                "schemaVersion": 2,
                "mediaType": MediaType::OCI_INDEX,
                "manifests": [
                    {
                        "mediaType": MediaType::DOCKER_MANIFEST, "digest": digest, "size": size,
                        "platform": {"os": "linux", "architecture": "amd64"},
                    },
                    {
                        "mediaType": MediaType::DOCKER_MANIFEST, "digest": other, "size": 5,
                        "platform": {"os": "linux", "architecture": "arm64"},
                    },
                ],
            })
            .to_string()
        };
        let text = index(&Digest::of(manifest.as_bytes()), manifest.len());
        job.out = directory.path().join("with-index");
        job.spec.manifest = Some(manifest.clone());
        job.spec.index = Some(text.clone());
        job.build().unwrap();
        assert_eq!(written_manifest(&job), text);
        let blob = |digest| job.out.join("oci").join(blob_name(&digest));
        let present = fs::read_to_string(blob(Digest::of(manifest.as_bytes()))).unwrap();
        assert_eq!(present, manifest);
        assert!(!blob(other).exists());
        let script = Composition::read_script(&job.out.join(SCRIPT)).unwrap();
        assert_eq!(script.index().unwrap().bytes(), text.as_bytes());

        job.out = directory.path().join("refused");
        job.spec.index = Some(index(&Digest::of(b"another"), 7));
        let error = job.build().unwrap_err();
        assert!(error.to_string().contains("does not name the manifest"));
        assert_eq!(error.class(), Class::Integrity);
        assert!(!job.out.exists());
    }

    #[test]
    fn refuses_a_configuration_with_another_number_of_layers() {
        let directory = tempfile::tempdir().unwrap();
        let mut job = job(directory.path());
        job.spec.layers.pop();
        let Err(Error::Manifest(source)) = job.build() else {
            panic!("built")
        };
        assert!(
            source
                .to_string()
                .contains("3 layers, but the config has 4 diff IDs")
        );
    }

    #[test]
    fn trusts_the_digest_that_nix_verified() {
        let directory = tempfile::tempdir().unwrap();
        let mut job = job(directory.path());
        for layer in &mut job.spec.layers {
            layer.digest = Some(Digest::of(b"known"));
        }
        job.build().unwrap();
        assert!(written_manifest(&job).contains(&Digest::of(b"known").to_string()));
    }
}
