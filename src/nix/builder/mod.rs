//! What Nix asks for when it starts the program as a builder: the job, read out of the derivation's attributes, and the
//! download of a blob.

mod attributes;
mod fetch;
mod places;

use std::io;
use std::path::PathBuf;

use serde::Deserialize;

pub use self::attributes::{Attributes, NIX_ATTRS_JSON_FILE};
pub use self::fetch::{FetchError, Surroundings, fetch};
pub use self::places::AllPlacesFailed;

use super::hash_text;
use super::image;
use crate::name::endpoint::{self, Endpoint};
use crate::name::{self, Repository};
use crate::oci::descriptor::{self, MAX_UNDESCRIBED_SIZE};
use crate::oci::digest::{self, Digest};
use crate::verify::Size;

/// What a derivation wants made.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// One layer or configuration, as a file.
    Blob(Box<Blob>),
    /// What `fetchdocker` gives: links to layers that are already in the store.
    Image(Box<image::Job>),
}

/// A blob to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The output path.
    pub out: PathBuf,
    /// Where it is.
    pub location: Location,
    /// Where else it is, in the order in which to ask.
    pub alternatives: Vec<Location>,
    /// What to fetch: the output's own hash.
    pub digest: Digest,
    /// How many bytes it has, or may have.
    pub size: Size,
    /// Where to ask first.
    pub mirrors: Vec<Endpoint>,
    /// Where else it may be, if the registry lacks it.
    pub urls: Vec<String>,
}

/// Where a blob is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Where the registry is.
    pub endpoint: Endpoint,
    /// The repository's full path.
    pub repository: Repository,
}

/// Whose word it is where the registry is.
#[derive(Clone, Copy)]
enum NamedBy {
    /// The expression's own text, which is the user's.
    Expression,
    /// A file that it reads, such as a lock file.
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

/// The same as a derivation says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLocation {
    registry: String,
    repository: String,
}

/// A number of bytes as a derivation says it.
#[derive(Deserialize)]
struct RawSize(#[serde(deserialize_with = "descriptor::size")] u64);

/// The blob's size, where the derivation's author knows the manifest; otherwise the limit.
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
    /// Reads the job.
    pub fn of(attributes: &Attributes) -> Result<Self, Error> {
        let out = attributes.output("out").ok_or(Error::Missing("out"))?;
        let spec = attributes.structure("imageSpec");
        if let Some(spec) = spec.map_err(Error::ImageSpec)? {
            return Ok(Self::Image(Box::new(image::Job {
                spec,
                out,
                stream: attributes.output("stream"),
            })));
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
        Ok(Self::Blob(Box::new(Blob {
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

/// A derivation that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The attributes' file cannot be read.
    #[error("reading the derivation's attributes from {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The attributes' file is not an object in JSON.
    #[error("reading the derivation's attributes from {}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the JSON parser says.
        #[source]
        source: serde_json::Error,
    },
    /// The attributes' file is nowhere.
    #[error("the derivation has structured attributes, but their file is not there")]
    NoAttributes,
    /// An attribute is needed.
    #[error("the derivation has no attribute `{0}`; this command is for Nix to start")]
    Missing(&'static str),
    /// An attribute is of another type.
    #[error("the derivation's attribute `{0}` is not a string")]
    NotText(&'static str),
    /// The hash cannot be read.
    #[error("the derivation's `outputHash` cannot be used")]
    OutputHash(#[from] hash_text::ParseError),
    /// The layer's digest cannot be read.
    #[error("the derivation's `layerDigest` cannot be used")]
    LayerDigest(#[source] digest::ParseError),
    /// Two attributes name different content.
    #[error("`layerDigest` is {layer}, but the output hash is {digest}")]
    Disagreement {
        /// What `layerDigest` says.
        layer: Box<Digest>,
        /// What the output hash says.
        digest: Box<Digest>,
    },
    /// The registry cannot be read.
    #[error("the derivation's `registry` cannot be used")]
    Registry(#[from] endpoint::ParseError),
    /// The repository cannot be read.
    #[error("the derivation's `repository` cannot be used")]
    Repository(#[from] name::ParseError),
    /// The other places cannot be read.
    #[error("the derivation's `alternatives` cannot be used")]
    Alternatives(#[source] serde_json::Error),
    /// A number of bytes cannot be read.
    #[error("the derivation's `{name}` cannot be used")]
    Size {
        /// The attribute.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The image's description cannot be read.
    #[error("the derivation's `imageSpec` cannot be used")]
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
        Job::Blob(Box::new(Blob {
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
    fn a_size_is_exact_or_a_limit_and_there_is_always_one_of_them() {
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
    fn what_is_no_size_is_refused_in_both_forms_of_attributes() {
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
                    let expected = format!("the derivation's `{name}` cannot be used");
                    assert_eq!(error, expected, "{value}");
                }
            }
        }
    }

    #[test]
    fn empty_variables_are_unset_and_what_is_missing_is_named() {
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
