//! No way of giving a secret ends in an error that shows it. Each row gives a marked secret in a form that something
//! cannot take, and all that the program then prints is searched for the mark.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{MANIFEST, User};
use crate::support::hocker::{Outcome, Run};
use crate::support::image::{blob_path, digest, small};
use crate::support::scripted_registry::{Answer, Registry, Request, get, head, post};

/// The mark. It needs no escaping anywhere.
const MARK: &str = "m4rk3d.hunter2";

/// Neither the mark nor a form of it, nor a part that a parser may quote.
#[track_caller]
fn fails_without_the_mark(outcome: &Outcome, row: &str) {
    assert_ne!(outcome.code, Some(0), "{row}: {outcome}");
    let said = format!("{}{}", outcome.text(), outcome.stderr);
    let encoded = ["", ":", "ann:"].map(|before| STANDARD.encode(format!("{before}{MARK}")));
    let encoded = encoded.iter().map(|text| text.trim_end_matches('='));
    for mark in ["m4rk3d", "hunter2"].into_iter().chain(encoded) {
        assert!(!said.contains(mark), "{row} shows {mark}: {outcome}");
    }
}

/// A blob that a builder asks for.
const BLOB: &str = "sha256:01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b";

/// A registry that denies everything.
fn closed() -> Registry {
    let registry = Registry::start();
    let challenge = Answer::challenge("Basic realm=\"Registry\"");
    let blob = get(blob_path("team/app", BLOB));
    for expect in [get(MANIFEST), head(MANIFEST), get("/v2/"), blob] {
        registry.on(expect.perhaps(), challenge.clone());
    }
    registry
}

/// All commands that look for credentials, for a user, and a build.
fn runs(user: &User, registry: &Registry) -> Vec<Run> {
    let build = user
        .run(&["builder"])
        .env("out", user.path("out"))
        .env("registry", registry.url())
        .env("repository", "team/app")
        .env("outputHash", BLOB);
    let mut runs = commands(user, registry);
    runs.push(build);
    runs
}

/// All commands that look for credentials, for a user.
fn commands(user: &User, registry: &Registry) -> Vec<Run> {
    let name = registry.name();
    let image = format!("{name}/team/app:1");
    [
        &["manifest", &image][..],
        &["manifest", "--verbose", &image],
        &["login-check", &image],
        &["lock", "add", &image],
    ]
    .into_iter()
    .map(|arguments| user.run(arguments).in_directory(user.home.path()))
    .collect()
}

