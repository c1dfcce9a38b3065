//! Bad input: each kind has a clear error and the documented exit code, leaves nothing behind, and is no panic.
//! The exit codes: 1 other, 2 usage, 3 not found, 4 denied, 5 integrity, 6 unavailable, 7 unsupported.

use std::fs;
use std::path::Path;

use crate::support::files::listing;
use crate::support::hocker::{Outcome, Run, hocker};
use crate::support::image::{Family, Image, Layer, Packing, blob_answer, blob_path, small};
use crate::support::scripted_registry::{Answer, Registry, get};

const WEB_PAGE: &str = "<!DOCTYPE html><html><body>Welcome!</body></html>";

/// One of the commands that write a file, told to write `out`.
fn command(name: &str, registry: &Registry, image: &Image, directory: &Path, out: &str) -> Run {
    let reference = format!("{}/team/app:1", registry.name());
    let run = hocker([name, "--out", out, &reference]).in_directory(directory);
    match name {
        "layer" => run.arguments(["--layer", &image.layers[0].digest()]),
        _ => run,
    }
}

/// Runs each of the commands against a registry that `script` prepares, and demands that it fails with `code` and
/// leaves the directory as it was.
#[track_caller]
fn each_command_fails(
    commands: &[&str],
    code: i32,
    text: &str,
    script: impl Fn(&Registry, &Image),
) {
    let image = small();
    for name in commands {
        let registry = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("bystander"), "x").unwrap();
        let before = listing(directory.path());
        script(&registry, &image);
        let outcome = command(name, &registry, &image, directory.path(), "out").run();
        assert_eq!(outcome.code, Some(code), "{name}: {outcome}");
        let outcome = outcome.failed(code).says(text);
        assert!(outcome.stdout.is_empty(), "{name}: {outcome}");
        assert_eq!(listing(directory.path()), before, "{name}: left behind");
    }
}

const ALL: [&str; 4] = ["manifest", "config", "layer", "image"];
const FROM_MANIFEST: [&str; 3] = ["manifest", "config", "image"];
const FROM_BLOB: [&str; 3] = ["config", "layer", "image"];

/// Answers every manifest request, if one comes, and every blob request like this.
fn blobs(registry: &Registry, image: &Image, answer: impl Fn(&[u8]) -> Answer) {
    registry.on(
        get("/v2/team/app/manifests/1").perhaps(),
        image.manifest_answer(),
    );
    for blob in std::iter::once(&image.config).chain(image.layers.iter().map(|one| &one.blob)) {
        let digest = crate::support::image::digest(blob);
        registry.on(get(blob_path("team/app", &digest)).perhaps(), answer(blob));
    }
}

#[test]
fn an_unknown_image_is_not_found() {
    each_command_fails(&ALL, 3, "team/app", |registry, image| {
        let answer = Answer::error(404, "NAME_UNKNOWN");
        registry.on(get("/v2/team/app/manifests/1").perhaps(), answer.clone());
        for layer in &image.layers {
            registry.on(
                get(blob_path("team/app", &layer.digest())).perhaps(),
                answer.clone(),
            );
        }
    });
}

#[test]
fn an_unknown_tag_is_not_found() {
    each_command_fails(&FROM_MANIFEST, 3, "team/app:1", |registry, _| {
        registry.on(
            get("/v2/team/app/manifests/1"),
            Answer::error(404, "MANIFEST_UNKNOWN"),
        );
    });
}

#[test]
fn an_unknown_blob_is_not_found() {
    each_command_fails(&FROM_BLOB, 3, "sha256:", |registry, image| {
        blobs(registry, image, |_| Answer::error(404, "BLOB_UNKNOWN"));
    });
}

#[test]
fn a_wrong_password_is_denied() {
    each_command_fails(&ALL, 4, "team/app", |registry, image| {
        let answer = Answer::challenge("Basic realm=\"x\"");
        registry.on(get("/v2/team/app/manifests/1").perhaps(), answer.clone());
        for layer in &image.layers {
            registry.on(
                get(blob_path("team/app", &layer.digest())).perhaps(),
                answer.clone(),
            );
        }
    });
}

