use super::super::fixture::{INDEX, LAYER, LayoutFixture, digest_of};
use super::super::repository::TagLookup;
use super::*;
use crate::archive::oci_layout;
use crate::class::Class;
use serde_json::{Value, json};

/// The layer of an image for another platform.
const ELSEWHERE: &[u8] = b"layer for another platform";

fn images(catalogue: &Catalogue) -> Vec<String> {
    let tagged = |repository: &str| {
        let contents = catalogue.repository(None, &repository.parse().unwrap());
        let tags = contents.unwrap().tags();
        tags.map(|tag| format!("{repository}:{tag}"))
            .collect::<Vec<_>>()
    };
    let repositories = catalogue.repositories(None);
    repositories.into_iter().flat_map(tagged).collect()
}

#[test]
fn serves_several_layouts_and_what_fetchdocker_built() {
    let first = LayoutFixture::with_image("docker.io/library/debian:jessie");
    let second = LayoutFixture::with_image("localhost:5000/team/app:1");
    let built = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(second.path(), built.path().join("oci")).unwrap();
    let catalogue =
        Catalogue::open(&[first.path(), built.path().to_owned()], Naming::Short).unwrap();
    assert_eq!(images(&catalogue), ["library/debian:jessie", "team/app:1"]);
}

/// Returns the image of `team/app:1`, and the ambiguous names.
fn found(catalogue: &Catalogue) -> (TagLookup, Vec<(String, Vec<String>)>) {
    let registry = "docker.io".parse::<RegistryName>().unwrap();
    let contents = catalogue.repository(Some(&registry), &"team/app".parse().unwrap());
    let tagged = contents.unwrap().tagged(&"1".parse().unwrap());
    (tagged, catalogue.ambiguous().collect())
}

#[test]
fn images_under_one_name_are_served_by_digest_alone() {
    let mut one = LayoutFixture::with_image("docker.io/team/app:1");
    let mut two = LayoutFixture::new();
    let other = two.image(b"another layer");
    two.list(other.clone(), "docker.io/team/app:1");
    let first = digest_of(&one.image(LAYER));
    let names: Vec<_> = [first, digest_of(&other)]
        .map(|digest| format!("docker.io/team/app:1@{digest}"))
        .into();
    let paths = [one.path(), two.path()];
    let catalogues = [Catalogue::open(&paths, Naming::Short).unwrap(), {
        let other = one.image(b"another layer");
        one.list(other, "docker.io/team/app:1");
        one.open().unwrap()
    }];
    for catalogue in catalogues {
        let ambiguous = vec![("team/app:1".to_owned(), names.clone())];
        assert_eq!(
            found(&catalogue),
            (TagLookup::Ambiguous(names.clone()), ambiguous)
        );
        let contents = catalogue.repository(None, &"team/app".parse().unwrap());
        for digest in [first, digest_of(&other)] {
            assert!(contents.unwrap().document(&digest).is_some());
        }
    }
}

#[test]
fn images_for_several_platforms_under_one_name_are_an_index() {
    let for_platform = |layout: &LayoutFixture, architecture: &str| {
        let mut image = layout.image(architecture.as_bytes());
        image["platform"] = json!({ "os": "linux", "architecture": architecture });
        image
    };
    let mut layout = LayoutFixture::new();
    let images = ["amd64", "arm64"].map(|name| for_platform(&layout, name));
    for image in &images {
        layout.list(image.clone(), "docker.io/team/app:1");
    }
    let catalogue = layout.open().unwrap();
    let (TagLookup::One(digest), ambiguous) = found(&catalogue) else {
        panic!("the tag has no image");
    };
    assert_eq!(ambiguous, []);
    let contents = catalogue.repository(None, &"team/app".parse().unwrap());
    let index = contents.unwrap().document(&digest).unwrap();
    let index: Value = serde_json::from_slice(&index.bytes).unwrap();
    assert_eq!(index["manifests"], json!(images));
}

#[test]
fn an_index_and_its_manifest_under_one_name_are_the_index() {
    let mut layout = LayoutFixture::with_image("docker.io/team/app:1");
    let index = layout.index(&[layout.image(LAYER)]);
    layout.list(index.clone(), "docker.io/team/app:1");
    let catalogue = layout.open().unwrap();
    let expected = TagLookup::One(digest_of(&index));
    assert_eq!(found(&catalogue), (expected, Vec::new()));
}

