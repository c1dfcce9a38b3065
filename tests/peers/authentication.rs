//! A real registry that wants a password.

use std::process::Command;

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::nix::{Nix, built};
use crate::machine::program;
use crate::machine::site::is_discreet;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing};

const PASSWORD: &str = "s3cret=x";

/// Pushes a small image as team/app:1.
fn push(registry: &DockerRegistry) -> Image {
    let layer = Layer::of_files(Packing::Gzip, &[("etc/motd", b"welcome\n")]);
    let image = Image::new(Family::Oci, &["/hello"], vec![layer]);
    let directory = image.layout("1");
    let credentials = format!("ann:{PASSWORD}");
    registry.push(
        directory.path(),
        "team/app",
        "1",
        &["--dest-creds", &credentials, "--preserve-digests"],
    );
    image
}

#[test]
fn a_password_opens_the_registry_and_a_wrong_one_does_not() {
    let registry = DockerRegistry::start_with_password("ann", "s3cret=x");
    let directory = tempfile::tempdir().unwrap();
    push(&registry);
    let reference = format!("{}/team/app:1", registry.name());
    let expected = program::run(
        Command::new("skopeo")
            .args(["inspect", "--tls-verify=false", "--raw"])
            .args(["--creds", "ann:s3cret=x"])
            .arg(format!("docker://{reference}")),
    );
    let outcome = hocker([
        "manifest",
        &reference,
        "--username",
        "ann",
        "--password-stdin",
    ])
    .input("s3cret=x\n")
    .run()
    .done();
    assert!(outcome.stdout == expected, "another manifest");
    hocker(["image", "--out", "image.tar", &reference])
        .arguments(["--username", "ann", "--password", "s3cret=x"])
        .in_directory(directory.path())
        .run()
        .done();
    hocker([
        "manifest",
        &reference,
        "--username",
        "ann",
        "--password-stdin",
    ])
    .input("s3cret\n")
    .run()
    .failed(4)
    .never_says("s3cret");
    hocker(["manifest", &reference]).run().failed(4);
}

#[test]
fn a_build_takes_its_password_from_the_environment_and_keeps_it_out_of_the_store() {
    let registry = DockerRegistry::start_with_password("ann", PASSWORD);
    let image = push(&registry);
    let nix = Nix::new();
    let manifest = nix.directory().join("manifest.json");
    std::fs::write(&manifest, &image.manifest).unwrap();
    let body = format!(
        "hocker.fetchdocker {{ image = \"{}/team/app:1\"; imageManifest = {}; }}",
        registry.name(),
        manifest.display()
    );
    let refused = nix.build(&body);
    assert!(!refused.status.success(), "it needs no password");
    let told = program::told(&refused);
    assert!(told.contains("hocker: "), "{told}");
    let environment = [("DOCKER_USER", "ann"), ("DOCKER_PASS", PASSWORD)];
    let output = nix.build_with(&body, &[], &environment);
    built(&output);
    is_discreet(nix.directory(), &output, &[PASSWORD]);
}
