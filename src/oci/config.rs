//! Image configs: the platform, the diff IDs of the layers, and the creation time. All other fields are for the
//! container runtime and stay in the document's bytes.
//!
//! Source: OCI image specification, `config.md`.

use serde::Deserialize;

use crate::go_json::{Shape, null_as_default};
use crate::oci::digest::DiffId;
use crate::oci::document::{ParseError, View};
use crate::oci::media_type::MediaType;
use crate::oci::platform::Platform;
use crate::oci::timestamp::Timestamp;

/// The parsed view of an image config. The digest of its document is the image ID in Docker's own store.
#[derive(Clone, Debug)]
pub struct ImageConfig {
    platform: Platform,
    diff_ids: Vec<DiffId>,
    created: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Raw {
    // Not a flattened `Platform`: serde would parse the values of all other keys, too.
    #[serde(default, deserialize_with = "null_as_default")]
    os: String,
    #[serde(default, deserialize_with = "null_as_default")]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
    #[serde(default, rename = "os.version")]
    os_version: Option<String>,
    #[serde(default, rename = "os.features", deserialize_with = "null_as_default")]
    os_features: Vec<String>,
    rootfs: RootFs,
    #[serde(default)]
    created: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Option<Vec<DiffId>>,
}

impl View for ImageConfig {
    const SHAPE: &'static Shape = &Shape::Object(&[
        ("architecture", &Shape::Any),
        ("os", &Shape::Any),
        ("os.version", &Shape::Any),
        ("os.features", &Shape::Any),
        ("variant", &Shape::Any),
        ("created", &Shape::Any),
        (
            "rootfs",
            &Shape::Object(&[("type", &Shape::Any), ("diff_ids", &Shape::Any)]),
        ),
        ("config", &Shape::Any),
        ("history", &Shape::Any),
    ]);

    fn parse(bytes: &[u8], _declared: Option<&MediaType>) -> Result<Self, ParseError> {
        let raw: Raw =
            serde_json::from_slice(bytes).map_err(|source| ParseError::json(source, bytes))?;
        Ok(Self {
            platform: Platform {
                os: raw.os,
                architecture: raw.architecture,
                variant: raw.variant,
                os_version: raw.os_version,
                os_features: raw.os_features,
            },
            diff_ids: raw.rootfs.diff_ids.unwrap_or_default(),
            // Only for display: an invalid time is no reason to refuse an image.
            created: raw
                .created
                .as_ref()
                .and_then(serde_json::Value::as_str)
                .and_then(|text| text.parse().ok()),
        })
    }
}

impl ImageConfig {
    /// Returns the image's platform.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Returns the diff IDs of the layers, lowest layer first.
    #[must_use]
    pub fn diff_ids(&self) -> &[DiffId] {
        &self.diff_ids
    }

    /// Returns the creation time of the image, if the config contains a valid one.
    #[must_use]
    pub fn created(&self) -> Option<&Timestamp> {
        self.created.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::document::Document;

    #[test]
    fn reads_platform_and_diff_ids() {
        let text = br#"{"architecture":"arm","os":"linux","variant":"v7","rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]},"config":{"Cmd":["/hello"]}}"#;
        let config = Document::<ImageConfig>::parse(text.to_vec(), None).unwrap();
        assert_eq!(config.platform().to_string(), "linux/arm/v7");
        assert_eq!(config.diff_ids().len(), 1);
    }

    #[test]
    fn an_age_that_makes_no_sense_is_none() {
        for (created, read) in [
            (r#""2024-01-01T00:00:00Z""#, true),
            (r#""yesterday""#, false),
            ("null", false),
            ("17", false),
        ] {
            let text = format!(r#"{{"created":{created},"rootfs":{{}}}}"#);
            let config = Document::<ImageConfig>::parse(text.into_bytes(), None).unwrap();
            assert_eq!(config.created().is_some(), read, "{created}");
        }
    }

    #[test]
    fn what_go_writes_of_nothing_is_nothing() {
        for text in [
            r#"{"rootfs":{}}"#,
            r#"{"rootfs":{"diff_ids":null},"os":null,"architecture":null,"variant":null}"#,
            r#"{"rootfs":{"diff_ids":[]},"os":"","architecture":"","os.version":"","os.features":null}"#,
            r#"{"rootfs":{},"history":null,"config":null,"created":""}"#,
        ] {
            let config = Document::<ImageConfig>::parse(text.as_bytes().to_vec(), None).unwrap();
            assert!(config.platform().is_unnamed(), "{text}");
            assert_eq!(config.diff_ids(), []);
        }
    }

    #[test]
    fn values_for_the_runtime_are_not_parsed() {
        for value in [
            "1e999".to_owned(),
            format!("{}{}", "[".repeat(9000), "]".repeat(9000)),
            r#""\ud800""#.to_owned(),
        ] {
            let text = format!(r#"{{"os":"linux","history":{value},"rootfs":{{}},"x":{value}}}"#);
            let config = Document::<ImageConfig>::parse(text.into_bytes(), None).unwrap();
            assert_eq!(config.platform().os, "linux");
        }
    }

    #[test]
    fn a_text_that_is_not_utf_8_is_accepted_and_its_bytes_stay() {
        let text = b"{\"created_by\":\"\xff\",\"variant\":\"\\udc00\",\"rootfs\":{}}";
        let config = Document::<ImageConfig>::parse(text.to_vec(), None).unwrap();
        assert_eq!(config.bytes(), text);
        assert_eq!(config.platform().variant.as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn refuses_a_diff_id_that_is_no_digest() {
        let text = br#"{"rootfs":{"diff_ids":["../../x"]}}"#;
        assert!(Document::<ImageConfig>::parse(text.to_vec(), None).is_err());
    }
}
