//! The job of a derivation that fetches a blob.

use std::path::PathBuf;

use serde::Deserialize;

use super::attributes::Attributes;
use super::error::Error;
use crate::name::Repository;
use crate::name::endpoint::Endpoint;
use crate::nix::hash_text;
use crate::oci::descriptor::{self, MAX_UNDESCRIBED_SIZE};
use crate::oci::digest::Digest;
use crate::verify::Size;

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
    /// The classic credentials file that the caller of Nix named by `-I DOCKER_CREDENTIALS=FILE`. The sandbox may not
    /// contain it.
    pub credentials_file: Option<PathBuf>,
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

impl BlobJob {
    /// Parses the job from the attributes.
    pub(super) fn of(attributes: &Attributes, out: PathBuf) -> Result<Self, Error> {
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
        Ok(Self {
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
            credentials_file: attributes.text("dockerCredentialsFile")?.map(PathBuf::from),
        })
    }
}
