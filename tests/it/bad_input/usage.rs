//! Wrong arguments: a usage error, and no request.

use crate::support::hocker::hocker;

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
        &["manifest", "--stall-timeout", "0", "127.0.0.1:1/app"],
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
fn a_wrong_value_gets_the_form_of_a_right_one() {
    for (option, value, form) in [
        ("--retries", "-1", "a whole number from 0 on"),
        ("--retries", "many", "a whole number from 0 on"),
        ("--retry-delay", "-1", "a number of seconds from 0"),
        ("--stall-timeout", "0", "a number of seconds greater than 0"),
        (
            "--stall-timeout",
            "-1",
            "a number of seconds greater than 0",
        ),
    ] {
        hocker(["manifest", "127.0.0.1:1/app", option, value])
            .run()
            .failed(2)
            .says(form);
    }
    for value in ["-5", "5.5", "99999999999999999"] {
        hocker([
            "layer", "--layer", "x", "--out", "x", "app", "--size", value,
        ])
        .run()
        .failed(2);
    }
    for value in ["localhost:5000", "127.0.0.1", ":5000", "127.0.0.1:99999"] {
        hocker(["serve", "--listen", value, "image"])
            .run()
            .failed(2)
            .says("127.0.0.1:5000");
    }
    hocker(["manifest", "127.0.0.1:1/app"])
        .env("HOCKER_STALL_TIMEOUT", "0")
        .run()
        .failed(2)
        .says("HOCKER_STALL_TIMEOUT");
}

#[test]
fn a_path_in_place_of_a_reference_gets_the_commands_that_read_paths() {
    for path in ["./image", "../image", "/image", ".."] {
        for command in ["manifest", "config", "docker2nix"] {
            hocker([command, path])
                .run()
                .failed(2)
                .says("is a path")
                .says("`hocker image`");
        }
    }
    hocker(["lock", "add", "./image"])
        .run()
        .failed(2)
        .says("is a path");
    hocker(["manifest", ""])
        .run()
        .failed(2)
        .says("the name is empty");
}