#[test]
fn a_layout_without_images_is_reported() {
    let empty = LayoutFixture::new();
    let text = json!({ "mediaType": "text/plain", "digest": Digest::of(b""), "size": 0 });
    for entries in [json!([]), json!([text])] {
        let index = json!({ "schemaVersion": 2, "manifests": entries });
        empty.write("index.json", index.to_string().as_bytes());
        let error = empty.open().unwrap_err();
        assert!(matches!(error, Error::NoImage { .. }), "{error}");
        assert_eq!(error.class(), Class::NotFound);
    }
    let good = LayoutFixture::with_image("docker.io/library/app:1");
    let paths = [empty.path(), good.path()];
    let catalogue = Catalogue::open(&paths, Naming::Short).unwrap();
    assert_eq!(catalogue.unusable().len(), 1);
}

#[test]
fn a_broken_layout_does_not_stop_the_others() {
    let good = LayoutFixture::with_image("docker.io/library/app:1");
    let broken = LayoutFixture::with_image("docker.io/library/broken:1");
    std::fs::remove_file(broken.blob_path(&Digest::of(LAYER))).unwrap();
    let paths = [broken.path(), good.path()];
    let catalogue = Catalogue::open(&paths, Naming::Short).unwrap();
    assert_eq!(images(&catalogue), ["library/app:1"]);
    let unusable: Vec<_> = catalogue.unusable().iter().map(|(path, _)| path).collect();
    assert_eq!(unusable, [&broken.path()]);
}

#[test]
fn a_broken_image_does_not_stop_the_others_of_its_layout() {
    for entry in [
        json!({ "mediaType": INDEX, "digest": Digest::of(b"absent"), "size": 1 }),
        json!({ "mediaType": INDEX, "digest": "sha384:00", "size": 1 }),
    ] {
        let mut layout = LayoutFixture::with_image("docker.io/library/app:1");
        layout.list(entry, "docker.io/library/broken:1");
        let catalogue = layout.open().unwrap();
        assert_eq!(images(&catalogue), ["library/app:1"]);
        let [(path, _)] = catalogue.unusable() else {
            panic!("{:?}", catalogue.unusable());
        };
        assert_eq!(*path, layout.path());
    }
}

/// The layout of an index of two images, with these images.
fn of_two_platforms() -> (LayoutFixture, Value, Value) {
    let mut layout = LayoutFixture::new();
    let here = layout.image(LAYER);
    let elsewhere = layout.image(ELSEWHERE);
    let index = layout.index(&[here.clone(), elsewhere.clone()]);
    layout.list(index, "a.io/multi:1");
    (layout, here, elsewhere)
}

#[track_caller]
fn has_only(catalogue: &Catalogue, here: &Value, elsewhere: &Value) {
    let contents = catalogue.repository(None, &"multi".parse().unwrap());
    let contents = contents.unwrap();
    assert!(contents.document(&digest_of(here)).is_some());
    assert!(contents.document(&digest_of(elsewhere)).is_none());
}

#[test]
fn an_index_may_have_manifests_whose_layers_were_not_copied() {
    let (layout, here, elsewhere) = of_two_platforms();
    let layer = layout.blob_path(&Digest::of(ELSEWHERE));
    std::fs::remove_file(layer).unwrap();
    let catalogue = layout.open().unwrap();
    has_only(&catalogue, &here, &elsewhere);
    // An index without any complete image is broken.
    std::fs::remove_file(layout.blob_path(&Digest::of(LAYER))).unwrap();
    assert_eq!(layout.open().unwrap_err().class(), Class::NotFound);
}

#[test]
fn an_image_whose_name_no_registry_can_have_is_served_by_digest() {
    let mut layout = LayoutFixture::with_image("docker.io/library/app:1");
    let other = layout.image(b"another layer");
    layout.list(other.clone(), "1.0.0+git5");
    let catalogue = layout.open().unwrap();
    let repository = "layout".parse().unwrap();
    let contents = catalogue.repository(None, &repository).unwrap();
    assert!(contents.document(&digest_of(&other)).is_some());
    assert_eq!(contents.tags().count(), 0);
    assert_eq!(images(&catalogue), ["library/app:1"]);
}

