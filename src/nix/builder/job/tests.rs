use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::super::attributes::{ATTRS_JSON, NIX_ATTRS_JSON_FILE};
use super::super::blob::Location;
use super::*;
use crate::oci::descriptor::MAX_UNDESCRIBED_SIZE;
use crate::oci::digest::Digest;
use crate::verify::Size;

const HEX: &str = "cd0a524342efac6edff500c17e625735bbe479c926439b263bbe3c8518a0849c";

fn plain(changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::from(
        [
            ("out", "/nix/store/x"),
            ("registry", "https://registry-1.docker.io/v2/"),
            ("repository", "library/debian"),
            (
                "outputHash",
                "1744l0c8ag5y7ck9nhr6r5wy9frmaxi7xh80ypgnxb7g891m42nd",
            ),
            ("layerDigest", ""),
            (
                "alternatives",
                r#"[{"registry":"ghcr.io","repository":"team/app"}]"#,
            ),
            ("size", "97"),
            ("mirrors", "https://mirror.example"),
            ("urls", "https://a.example/layer x"),
            ("dockerCredentialsFile", "/home/ann/credentials.txt"),
            ("NIX_ATTRS_JSON_FILE", ""),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    for (name, value) in changes {
        variables.insert((*name).to_owned(), (*value).to_owned());
    }
    variables
}

fn location(registry: &str, repository: &str) -> Location {
    Location {
        endpoint: registry.parse().unwrap(),
        repository: repository.parse().unwrap(),
    }
}

fn expected() -> Job {
    Job::Blob(Box::new(BlobJob {
        out: "/nix/store/x".into(),
        location: location("docker.io", "library/debian"),
        alternatives: vec![location("ghcr.io", "team/app")],
        digest: Digest::parse_lenient(HEX).unwrap(),
        size: Size::Exact(97),
        mirrors: vec!["https://mirror.example".parse().unwrap()],
        urls: vec!["https://a.example/layer".to_owned(), "x".to_owned()],
        credentials_file: Some("/home/ann/credentials.txt".into()),
    }))
}

fn structured() -> Value {
    json!({
        "outputs": { "out": "/nix/store/x" },
        "registry": "https://registry-1.docker.io/v2/",
        "repository": "library/debian",
        "alternatives": [{ "registry": "ghcr.io", "repository": "team/app" }],
        "size": 97,
        "mirrors": "https://mirror.example",
        "urls": "https://a.example/layer x",
        "dockerCredentialsFile": "/home/ann/credentials.txt",
        "outputHash": HEX,
        "layerDigest": null,
        "preferLocalBuild": true,
    })
}

#[test]
fn both_forms_of_attributes_give_the_same_job() {
    let directory = tempfile::tempdir().unwrap();
    let attributes = Attributes::read(&plain(&[]), directory.path()).unwrap();
    assert_eq!(Job::of(&attributes).unwrap(), expected());

    let file = directory.path().join("attributes.json");
    std::fs::write(&file, structured().to_string()).unwrap();
    let environment =
        BTreeMap::from([(NIX_ATTRS_JSON_FILE.to_owned(), file.display().to_string())]);
    let attributes = Attributes::read(&environment, Path::new("/nowhere")).unwrap();
    assert_eq!(Job::of(&attributes).unwrap(), expected());
}

#[test]
fn the_file_is_found_in_the_working_directory_when_its_name_leads_outside_the_sandbox() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(ATTRS_JSON), structured().to_string()).unwrap();
    for environment in [
        BTreeMap::from([(
            NIX_ATTRS_JSON_FILE.to_owned(),
            "/nowhere/.attrs.json".to_owned(),
        )]),
        BTreeMap::new(),
    ] {
        let attributes = Attributes::read(&environment, directory.path()).unwrap();
        assert_eq!(Job::of(&attributes).unwrap(), expected());
    }
    let environment = BTreeMap::from([(NIX_ATTRS_JSON_FILE.to_owned(), "/nowhere/x".to_owned())]);
    let error = Attributes::read(&environment, Path::new("/nowhere")).unwrap_err();
    assert!(matches!(error, Error::NoAttributes), "{error}");
}

#[test]
fn the_layer_digest_must_agree_with_the_output_hash() {
    for (text, agrees) in [
        (HEX, true),
        (&format!("sha256:{HEX}")[..], true),
        (&"0".repeat(64)[..], false),
        ("../../etc/passwd", false),
    ] {
        let attributes = Attributes::Plain(plain(&[("layerDigest", text)]));
        assert_eq!(Job::of(&attributes).is_ok(), agrees, "{text}");
    }
}

#[test]
fn a_size_is_exact_or_a_limit_and_the_limit_has_a_default() {
    for (size, limit, expected) in [
        ("97", "", Size::Exact(97)),
        ("97", "5", Size::Exact(97)),
        ("0", "", Size::Exact(0)),
        ("", "5", Size::AtMost(5)),
        ("", "", Size::AtMost(MAX_UNDESCRIBED_SIZE)),
    ] {
        let attributes = Attributes::Plain(plain(&[("size", size), ("maxSize", limit)]));
        let Job::Blob(blob) = Job::of(&attributes).unwrap() else {
            panic!("an image");
        };
        assert_eq!(blob.size, expected, "{size:?} {limit:?}");
    }
}

#[test]
fn an_invalid_size_is_refused_in_both_forms_of_attributes() {
    for name in ["size", "maxSize"] {
        for value in [
            "-1",
            "1.5",
            "97.0",
            "1e3",
            "1099511627777",
            "\"97\"",
            "[]",
            "x",
        ] {
            let number = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
            let unsized_ = ("size", "");
            let mut given = structured();
            given["size"].take();
            given[name] = number;
            for attributes in [
                Attributes::Plain(plain(&[unsized_, (name, value)])),
                Attributes::Structured(given.as_object().unwrap().clone()),
            ] {
                let error = Job::of(&attributes).unwrap_err().to_string();
                let expected = format!("cannot use the derivation's `{name}`");
                assert_eq!(error, expected, "{value}");
            }
        }
    }
}

#[test]
fn empty_variables_count_as_unset_and_an_error_names_the_missing_attribute() {
    for name in ["out", "registry", "repository", "outputHash"] {
        let attributes = Attributes::Plain(plain(&[(name, "")]));
        let error = Job::of(&attributes).unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}`")), "{error}");
    }
}

#[test]
fn an_image_is_described_by_an_object_or_its_json() {
    let spec = json!({
        "interpreter": "/bin/hocker", "repoTags": ["a:1"], "reference": "docker.io/library/a:1", "tag": "1",
        "manifest": null, "config": { "path": "/nix/store/c", "digest": HEX }, "layers": [{ "path": "/nix/store/l" }],
    });
    let mut value = structured();
    value["imageSpec"] = spec.clone();
    value["outputs"]["stream"] = "/nix/store/s".into();
    let Value::Object(map) = value else { panic!() };
    let text = spec.to_string();
    let variables = plain(&[("imageSpec", &text), ("stream", "/nix/store/s")]);
    let jobs = [Attributes::Structured(map), Attributes::Plain(variables)]
        .map(|attributes| Job::of(&attributes).unwrap());
    assert_eq!(jobs[0], jobs[1]);
    let Job::Image(job) = &jobs[0] else { panic!() };
    assert_eq!(job.stream, Some("/nix/store/s".into()));
    assert_eq!(job.spec.layers[0].digest, None);
}
