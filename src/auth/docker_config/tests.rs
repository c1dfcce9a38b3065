use super::*;
use proptest::prelude::*;

fn find(text: &str, registry: &str, repository: &str) -> Option<String> {
    DockerConfig::parse(text)
        .unwrap()
        .proof(
            &registry.parse().unwrap(),
            Some(&repository.parse().unwrap()),
        )
        .unwrap()
        .map(|proof| match proof {
            Proof::Basic { username, password } => format!("{username}:{}", password.expose()),
            Proof::Bearer(token) => format!("bearer {}", token.expose()),
            Proof::Identity(token) => format!("identity {}", token.expose()),
        })
}

#[test]
fn reads_each_kind_of_entry() {
    for (entry, expected) in [
        (r#"{"auth":"YW5uOnNlY3JldA=="}"#, Some("ann:secret")),
        // Without padding; wrapped; with bits to spare; a password with colons, and one padded with NUL.
        (r#"{"auth":"YW5uOnNlY3JldA"}"#, Some("ann:secret")),
        (r#"{"auth":"YW5uOnNl\r\nY3Jl\ndA==\n"}"#, Some("ann:secret")),
        (r#"{"auth":"YW5uOnNlY3JldB=="}"#, Some("ann:secret")),
        (r#"{"auth":"YW5uOmE6Yjpj"}"#, Some("ann:a:b:c")),
        (r#"{"auth":"YW5uOngAAA=="}"#, Some("ann:x")),
        // Without a password, as docker writes it with an identity token.
        (r#"{"auth":"YW5uOg=="}"#, None),
        (r#"{"auth":"YW5uOg==","password":"secret"}"#, None),
        (
            r#"{"username":"ann","password":"secret"}"#,
            Some("ann:secret"),
        ),
        (
            r#"{"auth":"YW5uOg==","identitytoken":"i"}"#,
            Some("identity i"),
        ),
        (
            r#"{"auth":"YW5uOng=","identitytoken":"","registrytoken":"r"}"#,
            Some("bearer r"),
        ),
        (r#"{"auth":"","email":"ann@example.com"}"#, None),
        (r#"{"username":"ann"}"#, None),
        ("{}", None),
        ("null", None),
    ] {
        let text = format!(r#"{{"auths":{{"r.example":{entry}}},"psFormat":"x"}}"#);
        assert_eq!(
            find(&text, "r.example", "a").as_deref(),
            expected,
            "{entry}"
        );
    }
}

#[test]
fn the_longest_key_that_holds_the_repository_wins() {
    let text = r#"{"auths":{
        "r.example": {"username": "host", "password": "x"},
        "r.example/team": {"username": "team", "password": "x"},
        "r.example/team/app": {"username": "app", "password": "x"},
        "r.example/team/empty": {},
        "docker.io/library": {"username": "library", "password": "x"}
    }}"#;
    for (registry, repository, user) in [
        ("r.example", "team/app", Some("app:x")),
        ("r.example", "team/app/deep", Some("app:x")),
        ("r.example", "team/application", Some("team:x")),
        ("r.example", "team/empty", Some("team:x")),
        ("r.example", "team", Some("team:x")),
        ("r.example", "teams/app", Some("host:x")),
        ("docker.io", "library/debian", Some("library:x")),
        ("docker.io", "other/debian", None),
    ] {
        assert_eq!(
            find(text, registry, repository).as_deref(),
            user,
            "{registry}/{repository}"
        );
    }
}

#[test]
fn of_two_spellings_the_one_that_docker_writes_wins() {
    let text = r#"{"auths":{
        "docker.io": {"auth": "YTpi"},
        "https://index.docker.io/v1/": {"auth": "Yzpk"},
        "https://index.docker.io/v1/access-token": {"auth": "ZTpm"}
    }}"#;
    assert_eq!(find(text, "docker.io", "a/b").as_deref(), Some("c:d"));
}

#[test]
fn the_helper_of_the_registry_wins_over_the_one_for_all() {
    let text = r#"{
        "credsStore": "store",
        "credHelpers": {
            "ghcr.io": "own", "quay.io": "", "gcr.io": null,
            "docker.io": "other", "https://index.docker.io/v1/": "hub"
        }
    }"#;
    for (text, registry, helper) in [
        (text, "ghcr.io", Some("own")),
        (text, "quay.io", None),
        (text, "docker.io", Some("hub")),
        (text, "gcr.io", None),
        (text, "r.example", Some("store")),
        (r#"{"credsStore":null,"credHelpers":null}"#, "ghcr.io", None),
        ("{}", "ghcr.io", None),
        (r#"{"credsStore":""}"#, "ghcr.io", None),
    ] {
        let config = DockerConfig::parse(text).unwrap();
        assert_eq!(
            config.helper(&registry.parse().unwrap()),
            helper,
            "{registry}"
        );
    }
}

#[test]
fn files_are_read_as_docker_reads_them() {
    let good = r#""r.example":{"auth":"YTpi"}"#;
    for (text, expected) in [
        (String::new(), None),
        (" \n".to_owned(), None),
        ("null".to_owned(), None),
        ("{}".to_owned(), None),
        (r#"{"auths":null}"#.to_owned(), None),
        (format!(r#"{{"auths":{{{good}}}}}"#), Some("a:b")),
        (
            format!(r#"{{"auths":{{{good}}}}} trailing {{"#),
            Some("a:b"),
        ),
        (format!(r#"{{"Auths":{{{good}}}}}"#), Some("a:b")),
        (
            format!(r#"{{"AUTHS":{{{good}}},"auths":{{}}}}"#),
            Some("a:b"),
        ),
        (
            r#"{"auths":{"r.example":{"AUTH":"YTpi"}}}"#.to_owned(),
            Some("a:b"),
        ),
        (
            r#"{"auths":{"r.example":{"Username":"a","PassWord":"b","auth":null}}}"#.to_owned(),
            Some("a:b"),
        ),
        (
            format!(r#"{{"auths":{{{good},"r.example":{{"auth":"YTpj"}}}}}}"#),
            Some("a:c"),
        ),
    ] {
        assert_eq!(find(&text, "r.example", "a").as_deref(), expected, "{text}");
    }
}

#[test]
fn says_where_a_file_is_broken_without_quoting_it() {
    for text in [
        "hunter2",
        r#"{"auths": "hunter2"}"#,
        r#"{"auths": {"r.example": "hunter2"}}"#,
        r#"{"auths": {"r.example": {"auth": ["hunter2"]}}}"#,
        r#"{"auths": {"r.example": {"auth": "hunter2:hunter2"}}}"#,
        // `hunter2` and `:hunter2`
        r#"{"auths": {"r.example": {"auth": "aHVudGVyMg=="}}}"#,
        r#"{"auths": {"r.example": {"auth": "Omh1bnRlcjI="}}}"#,
    ] {
        let error = DockerConfig::parse(text)
            .and_then(|config| {
                config.proof(&"r.example".parse().unwrap(), Some(&"a".parse().unwrap()))
            })
            .unwrap_err();
        for secret in ["hunter2", "aHVu", "Omh1"] {
            assert!(!error.to_string().contains(secret), "{error}");
            assert!(!format!("{error:?}").contains(secret), "{error:?}");
        }
    }
}

#[test]
fn a_broken_entry_of_another_registry_does_no_harm() {
    let text = r#"{"auths":{"x.example":{"auth":"%%"},"r.example":{"auth":"YTpi"}}}"#;
    assert_eq!(find(text, "r.example", "a").as_deref(), Some("a:b"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_a_panic(
        text in ".{0,80}",
        key in ".{0,40}",
        auth in "[A-Za-z0-9+/=]{0,24}",
    ) {
        let _ = DockerConfig::parse(&text);
        let _ = DockerConfig::parse_variable(&text);
        let config = serde_json::json!({"auths": {key: {"auth": auth}}}).to_string();
        let _ = DockerConfig::parse(&config)
            .unwrap()
            .proof(&"r.example".parse().unwrap(), Some(&"a/b".parse().unwrap()));
    }
}