/// Texts that are no docker configuration, or one that cannot be used for the registry.
fn configurations(name: &str) -> Vec<String> {
    let whole = STANDARD.encode(format!("ann:{MARK}"));
    let no_colon = STANDARD.encode(MARK);
    let nameless = STANDARD.encode(format!(":{MARK}"));
    let entry = |entry: &str| format!(r#"{{"auths":{{"{name}":{entry}}}}}"#);
    vec![
        MARK.to_owned(),
        format!(r#""{MARK}""#),
        format!(r#"{{"{MARK}"#),
        format!(r#"{{"auths":"{MARK}"}}"#),
        format!(r#"{{"auths":{{"{name}":{{"auth":"{whole}"#),
        format!(r#"{{"credsStore":["{MARK}"]}}"#),
        format!(r#"{{"credHelpers":{{"{name}":{{"{MARK}":1}}}}}}"#),
        entry(&format!(r#""{MARK}""#)),
        entry(&format!(r#"["{MARK}"]"#)),
        entry(&format!(r#"{{"auth":"{MARK}"}}"#)),
        entry(&format!(r#"{{"auth":"{no_colon}"}}"#)),
        entry(&format!(r#"{{"auth":"{nameless}"}}"#)),
        entry(&format!(r#"{{"auth":["{whole}"]}}"#)),
        entry(&format!(r#"{{"auth":"{whole}\q"}}"#)),
        entry(&format!(r#"{{"password":{{"{MARK}":1}}}}"#)),
        entry(&format!(r#"{{"identitytoken":["{MARK}"]}}"#)),
        entry(&format!(r#"{{"registrytoken":"{MARK}\n"}}"#)),
        entry(&format!(r#"{{"username":"ann","password":"{MARK}"}}"#)),
    ]
}

#[test]
fn no_file_is_quoted_whatever_is_wrong_with_it() {
    let registry = closed();
    let name = registry.name();
    let host = name.split(':').next().unwrap();
    let texts = configurations(&name);
    let mut rows: Vec<(&str, Option<&str>, &str)> = Vec::new();
    for text in &texts {
        rows.push((".docker/config.json", None, text));
        rows.push(("auth.json", Some("REGISTRY_AUTH_FILE"), text));
    }
    let netrc = [
        format!("machine {host} login ann password \"{MARK}"),
        format!("machine {host} login ann password \"{MARK}\\"),
        format!("machine {host} login ann password {MARK}\0\u{1b}"),
        format!("machine {host} password {MARK} login"),
    ];
    for text in &netrc {
        rows.push((".netrc", None, text));
        rows.push(("netrc", Some("NETRC"), text));
    }
    for (file, variable, text) in rows {
        let mut user = User::new();
        let path = user.file(file, text);
        if let Some(variable) = variable {
            user = user.variable(variable, path);
        }
        for run in runs(&user, &registry) {
            fails_without_the_mark(&run.run(), &format!("{file} {text}"));
        }
    }
}

#[test]
fn no_classic_file_is_quoted_whatever_is_wrong_with_it() {
    let registry = closed();
    for text in [
        MARK.to_owned(),
        format!("USERNAME=ann\n{MARK}\n"),
        format!("PASSWORD={MARK}\n"),
        format!("USERNAME=ann\nPASSWORD={MARK}\n"),
        format!("BEARER_TOKEN={MARK}\n"),
        format!("BEARER_TOKEN={MARK}\u{7f}\u{1}\n"),
    ] {
        let user = User::new();
        let path = user.file("classic", &text);
        for run in commands(&user, &registry) {
            let run = run.arguments(["-f", path.to_str().unwrap()]);
            fails_without_the_mark(&run.run(), &text);
        }
    }
}

#[test]
fn no_helper_is_quoted_where_it_could_tell_a_secret() {
    let registry = closed();
    let answer = format!(r#"{{"Username":"ann","Secret":"{MARK}"}}"#);
    for script in [
        format!("echo '{answer}'"),
        format!("echo '{answer}'; exit 1"),
        format!("echo '{answer}' >&2; exit 1"),
        format!("echo '{{'; echo '\"Secret\": \"{MARK}\"'; exit 1"),
        format!("echo '{MARK}'"),
        format!("echo '[\"{MARK}\"]'"),
        format!("echo '{{\"Username\":\"ann\",\"Secret\":[\"{MARK}\"]}}'"),
        format!("echo '{{\"Username\":\"ann\",\"Secret\":\"{MARK}'"),
        format!("echo '{{\"Username\":\"<token>\",\"Secret\":\"{MARK}\"}}'"),
        format!("echo 'the secret is \"password\": \"{MARK}\"'; exit 1"),
        format!("echo 'TOKEN={MARK}' >&2; exit 2"),
        format!("echo 'cannot reach https://ann:{MARK}@vault.example/'; exit 1"),
        format!("echo {MARK}; exec cat /dev/zero"),
    ] {
        let user = User::new();
        user.helper("fake", &script);
        user.file(".docker/config.json", r#"{"credsStore":"fake"}"#);
        for run in runs(&user, &registry) {
            fails_without_the_mark(&run.run(), &script);
        }
    }
    let user = User::new();
    user.file(
        ".docker/config.json",
        format!(r#"{{"credsStore":"{MARK}/../x"}}"#),
    );
    for run in runs(&user, &registry) {
        fails_without_the_mark(&run.run(), "the helper's name");
    }
}

#[test]
fn no_variable_is_quoted_whatever_is_wrong_with_it() {
    let registry = closed();
    let url = format!("https://ann:{MARK}@[x");
    let proxy = format!("http://ann:{MARK}@127.0.0.1:1");
    let mut rows: Vec<Vec<(&'static str, String)>> = configurations(&registry.name())
        .into_iter()
        .map(|text| vec![("DOCKER_AUTH_CONFIG", text)])
        .collect();
    rows.extend([
        vec![("DOCKER_TOKEN", MARK.to_owned())],
        vec![("DOCKER_TOKEN", format!("{MARK}\n"))],
        vec![
            ("DOCKER_USER", "ann".to_owned()),
            ("DOCKER_PASS", format!("{MARK}\n")),
        ],
        vec![("HOCKER_MIRRORS", format!("docker.io={url}"))],
        vec![(
            "HOCKER_MIRRORS",
            format!("docker.io=ftp://ann:{MARK}@r.example"),
        )],
        vec![("http_proxy", url.clone())],
        vec![("http_proxy", proxy.clone())],
        vec![("all_proxy", format!("gopher://ann:{MARK}@127.0.0.1:1"))],
        vec![("https_proxy", format!("ann:{MARK}@127.0.0.1:1"))],
    ]);
    for row in rows {
        let user = row.iter().fold(User::new(), |user, (name, value)| {
            user.variable(name, value)
        });
        for run in runs(&user, &registry) {
            fails_without_the_mark(&run.run(), &format!("{row:?}"));
        }
    }
    // Proxies are for what is not on this machine.
    for (name, value, url) in [
        ("http_proxy", &proxy, "http://r.example/v2/"),
        ("http_proxy", &url, "http://r.example/v2/"),
        ("https_proxy", &proxy, "https://r.example/v2/"),
        ("https_proxy", &url, "https://r.example/v2/"),
    ] {
        let user = User::new().variable(name, value);
        let run = user.run(&[
            "manifest",
            "--retries",
            "0",
            "--registry",
            url,
            "team/app",
            "1",
        ]);
        fails_without_the_mark(&run.run(), &format!("{name}={value}"));
    }
}

#[test]
fn no_argument_that_may_be_a_secret_is_quoted() {
    let registry = closed();
    let name = registry.name();
    let image = format!("{name}/team/app:1");
    let url = format!("http://ann:{MARK}@{name}/v2/");
    let equals = |option: &str| format!("--{option}={MARK}");
    let (password, token) = (equals("password"), equals("token"));
    let user_url = format!("https://ann:{MARK}@{name}/");
    let mirror = format!("docker.io={url}");
    for arguments in [
        &["-u", "ann", "-p", MARK, &image][..],
        &["-u", "ann", &password, "--nonsense", &image],
        &["-u", "ann", &password, "--password-stdin", &image],
        &["-u", "ann", &password, &token, &image],
        &[&password, &image],
        &["-t", MARK, &image],
        &["-t", &format!("{MARK}\n"), &image],
        &["-t", MARK, "-f", "x", &image],
        &["--username", &user_url, "--password-stdin", &image],
        &["--username", &user_url, &image],
        &["--registry", &url, "team/app", "1"],
        &["--registry", &url["http://".len()..], "team/app", "1"],
        &["--registry", &format!("ftp://ann:{MARK}@x"), "team/app"],
        &["--mirror", &mirror, &image],
        &["--mirror", &url, &image],
        &["-u", "ann", "-p", MARK, &url],
        &[&user_url],
        &[&user_url["https://".len()..]],
    ] {
        for command in [&["manifest"][..], &["login-check"], &["lock", "add"]] {
            let user = User::new();
            let run = user.run(command).arguments(arguments);
            let run = run.in_directory(user.home.path());
            fails_without_the_mark(&run.run(), &format!("{command:?} {arguments:?}"));
        }
    }
}

#[test]
fn no_password_on_standard_input_is_quoted() {
    let registry = closed();
    let image = format!("{}/team/app:1", registry.name());
    for input in [
        MARK.as_bytes().to_vec(),
        [MARK.as_bytes(), b"\xff\xfe"].concat(),
        MARK.repeat(10_000).into_bytes(),
    ] {
        let user = User::new();
        let run = user.run(&["manifest", "-u", "ann", "--password-stdin", &image]);
        let row = format!("{} bytes", input.len());
        fails_without_the_mark(&run.input(input).run(), &row);
    }
}

#[test]
fn no_answer_of_a_server_is_quoted_where_it_could_tell_a_secret() {
    let echo = |request: &Request| {
        let message = request.header_text() + &String::from_utf8_lossy(&request.body);
        let body = serde_json::json!({"errors": [{"code": "ECHO", "message": message}]});
        Answer::ok(body.to_string()).with_status(403)
    };
    let mut answers: Vec<Answer> = [
        format!(r#""{MARK}""#),
        MARK.to_owned(),
        format!(r#"{{"token":["{MARK}"]}}"#),
        format!(r#"{{"token":{{"{MARK}":1}}}}"#),
        format!(r#"{{"token":"{MARK}"#),
        format!(r#"{{"token":"{MARK}\n"}}"#),
        format!(r#"{{"access_token":"{MARK}","expires_in":{{"{MARK}":1}}}}"#),
    ]
    .into_iter()
    .map(Answer::ok)
    .collect();
    for location in [
        format!("https://ann:{MARK}@127.0.0.1:1/token"),
        format!("http://r.example/token?sig={MARK}"),
        format!("ftp://r.example/?sig={MARK}"),
    ] {
        answers.push(Answer::redirect(307, location));
    }
    let identity = |name: &str| format!(r#"{{"auths":{{"{name}":{{"identitytoken":"{MARK}"}}}}}}"#);
    let basic = |name: &str| {
        let auth = STANDARD.encode(format!("ann:{MARK}"));
        format!(r#"{{"auths":{{"{name}":{{"auth":"{auth}"}}}}}}"#)
    };
    for config in [&basic as &dyn Fn(&str) -> String, &identity] {
        for (row, answer) in answers.iter().map(Some).chain([None]).enumerate() {
            let registry = Registry::start();
            let realm = registry.at("/token");
            registry.on(
                get(MANIFEST).perhaps(),
                Answer::challenge(format!("Bearer realm=\"{realm}\",service=\"s\"")),
            );
            for expect in [get("/token"), post("/token")] {
                let answer = answer.cloned();
                registry.on_each(expect.perhaps(), move |request| {
                    answer.clone().unwrap_or_else(|| echo(request))
                });
            }
            let user = User::new();
            user.file(".docker/config.json", config(&registry.name()));
            let outcome = user
                .manifest(&registry)
                .arguments(["--retries", "0", "-v"])
                .run();
            fails_without_the_mark(&outcome, &format!("answer {row}"));
        }
    }
    for challenge in [
        format!("Bearer realm=\"http://ann:{MARK}@127.0.0.1:1/token\""),
        format!("Bearer realm=\"https://r.example/?secret={MARK}\",scope"),
        format!("Bearer realm=\"ftp://x/?secret={MARK}\""),
    ] {
        let registry = Registry::start();
        registry.on(get(MANIFEST).perhaps(), Answer::challenge(&*challenge));
        let outcome = User::new()
            .manifest(&registry)
            .arguments(["--retries", "0"])
            .run();
        fails_without_the_mark(&outcome, &challenge);
    }
}

#[test]
fn no_daemons_address_is_quoted_with_its_password() {
    for address in [
        format!("tcp://ann:{MARK}@127.0.0.1:1"),
        format!("tcp://ann:{MARK}@[x"),
        format!("ssh://ann:{MARK}@h.example"),
        format!("http://ann:{MARK}@127.0.0.1:1/x"),
        format!("ftp://ann:{MARK}@127.0.0.1:1"),
        format!("ann:{MARK}@127.0.0.1:1"),
    ] {
        let meta = format!(r#"{{"Name":"c","Endpoints":{{"docker":{{"Host":"{address}"}}}}}}"#);
        let of_option = User::new();
        let of_variable = User::new().variable("DOCKER_HOST", &address);
        let of_context = User::new().variable("DOCKER_CONTEXT", "c");
        let directory = digest(b"c").replace("sha256:", ".docker/contexts/meta/");
        of_context.file(&format!("{directory}/meta.json"), meta);
        for (user, options) in [
            (of_option, &["--host", &address][..]),
            (of_variable, &[]),
            (of_context, &[]),
        ] {
            let image = user.path("image");
            small().write_layout(&image, "x");
            let run = user.run(&["load", "--retries", "0", image.to_str().unwrap()]);
            fails_without_the_mark(&run.arguments(options).run(), &address);
        }
    }
}
