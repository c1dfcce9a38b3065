use super::*;
use crate::archive::docker_save;
use crate::archive::oci_layout::blob_name;

const GZIP: &[u8] = b"\x1f\x8b\x08 gzip";
const PLAIN: &[u8] = b"plain tar";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd zstd";

/// Returns an image of three layers, the first of which occurs twice, without a manifest.
fn job(directory: &Path) -> ImageJob {
    let diff_ids: Vec<Digest> = (0u8..4).map(|number| Digest::of(&[number])).collect();
    let config = json!({
        "os": "linux", "architecture": "amd64", "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let blob = |name: &str, content: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, content).unwrap();
        StoreFile { path, digest: None }
    };
    let spec = Spec {
        interpreter: "/bin/hocker".to_owned(),
        repo_tags: vec!["app:1".to_owned()],
        reference: "docker.io/library/app:1".to_owned(),
        tag: Some("1".to_owned()),
        manifest: None,
        index: None,
        config: blob("config", config.to_string().as_bytes()),
        layers: vec![
            blob("a", GZIP),
            blob("b", PLAIN),
            blob("c", ZSTD),
            blob("a", GZIP),
        ],
    };
    fs::create_dir(directory.join("out")).unwrap();
    ImageJob {
        spec,
        out: directory.join("out"),
        stream: Some(directory.join("stream")),
    }
}

/// Returns the text of the manifest that was written.
fn written_manifest(job: &ImageJob) -> String {
    let index = fs::read(job.out.join("oci/index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let descriptor: Descriptor = serde_json::from_value(index["manifests"][0].clone()).unwrap();
    let text = fs::read_to_string(job.out.join("oci").join(blob_name(&descriptor.digest))).unwrap();
    assert_eq!(Digest::of(text.as_bytes()), descriptor.digest);
    text
}

#[test]
fn the_layout_links_to_the_files_and_the_scripts_run_the_program() {
    let directory = tempfile::tempdir().unwrap();
    let job = job(directory.path());
    job.build().unwrap();
    let link = |bytes| {
        let path = format!("oci/blobs/sha256/{}", Digest::of(bytes).hex());
        fs::read_link(job.out.join(path)).unwrap()
    };
    assert_eq!(link(GZIP), directory.path().join("a"));
    assert_eq!(link(PLAIN), directory.path().join("b"));
    assert_eq!(
        fs::read_dir(job.out.join("oci/blobs/sha256"))
            .unwrap()
            .count(),
        5
    );
    let script = job.out.join(SCRIPT);
    for path in [&script, job.stream.as_ref().unwrap()] {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o755
        );
        let text = fs::read_to_string(path).unwrap();
        assert!(text.starts_with("#!/bin/hocker composite\n"), "{text}");
    }
    let archive =
        docker_save::write(&Composition::read_script(&script).unwrap(), Vec::new()).unwrap();
    assert!(archive.len() > 10 * 512);
}

#[test]
fn a_composed_manifest_has_the_media_types_of_the_layers() {
    let directory = tempfile::tempdir().unwrap();
    let job = job(directory.path());
    job.build().unwrap();
    let text = written_manifest(&job);
    let manifest = Document::<Manifest>::parse(text.into_bytes(), None).unwrap();
    let types = manifest.layers.iter().map(|layer| layer.media_type.clone());
    let expected = [
        MediaType::DOCKER_LAYER_GZIP,
        MediaType::DOCKER_LAYER,
        MediaType::OCI_LAYER_ZSTD,
        MediaType::DOCKER_LAYER_GZIP,
    ];
    assert_eq!(types.collect::<Vec<_>>(), expected);
    assert_eq!(manifest.layers[0].digest, Digest::of(GZIP));
    assert_eq!(manifest.layers[0].size, GZIP.len() as u64);
}

#[test]
fn a_given_manifest_is_kept_byte_for_byte_and_verified_against_the_files() {
    let directory = tempfile::tempdir().unwrap();
    let mut job = job(directory.path());
    job.build().unwrap();
    let text = format!(" {}\n\n", written_manifest(&job));
    let digest = format!("{}", Digest::of(PLAIN));
    let wrong = |from: &str, to: &str| {
        assert!(text.contains(from));
        Some(text.replace(from, to))
    };
    let cases = [
        (Some(text.clone()), None, Class::Other),
        (
            wrong(&digest, &Digest::of(b"").to_string()),
            Some("expected sha256:e3b0c"),
            Class::Integrity,
        ),
        (
            wrong(r#""size":9"#, r#""size":8"#),
            Some("expected 8 bytes, got 9"),
            Class::Integrity,
        ),
        (
            Some("{}".to_owned()),
            Some("cannot use the image's manifest"),
            Class::Unsupported,
        ),
        (
            wrong("vnd.docker.container.image.v1+json", "x"),
            Some("cannot use the image's manifest"),
            Class::Unsupported,
        ),
    ];
    for (number, (manifest, expected, class)) in cases.into_iter().enumerate() {
        job.spec.manifest = manifest;
        job.out = directory.path().join(number.to_string());
        match (job.build(), expected) {
            (Ok(()), None) => assert_eq!(written_manifest(&job), text),
            (Err(error), Some(expected)) => {
                assert!(error.to_string().contains(expected), "{error}");
                assert_eq!(error.class(), class, "{error}");
                assert!(!job.out.exists());
            }
            (result, _) => panic!("{number}: {result:?}"),
        }
    }
}

#[test]
fn the_layout_lists_the_index_and_lacks_its_other_manifests() {
    let directory = tempfile::tempdir().unwrap();
    let mut job = job(directory.path());
    job.build().unwrap();
    let manifest = written_manifest(&job);
    let other = Digest::of(b"other");
    let index = |digest: &Digest, size: usize| {
        json!({
            "schemaVersion": 2,
            "mediaType": MediaType::OCI_INDEX,
            "manifests": [
                {
                    "mediaType": MediaType::DOCKER_MANIFEST, "digest": digest, "size": size,
                    "platform": {"os": "linux", "architecture": "amd64"},
                },
                {
                    "mediaType": MediaType::DOCKER_MANIFEST, "digest": other, "size": 5,
                    "platform": {"os": "linux", "architecture": "arm64"},
                },
            ],
        })
        .to_string()
    };
    let text = index(&Digest::of(manifest.as_bytes()), manifest.len());
    job.out = directory.path().join("with-index");
    job.spec.manifest = Some(manifest.clone());
    job.spec.index = Some(text.clone());
    job.build().unwrap();
    assert_eq!(written_manifest(&job), text);
    let blob = |digest| job.out.join("oci").join(blob_name(&digest));
    let present = fs::read_to_string(blob(Digest::of(manifest.as_bytes()))).unwrap();
    assert_eq!(present, manifest);
    assert!(!blob(other).exists());
    let script = Composition::read_script(&job.out.join(SCRIPT)).unwrap();
    assert_eq!(script.index().unwrap().bytes(), text.as_bytes());

    job.out = directory.path().join("refused");
    job.spec.index = Some(index(&Digest::of(b"another"), 7));
    let error = job.build().unwrap_err();
    assert!(error.to_string().contains("does not name the manifest"));
    assert_eq!(error.class(), Class::Integrity);
    assert!(!job.out.exists());
}

#[test]
fn refuses_a_configuration_with_another_number_of_layers() {
    let directory = tempfile::tempdir().unwrap();
    let mut job = job(directory.path());
    job.spec.layers.pop();
    let Err(Error::Manifest(source)) = job.build() else {
        panic!("built")
    };
    assert!(
        source
            .to_string()
            .contains("3 layers, but the config has 4 diff IDs")
    );
}

#[test]
fn trusts_the_digest_that_nix_verified() {
    let directory = tempfile::tempdir().unwrap();
    let mut job = job(directory.path());
    for layer in &mut job.spec.layers {
        layer.digest = Some(Digest::of(b"known"));
    }
    job.build().unwrap();
    assert!(written_manifest(&job).contains(&Digest::of(b"known").to_string()));
}
