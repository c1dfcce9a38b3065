//! The archives that hold an OCI image layout: `docker-save` and `oci-archive`.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::{entries, run};
use crate::support::files::listing;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing, blob_answer, blob_path, hex, small};
use crate::support::scripted_registry::{Answer, Registry, get};

/// An image of which one layer is there twice and one is empty.
fn varied() -> Image {
    let layer = Layer::of_files(Packing::Zstd, &[("x", &vec![7; 70_000])]);
    Image::new(
        Family::Oci,
        &["/x"],
        vec![
            layer.clone(),
            Layer::of_tar(Packing::Gzip, vec![0; 1024]),
            layer,
        ],
    )
}

#[test]
fn an_archive_is_a_layout_that_docker_finds_its_way_in() {
    for (format, image) in [
        ("docker-save", small()),
        ("docker-save", varied()),
        ("oci-archive", small()),
        ("oci-archive", varied()),
    ] {
        let registry = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        image.serve(&registry, "team/app", "1");
        run(
            &registry,
            directory.path(),
            &["--format", format, "--out", "image.tar"],
        );
        assert_eq!(listing(directory.path()).len(), 1, "nothing else is there");
        let members = entries(&fs::read(directory.path().join("image.tar")).unwrap());
        let files: BTreeMap<_, _> = members.iter().cloned().collect();
        assert_eq!(files.len(), members.len(), "no file is there twice");
        assert_eq!(
            files["oci-layout"].as_slice(),
            br#"{"imageLayoutVersion":"1.0.0"}"#
        );
        let index: Value = serde_json::from_slice(&files["index.json"]).unwrap();
        assert_eq!(
            index["manifests"],
            json!([{
                "mediaType": image.media_type,
                "digest": image.digest(),
                "size": image.manifest.len(),
                "annotations": {
                    "io.containerd.image.name": format!("{}/team/app:1", registry.name()),
                    "org.opencontainers.image.ref.name": "1",
                },
            }])
        );
        let blob = |bytes: &[u8]| format!("blobs/sha256/{}", hex(bytes));
        let mut expected = vec!["oci-layout".to_owned(), "index.json".to_owned()];
        if format == "docker-save" {
            expected.push("manifest.json".to_owned());
            let layers: Vec<_> = image.layers.iter().map(|layer| blob(&layer.blob)).collect();
            assert_eq!(
                serde_json::from_slice::<Value>(&files["manifest.json"]).unwrap(),
                json!([{
                    "Config": blob(&image.config),
                    "RepoTags": [format!("{}/team/app:1", registry.name())],
                    "Layers": layers,
                }])
            );
        }
        let blobs = [&image.manifest, &image.config];
        for content in blobs
            .into_iter()
            .chain(image.layers.iter().map(|layer| &layer.blob))
        {
            assert!(files[&blob(content)] == *content, "another content");
            if !expected.contains(&blob(content)) {
                expected.push(blob(content));
            }
        }
        let names: Vec<_> = members.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "what is small comes first");
    }
}

