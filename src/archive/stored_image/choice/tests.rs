use super::super::open;
use super::*;
use crate::archive::fixture::Layout;
use crate::archive::oci_layout::{FULL_NAME, REF_NAME};
use crate::class::Class;
use serde_json::{Value, json};
use std::fs;

fn image(layout: &Layout, layer: &str) -> Value {
    let media_type = "application/vnd.oci.image.layer.v1.tar";
    let layer = layout.blob(media_type, layer.as_bytes());
    let config = json!({
        "os": "linux",
        "architecture": "amd64",
        "rootfs": { "diff_ids": [layer["digest"]] },
    });
    layout.manifest(config.to_string().as_bytes(), &[layer])
}

fn annotated(entry: &Value, key: &str, value: &str) -> Value {
    let mut entry = entry.clone();
    entry["annotations"] = json!({ key: value });
    entry
}

/// Returns the content of the selected image's layer, and the names of the image.
fn chosen(layout: &Layout, name: Option<&str>) -> Result<(String, Names), Error> {
    chosen_for(layout, name, "linux/amd64", false)
}

fn chosen_for(
    layout: &Layout,
    name: Option<&str>,
    platform: &str,
    is_platform_required: bool,
) -> Result<(String, Names), Error> {
    let selection = Selection {
        name,
        platform: &platform.parse().unwrap(),
        is_platform_required,
    };
    let composition = open(&layout.path(), &selection)?;
    let (_, layer) = composition.files().last().unwrap();
    Ok((fs::read_to_string(layer).unwrap(), composition.names))
}

#[test]
fn one_image_under_several_names_has_all_of_them() {
    let layout = Layout::new();
    let one = image(&layout, "a");
    layout.list(&[
        annotated(&one, FULL_NAME, "docker.io/library/app:1"),
        annotated(&one, FULL_NAME, "ghcr.io/a/b:2"),
        annotated(&one, FULL_NAME, "docker.io/library/app:1"),
    ]);
    for name in [None, Some("app:1"), Some("ghcr.io/a/b:2")] {
        let (layer, names) = chosen(&layout, name).unwrap();
        assert_eq!(layer, "a");
        assert_eq!(names.repo_tags, ["app:1", "ghcr.io/a/b:2"]);
    }
    // Without another name, too.
    layout.list(&[
        annotated(&one, REF_NAME, "1"),
        annotated(&one, REF_NAME, "1"),
    ]);
    assert_eq!(chosen(&layout, None).unwrap().0, "a");
}

#[test]
fn a_text_that_is_no_name_selects_its_image_and_disturbs_no_other() {
    let layout = Layout::new();
    let texts = ["1.0.0+git5", "Foo/Bar:1", "v1@2", "1.0"];
    let entries = texts.map(|text| annotated(&image(&layout, text), REF_NAME, text));
    layout.list(&entries);
    for text in texts {
        assert_eq!(chosen(&layout, Some(text)).unwrap().0, text);
    }
    let error = chosen(&layout, None).unwrap_err().to_string();
    let list = "has several images: 1.0.0+git5, Foo/Bar:1, v1@2, 1.0";
    assert!(error.ends_with(list), "{error}");
    layout.list(&entries[..1]);
    let (_, names) = chosen(&layout, None).unwrap();
    assert_eq!(names.repo_tags, Vec::<String>::new());
    assert_eq!(names.ref_names, ["1.0.0+git5"]);
}

#[test]
fn the_error_for_a_layout_without_images_names_the_reason() {
    let layout = Layout::new();
    let mut wrong = image(&layout, "a");
    wrong["size"] = json!("415");
    let old = json!({ "schemaVersion": 1, "fsLayers": [], "history": [] });
    let media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let old = layout.blob(media_type, old.to_string().as_bytes());
    for (entry, reason) in [(wrong, "entry"), (old, "schema 1")] {
        layout.list(&[entry]);
        let error = chosen(&layout, None).unwrap_err();
        assert_eq!(error.class(), Class::Unsupported, "{error}");
        let line = crate::causes::line(&error);
        assert!(line.contains(reason), "{line}");
    }
}

