//! Image configurations: the platform and the diff ids of the layers. Everything else in them is for the
//! container runtime and stays in the document's bytes.
//!
//! Source: OCI image specification, `config.md`.

use serde::Deserialize;

use crate::digest::DiffId;
use crate::document::{ParseError, View};
use crate::media_type::MediaType;
use crate::platform::Platform;

/// The parsed view of an image configuration. The digest of its document is the image id.
#[derive(Clone, Debug)]
pub struct ImageConfig {
    platform: Platform,
    diff_ids: Vec<DiffId>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(flatten)]
    platform: Platform,
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Option<Vec<DiffId>>,
}

impl View for ImageConfig {
    fn parse(bytes: &[u8], _declared: Option<&MediaType>) -> Result<Self, ParseError> {
        let raw: Raw =
            serde_json::from_slice(bytes).map_err(|source| ParseError::json(source, bytes))?;
        Ok(Self {
            platform: raw.platform,
            diff_ids: raw.rootfs.diff_ids.unwrap_or_default(),
        })
    }
}

impl ImageConfig {
    /// What the image runs on.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The digests of the uncompressed layers, lowest first.
    #[must_use]
    pub fn diff_ids(&self) -> &[DiffId] {
        &self.diff_ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    #[test]
    fn reads_platform_and_diff_ids() {
        let text = br#"{"architecture":"arm","os":"linux","variant":"v7","rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]},"config":{"Cmd":["/hello"]}}"#;
        let config = Document::<ImageConfig>::parse(text.to_vec(), None).unwrap();
        assert_eq!(config.platform().to_string(), "linux/arm/v7");
        assert_eq!(config.diff_ids().len(), 1);
    }

    #[test]
    fn refuses_a_diff_id_that_is_no_digest() {
        let text = br#"{"rootfs":{"diff_ids":["../../x"]}}"#;
        assert!(Document::<ImageConfig>::parse(text.to_vec(), None).is_err());
    }
}
