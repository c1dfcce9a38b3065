//! What an error says of where the credentials came from that were denied.

use super::{MANIFEST, PASSWORD, User, challenge, entry, secretive};
use crate::support::scripted_registry::{Answer, Registry, Request, get};

/// Everyone who gives credentials, and the words for where they came from.
fn users(registry: &Registry) -> Vec<(User, Vec<String>, String)> {
    let name = registry.name();
    let arguments = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let mut users = Vec::new();

    let words = ["--username", "ann", "--password", PASSWORD];
    users.push((
        User::new(),
        arguments(&words),
        "the command line".to_owned(),
    ));
    let words = ["--token", PASSWORD];
    users.push((
        User::new(),
        arguments(&words),
        "the command line".to_owned(),
    ));

    let user = User::new()
        .variable("DOCKER_USER", "ann")
        .variable("DOCKER_PASS", PASSWORD);
    let place = "the environment (DOCKER_USER, DOCKER_PASS)";
    users.push((user, Vec::new(), place.to_owned()));
    let user = User::new().variable("DOCKER_TOKEN", PASSWORD);
    users.push((
        user,
        Vec::new(),
        "the environment (DOCKER_TOKEN)".to_owned(),
    ));

    let user = User::new();
    let file = user.file(".docker/config.json", entry(&name, "docker"));
    users.push((user, Vec::new(), file.display().to_string()));

    let user = User::new();
    let file = user.file(".netrc", format!("default login ann password {PASSWORD}"));
    users.push((user, Vec::new(), file.display().to_string()));

    let user = User::new();
    let file = user.file("classic", format!("BEARER_TOKEN={PASSWORD}\n"));
    let words = ["-f", file.to_str().unwrap()];
    users.push((user, arguments(&words), file.display().to_string()));

    let user = User::new();
    let answer = format!(r#"printf '{{"Username":"ann","Secret":"{PASSWORD}"}}'"#);
    user.helper("fake", &answer);
    let file = user.file(".docker/config.json", r#"{"credsStore":"fake"}"#);
    let place = format!("docker-credential-fake, which {} names", file.display());
    users.push((user, Vec::new(), place));
    users
}

#[test]
fn a_denial_names_where_the_credentials_came_from() {
    for status in [401, 403] {
        let registry = Registry::start();
        registry.on_each(get(MANIFEST).repeatedly(), move |request| {
            match request.header("Authorization") {
                Some(_) => Answer::error(status, "DENIED")
                    .header("WWW-Authenticate", "Basic realm=\"Registry\""),
                None => Answer::challenge("Basic realm=\"Registry\""),
            }
        });
        for (user, arguments, place) in users(&registry) {
            let run = user.manifest(&registry).arguments(arguments);
            secretive(run.run().failed(4))
                .says(&format!(
                    "the registry denies access with the credentials from {place}"
                ))
                .says("hint: check the name, and that these credentials");
        }
    }
}

#[test]
fn a_denial_by_the_token_service_names_where_the_credentials_came_from() {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST).without("Authorization").repeatedly(),
        Answer::challenge(challenge(&registry.at("/token"))),
    );
    registry.on(
        get("/token").having("Authorization").repeatedly(),
        Answer::ok(r#"{"details":"incorrect username or password"}"#).with_status(401),
    );
    for (user, arguments, place) in users(&registry) {
        let is_for_token_services = place != "the environment (DOCKER_TOKEN)"
            && !arguments
                .iter()
                .any(|word| word == "--token" || word == "-f");
        if is_for_token_services {
            let run = user.manifest(&registry).arguments(arguments);
            secretive(run.run().failed(4)).says(&format!(
                "{} denies a token with the credentials from {place} \
                 (401 Unauthorized: incorrect username or password)",
                registry.at("/token")
            ));
        }
    }
}

#[test]
fn a_denial_without_credentials_says_so() {
    for (answer, says) in [
        (
            Answer::challenge("Basic realm=\"Registry\""),
            "the registry denies access without credentials",
        ),
        (
            Answer::error(403, "DENIED"),
            "the registry denies access without credentials (403 Forbidden: scripted (DENIED))",
        ),
    ] {
        let registry = Registry::start();
        registry.on(get(MANIFEST), answer);
        let outcome = User::new().manifest(&registry).run();
        outcome.failed(4).says(says).says("login-check");
    }
}

#[test]
fn a_denial_before_the_registry_asked_for_credentials_says_so() {
    let registry = Registry::start();
    registry.on(
        get(MANIFEST).without("Authorization"),
        Answer::error(403, "DENIED"),
    );
    // Nor at its base.
    registry.on(get("/v2/").without("Authorization"), Answer::ok("{}"));
    let user = User::new();
    let file = user.file(".docker/config.json", entry(&registry.name(), "docker"));
    secretive(user.manifest(&registry).run().failed(4)).says(&format!(
        "and does not ask for the credentials from {} (403 Forbidden",
        file.display()
    ));
}

#[test]
fn a_server_that_echoes_what_it_was_sent_is_not_quoted() {
    let echo = |request: &Request, status| {
        let body = serde_json::json!({
            "errors": [{"code": "ECHO", "message": request.header_text()}],
        });
        Answer::ok(body.to_string()).with_status(status)
    };
    for status in [400, 401, 403, 404] {
        let registry = Registry::start();
        registry.on_each(get(MANIFEST).repeatedly(), move |request| {
            match request.header("Authorization") {
                Some(_) => echo(request, status),
                None => Answer::challenge("Basic realm=\"Registry\""),
            }
        });
        let user = User::new();
        user.file(".docker/config.json", entry(&registry.name(), "docker"));
        let outcome = secretive(user.manifest(&registry).run());
        assert_ne!(outcome.code, Some(0), "{outcome}");

        let registry = Registry::start();
        registry.on(
            get(MANIFEST),
            Answer::challenge(challenge(&registry.at("/token"))),
        );
        registry.on_each(get("/token"), move |request| echo(request, status));
        user.file(".docker/config.json", entry(&registry.name(), "docker"));
        let outcome = secretive(user.manifest(&registry).run());
        assert_ne!(outcome.code, Some(0), "{outcome}");
    }
}
