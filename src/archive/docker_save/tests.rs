use super::*;
use crate::oci::media_type::MediaType;
use serde_json::json;
use std::io::Read as _;

fn composition(directory: &Path) -> Composition {
    let (config, layer) = (&b"{}"[..], &b"layer"[..]);
    std::fs::write(directory.join("config"), config).unwrap();
    std::fs::write(directory.join("layer"), layer).unwrap();
    let layer = json!({
        "mediaType": MediaType::DOCKER_LAYER_GZIP, "size": layer.len(), "digest": Digest::of(layer),
    });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::DOCKER_MANIFEST,
        "config": { "mediaType": MediaType::DOCKER_CONFIG, "size": config.len(), "digest": Digest::of(config) },
        "layers": [layer, layer],
    });
    Composition::new(
        Names::of_reference(&"debian:jessie".parse().unwrap()),
        Document::parse(manifest.to_string().into_bytes(), None).unwrap(),
        directory.join("config"),
        vec![directory.join("layer"), directory.join("layer")],
    )
    .unwrap()
}

fn members(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(bytes);
    let member = |entry: io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    };
    archive.entries().unwrap().map(member).collect()
}

#[test]
fn the_json_is_first_and_each_blob_occurs_once() {
    let directory = tempfile::tempdir().unwrap();
    let composition = composition(directory.path());
    let bytes = write(&composition, Vec::new()).unwrap();
    assert_eq!(bytes, write(&composition, Vec::new()).unwrap());
    let members = members(&bytes);
    let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", Digest::of(bytes).hex());
    let manifest = blob(composition.manifest().bytes());
    let (config, layer) = (blob(b"{}"), blob(b"layer"));
    let expected = [
        "oci-layout",
        "index.json",
        "manifest.json",
        &manifest,
        &config,
        &layer,
    ];
    assert_eq!(names, expected);
    let index: serde_json::Value = serde_json::from_slice(&members[1].1).unwrap();
    assert_eq!(
        index["manifests"][0]["annotations"],
        json!({
            "io.containerd.image.name": "docker.io/library/debian:jessie",
            "org.opencontainers.image.ref.name": "jessie",
        })
    );
    let docker: serde_json::Value = serde_json::from_slice(&members[2].1).unwrap();
    assert_eq!(
        docker,
        json!([{ "Config": config, "RepoTags": ["debian:jessie"], "Layers": [layer, layer] }])
    );
}

#[test]
fn every_name_is_in_both_lists_of_images_and_in_full() {
    let directory = tempfile::tempdir().unwrap();
    let mut composition = composition(directory.path());
    composition.names.add(&"ghcr.io/a/b:1".parse().unwrap());
    let full = ["docker.io/library/debian:jessie", "ghcr.io/a/b:1"];
    let (names, manifest) = (&composition.names, composition.manifest());
    for (kind, listed, tags) in [
        (ArchiveFormat::DockerSave, &full[..], &full[..]),
        (ArchiveFormat::OciArchive, &full, &full),
        (
            ArchiveFormat::Upload,
            &full[..1],
            &["debian:jessie", "ghcr.io/a/b:1"],
        ),
    ] {
        let archive = Archive::new(kind, names, manifest, &HashSet::new());
        let members = members(&archive.write(&composition, Vec::new()).unwrap());
        let json = |name: &str| -> serde_json::Value {
            let (_, bytes) = members.iter().find(|(found, _)| found == name).unwrap();
            serde_json::from_slice(bytes).unwrap()
        };
        let entries = json("index.json")["manifests"].as_array().unwrap().clone();
        let found: Vec<_> = entries
            .iter()
            .map(|entry| entry["annotations"]["io.containerd.image.name"].clone())
            .collect();
        assert_eq!(json!(found), json!(listed), "{kind:?}");
        assert_eq!(
            json("manifest.json")[0]["RepoTags"],
            json!(tags),
            "{kind:?}"
        );
    }
}

#[test]
fn an_image_without_a_tag_is_named_by_its_digest_and_takes_no_name_from_another() {
    let directory = tempfile::tempdir().unwrap();
    let mut composition = composition(directory.path());
    let digest = *composition.manifest().digest();
    composition.names = Names::of_reference(&format!("debian@{digest}").parse().unwrap());
    let members = members(&write(&composition, Vec::new()).unwrap());
    let index: serde_json::Value = serde_json::from_slice(&members[1].1).unwrap();
    assert_eq!(
        index["manifests"][0]["annotations"],
        json!({ "io.containerd.image.name": composition.names.reference })
    );
    let docker: serde_json::Value = serde_json::from_slice(&members[2].1).unwrap();
    assert_eq!(docker[0]["RepoTags"], json!([]));
}

#[test]
fn refuses_files_that_do_not_match_the_manifest() {
    let directory = tempfile::tempdir().unwrap();
    let good = composition(directory.path());
    let text = |composition: &Composition| write(composition, io::sink()).unwrap_err().to_string();
    let fewer = Composition::new(
        Names::default(),
        good.manifest().clone(),
        directory.path().join("config"),
        vec![directory.path().join("layer")],
    );
    assert_eq!(
        fewer.unwrap_err().to_string(),
        "the manifest names 2 layers, but the image has 1 files"
    );
    for other in ["other", "longer", "less"] {
        std::fs::write(directory.path().join("layer"), other).unwrap();
        let text = text(&good);
        assert!(
            text.ends_with("layer does not match the manifest"),
            "{text}"
        );
    }
    std::fs::remove_file(directory.path().join("layer")).unwrap();
    assert!(text(&good).starts_with("cannot read "));
}
