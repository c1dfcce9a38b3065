//! A real registry that wants a password.

use std::process::Command;

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::program;
use crate::support::hocker::hocker;
use crate::support::image::small;

#[test]
fn a_password_opens_the_registry_and_a_wrong_one_does_not() {
    let registry = DockerRegistry::start_with_password("ann", "s3cret=x");
    let image = small();
    let directory = tempfile::tempdir().unwrap();
    image.write_layout(&directory.path().join("pushed"), "1");
    registry.push(
        &directory.path().join("pushed"),
        "team/app",
        "1",
        &["--dest-creds", "ann:s3cret=x", "--format", "v2s2"],
    );
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