#[test]
fn an_image_that_names_its_platform_is_not_preferred_to_an_equal_one() {
    let layout = Layout::new();
    let mut one = image(&layout, "a");
    one["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    let index = layout.index(&[one.clone()]);
    for other in [image(&layout, "b"), layout.index(&[image(&layout, "c")])] {
        layout.list(&[one.clone(), other]);
        let error = chosen(&layout, None).unwrap_err();
        assert!(matches!(error, Error::SeveralImages { .. }), "{error}");
    }
    // A manifest beside its index is the same image.
    for entries in [[index.clone(), one.clone()], [one, index]] {
        layout.list(&entries);
        assert_eq!(chosen(&layout, None).unwrap().0, "a");
    }
}

#[test]
fn images_without_names_are_listed_and_selected_by_digest() {
    let layout = Layout::new();
    let (a, b) = (image(&layout, "a"), image(&layout, "b"));
    for entries in [
        vec![a.clone(), b.clone()],
        vec![layout.index(&[a.clone(), b.clone()])],
        vec![
            a.clone(),
            annotated(&b, FULL_NAME, "docker.io/library/app:1"),
        ],
    ] {
        layout.list(&entries);
        let error = chosen(&layout, None).unwrap_err().to_string();
        let first = a["digest"].as_str().unwrap();
        assert!(
            error.contains(&format!("several images: {first} (linux/amd64), ")),
            "{error}"
        );
        for (image, layer) in [(&a, "a"), (&b, "b")] {
            let digest = image["digest"].as_str();
            assert_eq!(chosen(&layout, digest).unwrap().0, layer);
        }
    }
    let absent = Digest::of(b"absent").to_string();
    assert!(matches!(
        chosen(&layout, Some(&absent)),
        Err(Error::NoImage { .. })
    ));
}

#[test]
fn artifacts_signatures_and_attestations_are_not_images() {
    let layout = Layout::new();
    let signature = layout.manifest(
        b"{}",
        &[layout.blob("application/vnd.dev.cosign.simplesigning.v1+json", b"{}")],
    );
    let mut artifact = image(&layout, "b");
    artifact["artifactType"] = json!("application/vnd.example+json");
    let mut attestation = image(&layout, "c");
    attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    layout.list(&[
        annotated(&signature, REF_NAME, "sha256-0.sig"),
        artifact,
        image(&layout, "a"),
        attestation,
    ]);
    assert_eq!(chosen(&layout, None).unwrap().0, "a");
}

#[test]
fn the_only_image_is_taken_for_any_platform_unless_the_user_asks_for_one() {
    let layout = Layout::new();
    let image = image(&layout, "a");
    let mut named = image.clone();
    named["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    let mut absent = named.clone();
    absent["digest"] = json!(Digest::of(b"absent"));
    absent["platform"]["architecture"] = json!("arm64");
    let mut attestation = absent.clone();
    attestation["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    let artifact = layout.manifest(b"{}", &[layout.blob("application/vnd.example", b"{}")]);
    for entry in [
        named.clone(),
        image.clone(),
        layout.index(&[named.clone(), attestation]),
        layout.index(&[image]),
        layout.index(&[layout.index(&[named.clone(), named.clone()])]),
        layout.index(&[named.clone(), artifact]),
        // A copy of one platform.
        layout.index(&[absent, named.clone()]),
    ] {
        layout.list(std::slice::from_ref(&entry));
        for (platform, is_required, is_taken) in [
            ("linux/arm64", false, true),
            ("linux/s390x", false, true),
            ("linux/arm64", true, false),
            ("linux/amd64", true, true),
        ] {
            let chosen = chosen_for(&layout, None, platform, is_required);
            assert_eq!(chosen.is_ok(), is_taken, "{entry} {platform} {is_required}");
        }
    }
}

#[test]
fn of_several_images_none_is_taken_for_another_platform() {
    let layout = Layout::new();
    let (mut one, mut other) = (image(&layout, "a"), image(&layout, "b"));
    one["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    other["platform"] = json!({ "os": "linux", "architecture": "arm64" });
    let mut invalid = other.clone();
    invalid["digest"] = json!("sha384:00");
    for entries in [
        vec![one.clone(), other.clone()],
        vec![layout.index(&[one.clone(), other])],
        vec![layout.index(&[one, invalid])],
    ] {
        layout.list(&entries);
        let chosen = chosen_for(&layout, None, "linux/s390x", false);
        assert!(matches!(chosen, Err(Error::Platform { .. })));
    }
}

#[test]
fn images_that_differ_by_digest_alone_are_several() {
    let layout = Layout::new();
    let for_amd64 = |layer: &str| {
        let mut entry = image(&layout, layer);
        entry["platform"] = json!({ "os": "linux", "architecture": "amd64" });
        entry
    };
    let (a, b) = (for_amd64("a"), for_amd64("b"));
    let name = "docker.io/library/app:1";
    layout.list(&[a.clone(), b.clone()]);
    let error = chosen(&layout, None).unwrap_err().to_string();
    assert!(error.contains("several images: sha256:"), "{error}");
    layout.list(&[
        annotated(&a, FULL_NAME, name),
        annotated(&b, FULL_NAME, name),
    ]);
    let error = chosen(&layout, Some("app:1")).unwrap_err().to_string();
    let labels = [&a, &b].map(|entry| format!("app:1 ({})", entry["digest"].as_str().unwrap()));
    assert!(error.ends_with(&labels.join(", ")), "{error}");
    // Other platforms are another difference.
    let mut other = b;
    other["platform"]["architecture"] = json!("arm64");
    layout.list(&[a, other]);
    assert_eq!(chosen(&layout, None).unwrap().0, "a");
}

#[test]
fn all_images_can_be_chosen_one_after_another() {
    let layout = Layout::new();
    let all = || choices(&LayoutReader::open(&layout.path()).unwrap()).unwrap();
    let (a, b) = (image(&layout, "a"), image(&layout, "b"));
    let named = annotated(&a, FULL_NAME, "docker.io/library/app:1");
    let other = annotated(&a, FULL_NAME, "docker.io/library/app:2");
    let digest = |entry: &Value| entry["digest"].as_str().unwrap().to_owned();
    layout.list(&[named.clone(), b.clone(), other.clone()]);
    assert_eq!(all(), ["app:1".to_owned(), digest(&b)]);
    for choice in all() {
        chosen(&layout, Some(&choice)).unwrap();
    }
    layout.list(&[a.clone(), b.clone()]);
    assert_eq!(all(), [digest(&a), digest(&b)]);
    // One image, and one for each platform.
    layout.list(&[named, other]);
    assert_eq!(all(), [""; 0]);
    let platforms = [(a, "amd64"), (b, "arm64")].map(|(mut entry, architecture)| {
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        entry
    });
    layout.list(&platforms);
    assert_eq!(all(), [""; 0]);
}