#[test]
fn a_web_page_is_no_registry() {
    for content_type in ["text/html", "application/vnd.oci.image.manifest.v1+json"] {
        each_command_fails(&FROM_MANIFEST, 7, "web page", |registry, _| {
            registry.on(
                get("/v2/team/app/manifests/1"),
                Answer::ok(WEB_PAGE).header("Content-Type", content_type),
            );
        });
    }
}

#[test]
fn a_web_page_that_says_404_is_told_without_its_html() {
    each_command_fails(&FROM_MANIFEST, 3, "team/app", |registry, _| {
        registry.on(
            get("/v2/team/app/manifests/1"),
            Answer::ok(WEB_PAGE)
                .with_status(404)
                .header("Content-Type", "text/html"),
        );
    });
}

#[test]
fn schema_1_is_unsupported() {
    let body =
        r#"{"schemaVersion":1,"name":"team/app","tag":"1","architecture":"amd64","fsLayers":[]}"#;
    for content_type in [
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/json",
    ] {
        each_command_fails(&FROM_MANIFEST, 7, "schema 1", |registry, _| {
            registry.on(
                get("/v2/team/app/manifests/1"),
                Answer::ok(body).header("Content-Type", content_type),
            );
        });
    }
}

#[test]
fn an_artifact_that_is_no_image_is_called_by_its_name() {
    let config = "application/vnd.docker.container.image.v1+json";
    let layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    for (name, old, new) in [
        (
            "a Helm chart",
            config,
            "application/vnd.cncf.helm.config.v1+json",
        ),
        ("an artifact", config, "application/vnd.example.config"),
        (
            "a cosign signature",
            layer,
            "application/vnd.dev.cosign.simplesigning.v1+json",
        ),
        ("an attestation", layer, "application/vnd.in-toto+json"),
    ] {
        each_command_fails(&["config", "image"], 7, name, |registry, image| {
            let manifest = String::from_utf8(image.manifest.clone()).unwrap();
            registry.on(
                get("/v2/team/app/manifests/1"),
                Answer::ok(manifest.replace(old, new)).header("Content-Type", image.media_type),
            );
        });
    }
    let media_type = "application/vnd.oci.artifact.manifest.v1+json";
    let body = format!(r#"{{"mediaType":"{media_type}","artifactType":"x/y","blobs":[]}}"#);
    let name = "an OCI artifact manifest";
    each_command_fails(&FROM_MANIFEST, 7, name, |registry, _| {
        registry.on(
            get("/v2/team/app/manifests/1"),
            Answer::ok(body.clone()).header("Content-Type", media_type),
        );
    });
}

#[test]
fn a_manifest_sent_as_another_kind_of_document_is_refused() {
    each_command_fails(&FROM_MANIFEST, 5, "mediaType", |registry, image| {
        registry.on(
            get("/v2/team/app/manifests/1").repeatedly(),
            Answer::ok(image.manifest.clone())
                .header("Content-Type", "application/vnd.oci.image.manifest.v1+json"),
        );
    });
}

#[test]
fn a_manifest_larger_than_4_mib_is_refused() {
    for framing in [|answer: Answer| answer, |answer: Answer| answer.chunked()] {
        each_command_fails(&FROM_MANIFEST, 7, "larger than", |registry, image| {
            let mut body = image.manifest.clone();
            body.resize(5 << 20, b' ');
            registry.on(
                get("/v2/team/app/manifests/1").repeatedly(),
                framing(Answer::ok(body).header("Content-Type", image.media_type)),
            );
        });
    }
}

#[test]
fn a_truncated_body_is_unavailable() {
    each_command_fails(&FROM_BLOB, 6, "sha256:", |registry, image| {
        blobs(registry, image, |blob| {
            blob_answer(blob).close_after(blob.len() / 2)
        });
    });
    each_command_fails(&FROM_MANIFEST, 6, "team/app", |registry, image| {
        registry.on(
            get("/v2/team/app/manifests/1").repeatedly(),
            image.manifest_answer().close_after(10),
        );
    });
}

#[test]
fn a_connection_that_is_reset_or_closed_is_unavailable() {
    each_command_fails(&FROM_BLOB, 6, "sha256:", |registry, image| {
        blobs(registry, image, |blob| {
            blob_answer(blob).reset_after(blob.len() / 2)
        });
    });
    each_command_fails(&FROM_BLOB, 6, "sha256:", |registry, image| {
        blobs(registry, image, |_| Answer::close_before_head());
    });
}

#[test]
fn a_server_in_trouble_is_unavailable() {
    for status in [500, 502, 503] {
        each_command_fails(&["manifest"], 6, "team/app", |registry, _| {
            registry.on(
                get("/v2/team/app/manifests/1").repeatedly(),
                Answer::error(status, "UNKNOWN"),
            );
        });
    }
}

#[test]
fn nobody_listening_is_unavailable() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    hocker(["manifest", &format!("{port}/team/app:1")])
        .run()
        .failed(6)
        .says(&port.to_string());
}

