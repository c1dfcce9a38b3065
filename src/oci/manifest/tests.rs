use super::*;
use proptest::prelude::*;

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn manifest(media_type: &str, extra: &str) -> Vec<u8> {
    format!(
        r#"{{"schemaVersion":2,{media_type}"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:{HEX}","size":2}},"layers":[]{extra}}}"#
    )
    .into_bytes()
}

fn refused(bytes: Vec<u8>, declared: Option<&MediaType>) -> String {
    Document::<Manifest>::parse(bytes, declared)
        .unwrap_err()
        .to_string()
}

#[test]
fn keeps_the_exact_bytes() {
    let bytes = manifest("", "  ");
    let document = Document::<Manifest>::parse(bytes.clone(), None).unwrap();
    assert_eq!(document.bytes(), bytes);
    assert_eq!(*document.digest(), crate::oci::digest::Digest::of(&bytes));
    assert_eq!(document.media_type, MediaType::OCI_MANIFEST);
}

#[test]
fn refuses_what_is_a_manifest_and_an_index_at_once() {
    assert!(refused(manifest("", r#","manifests":[]"#), None).contains("at once"));
}

#[test]
fn refuses_a_media_type_other_than_the_content_type() {
    let bytes = manifest(
        r#""mediaType":"application/vnd.oci.image.manifest.v1+json","#,
        "",
    );
    assert!(refused(bytes, Some(&MediaType::DOCKER_MANIFEST)).contains("was sent as"));
    assert!(refused(manifest("", ""), Some(&MediaType::OCI_INDEX)).contains("has the fields of"));
}

#[test]
fn a_content_type_that_says_nothing_of_manifests_is_not_a_contradiction() {
    let declared = MediaType::new("application/json");
    assert!(Document::<Manifest>::parse(manifest("", ""), Some(&declared)).is_ok());
}

#[test]
fn names_schema_1_and_web_pages() {
    let schema_1 = br#"{"schemaVersion":1,"fsLayers":[]}"#.to_vec();
    assert!(refused(schema_1, None).contains("schema 1"));
    assert!(refused(b" <!DOCTYPE html>".to_vec(), None).contains("web page"));
}

#[test]
fn what_go_writes_of_nothing_is_nothing() {
    for (from, to) in [
        (r#""layers":[]"#, r#""layers":null"#),
        (r#","layers":[]"#, ""),
        (r#""schemaVersion":2,"#, ""),
        (r#""schemaVersion":2,"#, r#""schemaVersion":null,"#),
        (r#""schemaVersion":2,"#, r#""mediaType":"","#),
        (r#""schemaVersion":2,"#, r#""mediaType":null,"#),
        (r#""layers":[]"#, r#""manifests":null,"fsLayers":null"#),
        (
            r#""layers":[]"#,
            r#""annotations":null,"subject":null,"artifactType":"""#,
        ),
    ] {
        let text = String::from_utf8(manifest("", "")).unwrap();
        let bytes = text.replace(from, to).into_bytes();
        for declared in [None, Some(&MediaType::OCI_MANIFEST)] {
            let document = Document::<Manifest>::parse(bytes.clone(), declared).unwrap();
            assert_eq!(document.media_type, MediaType::OCI_MANIFEST);
            assert_eq!((document.layers.len(), document.annotations.len()), (0, 0));
            document.require_image().unwrap();
        }
    }
}

#[test]
fn a_document_without_manifests_and_layers_is_what_its_type_says() {
    for (text, declared, is) in [
        ("{}", Some(&MediaType::OCI_INDEX), Some(DocumentKind::Index)),
        (
            r#"{"manifests":null}"#,
            Some(&MediaType::DOCKER_MANIFEST_LIST),
            Some(DocumentKind::Index),
        ),
        (
            "{}",
            Some(&MediaType::OCI_MANIFEST),
            Some(DocumentKind::Manifest),
        ),
        (r#"{"manifests":[]}"#, None, Some(DocumentKind::Index)),
        (r#"{"errors":[]}"#, None, None),
    ] {
        assert_eq!(kind_of(text.as_bytes(), declared).ok(), is, "{text}");
    }
}

#[test]
fn docker_has_had_several_words_for_the_type_of_a_configuration() {
    for (config, docker, oci) in [
        ("application/vnd.docker.container.image.v1+json", true, true),
        ("application/vnd.oci.image.config.v1+json", true, true),
        ("application/octet-stream", true, false),
        ("application/json", true, false),
        ("text/html", true, false),
        ("text/html; charset=utf-8", true, false),
        ("", true, false),
        ("application/vnd.docker.plugin.v1+json", false, false),
        ("text/plain", false, false),
    ] {
        for (family, is_image) in [
            (&MediaType::DOCKER_MANIFEST, docker),
            (&MediaType::OCI_MANIFEST, oci),
        ] {
            let text = String::from_utf8(manifest("", "")).unwrap();
            let bytes = text.replace("application/vnd.oci.image.config.v1+json", config);
            let parsed = Document::<Manifest>::parse(bytes.into_bytes(), Some(family));
            let found = parsed.unwrap().require_image();
            assert_eq!(found.is_ok(), is_image, "{config} {family}");
        }
    }
}

#[test]
fn names_what_an_artifact_is() {
    let bytes = String::from_utf8(manifest("", "")).unwrap().replace(
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.cncf.helm.config.v1+json",
    );
    let document = Document::<Manifest>::parse(bytes.into_bytes(), None).unwrap();
    let error = document.require_image().unwrap_err().to_string();
    assert!(
        error.contains("application/vnd.cncf.helm.config.v1+json"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_or_refused_without_a_panic(bytes: Vec<u8>) {
        let _ = Document::<Manifest>::parse(bytes, None);
    }
}