#[test]
fn one_image_under_two_names_is_served_under_both() {
    let mut layout = LayoutFixture::with_image("docker.io/library/app:1");
    let manifest = layout.image(LAYER);
    layout.list(manifest, "ghcr.io/team/app:2");
    assert_eq!(
        images(&layout.open().unwrap()),
        ["library/app:1", "team/app:2"]
    );
}

#[test]
fn an_index_may_lack_the_platforms_that_were_not_copied() {
    let (layout, here, elsewhere) = of_two_platforms();
    std::fs::remove_file(layout.blob_path(&digest_of(&elsewhere))).unwrap();
    let catalogue = layout.open().unwrap();
    has_only(&catalogue, &here, &elsewhere);
}

#[test]
fn indexes_nested_deeply_do_not_exhaust_the_stack() {
    let mut layout = LayoutFixture::new();
    let mut descriptor = layout.image(LAYER);
    for _ in 0..3000 {
        descriptor = layout.index(&[descriptor]);
    }
    layout.list(descriptor, "a.io/deep:1");
    let catalogue = layout.open().unwrap();
    let contents = catalogue
        .repository(None, &"deep".parse().unwrap())
        .unwrap();
    assert!(contents.blob(&Digest::of(LAYER)).is_some());
}

type Damage = Box<dyn Fn(&LayoutFixture)>;

#[test]
fn refuses_layouts_that_are_not_what_they_say() {
    let manifest = |layout: &LayoutFixture| layout.blob_path(&digest_of(&layout.image(LAYER)));
    let layer = |layout: &LayoutFixture| layout.blob_path(&Digest::of(LAYER));
    let cases: [(&str, Damage); 9] = [
        (
            "is not an image",
            Box::new(|layout| {
                for name in ["oci-layout", "index.json"] {
                    std::fs::remove_file(layout.path().join(name)).unwrap();
                }
            }),
        ),
        (
            "unknown version 2.0.0",
            Box::new(|layout| layout.write("oci-layout", br#"{"imageLayoutVersion":"2.0.0"}"#)),
        ),
        (
            "index.json does not exist",
            Box::new(|layout| std::fs::remove_file(layout.path().join("index.json")).unwrap()),
        ),
        (
            "cannot use ",
            Box::new(|layout| layout.write("index.json", b"<html>")),
        ),
        (
            "cannot use ",
            Box::new(|layout| layout.write("index.json", &vec![b' '; 5 << 20])),
        ),
        (
            "digest mismatch in ",
            Box::new(move |layout| std::fs::write(manifest(layout), b"{}").unwrap()),
        ),
        (
            "does not exist",
            Box::new(move |layout| std::fs::remove_file(manifest(layout)).unwrap()),
        ),
        (
            "expected 10 bytes, got 3",
            Box::new(move |layout| std::fs::write(layer(layout), b"012").unwrap()),
        ),
        (
            "does not exist",
            Box::new(move |layout| std::fs::remove_file(layer(layout)).unwrap()),
        ),
    ];
    for (message, damage) in cases {
        let layout = LayoutFixture::with_image("a.io/app:1");
        damage(&layout);
        let error = layout.open().unwrap_err().to_string();
        assert!(error.contains(message), "{error}, not {message}");
    }
}

#[test]
fn refuses_digests_that_are_paths() {
    let mut layout = LayoutFixture::new();
    let path = json!({ "mediaType": INDEX, "digest": "sha256:../../../../etc/passwd", "size": 1 });
    layout.list(path, "a.io/app:1");
    assert!(matches!(
        layout.open(),
        Err(Error::Layout(oci_layout::Error::Document { .. }))
    ));
}

#[test]
fn a_link_out_of_the_layout_must_lead_to_the_blob_itself() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    let blob = layout.blob_path(&Digest::of(LAYER));
    std::fs::remove_file(&blob).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &blob).unwrap();

    std::fs::write(elsewhere.path(), LAYER).unwrap();
    assert!(layout.open().is_ok());
    std::fs::write(elsewhere.path(), b"hunter2222").unwrap();
    assert_eq!(layout.open().unwrap_err().class(), Class::Integrity);
}

#[test]
fn a_blob_that_is_a_directory_or_a_device_is_refused() {
    let layout = LayoutFixture::with_image("a.io/app:1");
    let blob = layout.blob_path(&Digest::of(LAYER));
    std::fs::remove_file(&blob).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &blob).unwrap();
    assert!(matches!(
        layout.open(),
        Err(Error::Layout(oci_layout::Error::Read { .. }))
    ));
}