#[test]
fn one_wrong_byte_breaks_integrity() {
    each_command_fails(&FROM_BLOB, 5, "sha256:", |registry, image| {
        blobs(registry, image, |blob| {
            let mut wrong = blob.to_vec();
            let middle = wrong.len() / 2;
            wrong[middle] ^= 0x20;
            blob_answer(&wrong)
        });
    });
}

#[test]
fn too_long_a_body_breaks_integrity() {
    for framing in [
        |answer: Answer| answer,
        |answer: Answer| answer.chunked(),
        |answer: Answer| answer.until_close(),
    ] {
        each_command_fails(&["config", "image"], 5, "sha256:", |registry, image| {
            blobs(registry, image, |blob| {
                let mut longer = blob.to_vec();
                longer.extend([0; 100]);
                framing(blob_answer(&longer))
            });
        });
    }
}

#[test]
fn a_body_that_never_ends_is_cut_off_at_the_size_that_is_known() {
    // 64 GiB would take longer than the test may: it ends only if the program stops to listen.
    each_command_fails(&["config", "image"], 5, "sha256:", |registry, image| {
        blobs(registry, image, |_| {
            Answer::repeated(vec![0; 1 << 20], 64 << 10).chunked()
        });
    });
}

#[test]
fn a_shorter_body_in_good_order_breaks_integrity() {
    each_command_fails(&["config", "image"], 5, "sha256:", |registry, image| {
        blobs(registry, image, |blob| blob_answer(&blob[..blob.len() - 1]));
    });
}

#[test]
fn a_layer_that_does_not_decompress_breaks_integrity() {
    let mut layer = Layer::of_files(Packing::Gzip, &[("x", &[1; 1000])]);
    for blob in [
        b"no gzip at all".to_vec(),
        layer.blob[..layer.blob.len() - 5].to_vec(),
    ] {
        layer.blob = blob;
        let image = Image::new(Family::Docker, &["/x"], vec![layer.clone()]);
        let registry = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        blobs(&registry, &image, blob_answer);
        command("image", &registry, &image, directory.path(), "out")
            .run()
            .failed(5);
        assert!(listing(directory.path()).is_empty());
    }
}

#[test]
fn an_existing_output_is_left_alone() {
    for name in ALL {
        let registry = Registry::start();
        let image = small();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("out"), "precious").unwrap();
        let before = listing(directory.path());
        // Whether it is noticed before or after the network is the program's choice.
        blobs(&registry, &image, blob_answer);
        command(name, &registry, &image, directory.path(), "out")
            .run()
            .failed(1)
            .says("--force");
        assert_eq!(listing(directory.path()), before, "{name}");
    }
}

#[test]
fn an_existing_output_is_replaced_on_request() {
    for name in ALL {
        let registry = Registry::start();
        let image = small();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("out"), "old").unwrap();
        blobs(&registry, &image, blob_answer);
        command(name, &registry, &image, directory.path(), "out")
            .arguments(["--force"])
            .run()
            .done();
        assert_ne!(fs::read(directory.path().join("out")).unwrap(), b"old");
        assert_eq!(listing(directory.path()).len(), 1, "{name}");
    }
}

