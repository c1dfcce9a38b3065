//! Tokens: identity tokens that are posted, tokens that end in the middle, and answers that hold none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{
    IDENTITY, MANIFEST, User, basic, challenge, entry, identity, image, registry_with_tokens,
    secretive, serve_with_change,
};
use crate::support::scripted_registry::{Answer, Registry, get, post};

#[test]
fn an_identity_token_is_posted_for_a_bearer_token() {
    let from_helper = format!(r#"printf '{{"Username":"<token>","Secret":"{IDENTITY}"}}'"#);
    for helper in [None, Some(from_helper)] {
        let registry = registry_with_tokens("t1");
        registry.on(post("/token"), Answer::ok(r#"{"access_token":"t1"}"#));
        let user = User::new();
        match helper {
            Some(script) => {
                user.helper("fake", &script);
                user.file(".docker/config.json", r#"{"credsStore":"fake"}"#);
            }
            None => {
                user.file(".docker/config.json", identity(&registry));
            }
        }
        secretive(user.manifest(&registry).arguments(["-v"]).run().done());
        let requests = registry.requests();
        let request = requests.iter().find(|one| one.path() == "/token").unwrap();
        assert_eq!(request.target, "/token");
        assert_eq!(request.header("Authorization"), None);
        assert_eq!(
            request.header("Content-Type"),
            Some("application/x-www-form-urlencoded")
        );
        for (field, value) in [
            ("grant_type", "refresh_token"),
            ("service", "registry.example"),
            ("scope", "repository:team/app:pull"),
            ("client_id", "hocker"),
            ("refresh_token", IDENTITY),
        ] {
            assert_eq!(request.field(field), [value], "{field}");
        }
    }
}

#[test]
fn a_token_service_that_takes_no_post_is_asked_by_get() {
    for status in [404, 405] {
        let registry = registry_with_tokens("t1");
        registry.on(post("/token"), Answer::status(status));
        registry.on(
            get("/token").with(
                "Authorization",
                format!("Basic {}", STANDARD.encode(format!(":{IDENTITY}"))),
            ),
            Answer::ok(r#"{"token":"t1"}"#),
        );
        let user = User::new();
        user.file(".docker/config.json", identity(&registry));
        secretive(user.manifest(&registry).run().done());
    }
}

#[test]
fn a_posted_identity_token_follows_within_the_token_service() {
    for status in [301, 302, 307, 308] {
        let registry = registry_with_tokens("t0ken");
        registry.on(post("/token"), Answer::redirect(status, "/token/"));
        registry.on(post("/token/"), Answer::ok(r#"{"token":"t0ken"}"#));
        let user = User::new();
        user.file(".docker/config.json", identity(&registry));
        secretive(user.manifest(&registry).run().done());
        let requests = registry.requests();
        let posted: Vec<_> = requests
            .iter()
            .map(|one| one.field("refresh_token"))
            .collect();
        let followed = posted.iter().filter(|token| *token == &[IDENTITY]).count();
        assert_eq!(followed, 2, "{status}");
    }
}

#[test]
fn a_posted_identity_token_follows_no_redirect_to_elsewhere() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Registry::start();
        let registry = Registry::start();
        registry.on(
            get(MANIFEST),
            Answer::challenge(challenge(&registry.at("/token"))),
        );
        registry.on(
            post("/token"),
            Answer::redirect(status, elsewhere.at("/token")),
        );
        let user = User::new();
        user.file(".docker/config.json", identity(&registry));
        secretive(user.manifest(&registry).run().failed(7));
        assert!(elsewhere.requests().is_empty());
    }
}

#[test]
fn a_refused_identity_token_is_denied_with_its_place() {
    for status in [400, 401, 403] {
        let registry = Registry::start();
        registry.on(
            get(MANIFEST),
            Answer::challenge(challenge(&registry.at("/token"))),
        );
        registry.on(post("/token"), Answer::error(status, "DENIED"));
        let user = User::new();
        let path = user.file(".docker/config.json", identity(&registry));
        secretive(user.manifest(&registry).run().failed(4))
            .says(&format!("with the credentials from {}", path.display()));
    }
}

#[test]
fn a_registry_token_is_sent_as_it_is() {
    let registry = registry_with_tokens("ready-made");
    let user = User::new();
    let name = registry.name();
    user.file(
        ".docker/config.json",
        format!(r#"{{"auths":{{"{name}":{{"registrytoken":"ready-made"}}}}}}"#),
    );
    user.manifest(&registry)
        .run()
        .done()
        .never_says("ready-made");
}

#[test]
fn a_token_answer_is_never_quoted() {
    for body in [
        r#""hunter2""#,
        r#"{"token":{"hunter2":1}}"#,
        r#"["hunter2"]"#,
        "hunter2",
    ] {
        let registry = Registry::start();
        registry.on(
            get(MANIFEST),
            Answer::challenge(challenge(&registry.at("/token"))),
        );
        registry.on(get("/token"), Answer::ok(body));
        secretive(User::new().manifest(&registry).run().failed(7)).says("contains no token");
    }
}

#[test]
fn lifetimes_of_any_kind_do_no_harm() {
    for lifetime in [
        "60",
        "0",
        "-1",
        "null",
        "\"300\"",
        "1.5",
        "18446744073709551615",
    ] {
        let registry = registry_with_tokens("t1");
        registry.on(
            get("/token"),
            Answer::ok(format!(r#"{{"token":"t1","expires_in":{lifetime}}}"#)),
        );
        User::new().manifest(&registry).run().done();
    }
}

#[test]
fn a_token_that_ends_in_the_middle_is_replaced_once() {
    // Harbor and others, sent an old token, may answer with a challenge that is of no use, or none.
    for change in [
        "Bearer realm=\"REALM\",error=\"invalid_token\"",
        "Bearer error=\"invalid_token\"",
        "Basic realm=\"harbor\"",
        "",
    ] {
        let registry = Registry::start();
        let challenge = change.replace("REALM", &registry.at("/token"));
        serve_with_change(&registry, "Bearer t1", "Bearer t2", &challenge);
        registry.on(
            get("/token"),
            Answer::ok(r#"{"token":"t1","expires_in":300}"#),
        );
        registry.on(
            get("/token"),
            Answer::ok(r#"{"token":"t2","expires_in":300}"#),
        );
        let user = User::new();
        image(&user, &registry, &user.path("image.tar"))
            .run()
            .done();
        let tokens = registry
            .requests()
            .iter()
            .filter(|one| one.path() == "/token")
            .count();
        assert_eq!(tokens, 2, "{change}");
    }
}

#[test]
fn a_password_that_is_asked_for_after_an_old_token_is_sent() {
    let registry = Registry::start();
    serve_with_change(
        &registry,
        "Bearer t1",
        &basic("docker"),
        "Basic realm=\"harbor\"",
    );
    registry.on(get("/token"), Answer::ok(r#"{"token":"t1"}"#));
    let user = User::new();
    user.file(".docker/config.json", entry(&registry.name(), "docker"));
    secretive(
        image(&user, &registry, &user.path("image.tar"))
            .run()
            .done(),
    );
}

#[test]
fn an_identity_token_that_is_replaced_is_used_from_then_on() {
    let registry = Registry::start();
    let challenge = format!("Bearer realm=\"{}\"", registry.at("/token"));
    serve_with_change(&registry, "Bearer t1", "Bearer t2", &challenge);
    registry.on(
        post("/token"),
        Answer::ok(r#"{"access_token":"t1","refresh_token":"second"}"#),
    );
    registry.on(post("/token"), Answer::ok(r#"{"access_token":"t2"}"#));
    let user = User::new();
    user.file(".docker/config.json", identity(&registry));
    secretive(
        image(&user, &registry, &user.path("image.tar"))
            .run()
            .done(),
    );
    let posted: Vec<_> = registry
        .requests()
        .iter()
        .filter(|one| one.path() == "/token")
        .flat_map(|one| one.field("refresh_token"))
        .collect();
    assert_eq!(posted, [IDENTITY, "second"]);
}
