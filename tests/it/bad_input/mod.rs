//! Bad input: each kind has a clear error and the documented exit code, leaves nothing behind, and is no panic.
//! The exit codes: 1 other, 2 usage, 3 not found, 4 denied, 5 integrity, 6 unavailable, 7 unsupported.

mod bodies; // bodies that are too short, too long, or other than they should be
mod interrupts; // interrupts leave nothing behind
mod outputs; // outputs that exist already, or cannot be written
mod usage; // wrong arguments

use std::fs;
use std::path::Path;

use crate::support::files::listing;
use crate::support::hocker::{Run, hocker};
use crate::support::image::{Image, blob_path, small};
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

/// Answers every request for the manifest or a layer like this.
fn whatever(registry: &Registry, image: &Image, answer: &Answer) {
    registry.on(get("/v2/team/app/manifests/1").perhaps(), answer.clone());
    for layer in &image.layers {
        registry.on(
            get(blob_path("team/app", &layer.digest())).perhaps(),
            answer.clone(),
        );
    }
}

#[test]
fn an_unknown_image_is_not_found() {
    each_command_fails(&ALL, 3, "team/app", |registry, image| {
        whatever(registry, image, &Answer::error(404, "NAME_UNKNOWN"));
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
        whatever(registry, image, &Answer::challenge("Basic realm=\"x\""));
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
