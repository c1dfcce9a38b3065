//! The records of an image and its layers, as podman's storage reads them.

use std::collections::BTreeMap;

use serde::Serialize;
use time::{OffsetDateTime, UtcDateTime};

use super::image::{Layer, StoreImage};
use crate::oci::digest::Digest;
use crate::oci::media_type::{Compression, MediaType};
use crate::oci::timestamp::Timestamp;

/// Go's time zero, which podman shows as no time.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// An entry of `images.json`.
///
/// Source: containers/storage, `images.go`, `Image`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ImageRecord<'i> {
    id: String,
    digest: &'i Digest,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    names: &'i [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    names_history: &'i [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
    /// JSON in a string. Podman keeps the sizes of signatures there, and there are none.
    metadata: &'static str,
    big_data_names: Vec<String>,
    big_data_sizes: BTreeMap<String, u64>,
    big_data_digests: BTreeMap<String, Digest>,
    created: String,
}

/// An entry of `layers.json`.
///
/// Source: containers/storage, `layers.go`, `Layer`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct LayerRecord<'l> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    created: &'l str,
    compressed_diff_digest: &'l Digest,
    compressed_size: u64,
    diff_digest: &'l Digest,
    /// What podman adds up to the size of the image. The archive's own size is not known here, so this is that of the
    /// file system image.
    diff_size: u64,
    compression: u8,
}

/// The text of `images.json`.
pub(super) fn images(image: &StoreImage) -> Result<Vec<u8>, serde_json::Error> {
    let documents = image.documents();
    let record = ImageRecord {
        id: image.config.digest().hex(),
        digest: image.digest(),
        names: &image.names,
        names_history: &image.names,
        layer: image.layers().last().map(|layer| layer.id.to_string()),
        metadata: "{}",
        big_data_names: documents.iter().map(|(key, ..)| key.clone()).collect(),
        big_data_sizes: documents
            .iter()
            .map(|(key, _, bytes)| (key.clone(), bytes.len() as u64))
            .collect(),
        big_data_digests: documents
            .iter()
            .map(|(key, digest, _)| (key.clone(), *digest))
            .collect(),
        created: created(image),
    };
    serde_json::to_vec(&[record])
}

/// The text of `layers.json`, with the size of each layer's tree.
pub(super) fn layers<'l>(
    image: &StoreImage,
    layers: impl IntoIterator<Item = (&'l Layer, u64)>,
) -> Result<Vec<u8>, serde_json::Error> {
    let created = created(image);
    let record = |(layer, size): (&'l Layer, u64)| LayerRecord {
        id: layer.id.to_string(),
        parent: layer.parent.map(|parent| parent.to_string()),
        created: &created,
        compressed_diff_digest: &layer.blob.digest,
        compressed_size: layer.blob.size,
        diff_digest: layer.diff_id.digest(),
        diff_size: size,
        compression: compression(&layer.blob.media_type),
    };
    let records: Vec<_> = layers.into_iter().map(record).collect();
    serde_json::to_vec(&records)
}

/// The number of a compression in podman's storage.
///
/// Source: containers/storage, `pkg/archive/archive.go`, `Compression`.
fn compression(media_type: &MediaType) -> u8 {
    match media_type.layer_compression() {
        Some(Compression::Gzip) => 2,
        Some(Compression::Zstd) => 4,
        Some(Compression::None) | None => 0,
    }
}

/// When the image was made, in the one form that every reader of RFC 3339 takes. Podman refuses a whole store for one
/// time that it cannot read, so the text of the image's author is not used.
fn created(image: &StoreImage) -> String {
    let seconds = image.config.created().map(Timestamp::seconds);
    let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    match time.map(UtcDateTime::from) {
        Some(time) if (1..=9999).contains(&time.year()) => format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            time.year(),
            u8::from(time.month()),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        ),
        _ => NO_TIME.to_owned(),
    }
}
