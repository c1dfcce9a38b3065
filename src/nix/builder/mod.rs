//! The program as a builder of Nix: the job in the attributes of a derivation, and the download of a blob.

mod attributes;
mod fetch;
mod places;
mod rootfs;
mod service;

use std::io;
use std::path::PathBuf;

use serde::Deserialize;

pub use self::attributes::{Attributes, NIX_ATTRS_JSON_FILE};
pub use self::fetch::{FetchContext, FetchError, fetch};
pub use self::places::AllLocationsFailed;
pub use self::rootfs::RootfsJob;
pub use self::service::ServiceJob;

use super::hash_text;
use super::image;
use super::podman_store::PodmanStoreJob;
use crate::name::endpoint::{self, Endpoint};
use crate::name::{self, Repository};
use crate::oci::descriptor::{self, MAX_UNDESCRIBED_SIZE};
use crate::oci::digest::{self, Digest};
use crate::verify::Size;

/// A job that a derivation describes.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// An image as one file.
    Archive(ArchiveJob),
    /// Fetch one layer or config into a file.
    Blob(Box<BlobJob>),
    /// All layers of an image as one file system.
    Rootfs(RootfsJob),
    /// The systemd unit of an image.
    Service(ServiceJob),
    /// A layer as a file system image.
    Erofs(ErofsJob),
    /// The store from which podman runs an image.
    PodmanStore(Box<PodmanStoreJob>),
    /// Make the outputs of `fetchdocker`, with links to layers in the store.
    Image(Box<image::ImageJob>),
}

/// An archive to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveJob {
    /// The output path.
    pub out: PathBuf,
    /// The result of `fetchdocker`.
    pub image: PathBuf,
    /// Whether the archive contains decompressed layers.
    pub plain: bool,
}

/// The archive as the derivation's attribute `imageArchive` describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawArchive {
    image: PathBuf,
    plain: bool,
}

/// A layer to convert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErofsJob {
    /// The output path.
    pub out: PathBuf,
    /// The layer.
    pub layer: PathBuf,
}

/// A blob to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobJob {
    /// The output path.
    pub out: PathBuf,
    /// The location of the blob.
    pub location: Location,
    /// Further locations of the blob, in the order of attempts.
    pub alternatives: Vec<Location>,
    /// The digest of the blob, which is the output hash.
    pub digest: Digest,
    /// The size or the size limit in bytes.
    pub size: Size,
    /// The mirrors, which are tried first.
    pub mirrors: Vec<Endpoint>,
    /// URLs to try if the registry lacks the blob.
    pub urls: Vec<String>,
}

/// A location of a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The address of the registry.
    pub endpoint: Endpoint,
    /// The repository.
    pub repository: Repository,
}

/// The source of the address of a registry.
#[derive(Clone, Copy)]
enum NamedBy {
    /// The text of the expression, which the user wrote.
    Expression,
    /// A file that the expression reads, such as a lock file.
    File,
}

impl Location {
    fn parse(registry: &str, repository: &str, named_by: NamedBy) -> Result<Self, Error> {
        Ok(Self {
            endpoint: match named_by {
                NamedBy::Expression => registry.parse()?,
                NamedBy::File => Endpoint::in_file(registry)?,
            },
            repository: repository.parse()?,
        })
    }
}

/// A [`Location`] in the attributes of a derivation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLocation {
    registry: String,
    repository: String,
}

