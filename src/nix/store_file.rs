//! A config or layer in the Nix store, whose digest, size and media type can be determined without a manifest.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use crate::compression::sniff_file;
use crate::input;
use crate::oci::digest::{Digest, Hasher};
use crate::oci::media_type::{Compression, MediaType};

/// A config or layer that Nix has put into the store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreFile {
    /// The path.
    pub path: PathBuf,
    /// The digest if Nix verified it; otherwise the file is hashed.
    #[serde(default, deserialize_with = "lenient_digest")]
    pub digest: Option<Digest>,
}

fn lenient_digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
    Option::<String>::deserialize(deserializer)?
        .map(|text| Digest::parse_lenient(&text).map_err(de::Error::custom))
        .transpose()
}

impl StoreFile {
    /// Returns the size in bytes.
    pub fn size(&self) -> io::Result<u64> {
        Ok(fs::metadata(&self.path)?.len())
    }

    /// Returns the digest. If it is unknown, the whole file is hashed.
    pub fn digest(&self) -> io::Result<Digest> {
        if let Some(digest) = self.digest {
            return Ok(digest);
        }
        Hasher::sha256().read(input::open(&self.path)?)
    }

    /// Returns the media type of a layer, detected from the first bytes.
    pub fn media_type(&self) -> io::Result<MediaType> {
        Ok(match sniff_file(&self.path)? {
            Compression::Gzip => MediaType::DOCKER_LAYER_GZIP,
            Compression::Zstd => MediaType::OCI_LAYER_ZSTD,
            Compression::None => MediaType::DOCKER_LAYER,
        })
    }
}
