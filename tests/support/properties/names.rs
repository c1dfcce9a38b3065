//! Digests, references and what they are made of.

use std::cmp::Ordering;

use hocker::lock::Pattern;
use hocker::name::endpoint::Endpoint;
use hocker::name::{Reference, RegistryName, Repository, Tag, Version};
use hocker::nix::hash_text;
use hocker::oci::digest::Digest;
use hocker::oci::platform::Platform;

use super::{normalises, registry_of, repository_of};

/// Digests are made of characters that mean nothing in a path, and have one spelling.
pub fn digest(text: &str) {
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b':';
        assert!(text.bytes().all(plain), "{text:?}");
        assert_eq!(Digest::parse_lenient(text), Ok(digest));
    }
    if let Ok(digest) = Digest::parse_lenient(text) {
        assert!(digest.to_string().ends_with(text));
    }
    if let Ok(digest) = hash_text::parse(text) {
        for spelling in [
            hash_text::nix32(&digest),
            hash_text::sri(&digest),
            digest.hex(),
        ] {
            assert_eq!(hash_text::parse(&spelling), Ok(digest), "{spelling}");
        }
    }
}

/// References, and the names that they are made of, are printed as they are read, and stay where URLs put them.
pub fn reference(text: &str) {
    if let Ok(reference) = text.parse::<Reference>() {
        let printed = reference.to_string();
        assert_eq!(printed.parse(), Ok(reference.clone()), "{printed}");
        let full = reference.full_name().parse().map(|full| Reference {
            tag: reference.tag.clone(),
            digest: reference.digest,
            ..full
        });
        assert_eq!(full, Ok(reference.clone()));
        registry(&reference.registry, &reference.repository);
    }
    if let Ok(name) = text.parse::<RegistryName>() {
        assert_eq!(name.as_str(), text);
        registry(&name, &repository_of("team/app"));
    }
    if let Ok(repository) = text.parse::<Repository>() {
        assert_eq!(repository.as_str(), text);
        registry(&registry_of("r.example"), &repository);
    }
    if let Ok(tag) = text.parse::<Tag>() {
        assert_eq!(tag.as_str(), text);
        let reference = Reference {
            registry: registry_of("r.example"),
            repository: repository_of("team/app"),
            tag: None,
            digest: None,
        };
        let tagged = reference.with_tag(text);
        assert_eq!(tagged.map(|tagged| tagged.tag), Ok(Some(tag)));
    }
    let _ = Reference::in_registry(registry_of("r.example"), text);
}

/// The URLs of a registry's content are below its interface, and their path is what the names say.
fn registry(name: &RegistryName, repository: &Repository) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    assert!(name.as_str().bytes().all(plain), "{name}");
    let Ok(endpoint) = Endpoint::of(name) else {
        return;
    };
    let url = endpoint.manifest_url(repository, "latest");
    assert_eq!(url.path(), format!("/v2/{repository}/manifests/latest"));
    assert_eq!(url.host(), endpoint.base().host());
    assert!(bare(&endpoint), "{endpoint}");
}

/// The URL of a registry holds no user information, and neither do the complaints about one that did.
pub fn endpoint(text: &str) {
    if let Ok(endpoint) = text.parse::<Endpoint>() {
        assert!(bare(&endpoint), "{endpoint}");
        let again = endpoint.to_string().parse::<Endpoint>();
        let again = again.map(|again| again.base().clone());
        assert_eq!(again.as_ref(), Ok(endpoint.base()));
    }
    let with_password = format!("https://ann:swordfish{text}@r.example/");
    if let Err(error) = with_password.parse::<Endpoint>() {
        assert!(!error.to_string().contains("swordfish"), "{error}");
    }
    if let Err(error) = with_password.parse::<Reference>() {
        assert!(!error.to_string().contains("swordfish"), "{error}");
    }
}

fn bare(endpoint: &Endpoint) -> bool {
    let url = endpoint.base();
    url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.path().ends_with("/v2/")
}

/// Platforms are printed as they are read.
pub fn platform(text: &str) {
    if let Ok(platform) = text.parse::<Platform>() {
        assert_eq!(platform.to_string().parse(), Ok(platform.clone()));
        normalises(&platform);
    }
}

/// A tag has a version or none, and a pattern follows only tags of the list that are newer than the present one. Lines
/// are the pattern, the present tag and the list.
pub fn pattern(text: &str) {
    let mut lines = text.lines();
    let pattern = lines.next().unwrap_or_default();
    for word in text.split_whitespace() {
        if let Some(version) = Version::of(word) {
            assert_eq!(version.text(), word);
            assert_eq!(version.cmp(&version), Ordering::Equal);
            assert!(word.starts_with(version.prefix()));
        }
    }
    let Ok(pattern) = pattern.parse::<Pattern>() else {
        return;
    };
    assert_eq!(pattern.as_str().parse().as_ref(), Ok(&pattern));
    let tags: Vec<Tag> = lines.filter_map(|line| line.parse().ok()).collect();
    let all = pattern.newer(None, &tags);
    assert!(all.iter().all(|tag| tags.contains(tag)));
    for present in tags.iter().take(8) {
        let newer = pattern.newer(Some(present), &tags);
        assert!(!newer.contains(&present), "{present}");
        // Whoever follows comes to an end.
        if let Some(newest) = newer.last() {
            let after = pattern.newer(Some(newest), &tags);
            assert!(!after.contains(&present), "{present} after {newest}");
        }
    }
}