#[test]
fn an_existing_layout_is_left_alone() {
    let registry = Registry::start();
    let image = small();
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("out")).unwrap();
    fs::write(directory.path().join("out/precious"), "x").unwrap();
    let before = listing(directory.path());
    blobs(&registry, &image, blob_answer);
    command("image", &registry, &image, directory.path(), "out")
        .arguments(["--format", "oci-dir"])
        .run()
        .failed(1);
    assert_eq!(listing(directory.path()), before);
}

#[test]
fn a_place_where_nothing_can_be_written_is_told() {
    // Below a regular file nobody may write, not even root, and neither in /proc.
    for out in ["file/out", "missing/out", "/proc/out"] {
        for name in ALL {
            let registry = Registry::start();
            let image = small();
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("file"), "x").unwrap();
            let before = listing(directory.path());
            blobs(&registry, &image, blob_answer);
            command(name, &registry, &image, directory.path(), out)
                .run()
                .failed(1)
                .says(out);
            assert_eq!(listing(directory.path()), before, "{name} {out}");
        }
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    for arguments in [
        &["manifest"][..],
        &["config"],
        &["image", "--out", "-"],
        &["docker2nix"],
    ] {
        let registry = Registry::start();
        // More than a pipe holds, so that the writer notices.
        let noise: Vec<u8> = (0..500_000_u32)
            .map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap())
            .collect();
        let layer = Layer::of_files(Packing::Plain, &[("noise", &noise)]);
        let image = Image::new(Family::Oci, &["/noise"], vec![layer]);
        blobs(&registry, &image, blob_answer);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let outcome = hocker(arguments)
            .arguments([format!("{}/team/app:1", registry.name())])
            .stdout_to(writer)
            .run()
            .done();
        assert!(
            !outcome.stderr.to_lowercase().contains("pipe"),
            "nobody wants to hear of it: {outcome}"
        );
    }
}

#[test]
fn a_full_device_is_an_error() {
    let registry = Registry::start();
    let image = small();
    blobs(&registry, &image, blob_answer);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    hocker(["manifest", &format!("{}/team/app:1", registry.name())])
        .stdout_to(full)
        .run()
        .failed(1);
}

fn interrupted(name: &str, answer: impl Fn(&[u8]) -> Answer) -> Outcome {
    let registry = Registry::start();
    let image = small();
    let directory = tempfile::tempdir().unwrap();
    blobs(&registry, &image, answer);
    let running = command(name, &registry, &image, directory.path(), "out").start();
    registry.wait_for_stall();
    running.interrupt();
    let outcome = running.finish();
    assert!(
        listing(directory.path()).is_empty(),
        "{name}: left behind {:?}",
        listing(directory.path()).keys()
    );
    outcome
}

#[test]
fn an_interrupt_in_the_middle_of_a_body_leaves_nothing_behind() {
    for name in FROM_BLOB {
        for count in [0, 10, 50] {
            let outcome = interrupted(name, |blob| blob_answer(blob).stall_after(count));
            assert_eq!(outcome.code, Some(130), "{name} {count}: {outcome}");
        }
    }
}

#[test]
fn an_interrupt_ends_what_waits_for_standard_input() {
    let (reader, writer) = std::io::pipe().unwrap();
    let running = hocker(["docker2nix", "library/debian", "jessie"])
        .stdin_from(reader)
        .start();
    running.wait_until_it_listens();
    running.interrupt();
    let outcome = running.finish();
    drop(writer);
    assert_eq!(outcome.code, Some(130), "{outcome}");
}

