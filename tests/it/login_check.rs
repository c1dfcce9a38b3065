//! `hocker login-check`: what it tells of credentials and registries, and how it ends.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::hocker::{Outcome, Run, hocker};
use crate::support::image::small;
use crate::support::scripted_registry::{Answer, Registry, get, head};

const MANIFEST: &str = "/v2/team/app/manifests/1";
/// `ann:hunter2`
const BASIC: &str = "Basic YW5uOmh1bnRlcjI=";
const PASSWORD: &str = "hunter2";
const TOKEN: &str = "granted-t0ken";

/// A user whose docker configuration has an entry for this key.
struct User {
    home: TempDir,
    config: PathBuf,
}

impl User {
    fn new(key: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join(".docker/config.json");
        fs::create_dir(home.path().join(".docker")).unwrap();
        let auth = &BASIC["Basic ".len()..];
        let text = format!(r#"{{"auths":{{"{key}":{{"auth":"{auth}"}}}}}}"#);
        fs::write(&config, text).unwrap();
        Self { home, config }
    }

    fn check(&self, target: &str) -> Run {
        hocker(["login-check", target]).env("HOME", self.home.path())
    }
}

fn challenge(registry: &Registry) -> Answer {
    Answer::challenge(format!(
        "Bearer realm=\"{}?x=1\",service=\"registry.example\",scope=\"repository:team/app:pull\"",
        registry.at("/token")
    ))
}

fn granted() -> Answer {
    Answer::ok(format!(r#"{{"token":"{TOKEN}"}}"#))
}

#[track_caller]
fn secretive(outcome: Outcome) -> Outcome {
    outcome
        .never_says(PASSWORD)
        .never_says(TOKEN)
        .never_says(&BASIC["Basic ".len()..])
}

#[track_caller]
fn prints(outcome: &Outcome, lines: &[&str]) {
    let text = outcome.text();
    for line in lines {
        assert!(text.lines().any(|own| own == *line), "{line:?}: {outcome}");
    }
}

#[test]
fn tells_the_whole_way_to_an_image() {
    let registry = Registry::start();
    let name = registry.name();
    registry
        .on(
            head(MANIFEST).without("Authorization").times(2),
            challenge(&registry),
        )
        .on(get("/token").with("Authorization", BASIC), granted())
        .on(
            head(MANIFEST).with("Authorization", format!("Bearer {TOKEN}")),
            small().manifest_answer(),
        );
    let user = User::new(&name);
    let outcome = user.check(&format!("{name}/team/app:1")).run();
    let outcome = secretive(outcome.done());
    assert_eq!(outcome.stderr, "");
    let config = user.config.display();
    let home = user.home.path().display();
    let token = registry.at("/token");
    prints(
        &outcome,
        &[
            &format!("registry: {name}, at http://{name}/v2/"),
            "image: team/app, 1",
            "  the command line: none",
            "  the environment (DOCKER_TOKEN, or DOCKER_USER and DOCKER_PASS): none",
            &format!("  {config}: a user name and a password"),
            &format!("  {home}/.config/containers/auth.json: not searched"),
            &format!("  {home}/.netrc: not searched"),
            "response without credentials: 401 Unauthorized",
            &format!(
                "  bearer realm=\"{token}?…\" service=\"registry.example\" \
                 scope=\"repository:team/app:pull\""
            ),
            &format!("allowed: fetching {name}/team/app:1, with the credentials from {config}"),
        ],
    );
}

#[test]
fn a_denial_comes_after_what_is_known() {
    let registry = Registry::start();
    let name = registry.name();
    registry
        .on(
            head(MANIFEST).without("Authorization").times(2),
            challenge(&registry),
        )
        .on(
            get("/token"),
            Answer::ok(r#"{"details":"no such user"}"#).with_status(401),
        );
    let user = User::new(&format!("{name}/team"));
    let outcome = user.check(&format!("{name}/team/app:1")).run();
    let outcome = secretive(outcome.failed(4))
        .says(&format!(
            "with the credentials from {}",
            user.config.display()
        ))
        .says("no such user");
    prints(
        &outcome,
        &["response without credentials: 401 Unauthorized"],
    );
    assert!(!outcome.text().contains("allowed"), "{outcome}");
}

#[test]
fn a_registry_alone_is_asked_for_its_base_with_a_token_for_nothing() {
    let registry = Registry::start();
    let name = registry.name();
    let challenge = format!("Bearer realm=\"{}\"", registry.at("/token"));
    registry
        .on(
            get("/v2/").without("Authorization").times(4),
            Answer::challenge(challenge),
        )
        .on(
            get("/token").with("Authorization", BASIC).times(2),
            granted(),
        )
        .on(
            get("/v2/")
                .with("Authorization", format!("Bearer {TOKEN}"))
                .times(2),
            Answer::ok("{}"),
        );
    let user = User::new(&name);
    for run in [
        user.check(&name),
        hocker(["login-check", "--registry", &registry.url()]).env("HOME", user.home.path()),
    ] {
        let outcome = secretive(run.run().done());
        let line = format!(
            "allowed: access to the registry, with the credentials from {}",
            user.config.display()
        );
        prints(&outcome, &[&line]);
    }
    for request in registry.requests() {
        assert!(request.query("scope").is_empty(), "{}", request.line());
    }
}

#[test]
fn keys_for_repositories_are_not_for_the_registry_alone() {
    let registry = Registry::start();
    registry.on(get("/v2/").times(2), Answer::ok("{}"));
    let user = User::new(&format!("{}/team", registry.name()));
    let outcome = user.check(&registry.name()).run();
    let outcome = secretive(outcome.done());
    prints(
        &outcome,
        &[
            &format!("  {}: none", user.config.display()),
            "response without credentials: 200 OK",
            "allowed: access to the registry, without credentials",
        ],
    );
}

#[test]
fn an_image_that_is_not_there_is_told_apart_from_one_that_is_hidden() {
    for (tags, code) in [(200, 0), (404, 3), (401, 3)] {
        let registry = Registry::start();
        let name = registry.name();
        registry
            .on(head(MANIFEST).times(2), Answer::error(404, "UNKNOWN"))
            .on(get(MANIFEST), Answer::error(404, "UNKNOWN"))
            .on(
                get("/v2/team/app/tags/list?n=1"),
                Answer::ok(r#"{"tags":["2"]}"#).with_status(tags),
            );
        let user = User::new("elsewhere.example");
        let outcome = user.check(&format!("{name}/team/app:1")).run();
        assert_eq!(outcome.code, Some(code), "{tags}: {outcome}");
        if code == 0 {
            let line = "allowed: fetching from team/app (1 does not exist), without credentials";
            prints(&outcome, &[line]);
        }
    }
}

#[test]
fn a_registry_that_is_not_there_is_unavailable() {
    let registry = Registry::closed();
    let user = User::new(&registry.name());
    let outcome = user.check(&registry.name()).run();
    let outcome = secretive(outcome.failed(6)).says("cannot fetch /v2/ from");
    assert!(
        outcome.text().contains("a user name and a password"),
        "{outcome}"
    );
}

#[test]
fn a_file_that_cannot_be_used_is_told_with_what_came_before() {
    let registry = Registry::start();
    let user = User::new(&registry.name());
    fs::write(&user.config, "hunter2").unwrap();
    let outcome = user.check(&registry.name()).run();
    let outcome = secretive(outcome.failed(1)).says("cannot read credentials from");
    let line = format!("  {}: unusable", user.config.display());
    prints(&outcome, &["  the command line: none", &line]);
}

#[test]
fn what_a_registry_asks_for_cannot_play_with_the_terminal() {
    let registry = Registry::start();
    registry.on(
        get("/v2/").times(2),
        Answer::challenge("Basic realm=\"a\u{9b}2J\tb\", Weird x=\"https://me:hunter2@x/\""),
    );
    let user = User::new("elsewhere.example");
    let outcome = user.check(&registry.name()).run();
    let outcome = secretive(outcome.failed(4));
    let bad = |c: char| c.is_control() && c != '\n';
    assert!(!outcome.text().contains(bad), "{outcome}");
}

#[test]
fn an_image_or_a_registry_must_be_named() {
    hocker(["login-check"]).run().failed(2);
}
