use super::super::catalogue::Catalogue;
use super::super::fixture::{INDEX, LAYER, LayoutFixture, MANIFEST, ask, digest_of, header, text};
use super::super::naming::Naming;
use super::*;
use serde_json::{Value, json};

const SBOM: &str = "application/spdx+json";
const SIGNATURE: &str = "application/vnd.example.signature";

/// Adds an artifact of this type about the subject.
fn artifact(layout: &LayoutFixture, artifact_type: &str, subject: &Value) -> Value {
    let content = format!("{artifact_type} of {}", subject["digest"]);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": layout.blob("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [layout.blob(artifact_type, content.as_bytes())],
        "subject": subject,
        "annotations": { "of": "the manifest" },
    });
    layout.blob(MANIFEST, manifest.to_string().as_bytes())
}

/// Returns the digests of the listed referrers in their order.
fn listed(catalogue: &Catalogue, repository: &str, subject: &Value, query: &str) -> Vec<Digest> {
    let path = format!("/v2/{repository}/referrers/{}{query}", digest_of(subject));
    let response = ask(catalogue, "GET", &path, &[]);
    assert_eq!(response.status, StatusCode::OK, "{path}");
    let index: Value = serde_json::from_str(text(&response)).unwrap();
    let manifests = index["manifests"].as_array().unwrap();
    manifests.iter().map(digest_of).collect()
}

fn digests(descriptors: &[&Value]) -> Vec<Digest> {
    let mut digests: Vec<_> = descriptors.iter().map(|entry| digest_of(entry)).collect();
    digests.sort();
    digests
}

#[test]
fn a_referrer_is_described_by_its_type_and_its_annotations() {
    let mut layout = LayoutFixture::new();
    let subject = layout.image(LAYER);
    let with = |fields: Value| {
        let mut document = json!({ "schemaVersion": 2, "subject": subject });
        for (key, value) in fields.as_object().unwrap() {
            document[key] = value.clone();
        }
        document
    };
    let empty = layout.blob("application/vnd.oci.empty.v1+json", b"{}");
    let config = layout.blob("application/vnd.example.config", b"{}");
    let cases = [
        (
            MANIFEST,
            json!({ "artifactType": SBOM, "config": empty, "layers": [], "annotations": { "a": "b" } }),
            json!({ "artifactType": SBOM, "annotations": { "a": "b" } }),
        ),
        (
            MANIFEST,
            json!({ "artifactType": "", "config": config, "layers": [], "annotations": null }),
            json!({ "artifactType": "application/vnd.example.config" }),
        ),
        (
            INDEX,
            json!({ "artifactType": SIGNATURE, "manifests": [] }),
            json!({ "artifactType": SIGNATURE }),
        ),
        (INDEX, json!({ "manifests": [] }), json!({})),
    ];
    layout.list(subject.clone(), "a.io/app:1");
    let mut expected = Vec::new();
    for (media_type, fields, described) in cases {
        let mut entry = layout.blob(media_type, with(fields).to_string().as_bytes());
        layout.list_unnamed(&[&entry]);
        for (key, value) in described.as_object().unwrap() {
            entry[key] = value.clone();
        }
        expected.push(entry);
    }
    expected.sort_by_key(digest_of);
    let path = format!("/v2/app/referrers/{}", digest_of(&subject));
    let response = ask(&layout.open().unwrap(), "GET", &path, &[]);
    assert_eq!(header(&response, "content-type"), INDEX);
    assert_eq!(
        serde_json::from_str::<Value>(text(&response)).unwrap(),
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": expected })
    );
}

#[test]
fn referrers_are_filtered_by_type_and_the_response_says_so() {
    let mut layout = LayoutFixture::new();
    let subject = layout.image(LAYER);
    let sbom = artifact(&layout, SBOM, &subject);
    let signature = artifact(&layout, SIGNATURE, &subject);
    layout.list(subject.clone(), "a.io/app:1");
    layout.list_unnamed(&[&sbom, &signature]);
    let catalogue = layout.open().unwrap();
    for (query, expected, filters) in [
        ("", &[&sbom, &signature][..], ""),
        ("?artifactType=", &[&sbom, &signature], ""),
        (
            "?artifactType=application/spdx%2Bjson",
            &[&sbom],
            ARTIFACT_TYPE,
        ),
        (
            "?artifactType=application%2Fspdx+json",
            &[&sbom],
            ARTIFACT_TYPE,
        ),
        (
            "?ns=a.io&artifactType=application/vnd.example.signature",
            &[&signature],
            ARTIFACT_TYPE,
        ),
        ("?artifactType=application/vnd.example", &[], ARTIFACT_TYPE),
    ] {
        assert_eq!(
            listed(&catalogue, "app", &subject, query),
            digests(expected),
            "{query}"
        );
        let path = format!("/v2/app/referrers/{}{query}", digest_of(&subject));
        let response = ask(&catalogue, "HEAD", &path, &[]);
        assert_eq!(header(&response, "oci-filters-applied"), filters, "{query}");
    }
}

