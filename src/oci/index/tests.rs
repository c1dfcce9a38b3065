use super::*;
use crate::oci::digest::Digest;
use serde_json::{Value, json};

/// Returns an entry whose digest is that of a text.
fn entry(text: &str) -> Value {
    json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "size": 1,
        "digest": Digest::of(text.as_bytes()),
    })
}

/// Returns an entry for a platform, whose digest is that of the platform's text.
fn for_platform(text: &str) -> Value {
    let mut parts = text.split('/');
    let mut entry = entry(text);
    entry["platform"] = json!({
        "os": parts.next(),
        "architecture": parts.next(),
        "variant": parts.next().unwrap_or_default(),
    });
    entry
}

fn with(mut entry: Value, key: &str, value: Value) -> Value {
    entry[key] = value;
    entry
}

fn index(entries: &[Value]) -> Document<Index> {
    let text = json!({ "schemaVersion": 2, "manifests": entries }).to_string();
    Document::parse(text.into_bytes(), None).unwrap()
}

fn of_platforms(platforms: &[&str]) -> Document<Index> {
    index(
        &platforms
            .iter()
            .map(|text| for_platform(text))
            .collect::<Vec<_>>(),
    )
}

/// Returns the digests of the selected entries.
fn selected(index: &Index, wanted: &str) -> Result<Vec<Digest>, SelectError> {
    let selected = index.select(&wanted.parse().unwrap())?;
    Ok(match selected {
        Selected::One(entry) => vec![entry.digest],
        Selected::Unnamed(entries) => entries.iter().map(|entry| entry.digest).collect(),
    })
}

#[test]
fn selects_the_nearest_variant_and_never_an_attestation() {
    let index = of_platforms(&[
        "unknown/unknown",
        "linux/386",
        "linux/amd64",
        "linux/arm/v5",
        "linux/arm/v6",
        "linux/arm64/v8",
    ]);
    for (wanted, expected) in [
        ("linux/amd64", "linux/amd64"),
        ("linux/386", "linux/386"),
        ("linux/arm/v7", "linux/arm/v6"),
        ("linux/arm/v5", "linux/arm/v5"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/arm64/v9.2", "linux/arm64/v8"),
    ] {
        assert_eq!(
            selected(&index, wanted).unwrap(),
            [Digest::of(expected.as_bytes())],
            "{wanted}"
        );
    }
}

#[test]
fn says_which_platforms_there_are() {
    let index = of_platforms(&["linux/amd64", "unknown/unknown", "linux/arm/v7"]);
    assert_eq!(
        selected(&index, "linux/s390x").unwrap_err().to_string(),
        "no image for linux/s390x; available: linux/amd64, linux/arm/v7"
    );
}

#[test]
fn entries_without_a_platform_are_for_the_images_to_tell_apart() {
    let empty = json!({"os": "", "architecture": ""});
    let attestation = json!({REFERENCE_TYPE: "attestation-manifest"});
    let (a, b) = (entry("a"), with(entry("b"), "platform", empty));
    let named = for_platform("linux/arm64");
    let described = with(entry("c"), "annotations", attestation);
    for (entries, wanted, expected) in [
        (vec![&a], "linux/amd64", vec!["a"]),
        (vec![&b], "linux/amd64", vec!["b"]),
        (vec![&described, &b], "linux/amd64", vec!["b"]),
        (vec![&a, &a], "linux/amd64", vec!["a"]),
        (vec![&a, &b], "linux/amd64", vec!["a", "b"]),
        (vec![&b, &named, &a], "linux/amd64", vec!["b", "a"]),
        (vec![&b, &named, &a], "linux/arm64", vec!["linux/arm64"]),
    ] {
        let entries: Vec<_> = entries.into_iter().cloned().collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|text| Digest::of(text.as_bytes()))
            .collect();
        assert_eq!(selected(&index(&entries), wanted).unwrap(), expected);
    }
}

#[test]
fn an_entry_that_is_not_chosen_spoils_nothing() {
    let sibling = || for_platform("linux/s390x");
    let sha384 = json!(format!("sha384:{}", "0".repeat(96)));
    for unusable in [
        with(sibling(), "digest", sha384),
        with(sibling(), "digest", json!(7)),
        with(sibling(), "size", json!(-1)),
        with(sibling(), "size", json!("1")),
        with(sibling(), "mediaType", json!({})),
        with(sibling(), "annotations", json!({"a": 1})),
        with(sibling(), "urls", json!("x")),
        with(sibling(), "data", json!(7)),
        with(sibling(), "platform", json!("linux/s390x")),
        with(
            sibling(),
            "platform",
            json!({"os": "linux", "architecture": 7}),
        ),
        json!(null),
        json!("x"),
    ] {
        for entries in [
            [unusable.clone(), for_platform("linux/amd64")],
            [for_platform("linux/amd64"), unusable.clone()],
        ] {
            let index = index(&entries);
            assert_eq!(
                selected(&index, "linux/amd64").unwrap(),
                [Digest::of(b"linux/amd64")],
                "{unusable}"
            );
        }
    }
}

#[test]
fn an_odd_entry_that_is_chosen_is_refused_and_no_other_taken_for_it() {
    let unusable = |platform: &str| with(for_platform(platform), "size", json!(-1));
    let unnamed = with(entry("a"), "size", json!(-1));
    let named = "the index's entry for linux/amd64 cannot be used";
    for (entries, said) in [
        (vec![unusable("linux/amd64")], named),
        (
            vec![unusable("linux/amd64"), for_platform("linux/amd64")],
            named,
        ),
        (
            vec![for_platform("linux/386"), unusable("linux/amd64")],
            named,
        ),
        (vec![unnamed.clone()], "the index's entry cannot be used"),
        (
            vec![unnamed, for_platform("linux/arm64")],
            "the index's entry cannot be used",
        ),
    ] {
        let index = index(&entries);
        let error = selected(&index, "linux/amd64").unwrap_err();
        assert_eq!(error.to_string(), said, "{entries:?}");
        assert_eq!(index.require_all().unwrap_err().to_string(), said);
    }
    let index = index(&[for_platform("linux/amd64"), unusable("linux/amd64")]);
    assert!(selected(&index, "linux/amd64").is_ok());
}
