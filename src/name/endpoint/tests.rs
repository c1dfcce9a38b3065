use super::*;

#[test]
fn names_lead_to_https_and_loopback_names_to_http() {
    for (name, url) in [
        ("docker.io", "https://registry-1.docker.io/v2/"),
        ("ghcr.io", "https://ghcr.io/v2/"),
        ("example.com:80", "https://example.com:80/v2/"),
        ("localhost:5000", "http://localhost:5000/v2/"),
        ("127.0.0.2", "http://127.0.0.2/v2/"),
        ("[::1]:5000", "http://[::1]:5000/v2/"),
        ("192.168.0.1:5000", "https://192.168.0.1:5000/v2/"),
    ] {
        let endpoint = Endpoint::of(&name.parse().unwrap()).unwrap();
        assert_eq!(endpoint.to_string(), url);
        assert_eq!(endpoint, name.parse().unwrap());
    }
}

#[test]
fn urls_are_taken_with_or_without_v2() {
    for (text, url, name) in [
        (
            "https://registry-1.docker.io/v2/",
            "https://registry-1.docker.io/v2/",
            "docker.io",
        ),
        (
            "http://localhost:5000",
            "http://localhost:5000/v2/",
            "localhost:5000",
        ),
        (
            "http://localhost:5000/v2",
            "http://localhost:5000/v2/",
            "localhost:5000",
        ),
        (
            "https://a.example/nexus/v2/",
            "https://a.example/nexus/v2/",
            "a.example",
        ),
        (
            "https://[::1]:5000/",
            "https://[::1]:5000/v2/",
            "[::1]:5000",
        ),
    ] {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!(endpoint.to_string(), url);
        assert_eq!(endpoint.registry_name().as_str(), name);
    }
}

#[test]
fn a_name_may_be_followed_by_the_path_of_the_interface() {
    for (text, url) in [
        ("localhost:5000/v2/", "http://localhost:5000/v2/"),
        ("r.example:5000/v2", "https://r.example:5000/v2/"),
        ("docker.io/v2/", "https://registry-1.docker.io/v2/"),
        ("app.localhost:5000", "http://app.localhost:5000/v2/"),
    ] {
        assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), url);
    }
    assert!("r.example/nexus/v2/".parse::<Endpoint>().is_err());
}

#[test]
fn plain_http_is_known_with_whose_word_it_is() {
    use Channel::{PlainByOthers, PlainByUser, Secure};
    for (text, by_user, in_file) in [
        ("https://r.example/v2/", Secure, Secure),
        ("r.example", Secure, Secure),
        ("http://localhost:5000/v2/", Secure, Secure),
        ("http://[::1]:5000/v2/", Secure, Secure),
        ("http://r.example/v2/", PlainByUser, PlainByOthers),
        ("http://10.0.0.1:5000/v2/", PlainByUser, PlainByOthers),
    ] {
        assert_eq!(
            text.parse::<Endpoint>().unwrap().channel(),
            by_user,
            "{text}"
        );
        assert_eq!(
            Endpoint::in_file(text).unwrap().channel(),
            in_file,
            "{text}"
        );
    }
}

#[test]
fn a_redirect_to_a_registrys_interface_is_known() {
    for (url, expected) in [
        (
            "https://ghcr.io/v2/team/app/manifests/1",
            Some(("https://ghcr.io/v2/", "team/app")),
        ),
        (
            "http://r.example:5000/v2/app/blobs/sha256:00?x=1",
            Some(("http://r.example:5000/v2/", "app")),
        ),
        (
            "https://a.example/nexus/v2/manifests/blobs/tags/list",
            Some(("https://a.example/nexus/v2/", "manifests/blobs")),
        ),
        ("https://ghcr.io/v2/", None),
        ("https://store.example/bucket/blobs/x", None),
        ("https://store.example/v2/%2e/blobs/x", None),
    ] {
        let found = Endpoint::of_redirect(&url.parse().unwrap());
        let found = found.map(|(endpoint, repository)| {
            assert_ne!(endpoint.channel(), Channel::PlainByUser, "{url}");
            (endpoint.to_string(), repository.to_string())
        });
        let expected = expected.map(|(base, name)| (base.to_owned(), name.to_owned()));
        assert_eq!(found, expected, "{url}");
    }
}

#[test]
fn only_docker_hubs_own_host_and_port_is_docker_hub() {
    for (url, name) in [
        ("https://registry-1.docker.io/v2/", "docker.io"),
        ("https://registry-1.docker.io:443/v2/", "docker.io"),
        (
            "https://registry-1.docker.io:8443/v2/",
            "registry-1.docker.io:8443",
        ),
        (
            "http://registry-1.docker.io:8080/v2/",
            "registry-1.docker.io:8080",
        ),
        ("http://registry-1.docker.io/v2/", "registry-1.docker.io"),
    ] {
        let endpoint: Endpoint = url.parse().unwrap();
        assert_eq!(endpoint.registry_name().as_str(), name, "{url}");
    }
}

#[test]
fn refuses_other_schemes_and_credentials() {
    for text in [
        "ftp://x/",
        "file:///etc",
        "https://me:pw@x/v2/",
        "https://me:pw@x:99999/v2/",
        "https://me:pw@",
        "https://me:p/pw@x/v2/",
        "https://me:5/pw@x/v2/",
        "https://x/v2/?pw",
        "https://x:99999/v2/?pw",
        "me:pw@x",
        "https:me:pw@x",
        "https://x/v2/?a=b",
        "https://",
        "x y",
    ] {
        let error = text.parse::<Endpoint>().unwrap_err();
        assert!(!error.to_string().contains("pw"), "{error}");
    }
}

#[test]
fn knows_the_name_that_the_classic_tools_gave() {
    let endpoint: Endpoint = "https://registry-1.docker.io/v2/".parse().unwrap();
    assert_eq!(
        endpoint.classic_name(&"library/debian".parse().unwrap()),
        "registry-1.docker.io/v2/library/debian"
    );
}
