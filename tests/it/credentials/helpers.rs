//! Credential helpers: what they are asked, and what follows where they fail.

use std::fs;

use super::{
    MANIFEST, PASSWORD, User, basic, entry, last_authorization, registry_with_password, secretive,
};
use crate::support::image::small;
use crate::support::scripted_registry::{Answer, Registry, get};

#[test]
fn a_helper_gets_the_servers_name_and_is_asked_for_what_it_keeps() {
    let registry = registry_with_password();
    let name = registry.name();
    let user = User::new();
    let told = user.path("told");
    user.helper(
        "fake",
        &format!(
            r#"{{ cat; echo " [$*]"; }} > '{}'
            printf '{{"ServerURL":"x","Username":"kept","Secret":"{PASSWORD}"}}'"#,
            told.display()
        ),
    );
    for config in [
        r#"{"credsStore":"fake"}"#.to_owned(),
        format!(r#"{{"credsStore":"nowhere","credHelpers":{{"{name}":"fake"}}}}"#),
        format!(r#"{{"auths":{{"{name}":{{}}}},"credsStore":"fake"}}"#),
    ] {
        let file = user.file(".docker/config.json", config);
        let outcome = user
            .manifest(&registry)
            .arguments(["--verbose"])
            .run()
            .done();
        secretive(outcome).says(&format!(
            "from docker-credential-fake, which {} names",
            file.display()
        ));
        assert_eq!(last_authorization(&registry), Some(basic("kept")));
        assert_eq!(
            fs::read_to_string(&told).unwrap(),
            format!("{name} [get]\n")
        );
    }
}

#[test]
fn where_a_helper_knows_nothing_the_search_goes_on() {
    let registry = registry_with_password();
    let name = registry.name();
    let user = User::new();
    user.helper(
        "fake",
        "echo credentials not found in native keychain; exit 1",
    );
    user.file(".docker/config.json", r#"{"credsStore":"fake"}"#);
    user.file(".config/containers/auth.json", entry(&name, "next"));
    user.manifest(&registry).run().done();
    assert_eq!(last_authorization(&registry), Some(basic("next")));
}

/// What a failing helper does, and what is said of it.
const FAILURES: [(Option<&str>, &str); 10] = [
    (
        None,
        "the credential helper docker-credential-fake is not installed",
    ),
    (
        Some("#!/bin/sh\necho 'pass not initialized: password store is empty'; exit 1"),
        "docker-credential-fake failed (exit status: 1): pass not initialized: password store is empty",
    ),
    (
        Some("#!/bin/sh\necho 'Cannot autolaunch D-Bus without X11 $DISPLAY'; exit 1"),
        "failed (exit status: 1): Cannot autolaunch D-Bus without X11 $DISPLAY",
    ),
    (
        Some("#!/bin/sh\necho 'No stored credential for https://x'; exit 1"),
        "failed (exit status: 1): No stored credential for https://x",
    ),
    (
        Some("#!/bin/sh\necho no keyring >&2; exit 3"),
        "failed (exit status: 3): no keyring",
    ),
    (Some("#!/bin/sh\nkill -9 $$"), "failed (signal: 9"),
    (
        Some("#!/bin/sh\necho hunter2"),
        "is not a user name and secret in JSON",
    ),
    (
        Some("#!/bin/sh\necho '{\"Username\":\"ann\",\"Secret\":\"hunter2\"}'; exit 1"),
        "docker-credential-fake failed (exit status: 1)",
    ),
    (
        Some("#!/bin/sh\necho 'password: hunter2' >&2; exit 1"),
        "failed (exit status: 1): password…",
    ),
    // A program for another machine.
    (
        Some("\x7fELF"),
        "cannot run the credential helper docker-credential-fake: ",
    ),
];

#[test]
fn a_helper_that_fails_stops_no_public_image_and_is_named_by_a_denial() {
    let open = Registry::start();
    open.on(get(MANIFEST).repeatedly(), small().manifest_answer());
    open.on(get("/v2/").repeatedly(), Answer::ok(""));
    let closed = registry_with_password();
    for (program, reason) in FAILURES {
        let user = User::new();
        if let Some(program) = program {
            user.program("docker-credential-fake", program);
        }
        let file = user.file(".docker/config.json", r#"{"credsStore":"fake"}"#);
        let line = |registry: &Registry| {
            let (name, file) = (registry.name(), file.display());
            format!("no credentials for {name} from {file}: ")
        };
        // Without --verbose hocker says nothing of it.
        let outcome = secretive(user.manifest(&open).run().done());
        assert_eq!(outcome.stderr, "");
        secretive(user.manifest(&open).arguments(["-v"]).run().done())
            .says(&line(&open))
            .says(reason);
        let checked = user.run(&["login-check", &open.name()]).run();
        let checked = secretive(checked).text();
        assert!(checked.contains(reason), "{checked}");
        secretive(user.manifest(&closed).run().failed(4))
            .says("caused by: the registry denies access without credentials")
            .says(&format!("caused by: {}", line(&closed)))
            .says(reason)
            .says("hint: ");
        // Whatever comes next is asked: here the next file, then the file itself.
        user.file(
            ".config/containers/auth.json",
            entry(&closed.name(), "next"),
        );
        secretive(user.manifest(&closed).run().done());
        assert_eq!(last_authorization(&closed), Some(basic("next")), "{reason}");
        let beside = entry(&closed.name(), "beside");
        user.file(
            ".docker/config.json",
            beside.replacen('{', r#"{"credsStore":"fake","#, 1),
        );
        let outcome = secretive(user.manifest(&closed).run().done());
        assert_eq!(outcome.stderr, "");
        assert_eq!(
            last_authorization(&closed),
            Some(basic("beside")),
            "{reason}"
        );
    }
}

#[test]
fn an_empty_answer_of_a_helper_means_no_credentials() {
    let closed = registry_with_password();
    for answer in [
        "{}",
        "null",
        r#"{"Username":"","Secret":""}"#,
        r#"{"Username":"ann"}"#,
    ] {
        let user = User::new();
        user.helper("fake", &format!("echo '{answer}'"));
        user.file(".docker/config.json", r#"{"credsStore":"fake"}"#);
        user.manifest(&closed)
            .run()
            .failed(4)
            .says("the registry denies access without credentials")
            .never_says("docker-credential-fake");
        user.file(
            ".config/containers/auth.json",
            entry(&closed.name(), "next"),
        );
        user.manifest(&closed).run().done();
        assert_eq!(last_authorization(&closed), Some(basic("next")), "{answer}");
    }
}

#[test]
fn a_helpers_answer_is_read_as_docker_reads_it() {
    let registry = registry_with_password();
    for answer in [
        r#"{"username":"ann","secret":"PASSWORD"}"#,
        r#"{"SERVERURL":"x","USERNAME":"ann","SECRET":"PASSWORD"} and more {"#,
    ] {
        let user = User::new();
        let answer = answer.replace("PASSWORD", PASSWORD);
        user.helper("fake", &format!("echo '{answer}'"));
        user.file(".docker/config.json", r#"{"CredsStore":"fake"}"#);
        secretive(user.manifest(&registry).run().done());
        assert_eq!(last_authorization(&registry), Some(basic("ann")));
    }
}

#[test]
fn a_lock_of_several_images_names_the_helper_too() {
    let closed = registry_with_password();
    let user = User::new();
    user.helper("fake", "echo no keyring; exit 1");
    user.file(".docker/config.json", r#"{"credsStore":"fake"}"#);
    let reference = format!("{}/team/app:1", closed.name());
    user.run(&["lock", "add", &reference])
        .in_directory(user.home.path())
        .run()
        .failed(4)
        .says("docker-credential-fake failed (exit status: 1): no keyring");
}

#[test]
fn a_helpers_name_leads_to_no_other_directory() {
    let open = Registry::start();
    open.on(get(MANIFEST), small().manifest_answer());
    let user = User::new();
    let touched = user.path("touched");
    user.helper("x", &format!("touch '{}'", touched.display()));
    fs::create_dir(user.path("bin/docker-credential-")).unwrap();
    user.file(
        ".docker/config.json",
        r#"{"credsStore":"/../docker-credential-x"}"#,
    );
    user.manifest(&open)
        .arguments(["-v"])
        .run()
        .done()
        .says("contains characters other than letters");
    assert!(!touched.exists());
}
