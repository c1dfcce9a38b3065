//! The classic names and command lines, as the old documents and nixpkgs' old fetchers have them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::files::listing;
use crate::support::hocker::{Run, classic, hocker};
use crate::support::image::{blob_answer, blob_path, digest, hex, small};
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn hocker_manifest_prints_the_manifest() {
    let registry = Registry::start();
    let image = small();
    image.serve_manifest(&registry, "library/debian", "jessie");
    let url = registry.url();
    let outcome = classic(
        "hocker-manifest",
        ["library/debian", "jessie", "--registry", &url],
    )
    .run()
    .done();
    assert_eq!(outcome.stdout, image.manifest);
}

#[test]
fn hocker_config_prints_the_configuration() {
    let registry = Registry::start();
    let image = small();
    image.serve_manifest(&registry, "library/debian", "jessie");
    image.serve_config(&registry, "library/debian");
    let url = registry.url();
    let outcome = classic(
        "hocker-config",
        ["--registry", &url, "library/debian", "jessie"],
    )
    .run()
    .done();
    assert_eq!(outcome.stdout, image.config);
}

#[test]
fn hocker_layer_says_what_it_does_and_where_it_wrote() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    let layer = &image.layers[0];
    registry.on(
        get("/v2/library/hello-world/manifests/linux").perhaps(),
        image.manifest_answer(),
    );
    registry.on(
        get(format!("/v2/library/hello-world/blobs/{}", layer.digest())),
        blob_answer(&layer.blob),
    );
    let short = &layer.hex()[..7];
    let outcome = classic(
        "hocker-layer",
        [
            "--registry",
            &registry.url(),
            "--out",
            "./hello-world-layer.tar.gz",
            "--layer",
            &layer.hex(),
            "library/hello-world",
            "linux",
        ],
    )
    .in_directory(directory.path())
    .run()
    .done()
    .says(&format!("Downloading layer: {short} => wrote {short}"));
    assert_eq!(outcome.text(), "./hello-world-layer.tar.gz\n");
    let written = fs::read(directory.path().join("hello-world-layer.tar.gz")).unwrap();
    assert_eq!(written, layer.blob);
}

#[test]
fn hocker_image_writes_the_classic_archive_with_the_classic_tag() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    image.serve(&registry, "library/hello-world", "linux");
    let mut outcome = classic(
        "hocker-image",
        [
            "--registry",
            &registry.url(),
            "--out",
            "./hello-world.tar.gz",
            "library/hello-world",
            "linux",
        ],
    )
    .in_directory(directory.path())
    .run()
    .done();
    assert_eq!(outcome.text(), "./hello-world.tar.gz\n");
    for layer in &image.layers {
        let (short, diff_id) = (&layer.hex()[..7], &hex(&layer.tar)[..7]);
        outcome = outcome.says(&format!(
            "Downloading layer: {short} => decompressed => wrote {diff_id}"
        ));
    }
    assert_eq!(listing(directory.path()).len(), 1);
    let archive = fs::read(directory.path().join("hello-world.tar.gz")).unwrap();
    let mut archive = tar::Archive::new(archive.as_slice());
    let manifest: Value = archive
        .entries()
        .unwrap()
        .map(Result::unwrap)
        .find(|entry| entry.path().unwrap().to_str() == Some("manifest.json"))
        .map(|entry| serde_json::from_reader(entry).unwrap())
        .unwrap();
    let tags: Vec<&str> = manifest[0]["RepoTags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag.as_str().unwrap())
        .collect();
    let classic = format!("{}/v2/library/hello-world:linux", registry.name());
    let new = format!("{}/library/hello-world:linux", registry.name());
    assert!(tags.contains(&classic.as_str()), "{tags:?}");
    assert!(tags.contains(&new.as_str()), "{tags:?}");
}

#[test]
fn the_command_lines_of_the_old_fetchers_work() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let image = small();
    let layer = &image.layers[0];
    registry.on(
        get("/v2/team/app/manifests/1").repeatedly(),
        image.manifest_answer(),
    );
    image.serve_config(&registry, "team/app");
    registry.on(
        get(format!("/v2/team/app/blobs/{}", layer.digest())),
        blob_answer(&layer.blob),
    );
    let run_time_system = ["team/app", "1", "+RTS", "-N4", "-RTS"];
    let url = registry.url();
    let out = directory.path().join("config");
    classic("hocker-config", [format!("--out={}", out.display())])
        .arguments(["--registry", &url])
        .arguments(run_time_system)
        .run()
        .done();
    assert_eq!(fs::read(out).unwrap(), image.config);
    let out = directory.path().join("layer");
    classic("hocker-layer", [format!("--out={}", out.display())])
        .arguments(["--registry", &url, "--layer", &layer.hex()])
        .arguments(run_time_system)
        .run()
        .done();
    assert_eq!(fs::read(out).unwrap(), layer.blob);
}

