//! The files and variables in which credentials are found, and their order.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{PASSWORD, User, basic, entry, last_authorization, registry_with_password, secretive};
use crate::support::scripted_registry::Registry;

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

    let auths = entry(&name, "variable");
    user = user.variable("DOCKER_AUTH_CONFIG", auths);
    let place = "the environment (DOCKER_AUTH_CONFIG)";
    expect(&user, &[], Some("variable"), place);

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
            .says(&format!("cannot read credentials from {}", path.display()));
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
            .says(&format!("cannot read credentials from {}", path.display()));
    }
    // As after `docker logout`.
    let registry = registry_with_password();
    let user = User::new();
    let directory = user.home.path().to_owned();
    let user = user.variable("DOCKER_CONFIG", directory);
    user.manifest(&registry).run().failed(4);
}

#[test]
fn dockers_variable_is_for_the_registries_that_it_names() {
    let registry = registry_with_password();
    let name = registry.name();
    let file = |user: User| {
        user.file(".docker/config.json", entry(&name, "file"));
        user
    };
    let login = |value: &str| {
        let user = file(User::new()).variable("DOCKER_AUTH_CONFIG", value);
        secretive(user.manifest(&registry).run().done());
        last_authorization(&registry).unwrap()
    };
    let own = entry(&name, "variable");
    assert_eq!(login(&own), basic("variable"));
    assert_eq!(login(&own.replacen("auths", "AUTHS", 1)), basic("variable"));
    assert_eq!(login(&entry("ghcr.io", "variable")), basic("file"));
    assert_eq!(login(""), basic("file"));
    // Docker passes over what has other keys or is no JSON, and says so.
    let others = own.replacen('{', r#"{"credsStore":"x","#, 1);
    for value in [&others, "hunter2", &format!("{own}{own}")] {
        assert_eq!(login(value), basic("file"), "{value}");
        let user = User::new().variable("DOCKER_AUTH_CONFIG", value);
        secretive(user.manifest(&registry).run().failed(4)).says(&format!(
            "no credentials for {name} from the environment (DOCKER_AUTH_CONFIG): the value may contain only `auths`"
        ));
    }
}

#[test]
fn files_are_read_as_docker_reads_them() {
    let registry = registry_with_password();
    let name = registry.name();
    let own = entry(&name, "docker");
    let auth = STANDARD.encode(format!("docker:{PASSWORD}"));
    let wrapped = format!("{}\\r\\n{}\\n", &auth[..8], &auth[8..]);
    for (text, login) in [
        (String::new(), None),
        ("\n".to_owned(), None),
        (own.replace(&auth, &wrapped), Some("docker")),
        (own.replacen("auths", "Auths", 1), Some("docker")),
        (own.replacen("\"auth\"", "\"AUTH\"", 1), Some("docker")),
        (format!("{own}\n{{\"auths\""), Some("docker")),
        (
            own.replacen(
                '{',
                &format!(r#"{{"credsStore":"x","credHelpers":{{"{name}":null}},"#),
                1,
            ),
            Some("docker"),
        ),
    ] {
        let user = User::new();
        user.file(".docker/config.json", &text);
        let run = user.manifest(&registry).arguments(["-v"]).run();
        let outcome = secretive(if login.is_some() {
            run.done()
        } else {
            run.failed(4)
        });
        outcome.never_says("docker-credential-x");
        assert_eq!(last_authorization(&registry), login.map(basic), "{text}");
    }
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_and_one_on_the_command_line_is_read() {
    let registry = registry_with_password();
    for (name, variable) in [
        (".docker/config.json", None),
        (".config/containers/auth.json", None),
        (".netrc", None),
        ("auth.json", Some("REGISTRY_AUTH_FILE")),
        ("netrc", Some("NETRC")),
    ] {
        let mut user = User::new();
        let path = user.file(name, "");
        fs::remove_file(&path).unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        if let Some(variable) = variable {
            user = user.variable(variable, &path);
        }
        user.manifest(&registry)
            .run()
            .failed(1)
            .says(&format!("cannot read credentials from {}", path.display()))
            .says("caused by: not a regular file");
    }
    let user = User::new();
    user.manifest(&registry)
        .arguments(["-f", "/dev/stdin"])
        .input(format!("USERNAME=piped\nPASSWORD={PASSWORD}\n"))
        .run()
        .done();
    assert_eq!(last_authorization(&registry), Some(basic("piped")));
}
