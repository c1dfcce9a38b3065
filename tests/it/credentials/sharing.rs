//! Credentials where several ask: in builders, and for mirrors.

use std::fs;
use std::path::Path;

use super::{User, basic, entry, last_authorization, registry_with_password, secretive};
use crate::support::image::{blob_answer, blob_path, digest, small};
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn a_builder_takes_credentials_from_the_files_that_the_sandbox_shows() {
    let registry = Registry::start();
    let layer = small().layers.remove(0).blob;
    let (path, answer) = (blob_path("team/app", &digest(&layer)), blob_answer(&layer));
    registry.on_each(get(path).repeatedly(), move |request| {
        match request.header("Authorization") {
            Some(_) => answer.clone(),
            None => Answer::challenge("Basic realm=\"Registry\""),
        }
    });
    let user = User::new();
    let file = user.file("auth.json", entry(&registry.name(), "docker"));
    let build = |user: &User, out: &Path| {
        user.run(&["builder"])
            .env("out", out)
            .env("registry", registry.url())
            .env("repository", "team/app")
            .env("outputHash", digest(&layer))
            .run()
    };
    let user = user.variable("REGISTRY_AUTH_FILE", file);
    secretive(build(&user, &user.path("out")).done());
    assert_eq!(last_authorization(&registry), Some(basic("docker")));
    assert_eq!(fs::read(user.path("out")).unwrap(), layer);

    // A file that is only outside the sandbox is no reason to stop, but a good one for a denial.
    let other = User::new();
    let nowhere = other.path("nowhere");
    let other = other.variable("REGISTRY_AUTH_FILE", &nowhere);
    build(&other, &other.path("out"))
        .failed(4)
        .says(&format!("{}: the file does not exist", nowhere.display()))
        .says("hint: check the name")
        .says("files in extra-sandbox-paths")
        .never_says("--password-stdin");

    // The same holds for a helper, which no sandbox has.
    let file = other.file("config/config.json", r#"{"credsStore":"pass"}"#);
    let out = other.path("out");
    let other = other
        .variable("REGISTRY_AUTH_FILE", "")
        .variable("DOCKER_CONFIG", file.parent().unwrap());
    build(&other, &out).failed(4).says(&format!(
        "no credentials for {} from {}: the credential helper docker-credential-pass is not installed",
        registry.name(),
        file.display()
    ));
    let public = Registry::start();
    public.on(
        get(blob_path("team/app", &digest(&layer))),
        blob_answer(&layer),
    );
    other
        .run(&["builder"])
        .env("out", &out)
        .env("registry", public.url())
        .env("repository", "team/app")
        .env("outputHash", digest(&layer))
        .run()
        .done()
        .never_says("docker-credential-pass");
}

#[test]
fn a_mirror_is_sent_what_is_kept_for_it_and_nothing_else() {
    for has_own in [true, false] {
        let (registry, mirror) = (registry_with_password(), Registry::start());
        let layer = small().layers.remove(0);
        let answer = blob_answer(&layer.blob);
        mirror.on_each(
            get(blob_path("team/app", &layer.digest())).repeatedly(),
            move |request| match request.header("Authorization") {
                Some(_) => answer.clone(),
                None => Answer::challenge("Basic realm=\"Mirror\""),
            },
        );
        let user = User::new();
        user.file(".docker/config.json", entry(&registry.name(), "origin"));
        if has_own {
            user.file(
                ".config/containers/auth.json",
                entry(&mirror.name(), "mirror"),
            );
        }
        let reference = format!("{}/team/app:1", registry.name());
        user.manifest(&registry).run().done();
        let (option, digest) = (
            format!("{}={}", registry.name(), mirror.url()),
            layer.digest(),
        );
        let run = user.run(&[
            "layer", "--mirror", &option, "--layer", &digest, "--out", "-", &reference,
        ]);
        if has_own {
            let outcome = secretive(run.run().done());
            assert_eq!(outcome.stdout, layer.blob);
        } else {
            let blob = layer.blob.clone();
            registry.on(
                get(blob_path("team/app", &digest)).with("Authorization", basic("origin")),
                blob_answer(&blob),
            );
            registry.on(
                get(blob_path("team/app", &digest)).without("Authorization"),
                Answer::challenge("Basic realm=\"Registry\""),
            );
            let outcome = secretive(run.run().done());
            assert_eq!(outcome.stdout, layer.blob);
        }
        let sent: Vec<_> = mirror
            .requests()
            .iter()
            .filter_map(|request| request.header("Authorization").map(str::to_owned))
            .collect();
        let expected = if has_own {
            vec![basic("mirror")]
        } else {
            Vec::new()
        };
        assert_eq!(sent, expected);
    }
}
