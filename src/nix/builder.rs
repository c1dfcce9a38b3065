//! What Nix asks for when it starts the program as a builder: the job, read out of the derivation's
//! attributes. Fetching and printing are the command line's.
//!
//! Source: Nix manual, "Advanced Attributes" (`__structuredAttrs`, `impureEnvVars`) and "Derivations". Nix
//! hands attributes over in two ways: each as an environment variable, or all in one JSON file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::hash_text;
use super::image;
use crate::digest::{self, Digest};
use crate::endpoint::{self, Endpoint};
use crate::reference::{self, Repository};

/// The variable that names the JSON file.
pub const NIX_ATTRS_JSON_FILE: &str = "NIX_ATTRS_JSON_FILE";
/// The file in the builder's working directory, where older sandboxes have it and name another path.
const ATTRS_JSON: &str = ".attrs.json";

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
    /// Where the registry is.
    pub endpoint: Endpoint,
    /// The repository's full path.
    pub repository: Repository,
    /// What to fetch: the output's own hash.
    pub digest: Digest,
    /// Where to ask first.
    pub mirrors: Vec<Endpoint>,
    /// Where else it may be, if the registry lacks it.
    pub urls: Vec<String>,
}

/// A derivation's attributes in either form.
#[derive(Clone, Debug)]
pub enum Attributes {
    /// From the environment, where everything is a string.
    Plain(BTreeMap<String, String>),
    /// From the JSON file.
    Structured(Map<String, Value>),
}

impl Attributes {
    /// Finds out which form is used, and reads the JSON file from where it is: where the environment says,
    /// else in the working `directory`.
    pub fn read(environment: &BTreeMap<String, String>, directory: &Path) -> Result<Self, Error> {
        let named = environment
            .get(NIX_ATTRS_JSON_FILE)
            .filter(|path| !path.is_empty());
        let beside = directory.join(ATTRS_JSON);
        let mut candidates: Vec<PathBuf> = named.into_iter().map(PathBuf::from).collect();
        // An output in the environment settles it: structured attributes put none there.
        if named.is_some() || !environment.contains_key("out") {
            candidates.push(beside);
        }
        for path in candidates {
            match std::fs::read(&path) {
                Ok(bytes) => {
                    return serde_json::from_slice(&bytes)
                        .map(Self::Structured)
                        .map_err(|source| Error::Json { path, source });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::Read { path, source }),
            }
        }
        if named.is_some() {
            return Err(Error::NoAttributes);
        }
        Ok(Self::Plain(environment.clone()))
    }

    /// A string attribute. An empty one counts as unset, as Nix passes variables that are unset.
    fn text(&self, name: &'static str) -> Result<Option<&str>, Error> {
        let text = match self {
            Self::Plain(variables) => variables.get(name).map(String::as_str),
            Self::Structured(attributes) => match attributes.get(name) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(text.as_str()),
                Some(_) => return Err(Error::NotText(name)),
            },
        };
        Ok(text.filter(|text| !text.is_empty()))
    }

    fn required(&self, name: &'static str) -> Result<&str, Error> {
        self.text(name)?.ok_or(Error::Missing(name))
    }

    fn output(&self, name: &str) -> Option<PathBuf> {
        let path = match self {
            Self::Plain(variables) => variables.get(name).map(String::as_str),
            Self::Structured(attributes) => attributes
                .get("outputs")
                .and_then(|outputs| outputs.get(name))
                .and_then(Value::as_str),
        };
        path.filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// The description of an image: an object, or its JSON where attributes are strings.
    fn image(&self) -> Result<Option<image::Spec>, Error> {
        let spec = match self {
            Self::Plain(variables) => match variables.get("imageSpec") {
                None => return Ok(None),
                Some(text) => serde_json::from_str(text),
            },
            Self::Structured(attributes) => match attributes.get("imageSpec") {
                None => return Ok(None),
                Some(value) => serde_json::from_value(value.clone()),
            },
        };
        spec.map(Some).map_err(Error::ImageSpec)
    }
}

impl Job {
    /// Reads the job.
    pub fn of(attributes: &Attributes) -> Result<Self, Error> {
        let out = attributes.output("out").ok_or(Error::Missing("out"))?;
        if let Some(spec) = attributes.image()? {
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
        Ok(Self::Blob(Box::new(Blob {
            out,
            endpoint: attributes.required("registry")?.parse()?,
            repository: attributes.required("repository")?.parse()?,
            digest,
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
    Repository(#[from] reference::ParseError),
    /// The image's description cannot be read.
    #[error("the derivation's `imageSpec` cannot be used")]
    ImageSpec(#[source] serde_json::Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
            endpoint: "docker.io".parse().unwrap(),
            repository: "library/debian".parse().unwrap(),
            digest: Digest::parse_lenient(HEX).unwrap(),
            mirrors: vec!["https://mirror.example".parse().unwrap()],
            urls: vec!["https://a.example/layer".to_owned(), "x".to_owned()],
        }))
    }

    fn structured() -> Value {
        json!({
            "outputs": { "out": "/nix/store/x" },
            "registry": "https://registry-1.docker.io/v2/",
            "repository": "library/debian",
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
