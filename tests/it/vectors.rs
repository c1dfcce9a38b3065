//! `tests/vectors`: texts that the program reads as the functions of `nix/` do, whose tables have them too.

use hocker::lock::Pattern;
use hocker::name::{Reference, Tag};
use hocker::nix::hash_text;
use hocker::oci::platform::Platform;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors<T> {
    accepted: Vec<T>,
    refused: Vec<Refused>,
}

/// The reason is in the words of Nix; the program has its own.
#[derive(Deserialize)]
struct Refused {
    text: String,
}

#[derive(Deserialize)]
struct Parts {
    text: String,
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
    familiar: String,
}

#[derive(Deserialize)]
struct Hash {
    text: String,
    hex: String,
}

#[derive(Deserialize)]
struct System {
    architecture: String,
    platform: String,
}

#[test]
fn references_are_read_as_docker_and_nix_read_them() {
    let vectors: Vectors<Parts> =
        serde_json::from_str(include_str!("../vectors/references.json")).unwrap();
    for expected in vectors.accepted {
        let text = expected.text;
        let reference: Reference = text
            .parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(reference.registry.as_str(), expected.registry, "{text}");
        assert_eq!(reference.repository.as_str(), expected.repository, "{text}");
        let tag = reference.tag.as_ref().map(ToString::to_string);
        assert_eq!(tag, expected.tag, "{text}");
        let digest = reference.digest.map(|digest| digest.to_string());
        assert_eq!(digest, expected.digest, "{text}");
        assert_eq!(reference.familiar_name(), expected.familiar, "{text}");
        assert_eq!(reference.to_string().parse(), Ok(reference), "{text}");
    }
    for Refused { text } in vectors.refused {
        assert!(text.parse::<Reference>().is_err(), "{text:?}");
    }
}

#[test]
fn hashes_are_read_as_nix_reads_them() {
    let vectors: Vectors<Hash> =
        serde_json::from_str(include_str!("../vectors/hashes.json")).unwrap();
    for Hash { text, hex } in vectors.accepted {
        let digest = hash_text::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(digest.hex(), hex, "{text}");
    }
    for Refused { text } in vectors.refused {
        assert!(hash_text::parse(&text).is_err(), "{text:?}");
    }
}

#[test]
fn architectures_have_the_platforms_that_nix_gives_them() {
    let systems: Vec<System> =
        serde_json::from_str(include_str!("../vectors/platforms.json")).unwrap();
    for System {
        architecture,
        platform,
    } in systems
    {
        let ours = Platform::linux(&architecture);
        assert_eq!(ours.to_string(), platform, "{architecture}");
        assert_eq!(platform.parse(), Ok(ours));
    }
}

/// A list of tags, and the one that a careful person follows next. `null` is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Followed {
    image: String,
    pattern: String,
    present: Option<String>,
    expected: Option<String>,
    tags: Vec<String>,
    /// Why, where it is not obvious.
    #[serde(default, rename = "why")]
    _why: Option<String>,
}

#[test]
fn the_tag_that_a_careful_person_chooses_is_followed() {
    let vectors: Vec<Followed> =
        serde_json::from_str(include_str!("../vectors/tags.json")).unwrap();
    let mut images: Vec<_> = vectors.iter().map(|one| &one.image).collect();
    images.sort();
    images.dedup();
    assert!(vectors.len() >= 60 && images.len() >= 40, "{images:?}");
    let mut wrong = Vec::new();
    for Followed {
        image,
        pattern,
        present,
        expected,
        tags,
        ..
    } in &vectors
    {
        let tag = |text: &String| text.parse::<Tag>().unwrap();
        let tags: Vec<_> = tags.iter().map(tag).collect();
        let present = present.as_ref().map(tag);
        let parsed: Pattern = pattern
            .parse()
            .unwrap_or_else(|error| panic!("{image} {pattern}: {error}"));
        let newer = parsed.newer(present.as_ref(), &tags);
        let found = newer.last().map(ToString::to_string);
        if found != *expected {
            wrong.push(format!(
                "{image} {pattern} from {present:?}: {found:?} instead of {expected:?}"
            ));
        }
        // The order of the list means nothing, and the newest has no successor but a release.
        let reversed: Vec<_> = tags.iter().rev().cloned().collect();
        let again = parsed.newer(present.as_ref(), &reversed);
        assert_eq!(again, newer, "{image} {pattern}");
        if let Some(newest) = newer.last() {
            let after = parsed.newer(Some(newest), &tags);
            assert!(!after.contains(newest), "{image} {pattern}: {after:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