#[test]
fn credentials_on_the_classic_command_lines_work() {
    let long = ["--username", "ann", "--password", "s3cret"];
    let short = ["-u", "ann", "-p", "s3cret"];
    for arguments in [long, short] {
        let registry = Registry::start();
        let image = small();
        registry.on(
            get("/v2/team/app/manifests/1").with("Authorization", "Basic YW5uOnMzY3JldA=="),
            image.manifest_answer(),
        );
        registry.on(
            get("/v2/team/app/manifests/1")
                .without("Authorization")
                .perhaps(),
            Answer::challenge("Basic realm=\"x\""),
        );
        let url = registry.url();
        let outcome = classic("hocker-manifest", ["team/app", "1", "--registry", &url])
            .arguments(arguments)
            .run()
            .done()
            .never_says("s3cret");
        assert_eq!(outcome.stdout, image.manifest);
    }
}

#[test]
fn the_registrys_url_may_lack_its_last_slash() {
    let registry = Registry::start();
    let image = small();
    image.serve_manifest(&registry, "team/app", "1");
    let url = registry.url();
    let outcome = classic(
        "hocker-manifest",
        ["team/app", "1", "--registry", url.trim_end_matches('/')],
    )
    .run()
    .done();
    assert_eq!(outcome.stdout, image.manifest);
}

#[test]
fn docker2nix_reads_standard_input() {
    let manifest = include_str!("../data/debian-jessie.json");
    let under_its_name = classic("docker2nix", ["library/debian", "jessie"])
        .input(manifest)
        .run()
        .done();
    let as_a_command = hocker(["docker2nix", "library/debian", "jessie"])
        .input(manifest)
        .run()
        .done();
    assert_eq!(under_its_name.stdout, as_a_command.stdout);
    let renamed = classic(
        "docker2nix",
        ["library/debian", "jessie", "--altImageName", "jessie-base"],
    )
    .input(manifest)
    .run()
    .done();
    assert!(renamed.text().contains("\"jessie-base\""), "{renamed}");
}

#[test]
fn an_existing_file_is_replaced_under_the_classic_names_alone() {
    let registry = Registry::start();
    let image = small();
    registry.on(
        get("/v2/library/debian/manifests/jessie").repeatedly(),
        image.manifest_answer(),
    );
    let layers = image.layers.iter().map(|layer| &layer.blob);
    for blob in std::iter::once(&image.config).chain(layers) {
        let path = blob_path("library/debian", &digest(blob));
        registry.on(get(path).repeatedly(), blob_answer(blob));
    }
    let (url, layer) = (registry.url(), image.layers[0].hex());
    let directory = tempfile::tempdir().unwrap();
    let (new, old) = (directory.path().join("new"), directory.path().join("old"));
    for (program, options) in [
        ("hocker-manifest", &[][..]),
        ("hocker-config", &[]),
        ("hocker-layer", &["--layer", &layer]),
        ("hocker-image", &[]),
    ] {
        let write_to = |run: Run, out: &Path| {
            run.arguments(options)
                .arguments(["library/debian", "jessie", "--registry", &url])
                .arguments(["--out", out.to_str().unwrap()])
                .run()
        };
        let (_, command) = program.split_once('-').unwrap();
        write_to(classic(program, [""; 0]), &new).done();
        fs::write(&old, "old").unwrap();
        write_to(hocker([command]), &old)
            .failed(1)
            .says("hint: choose another name, or replace it with --force");
        assert_eq!(fs::read(&old).unwrap(), b"old");

        write_to(classic(program, [""; 0]), &old).done();
        assert!(fs::read(&old).unwrap() == fs::read(&new).unwrap());
        assert_eq!(listing(directory.path()).len(), 2, "{program}");
        fs::remove_file(&new).unwrap();
    }
}

#[test]
fn an_existing_file_stays_where_a_classic_program_fails() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    fs::write(&out, "old").unwrap();
    registry.on(
        get("/v2/library/debian/manifests/jessie"),
        Answer::error(404, "MANIFEST_UNKNOWN"),
    );
    classic("hocker-image", ["--out", out.to_str().unwrap()])
        .arguments(["--registry", &registry.url(), "library/debian", "jessie"])
        .run()
        .failed(3);
    assert_eq!(fs::read(&out).unwrap(), b"old");
}