/// The archive as it comes in files and in pipes, whatever order the layers arrive in.
#[test]
fn the_same_image_gives_the_same_bytes_in_every_way() {
    let image = varied();
    for format in ["docker-archive", "docker-save", "oci-archive"] {
        let registry = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        let reference = format!("{}/team/app:1", registry.name());
        let mut archives = Vec::new();
        for late in [None, Some(0), Some(1)] {
            image.serve_manifest(&registry, "team/app", "1");
            image.serve_config(&registry, "team/app");
            for (number, layer) in image.layers[..2].iter().enumerate() {
                let answer = blob_answer(&layer.blob);
                let pause = std::time::Duration::from_millis(30);
                let answer = match late {
                    Some(late) if late == number => answer.dripping(0, layer.blob.len() / 2, pause),
                    _ => answer,
                };
                registry.on(get(blob_path("team/app", &layer.digest())), answer);
            }
            let out = format!("{late:?}");
            run(
                &registry,
                directory.path(),
                &["--format", format, "--out", &out],
            );
            archives.push(fs::read(directory.path().join(out)).unwrap());
        }
        image.serve(&registry, "team/app", "1");
        let streamed = hocker(["image", "--format", format, "--out", "-", &reference]);
        archives.push(streamed.run().done().stdout);
        image.serve(&registry, "team/app", "1");
        run(
            &registry,
            directory.path(),
            &["--format", "oci-dir", "--out", "layout"],
        );
        for out in ["from-disk", "-"] {
            let from_disk = hocker(["image", "--format", format, "--out", out, "./layout"])
                .in_directory(directory.path())
                .run()
                .done();
            archives.push(match out {
                "-" => from_disk.stdout,
                out => fs::read(directory.path().join(out)).unwrap(),
            });
        }
        for (number, archive) in archives.iter().enumerate() {
            assert!(*archive == archives[0], "{format} differs in way {number}");
        }
    }
}

#[test]
fn a_layer_that_is_wrong_leaves_no_archive_and_no_end_of_a_stream() {
    let image = small();
    let wrong = |layer: &Layer| {
        let mut blob = layer.blob.clone();
        *blob.last_mut().unwrap() ^= 1;
        blob
    };
    for format in ["docker-archive", "docker-save", "oci-archive"] {
        for out in ["image.tar", "-"] {
            let registry = Registry::start();
            let directory = tempfile::tempdir().unwrap();
            image.serve_manifest(&registry, "team/app", "1");
            image.serve_config(&registry, "team/app");
            // One of the two fails first, and the other may never be asked for.
            for layer in &image.layers {
                registry.on(
                    get(blob_path("team/app", &layer.digest())).perhaps(),
                    blob_answer(&wrong(layer)),
                );
            }
            let reference = format!("{}/team/app:1", registry.name());
            let outcome = hocker(["image", "--format", format, "--out", out, &reference])
                .in_directory(directory.path())
                .run()
                .failed(5);
            assert!(listing(directory.path()).is_empty());
            let complete = outcome.stdout.ends_with(&[0; 1024]);
            assert!(!complete, "what is wrong looks complete");
        }
    }
}

#[test]
fn the_layers_of_an_archive_come_by_several_connections_or_from_a_mirror() {
    let blob = crate::support::image::noise(300_000);
    let layer = Layer::of_tar(Packing::Plain, blob.clone());
    let image = Image::new(
        Family::Oci,
        &["/x"],
        vec![Layer::of_files(Packing::Gzip, &[("x", b"x")]), layer],
    );
    let (registry, mirror) = (Registry::start(), Registry::start());
    let directory = tempfile::tempdir().unwrap();
    image.serve_manifest(&registry, "team/app", "1");
    // What a bad mirror wrote before it was found out is written over, and nothing else is touched.
    let mut bad = blob.clone();
    bad[100_000] ^= 1;
    mirror.on(
        get(blob_path("team/app", &image.config_digest())),
        Answer::error(404, "BLOB_UNKNOWN"),
    );
    mirror.on(
        get(blob_path("team/app", &image.layers[0].digest())),
        blob_answer(&image.layers[0].blob),
    );
    mirror.on(
        get(blob_path("team/app", &image.layers[1].digest())),
        blob_answer(&bad),
    );
    image.serve_config(&registry, "team/app");
    registry.on(
        get(blob_path("team/app", &image.layers[1].digest())),
        blob_answer(&blob),
    );
    let by = format!("{}={}", registry.name(), mirror.url());
    run(
        &registry,
        directory.path(),
        &["--format", "oci-archive", "--out", "o.tar", "--mirror", &by],
    );
    let files = entries(&fs::read(directory.path().join("o.tar")).unwrap());
    for layer in &image.layers {
        assert!(files.iter().any(|(_, content)| *content == layer.blob));
    }
    assert_eq!(files.len(), 6);
}
