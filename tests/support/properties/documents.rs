//! Manifests, indexes and configurations.

use hocker::name::endpoint::Endpoint;
use hocker::nix::expression::Expression;
use hocker::oci::config::ImageConfig;
use hocker::oci::descriptor::{Descriptor, MAX_BLOB_SIZE};
use hocker::oci::digest::Digest;
use hocker::oci::document::{Document, View};
use hocker::oci::index::{Index, Selected};
use hocker::oci::manifest::{self as manifests, DocumentKind, MAX_LAYERS, Manifest};
use hocker::oci::media_type::MediaType;

use super::{normalises, registry_of, repository_of};

/// Manifests are no indexes, have the type that they were sent as, and can become expressions.
pub fn manifest(bytes: &[u8]) {
    let Some(document) = read::<Manifest>(bytes, None) else {
        return;
    };
    assert_eq!(
        manifests::kind_of(bytes, None).ok(),
        Some(DocumentKind::Manifest)
    );
    assert!(document.media_type.is_manifest());
    assert!(document.layers.len() <= MAX_LAYERS);
    document.layers.iter().for_each(descriptor);
    descriptor(&document.config);
    descriptor(&document.descriptor());
    assert!(read::<Index>(bytes, None).is_none());
    for declared in [
        MediaType::DOCKER_MANIFEST,
        MediaType::OCI_MANIFEST,
        MediaType::OCI_INDEX,
        MediaType::DOCKER_SCHEMA_1,
    ] {
        if let Some(document) = read::<Manifest>(bytes, Some(&declared)) {
            assert_eq!(document.media_type, declared);
        }
    }
    let _ = document.require_image();
    if let Some(config) = read::<ImageConfig>(bytes, None) {
        let agrees = document.layers.len() == config.diff_ids().len();
        assert_eq!(document.check_config(&config).is_ok(), agrees);
    }
    let expression = Expression {
        endpoint: &Endpoint::of(&registry_of("r.example")).unwrap(),
        repository: &repository_of("team/app"),
        tag: None,
        name: None,
        manifest: &document,
    };
    let is_sha256 = |descriptor: &Descriptor| matches!(descriptor.digest, Digest::Sha256(_));
    let nameable = document.layers.iter().all(is_sha256) && is_sha256(&document.config);
    assert_eq!(expression.classic().is_ok(), nameable);
    // Fields that nobody reads may hold bytes that are no text; an expression holds all of them.
    let is_text = std::str::from_utf8(bytes).is_ok();
    assert_eq!(expression.pinned().is_ok(), nameable && is_text);
}

/// Indexes are no manifests, have the type that they were sent as, and give entries of their own.
pub fn index(bytes: &[u8]) {
    let Some(document) = read::<Index>(bytes, None) else {
        return;
    };
    assert_eq!(
        manifests::kind_of(bytes, None).ok(),
        Some(DocumentKind::Index)
    );
    assert!(document.media_type.is_index());
    document.manifests.iter().for_each(descriptor);
    assert!(read::<Manifest>(bytes, None).is_none());
    for declared in [
        MediaType::DOCKER_MANIFEST_LIST,
        MediaType::OCI_INDEX,
        MediaType::OCI_MANIFEST,
    ] {
        if let Some(document) = read::<Index>(bytes, Some(&declared)) {
            assert_eq!(document.media_type, declared);
        }
    }
    let of_entries = document.manifests.iter().filter_map(|entry| {
        let platform = entry.platform.clone();
        platform.filter(|platform| platform.os != "unknown" && platform.architecture != "unknown")
    });
    let common = ["linux/amd64", "linux/arm/v7", "windows/amd64"];
    let common = common.iter().filter_map(|text| text.parse().ok());
    for platform in of_entries.chain(common) {
        match document.select(&platform) {
            Ok(Selected::One(entry)) => assert!(document.manifests.contains(entry)),
            Ok(Selected::Unnamed(entries)) => {
                for entry in entries {
                    assert!(entry.platform.is_none() && document.manifests.contains(entry));
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// Configurations name a platform that is compared with itself, and diff ids that are digests.
pub fn config(bytes: &[u8]) {
    let Some(document) = read::<ImageConfig>(bytes, None) else {
        return;
    };
    normalises(document.platform());
    for diff_id in document.diff_ids() {
        assert_eq!(diff_id.to_string().parse(), Ok(*diff_id.digest()));
    }
}

/// What is accepted kept its bytes.
fn read<T: View>(bytes: &[u8], declared: Option<&MediaType>) -> Option<Document<T>> {
    let document = Document::<T>::parse(bytes.to_vec(), declared).ok()?;
    assert_eq!(document.bytes(), bytes);
    assert_eq!(*document.digest(), Digest::of(bytes));
    assert_eq!(document.size(), bytes.len() as u64);
    Some(document)
}

/// Descriptors are written as they are read.
fn descriptor(descriptor: &Descriptor) {
    assert!(descriptor.size <= MAX_BLOB_SIZE);
    let written = serde_json::to_vec(descriptor).unwrap();
    let again: Descriptor = serde_json::from_slice(&written).unwrap();
    assert_eq!(again, *descriptor);
    descriptor.platform.iter().for_each(normalises);
}
