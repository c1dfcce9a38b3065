//! The ways to give credentials on the command line.

use std::fs;

use super::{MANIFEST, TOKEN, basic, full_challenge, is_manifest, manifest};
use crate::support::hocker::hocker;
use crate::support::image::small;
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn secrets_may_begin_with_a_dash() {
    let registry = Registry::start();
    registry.on(
        get("/v2/app/manifests/1").with("Authorization", "Bearer --secret"),
        small().manifest_answer(),
    );
    let reference = format!("{}/app:1", registry.name());
    hocker(["manifest", &reference, "-t", "--secret"])
        .run()
        .done();
    hocker([
        "manifest",
        "127.0.0.1:1/app",
        "--retries",
        "0",
        "-u",
        "u",
        "-p",
        "-secret",
    ])
    .run()
    .failed(6);
}

#[test]
fn the_password_may_come_by_standard_input() {
    for input in ["s3cret=x", "s3cret=x\n", "s3cret=x\r\n"] {
        let image = small();
        let registry = basic(&image);
        let run = manifest(&registry)
            .arguments(["--username", "ann", "--password-stdin"])
            .input(input);
        is_manifest(run.run(), &image);
    }
}

#[test]
fn credentials_may_come_from_a_file_of_either_classic_kind() {
    for text in [
        "USERNAME=ann\nPASSWORD=s3cret=x\n",
        "DOCKER_USER=ann\nDOCKER_PASS=s3cret=x\n",
        "DOCKER_PASS=s3cret=x\nDOCKER_USER=ann",
        "\nUSERNAME=ann\r\nPASSWORD=s3cret=x\r\n\n",
    ] {
        let image = small();
        let registry = basic(&image);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("credentials");
        fs::write(&file, text).unwrap();
        let run = manifest(&registry)
            .arguments(["--credentials-file"])
            .arguments([&file]);
        is_manifest(run.run(), &image);
        let registry = basic(&image);
        let run = manifest(&registry).arguments(["-f"]).arguments([&file]);
        is_manifest(run.run(), &image);
    }
}

#[test]
fn a_token_is_sent_as_it_is() {
    for (what, file) in [
        ("--token", None),
        ("-t", None),
        ("BEARER_TOKEN", Some(format!("BEARER_TOKEN={TOKEN}\n"))),
        ("DOCKER_TOKEN", Some(format!("DOCKER_TOKEN={TOKEN}\n"))),
    ] {
        let image = small();
        let registry = Registry::start();
        registry.on(
            get(MANIFEST).with("Authorization", format!("Bearer {TOKEN}")),
            image.manifest_answer(),
        );
        registry.on(
            get(MANIFEST).without("Authorization").perhaps(),
            Answer::challenge(full_challenge(&registry.at("/token"))),
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("credentials");
        let run = match file {
            None => manifest(&registry).arguments([what, TOKEN]),
            Some(text) => {
                fs::write(&path, text).unwrap();
                manifest(&registry)
                    .arguments(["--credentials-file"])
                    .arguments([&path])
            }
        };
        is_manifest(run.run(), &image);
    }
}

#[test]
fn ways_to_give_credentials_that_contradict_each_other_are_usage_errors() {
    for arguments in [
        &["--username", "ann"][..],
        &["--password", "x"],
        &["--username", "ann", "--password", "x", "--token", "y"],
        &["--username", "ann", "--password", "x", "--password-stdin"],
        &["--token", "y", "--credentials-file", "/dev/null"],
    ] {
        hocker(["manifest", "127.0.0.1:1/app:1"])
            .arguments(arguments)
            .run()
            .failed(2);
    }
}