/// A number of bytes in the attributes of a derivation.
#[derive(Deserialize)]
struct RawSize(#[serde(deserialize_with = "descriptor::size")] u64);

/// Returns the size of the blob, if the derivation states it, or else the size limit.
fn size(attributes: &Attributes) -> Result<Size, Error> {
    let number = |name| match attributes.structure(name) {
        Ok(number) => Ok(number.map(|RawSize(number)| number)),
        Err(source) => Err(Error::Size { name, source }),
    };
    if let Some(size) = number("size")? {
        return Ok(Size::Exact(size));
    }
    let limit = number("maxSize")?;
    Ok(Size::AtMost(limit.unwrap_or(MAX_UNDESCRIBED_SIZE)))
}

impl Job {
    /// Parses the job from the attributes.
    pub fn of(attributes: &Attributes) -> Result<Self, Error> {
        let out = attributes.output("out").ok_or(Error::Missing("out"))?;
        let spec = attributes.structure("imageSpec");
        if let Some(spec) = spec.map_err(Error::ImageSpec)? {
            return Ok(Self::Image(Box::new(image::ImageJob {
                spec,
                out,
                stream: attributes.output("stream"),
            })));
        }
        let archive = attributes.structure("imageArchive");
        if let Some(RawArchive { image, plain }) = archive.map_err(Error::ImageArchive)? {
            return Ok(Self::Archive(ArchiveJob { out, image, plain }));
        }
        let rootfs = attributes.structure("imageRootfs");
        if let Some(raw) = rootfs.map_err(Error::ImageRootfs)? {
            return Ok(Self::Rootfs(RootfsJob::of(
                raw,
                out,
                attributes.output("users"),
            )));
        }
        let service = attributes.structure("imageService");
        if let Some(raw) = service.map_err(Error::ImageService)? {
            return Ok(Self::Service(ServiceJob::of(raw, out)));
        }
        if let Some(layer) = attributes.text("erofsLayer")? {
            let layer = layer.into();
            return Ok(Self::Erofs(ErofsJob { out, layer }));
        }
        let store = attributes.structure("podmanStore");
        if let Some(spec) = store.map_err(Error::PodmanStore)? {
            return Ok(Self::PodmanStore(Box::new(PodmanStoreJob { out, spec })));
        }
        let digest = hash_text::parse(attributes.required("outputHash")?)?;
        if let Some(text) = attributes.text("layerDigest")? {
            let layer = Digest::parse_lenient(text).map_err(Error::LayerDigest)?;
            if layer != digest {
                return Err(Error::Disagreement {
                    layer: Box::new(layer),
                    digest: Box::new(digest),
                });
            }
        }
        let named_by = match attributes.text("registryFrom")? {
            None => NamedBy::Expression,
            Some(_) => NamedBy::File,
        };
        let alternatives: Option<Vec<RawLocation>> = attributes
            .structure("alternatives")
            .map_err(Error::Alternatives)?;
        Ok(Self::Blob(Box::new(BlobJob {
            out,
            location: Location::parse(
                attributes.required("registry")?,
                attributes.required("repository")?,
                named_by,
            )?,
            alternatives: alternatives
                .unwrap_or_default()
                .iter()
                .map(|raw| Location::parse(&raw.registry, &raw.repository, named_by))
                .collect::<Result<_, _>>()?,
            digest,
            size: size(attributes)?,
            mirrors: attributes
                .text("mirrors")?
                .unwrap_or_default()
                .split_whitespace()
                .map(str::parse)
                .collect::<Result<_, _>>()?,
            urls: attributes
                .text("urls")?
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        })))
    }
}

/// The derivation cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of the attributes cannot be read.
    #[error("cannot read the derivation's attributes from {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The file of the attributes is not a JSON object.
    #[error("cannot read the derivation's attributes from {}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The JSON parser's error.
        #[source]
        source: serde_json::Error,
    },
    /// The file of the attributes does not exist.
    #[error("the derivation has structured attributes, but their file does not exist")]
    NoAttributes,
    /// A required attribute is missing.
    #[error("the derivation has no attribute `{0}`; only Nix can start this command")]
    Missing(&'static str),
    /// An attribute is not a string.
    #[error("the derivation's attribute `{0}` is not a string")]
    NotText(&'static str),
    /// The output hash is invalid.
    #[error("cannot use the derivation's `outputHash`")]
    OutputHash(#[from] hash_text::ParseError),
    /// The digest of the layer is invalid.
    #[error("cannot use the derivation's `layerDigest`")]
    LayerDigest(#[source] digest::ParseError),
    /// Two attributes name different content.
    #[error("`layerDigest` is {layer}, but the output hash is {digest}")]
    Disagreement {
        /// The value of `layerDigest`.
        layer: Box<Digest>,
        /// The output hash.
        digest: Box<Digest>,
    },
    /// The address of the registry is invalid.
    #[error("cannot use the derivation's `registry`")]
    Registry(#[from] endpoint::ParseError),
    /// The repository is invalid.
    #[error("cannot use the derivation's `repository`")]
    Repository(#[from] name::ParseError),
    /// The further locations are invalid.
    #[error("cannot use the derivation's `alternatives`")]
    Alternatives(#[source] serde_json::Error),
    /// A number of bytes is invalid.
    #[error("cannot use the derivation's `{name}`")]
    Size {
        /// The attribute.
        name: &'static str,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The description of the archive is invalid.
    #[error("cannot use the derivation's `imageArchive`")]
    ImageArchive(#[source] serde_json::Error),
    /// The description of the file system is invalid.
    #[error("cannot use the derivation's `imageRootfs`")]
    ImageRootfs(#[source] serde_json::Error),
    /// The description of the service is invalid.
    #[error("cannot use the derivation's `imageService`")]
    ImageService(#[source] serde_json::Error),
    /// The description of the store is invalid.
    #[error("cannot use the derivation's `podmanStore`")]
    PodmanStore(#[source] serde_json::Error),
    /// The description of the image is invalid.
    #[error("cannot use the derivation's `imageSpec`")]
    ImageSpec(#[source] serde_json::Error),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use serde_json::{Value, json};

    use super::attributes::ATTRS_JSON;
    use super::*;

    const HEX: &str = "cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c";

    fn plain(changes: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::from(
            [
                ("out", "/nix/store/x"),
                ("registry", "https://registry-1.docker.io/v2/"),
                ("repository", "library/debian"),
                (
                    "outputHash",
                    "1744l0c8ag5y7ck9nhr6r5wy9frmaxi7xh80ypgnxb7g891m42nd",
                ),
                ("layerDigest", ""),
                (
                    "alternatives",
                    r#"[{"registry":"ghcr.io","repository":"team/app"}]"#,
                ),
                ("size", "97"),
                ("mirrors", "https://mirror.example"),
                ("urls", "https://a.example/layer x"),
                ("NIX_ATTRS_JSON_FILE", ""),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        for (name, value) in changes {
            variables.insert((*name).to_owned(), (*value).to_owned());
        }
        variables
    }

    fn expected() -> Job {
        Job::Blob(Box::new(BlobJob {
            out: "/nix/store/x".into(),
            location: Location::parse("docker.io", "library/debian", NamedBy::Expression).unwrap(),
            alternatives: vec![
                Location::parse("ghcr.io", "team/app", NamedBy::Expression).unwrap(),
            ],
            digest: Digest::parse_lenient(HEX).unwrap(),
            size: Size::Exact(97),
            mirrors: vec!["https://mirror.example".parse().unwrap()],
            urls: vec!["https://a.example/layer".to_owned(), "x".to_owned()],
        }))
    }

    fn structured() -> Value {
        json!({
            "outputs": { "out": "/nix/store/x" },
            "registry": "https://registry-1.docker.io/v2/",
            "repository": "library/debian",
            "alternatives": [{ "registry": "ghcr.io", "repository": "team/app" }],
            "size": 97,
            "mirrors": "https://mirror.example",
            "urls": "https://a.example/layer x",
            "outputHash": HEX,
            "layerDigest": null,
            "preferLocalBuild": true,
        })
    }

    #[test]
    fn both_forms_of_attributes_give_the_same_job() {
        let directory = tempfile::tempdir().unwrap();
        let attributes = Attributes::read(&plain(&[]), directory.path()).unwrap();
        assert_eq!(Job::of(&attributes).unwrap(), expected());

        let file = directory.path().join("attributes.json");
        std::fs::write(&file, structured().to_string()).unwrap();
        let environment =
            BTreeMap::from([(NIX_ATTRS_JSON_FILE.to_owned(), file.display().to_string())]);
        let attributes = Attributes::read(&environment, Path::new("/nowhere")).unwrap();
        assert_eq!(Job::of(&attributes).unwrap(), expected());
    }

    #[test]
    fn the_file_is_found_in_the_working_directory_when_its_name_leads_outside_the_sandbox() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(ATTRS_JSON), structured().to_string()).unwrap();
        for environment in [
            BTreeMap::from([(
                NIX_ATTRS_JSON_FILE.to_owned(),
                "/nowhere/.attrs.json".to_owned(),
            )]),
            BTreeMap::new(),
        ] {
            let attributes = Attributes::read(&environment, directory.path()).unwrap();
            assert_eq!(Job::of(&attributes).unwrap(), expected());
        }
        let environment =
            BTreeMap::from([(NIX_ATTRS_JSON_FILE.to_owned(), "/nowhere/x".to_owned())]);
        let error = Attributes::read(&environment, Path::new("/nowhere")).unwrap_err();
        assert!(matches!(error, Error::NoAttributes), "{error}");
    }

    #[test]
    fn the_layer_digest_must_agree_with_the_output_hash() {
        for (text, agrees) in [
            (HEX, true),
            (&format!("sha256:{HEX}")[..], true),
            (&"0".repeat(64)[..], false),
            ("../../etc/passwd", false),
        ] {
            let attributes = Attributes::Plain(plain(&[("layerDigest", text)]));
            assert_eq!(Job::of(&attributes).is_ok(), agrees, "{text}");
        }
    }

    #[test]
    fn a_size_is_exact_or_a_limit_and_the_limit_has_a_default() {
        for (size, limit, expected) in [
            ("97", "", Size::Exact(97)),
            ("97", "5", Size::Exact(97)),
            ("0", "", Size::Exact(0)),
            ("", "5", Size::AtMost(5)),
            ("", "", Size::AtMost(MAX_UNDESCRIBED_SIZE)),
        ] {
            let attributes = Attributes::Plain(plain(&[("size", size), ("maxSize", limit)]));
            let Job::Blob(blob) = Job::of(&attributes).unwrap() else {
                panic!("an image");
            };
            assert_eq!(blob.size, expected, "{size:?} {limit:?}");
        }
    }

    #[test]
    fn an_invalid_size_is_refused_in_both_forms_of_attributes() {
        for name in ["size", "maxSize"] {
            for value in [
                "-1",
                "1.5",
                "97.0",
                "1e3",
                "1099511627777",
                "\"97\"",
                "[]",
                "x",
            ] {
                let number = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
                let unsized_ = ("size", "");
                let mut given = structured();
                given["size"].take();
                given[name] = number;
                for attributes in [
                    Attributes::Plain(plain(&[unsized_, (name, value)])),
                    Attributes::Structured(given.as_object().unwrap().clone()),
                ] {
                    let error = Job::of(&attributes).unwrap_err().to_string();
                    let expected = format!("cannot use the derivation's `{name}`");
                    assert_eq!(error, expected, "{value}");
                }
            }
        }
    }

    #[test]
    fn empty_variables_count_as_unset_and_an_error_names_the_missing_attribute() {
        for name in ["out", "registry", "repository", "outputHash"] {
            let attributes = Attributes::Plain(plain(&[(name, "")]));
            let error = Job::of(&attributes).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
    }

    #[test]
    fn an_image_is_described_by_an_object_or_its_json() {
        let spec = json!({
            "interpreter": "/bin/hocker", "repoTags": ["a:1"], "reference": "docker.io/library/a:1", "tag": "1",
            "manifest": null, "config": { "path": "/nix/store/c", "digest": HEX }, "layers": [{ "path": "/nix/store/l" }],
        });
        let mut value = structured();
        value["imageSpec"] = spec.clone();
        value["outputs"]["stream"] = "/nix/store/s".into();
        let Value::Object(map) = value else { panic!() };
        let text = spec.to_string();
        let variables = plain(&[("imageSpec", &text), ("stream", "/nix/store/s")]);
        let jobs = [Attributes::Structured(map), Attributes::Plain(variables)]
            .map(|attributes| Job::of(&attributes).unwrap());
        assert_eq!(jobs[0], jobs[1]);
        let Job::Image(job) = &jobs[0] else { panic!() };
        assert_eq!(job.stream, Some("/nix/store/s".into()));
        assert_eq!(job.spec.layers[0].digest, None);
    }
}