#[test]
fn an_unnamed_referrer_is_fetched_from_the_repository_of_its_subject_and_has_no_tag() {
    let mut layout = LayoutFixture::new();
    let subject = layout.image(LAYER);
    let sbom = artifact(&layout, SBOM, &subject);
    let signature = artifact(&layout, SIGNATURE, &sbom);
    layout.list(subject.clone(), "a.io/app:1");
    layout.list(subject.clone(), "b.io/other:2");
    // The referrer of a referrer is listed before it.
    layout.list_unnamed(&[&signature, &sbom]);
    let catalogue = layout.open().unwrap();
    assert_eq!(catalogue.repositories(None), ["app", "other"]);
    for repository in ["app", "other"] {
        assert_eq!(
            listed(&catalogue, repository, &subject, ""),
            digests(&[&sbom])
        );
        assert_eq!(
            listed(&catalogue, repository, &sbom, ""),
            digests(&[&signature])
        );
        let content = Digest::of(format!("{SIGNATURE} of {}", sbom["digest"]).as_bytes());
        for path in [
            format!("/v2/{repository}/manifests/{}", digest_of(&signature)),
            format!("/v2/{repository}/blobs/{content}"),
            format!("/v2/{repository}/blobs/{}", Digest::of(b"{}")),
        ] {
            assert_eq!(
                ask(&catalogue, "GET", &path, &[]).status,
                StatusCode::OK,
                "{path}"
            );
        }
        let repository = catalogue
            .repository(None, &repository.parse().unwrap())
            .unwrap();
        assert_eq!(repository.tags().count(), 1);
    }
}

#[test]
fn the_only_image_is_the_latest_though_it_has_referrers() {
    let mut layout = LayoutFixture::new();
    let subject = layout.image(LAYER);
    let sbom = artifact(&layout, SBOM, &subject);
    layout.list_unnamed(&[&subject, &sbom]);
    let catalogue = layout.open().unwrap();
    let repository = catalogue
        .repository(None, &"layout".parse().unwrap())
        .unwrap();
    assert_eq!(repository.tags().collect::<Vec<_>>(), ["latest"]);
    assert_eq!(
        listed(&catalogue, "layout", &subject, ""),
        digests(&[&sbom])
    );
}

#[test]
fn referrers_are_found_in_nested_indexes_and_about_what_is_nested() {
    let mut layout = LayoutFixture::new();
    let subject = layout.image(LAYER);
    let sbom = artifact(&layout, SBOM, &subject);
    let signature = artifact(&layout, SIGNATURE, &subject);
    let inner = layout.index(std::slice::from_ref(&sbom));
    let index = layout.index(&[subject.clone(), inner]);
    layout.list(index, "a.io/app:1");
    // Clients of registries without this API keep such an index under a tag.
    let fallback = layout.index(std::slice::from_ref(&signature));
    layout.list(fallback, "b.io/referrers:sha256-0123");
    let catalogue = layout.open().unwrap();
    assert_eq!(
        listed(&catalogue, "app", &subject, ""),
        digests(&[&sbom, &signature])
    );
}

#[test]
fn a_layout_of_referrers_alone_serves_the_images_of_other_layouts() {
    let mut image = LayoutFixture::new();
    let subject = image.image(LAYER);
    image.list(subject.clone(), "a.io/app:1");
    let mut layout = LayoutFixture::new();
    let sbom = artifact(&layout, SBOM, &subject);
    layout.list_unnamed(&[&sbom]);
    for paths in [[image.path(), layout.path()], [layout.path(), image.path()]] {
        let catalogue = Catalogue::open(&paths, Naming::Short).unwrap();
        assert_eq!(catalogue.repositories(None), ["app"]);
        assert_eq!(listed(&catalogue, "app", &subject, ""), digests(&[&sbom]));
    }
    // The subject need not exist.
    let catalogue = layout.open().unwrap();
    assert_eq!(
        listed(&catalogue, "layout", &subject, ""),
        digests(&[&sbom])
    );
}

#[test]
fn a_referrer_of_an_absent_subject_is_in_the_only_repository_of_its_layout() {
    let mut layout = LayoutFixture::new();
    let absent = layout.index(&[layout.image(b"for another platform")]);
    let sbom = artifact(&layout, SBOM, &absent);
    let subject = layout.image(LAYER);
    layout.list(subject.clone(), "a.io/app:1");
    layout.list(subject.clone(), "a.io/app:2");
    layout.list_unnamed(&[&sbom]);
    let catalogue = layout.open().unwrap();
    assert_eq!(catalogue.repositories(None), ["app"]);
    assert_eq!(listed(&catalogue, "app", &absent, ""), digests(&[&sbom]));

    layout.list(subject, "b.io/other:1");
    let catalogue = layout.open().unwrap();
    assert_eq!(catalogue.repositories(None), ["app", "layout", "other"]);
    assert_eq!(listed(&catalogue, "layout", &absent, ""), digests(&[&sbom]));
}

#[test]
fn without_referrers_the_index_is_empty() {
    let mut layout = LayoutFixture::with_image("a.io/app:1");
    let unreadable = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [],
        "subject": { "digest": "sha256:../../etc/passwd", "size": 1 },
    });
    let unreadable = layout.blob(INDEX, unreadable.to_string().as_bytes());
    layout.list_unnamed(&[&unreadable]);
    let catalogue = layout.open().unwrap();
    let subject = layout.image(LAYER);
    for repository in ["app", "unknown"] {
        assert_eq!(listed(&catalogue, repository, &subject, ""), []);
    }
    for (path, status) in [("app/referrers/sha256:00", 400), ("App/referrers/1", 400)] {
        let response = ask(&catalogue, "GET", &format!("/v2/{path}"), &[]);
        assert_eq!(response.status.as_u16(), status, "{path}");
    }
}
