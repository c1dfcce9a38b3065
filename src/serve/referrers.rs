//! Referrers: manifests with a `subject`, such as signatures and bills of materials, by the manifest that they are about.
//!
//! Source: OCI distribution specification 1.1, section "Listing Referrers".

use std::collections::{BTreeMap, HashMap};

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::response::{Response, json};
use crate::go_json::{as_go_reads, texts};
use crate::oci::digest::Digest;
use crate::oci::media_type::MediaType;

/// The query parameter with which clients ask for referrers of one type.
const ARTIFACT_TYPE: &str = "artifactType";

/// The referrers of one repository by the digests of their subjects. The subjects need not exist.
#[derive(Clone, Debug, Default)]
pub(super) struct Referrers {
    subjects: HashMap<Digest, BTreeMap<Digest, Referrer>>,
}

/// The descriptor of a referrer as a response lists it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Referrer {
    media_type: MediaType,
    digest: Digest,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<MediaType>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// The fields of a manifest or index that make it a referrer. A `subject` without a valid digest is no error: clients
/// that do not list referrers ignore it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    subject: Option<Box<RawValue>>,
    artifact_type: Option<MediaType>,
    config: Option<ConfigFields>,
    #[serde(default, deserialize_with = "texts")]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigFields {
    media_type: Option<MediaType>,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digest,
}

/// Returns the digest of the subject of a document, and the other fields.
fn fields(document: &[u8]) -> Option<(Digest, Fields)> {
    let fields: Fields = serde_json::from_slice(&as_go_reads(document)).ok()?;
    let subject: Subject = serde_json::from_str(fields.subject.as_ref()?.get()).ok()?;
    Some((subject.digest, fields))
}

/// Whether a document has a subject.
pub(super) fn has_subject(document: &[u8]) -> bool {
    fields(document).is_some()
}

impl Referrers {
    /// Adds a document if it has a subject.
    pub(super) fn add(&mut self, media_type: &MediaType, digest: Digest, document: &[u8]) {
        let Some((subject, fields)) = fields(document) else {
            return;
        };
        let config = fields.config.and_then(|config| config.media_type);
        let artifact_type = [fields.artifact_type, config]
            .into_iter()
            .flatten()
            .find(|named| !named.is_empty());
        let referrer = Referrer {
            media_type: media_type.clone(),
            digest,
            size: document.len(),
            artifact_type,
            annotations: fields.annotations,
        };
        self.subjects
            .entry(subject)
            .or_default()
            .insert(digest, referrer);
    }

    /// Adds the referrers of another repository.
    pub(super) fn merge(&mut self, other: &Self) {
        for (subject, referrers) in &other.subjects {
            let own = self.subjects.entry(*subject).or_default();
            own.extend(
                referrers
                    .iter()
                    .map(|(digest, referrer)| (*digest, referrer.clone())),
            );
        }
    }

    /// Returns the digests of all referrers.
    pub(super) fn all(&self) -> impl Iterator<Item = &Digest> {
        self.subjects.values().flat_map(BTreeMap::keys)
    }

    /// Returns the digests of the referrers of a subject.
    pub(super) fn of(&self, subject: &Digest) -> impl Iterator<Item = &Digest> {
        self.subjects
            .get(subject)
            .into_iter()
            .flat_map(BTreeMap::keys)
    }
}

/// Returns the response with the referrers of a subject, all or those of one type. It is an empty index if there are
/// none, or if there is no such repository: a registry with this API never responds with 404.
pub(super) fn respond(referrers: Option<&Referrers>, subject: &Digest, query: &str) -> Response {
    let wanted = wanted_type(query);
    let referrers = referrers.and_then(|referrers| referrers.subjects.get(subject));
    let manifests: Vec<&Referrer> = referrers
        .into_iter()
        .flat_map(BTreeMap::values)
        .filter(|referrer| wanted.is_none() || referrer.artifact_type == wanted)
        .collect();
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OCI_INDEX,
        "manifests": manifests,
    });
    let mut response = json(StatusCode::OK, index.to_string());
    response.set_text(CONTENT_TYPE, MediaType::OCI_INDEX.as_str());
    if wanted.is_some() {
        response.headers.insert(
            HeaderName::from_static("oci-filters-applied"),
            HeaderValue::from_static(ARTIFACT_TYPE),
        );
    }
    response
}

fn wanted_type(query: &str) -> Option<MediaType> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, value)| key == ARTIFACT_TYPE && !value.is_empty())
        // Some clients do not escape the `+` of a media type, and this parser reads it as a space.
        .map(|(_, value)| MediaType::new(&value.replace(' ', "+")))
}

#[cfg(test)]
mod tests;