#[test]
fn an_interrupt_ends_what_waits_for_a_full_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    let layer = directory.path().join("layer");
    let size = 1 << 20;
    fs::File::create(&layer).unwrap().set_len(size).unwrap();
    let config = directory.path().join("config");
    fs::write(&config, &image.config).unwrap();
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": crate::support::image::digest(&image.config),
            "size": image.config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": crate::support::image::digest(b""),
            "size": size,
        }],
    });
    let script = directory.path().join("compositeImage.sh");
    let description = serde_json::json!({
        "repoTags": ["app:1"],
        "reference": "docker.io/library/app:1",
        "tag": "1",
        "manifest": manifest.to_string(),
        "config": config,
        "layers": [layer],
    });
    fs::write(&script, description.to_string()).unwrap();
    // Nobody reads, so that the pipe fills up.
    let (reader, writer) = std::io::pipe().unwrap();
    let running = hocker(["composite", script.to_str().unwrap()])
        .stdout_to(writer)
        .start();
    running.wait_until_it_listens();
    running.interrupt();
    let outcome = running.finish();
    drop(reader);
    assert_eq!(outcome.code, Some(130), "{outcome}");
}

#[test]
fn what_is_asked_wrongly_is_a_usage_error_and_no_request() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["manifest"],
        &["manifest", "--frobnicate", "127.0.0.1:1/app"],
        &["manifest", "127.0.0.1:1/UPPER/case"],
        &["manifest", "app:bad tag"],
        &["manifest", "a//b"],
        &["manifest", "app@sha256:123"],
        &["manifest", "app@md5:00"],
        &["manifest", "127.0.0.1:99999/app"],
        &["manifest", "127.0.0.1:1/app:1", "2"],
        &["manifest", "app", "1", "2"],
        &["manifest", "--platform", "amiga", "127.0.0.1:1/app"],
        &["manifest", "--registry", "ftp://127.0.0.1/v2/", "app"],
        &["manifest", "--registry", "not a url", "app"],
        &["image", "--out", "x", "--format", "zip", "127.0.0.1:1/app"],
        &["layer", "--out", "x", "127.0.0.1:1/app"],
    ] {
        hocker(arguments).run().failed(2);
    }
}

#[test]
fn passwords_in_urls_are_refused_and_not_repeated() {
    const URL: &str = "https://me:hunter2@r.example/v2/";
    const BAD_PORT: &str = "https://me:hunter2@r.example:99999/v2/";
    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let mirror = |url| format!("--mirror=docker.io={url}");
    for arguments in [
        vec!["manifest", "--registry", URL, "app"],
        vec!["manifest", "--registry", BAD_PORT, "app"],
        vec!["manifest", "--registry", "me:hunter2@r.example", "app"],
        vec!["manifest", "--registry", "r.example", URL],
        vec!["manifest", "https://me:hunter2@r.example/app"],
        vec!["manifest", "app", "1", URL],
        vec!["manifest", "app", URL],
        vec!["layer", "--out=x", "--layer", DIGEST, URL],
        vec!["manifest", &mirror(URL), "app"],
        vec!["manifest", &mirror(BAD_PORT), "app"],
        vec!["manifest", "--mirror", URL, "app"],
    ] {
        let outcome = hocker(&arguments).run().failed(2).never_says("hunter2");
        assert!(outcome.stderr.contains("r.example"), "{outcome}");
    }
    hocker(["manifest", "app"])
        .env("HOCKER_MIRRORS", format!("docker.io={URL}"))
        .run()
        .failed(2)
        .never_says("hunter2")
        .says("HOCKER_MIRRORS");
}

#[test]
fn an_interrupt_ends_a_server_that_is_still_hashing() {
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("layout");
    let mut image = small();
    let mut manifest: serde_json::Value = serde_json::from_slice(&image.manifest).unwrap();
    // Without a block on the disk, and longer than anybody would wait for.
    let size = 1_u64 << 40;
    manifest["layers"][0]["size"] = size.into();
    image.manifest = manifest.to_string().into_bytes();
    image.write_layout(&layout, "1");
    let large = directory.path().join("large");
    fs::File::create(&large).unwrap().set_len(size).unwrap();
    let blob = layout.join("blobs/sha256").join(image.layers[0].hex());
    fs::remove_file(&blob).unwrap();
    std::os::unix::fs::symlink(&large, &blob).unwrap();
    let running = hocker(["serve", "--listen=127.0.0.1:0"])
        .arguments([&layout])
        .start();
    running.wait_until_it_listens();
    running.interrupt();
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert!(outcome.stdout.is_empty(), "{outcome}");
}
