//! Credentials: where they are found, in which order, what helpers and token services are told, and that nobody
//! else hears them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use crate::support::hocker::{Outcome, Run, hocker};
use crate::support::image::{blob_answer, blob_path, digest, small};
use crate::support::scripted_registry::{Answer, Registry, Request, get, post};

const MANIFEST: &str = "/v2/team/app/manifests/1";
/// The password of every user in these tests.
const PASSWORD: &str = "hunter2";
const IDENTITY: &str = "identity/t0ken==";

/// A user's files, and the variables that lead to them.
struct User {
    home: TempDir,
    variables: Vec<(&'static str, PathBuf)>,
}

impl User {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn variable(mut self, name: &'static str, value: impl Into<PathBuf>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Installs a credential helper. The file is written by another process: while this one had it open for
    /// writing, a test beside this one could start a program that inherits it, and then it cannot be run.
    fn helper(&self, name: &str, script: &str) {
        let directory = self.path("bin");
        fs::create_dir_all(&directory).unwrap();
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(directory.join(format!("docker-credential-{name}")))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        write!(shell.stdin.take().unwrap(), "#!/bin/sh\n{script}\n").unwrap();
        assert!(shell.wait().unwrap().success());
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let run = hocker(arguments)
            .env("HOME", self.home.path())
            .env("PATH", path);
        self.variables
            .iter()
            .fold(run, |run, (name, value)| run.env(name, value))
    }

    fn manifest(&self, registry: &Registry) -> Run {
        self.run(&["manifest", &format!("{}/team/app:1", registry.name())])
    }
}

fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{PASSWORD}")))
}

/// A docker configuration with one entry.
fn entry(key: &str, user: &str) -> String {
    let auth = STANDARD.encode(format!("{user}:{PASSWORD}"));
    format!(r#"{{"auths":{{"{key}":{{"auth":"{auth}"}}}}}}"#)
}

/// A registry that lets in whoever has a password.
fn registry_with_password() -> Registry {
    let registry = Registry::start();
    let image = small();
    registry.on_each(get(MANIFEST).repeatedly(), move |request| {
        match request.header("Authorization") {
            Some(_) => image.manifest_answer(),
            None => Answer::challenge("Basic realm=\"Registry\""),
        }
    });
    registry
}

/// A registry that wants the token `good`, which `/token` gives out.
fn registry_with_tokens(good: &str) -> Registry {
    let registry = Registry::start();
    let image = small();
    registry.on(
        get(MANIFEST).with("Authorization", format!("Bearer {good}")),
        image.manifest_answer(),
    );
    registry.on(
        get(MANIFEST).without("Authorization").perhaps(),
        Answer::challenge(challenge(&registry.at("/token"))),
    );
    registry
}

fn challenge(realm: &str) -> String {
    format!(
        "Bearer realm=\"{realm}\",service=\"registry.example\",scope=\"repository:team/app:pull\""
    )
}

/// Nothing of what is secret, as text or in base64, as words or in a header.
#[track_caller]
fn secretive(outcome: Outcome) -> Outcome {
    outcome
        .never_says(PASSWORD)
        .never_says(IDENTITY)
        .never_says(&STANDARD.encode(format!("docker:{PASSWORD}")))
}

/// What the last request was sent with.
fn last_authorization(registry: &Registry) -> Option<String> {
    let requests = registry.requests();
    requests
        .last()
        .and_then(|request| request.header("Authorization"))
        .map(str::to_owned)
}

#[test]
fn credentials_are_taken_from_the_first_place_that_has_some() {
    // From the last to the first: each one that is added wins over those before.
    let registry = registry_with_password();
    let name = registry.name();
    let host = name.split(':').next().unwrap();
    let mut user = User::new();
    let expect = |user: &User, arguments: &[&str], login: Option<&str>, place: &str| {
        let outcome = secretive(
            user.manifest(&registry)
                .arguments(arguments)
                .arguments(["-v"])
                .run(),
        );
        let said = match login {
            Some(_) => format!("using credentials for {name} from {place}"),
            None => format!("no credentials for {name} "),
        };
        outcome.says(&said);
        assert_eq!(last_authorization(&registry), login.map(basic), "{place}");
    };
    expect(&user, &[], None, "");

    let path = user.file(
        ".netrc",
        format!("machine {host} login home-netrc password {PASSWORD}"),
    );
    expect(&user, &[], Some("home-netrc"), path.to_str().unwrap());
    let path = user.file(
        "my-netrc",
        format!("default login netrc password \"{PASSWORD}\""),
    );
    user = user.variable("NETRC", &path);
    expect(&user, &[], Some("netrc"), path.to_str().unwrap());

    let path = user.file(
        ".config/containers/auth.json",
        entry(&name, "home-containers"),
    );
    expect(&user, &[], Some("home-containers"), path.to_str().unwrap());
    let path = user.file("config/containers/auth.json", entry(&name, "containers"));
    let configuration = user.path("config");
    user = user.variable("XDG_CONFIG_HOME", configuration);
    expect(&user, &[], Some("containers"), path.to_str().unwrap());
    let path = user.file("run/containers/auth.json", entry(&name, "runtime"));
    let runtime = user.path("run");
    user = user.variable("XDG_RUNTIME_DIR", runtime);
    expect(&user, &[], Some("runtime"), path.to_str().unwrap());

    let path = user.file(
        ".docker/config.json",
        entry(&format!("http://{name}/v2/"), "home-docker"),
    );
    expect(&user, &[], Some("home-docker"), path.to_str().unwrap());
    let path = user.file("docker/config.json", entry(&name, "docker"));
    let directory = user.path("docker");
    user = user.variable("DOCKER_CONFIG", directory);
    expect(&user, &[], Some("docker"), path.to_str().unwrap());

    let path = user.file("auth.json", entry(&name, "auth-file"));
    user = user.variable("REGISTRY_AUTH_FILE", &path);
    expect(&user, &[], Some("auth-file"), path.to_str().unwrap());

    user = user
        .variable("DOCKER_USER", "environment")
        .variable("DOCKER_PASS", PASSWORD);
    expect(
        &user,
        &[],
        Some("environment"),
        "the environment (DOCKER_USER, DOCKER_PASS)",
    );

    let path = user.file(
        "classic",
        format!("USERNAME=classic\nPASSWORD={PASSWORD}\n"),
    );
    let path = path.to_str().unwrap();
    expect(&user, &["-f", path], Some("classic"), path);
    let arguments = ["-u", "arguments", "-p", PASSWORD];
    expect(&user, &arguments, Some("arguments"), "the command line");
}

#[test]
fn a_file_without_this_registry_is_passed_over() {
    let registry = registry_with_password();
    let user = User::new();
    user.file(".docker/config.json", entry("ghcr.io", "other"));
    user.file(
        ".netrc",
        format!("machine ghcr.io login other password {PASSWORD}\nmachine 127.0.0.1 login ann password {PASSWORD}"),
    );
    secretive(user.manifest(&registry).run().done());
    assert_eq!(last_authorization(&registry), Some(basic("ann")));
}

#[test]
fn nothing_is_said_of_credentials_unless_asked() {
    let registry = registry_with_password();
    let user = User::new();
    user.file(".docker/config.json", entry(&registry.name(), "docker"));
    let outcome = secretive(user.manifest(&registry).run().done());
    assert_eq!(outcome.stderr, "");
}

#[test]
fn keys_for_repositories_win_over_those_for_the_registry() {
    let registry = registry_with_password();
    let name = registry.name();
    let user = User::new();
    let entries = [
        ("", "host"),
        ("/team", "team"),
        ("/team/app", "app"),
        ("/team/ap", "no"),
    ]
    .map(|(path, user)| {
        let auth = STANDARD.encode(format!("{user}:{PASSWORD}"));
        format!(r#""{name}{path}":{{"auth":"{auth}"}}"#)
    });
    let text = format!(r#"{{"auths":{{{}}}}}"#, entries.join(","));
    let path = user.file("auth.json", text);
    let user = user.variable("REGISTRY_AUTH_FILE", path);
    user.manifest(&registry).run().done();
    assert_eq!(last_authorization(&registry), Some(basic("app")));
}

#[test]
fn a_helper_is_told_the_server_and_asked_for_what_it_keeps() {
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

#[test]
fn a_helper_that_is_not_installed_stops_nobody_and_is_told() {
    let open = Registry::start();
    open.on(get(MANIFEST).repeatedly(), small().manifest_answer());
    open.on(get("/v2/").repeatedly(), Answer::ok(""));
    let closed = registry_with_password();
    for config in [
        r#"{"credsStore":"fake"}"#.to_owned(),
        // As after `docker login` with the helper, which is not here.
        format!(
            r#"{{"auths":{{"{0}":{{}},"{1}":{{}}}},"credsStore":"fake"}}"#,
            open.name(),
            closed.name()
        ),
        format!(
            r#"{{"credHelpers":{{"{}":"fake","{}":"fake"}}}}"#,
            open.name(),
            closed.name()
        ),
    ] {
        let user = User::new();
        let file = user.file(".docker/config.json", config);
        let note = format!(
            "no credentials from docker-credential-fake, which {} names: it is not installed\n",
            file.display()
        );
        user.manifest(&open).run().done().says(&note);
        let checked = user.run(&["login-check", &open.name()]).run().text();
        let line = "config.json: names docker-credential-fake, which is not installed\n";
        assert!(checked.contains(line), "{checked}");
        user.manifest(&closed)
            .run()
            .failed(4)
            .says(&note)
            .says("the registry denies access without credentials");
        // The search goes on.
        user.file(
            ".config/containers/auth.json",
            entry(&closed.name(), "next"),
        );
        user.manifest(&closed).run().done().says(&note);
        assert_eq!(last_authorization(&closed), Some(basic("next")));
    }
}

#[test]
fn helpers_that_fail_are_told_with_their_file_and_never_with_a_secret() {
    for (script, says) in [
        ("echo no keyring; exit 3", "(exit status: 3): no keyring"),
        ("echo hunter2", "docker-credential-fake answers"),
        (
            "echo '{\"Secret\":\"hunter2\"}'; exit 1",
            "(exit status: 1)",
        ),
    ] {
        let registry = Registry::start();
        let user = User::new();
        user.helper("fake", script);
        let file = user.file(".docker/config.json", r#"{"credsStore":"fake"}"#);
        secretive(user.manifest(&registry).run().failed(1))
            .says(&format!("cannot take credentials from {}", file.display()))
            .says(says);
    }
}

#[test]
fn a_helpers_name_leads_to_no_other_directory() {
    let registry = Registry::start();
    let user = User::new();
    let touched = user.path("touched");
    user.helper("x", &format!("touch '{}'", touched.display()));
    fs::create_dir(user.path("bin/docker-credential-")).unwrap();
    user.file(
        ".docker/config.json",
        r#"{"credsStore":"/../docker-credential-x"}"#,
    );
    user.manifest(&registry)
        .run()
        .failed(1)
        .says("not a plain word");
    assert!(!touched.exists());
}

#[test]
fn files_that_cannot_be_used_are_named_and_never_quoted() {
    let registry = Registry::start();
    for (name, text) in [
        (".docker/config.json", "hunter2"),
        (".docker/config.json", r#"{"auths":["hunter2"]}"#),
        (
            ".config/containers/auth.json",
            r#"{"auths":{"x":"hunter2"}}"#,
        ),
        (".netrc", "machine x login y password \"hunter2"),
    ] {
        let user = User::new();
        let path = user.file(name, text);
        secretive(user.manifest(&registry).run().failed(1))
            .says(&format!("cannot take credentials from {}", path.display()));
    }
}

#[test]
fn a_file_that_a_variable_names_must_be_there() {
    let registry = Registry::start();
    for variable in ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "NETRC"] {
        let user = User::new();
        let path = user.path("nowhere");
        let user = user.variable(variable, &path);
        user.manifest(&registry)
            .run()
            .failed(1)
            .says(&format!("cannot take credentials from {}", path.display()));
    }
    // As after `docker logout`.
    let registry = registry_with_password();
    let user = User::new();
    let directory = user.home.path().to_owned();
    let user = user.variable("DOCKER_CONFIG", directory);
    user.manifest(&registry).run().failed(4);
}

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
fn a_denial_of_nobody_says_so() {
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

/// A docker configuration with an identity token.
fn identity(registry: &Registry) -> String {
    let name = registry.name();
    format!(r#"{{"auths":{{"{name}":{{"auth":"YW5uOg==","identitytoken":"{IDENTITY}"}}}}}}"#)
}

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
        secretive(User::new().manifest(&registry).run().failed(7)).says("holds no token");
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

/// Serves an image whose blobs are refused with `challenge` while they are asked for with `old`.
fn serve_with_change(registry: &Registry, old: &str, new: &str, challenge: &str) {
    let image = small();
    let manifest = image.manifest_answer();
    let first = format!("Bearer realm=\"{}\"", registry.at("/token"));
    let allowed = old.to_owned();
    registry.on_each(get(MANIFEST).repeatedly(), move |request| {
        if request.header("Authorization") == Some(&allowed) {
            manifest.clone()
        } else {
            Answer::challenge(&first)
        }
    });
    let layers = image.layers.iter().map(|layer| &layer.blob);
    for blob in std::iter::once(&image.config).chain(layers) {
        let (answer, new, challenge) = (blob_answer(blob), new.to_owned(), challenge.to_owned());
        let path = blob_path("team/app", &digest(blob));
        registry.on_each(get(path).repeatedly(), move |request| {
            if request.header("Authorization") == Some(&new) {
                answer.clone()
            } else {
                Answer::challenge(&challenge)
            }
        });
    }
}

fn image(user: &User, registry: &Registry, out: &Path) -> Run {
    let reference = format!("{}/team/app:1", registry.name());
    user.run(&["image", "--out", out.to_str().unwrap(), &reference])
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
        .says(&format!("{}, which is not here", nowhere.display()))
        .says("hint: check the name")
        .says("files in extra-sandbox-paths")
        .never_says("--password-stdin");
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
