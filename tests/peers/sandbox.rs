//! Builds in Nix's sandbox from private registries: every way in which credentials and trust get there, what a
//! build says where they do not, and that nobody learns a secret.

use std::fs;

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::nginx::Nginx;
use crate::machine::nix::{Nix, built};
use crate::machine::program;
use crate::machine::site::{BASIC, PASSWORD, REGISTRY, Site, USER, is_discreet};
use crate::machine::token_server::TokenServer;
use crate::pipeline::push;
use crate::support::tls::Authority;
use crate::transport::{before, layers};

const AUTH_FILE: &str = "/etc/nix/registries.json";
const CLASSIC_FILE: &str = "/etc/nix-docker-credentials.txt";

/// As docker and podman write it.
fn auth_file(auth: &str) -> String {
    format!(r#"{{"auths":{{"{REGISTRY}":{{"auth":"{auth}"}}}}}}"#)
}

#[test]
fn a_build_takes_credentials_in_each_way_that_leads_into_the_sandbox() {
    let site = Site::start();
    site.write(AUTH_FILE, auth_file(BASIC));
    site.write("/etc/nix/docker/config.json", auth_file(BASIC));
    site.write(
        "/etc/nix/netrc",
        format!("machine {REGISTRY} login {USER} password {PASSWORD}\n"),
    );
    let refused = site.build(&[], &[]);
    assert!(!refused.status.success(), "it needs no password");
    for (shown, variables) in [
        ("", &[("DOCKER_USER", USER), ("DOCKER_PASS", PASSWORD)][..]),
        (AUTH_FILE, &[("REGISTRY_AUTH_FILE", AUTH_FILE)]),
        // Under another name in the sandbox.
        (
            "/secret.json=/etc/nix/registries.json",
            &[("REGISTRY_AUTH_FILE", "/secret.json")],
        ),
        ("/etc/nix/docker", &[("DOCKER_CONFIG", "/etc/nix/docker")]),
        ("/etc/nix/netrc", &[("NETRC", "/etc/nix/netrc")]),
    ] {
        site.forget();
        site.is_built(&site.build(&[shown], variables));
    }
    for (user, password) in [("DOCKER_USER", "DOCKER_PASS"), ("USERNAME", "PASSWORD")] {
        site.write(
            CLASSIC_FILE,
            format!("{user}={USER}\n{password}={PASSWORD}\n"),
        );
        site.forget();
        site.is_built(&site.build(&[CLASSIC_FILE], &[]));
    }
}

#[test]
fn a_build_takes_the_credentials_file_of_the_search_path() {
    let site = Site::start();
    let named = "/etc/nix/credentials.txt";
    site.write(
        named,
        format!("DOCKER_USER={USER}\nDOCKER_PASS={PASSWORD}\n"),
    );
    let path = format!("DOCKER_CREDENTIALS={named}");
    let variables = [("NIX_PATH", path.as_str())];
    site.is_built(&site.build(&[named], &variables));

    // Nothing but its path is in the store.
    let derivations = site.shell(
        "nix-store --query --requisites $(nix-instantiate app.nix) | grep '[.]drv$' | xargs cat",
        &variables,
    );
    let told = program::told(&derivations);
    assert!(told.contains(named), "{told}");
    site.is_discreet(&derivations);

    // A sandbox that does not contain it. The classic path follows.
    site.forget();
    let refused = site.build(&[], &variables);
    assert!(!refused.status.success(), "it needs no password");
    let told = program::told(&refused);
    assert!(
        told.contains(&format!(
            "no credentials from {named}: the file does not exist; a sandbox contains it only with extra-sandbox-paths"
        )),
        "{told}"
    );
    site.write(
        CLASSIC_FILE,
        format!("USERNAME={USER}\nPASSWORD={PASSWORD}\n"),
    );
    site.is_built(&site.build(&[CLASSIC_FILE], &variables));
}

#[test]
fn a_build_that_may_ask_several_registries_takes_only_what_is_for_each() {
    let site = Site::start();
    site.write(AUTH_FILE, auth_file(BASIC));
    site.write(
        CLASSIC_FILE,
        format!("USERNAME={USER}\nPASSWORD={PASSWORD}\n"),
    );
    let layer = &site.image().layers[0];
    // Two names of one server, which lets in nobody without a password.
    site.write(
        "app.nix",
        format!(
            "(import ./nix {{ hocker = ./hocker; }}).fetchDockerLayer {{\n\
             registry = \"http://localhost/v2/\";\nrepository = \"team\";\nimageName = \"app\";\n\
             alternatives = [ {{ registry = \"{REGISTRY}\"; repository = \"team\"; imageName = \"app\"; }} ];\n\
             sha256 = \"{}\";\n}}\n",
            layer.hex()
        ),
    );
    let given = [("DOCKER_USER", USER), ("DOCKER_PASS", PASSWORD)];
    for (shown, variables, origin) in [
        (CLASSIC_FILE, &[][..], CLASSIC_FILE),
        (
            AUTH_FILE,
            &given,
            "the environment (DOCKER_USER, DOCKER_PASS)",
        ),
    ] {
        let output = site.build(&[shown], variables);
        let told = program::told(&output);
        assert!(!output.status.success(), "{told}");
        for says in [
            &format!("credentials from {origin} are not used: they are for one registry")[..],
            "  caused by: team/app from localhost: the registry denies access without credentials",
            "  caused by: team/app from registry.example.com: the registry denies access without credentials",
            "exit code 4",
        ] {
            assert!(told.contains(says), "no {says:?} in {told}");
        }
        site.is_discreet(&output);
    }
    let output = site.build(
        &[AUTH_FILE, CLASSIC_FILE],
        &[("REGISTRY_AUTH_FILE", AUTH_FILE)],
    );
    assert!(
        fs::read(built(&output)).unwrap() == layer.blob,
        "another layer"
    );
    site.is_discreet(&output);
}

#[test]
fn a_build_that_is_denied_says_by_whom_and_with_which_credentials_and_not_the_secret() {
    const WRONG: &str = "wr0ng=x";
    // `ann:wr0ng=x`
    const WRONG_BASIC: &str = "YW5uOndyMG5nPXg=";
    let site = Site::start();
    site.write(AUTH_FILE, auth_file(WRONG_BASIC));
    site.write(CLASSIC_FILE, format!("USERNAME={USER}\nPASSWORD={WRONG}\n"));
    let classic = format!("with the credentials from {CLASSIC_FILE}");
    let file = format!("with the credentials from {AUTH_FILE}");
    for (shown, variables, says) in [
        (
            "",
            &[("DOCKER_USER", USER), ("DOCKER_PASS", WRONG)][..],
            "with the credentials from the environment (DOCKER_USER, DOCKER_PASS)",
        ),
        (
            AUTH_FILE,
            &[("REGISTRY_AUTH_FILE", AUTH_FILE)],
            file.as_str(),
        ),
        (CLASSIC_FILE, &[], classic.as_str()),
        ("", &[], "the registry denies access without credentials"),
        ("", &[], "files in extra-sandbox-paths"),
        // Named, but not shown.
        (
            "",
            &[("REGISTRY_AUTH_FILE", AUTH_FILE)],
            "no credentials from /etc/nix/registries.json: the file does not exist; a sandbox contains it only with extra-sandbox-paths",
        ),
    ] {
        let output = site.build(&[shown], variables);
        let told = program::told(&output);
        assert!(!output.status.success(), "{told}");
        assert!(told.contains(says), "no {says} in {told}");
        assert!(
            told.contains(&format!("of team/app from {REGISTRY}")),
            "{told}"
        );
        assert!(told.contains("exit code 4"), "{told}");
        is_discreet(site.directory(), &output, &[WRONG, WRONG_BASIC, PASSWORD]);
        let left = fs::read_dir(site.directory().join("store")).unwrap();
        for entry in left {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.ends_with(".tar.gz"), "{name} was built");
        }
    }
}

#[test]
fn a_private_authority_is_trusted_in_the_sandbox_where_its_file_is_shown_and_named() {
    const CA: &str = "/etc/ssl/company-ca.pem";
    let site = Site::start();
    let credentials = [("DOCKER_USER", USER), ("DOCKER_PASS", PASSWORD)];
    let build = |shown: &[&str], variables: &[(&str, &str)]| {
        site.build_bare(shown, &[&credentials, variables].concat())
    };
    for (shown, variables) in [
        (CA, &[("NIX_SSL_CERT_FILE", CA)][..]),
        (CA, &[("SSL_CERT_FILE", CA)]),
        // As newer versions of Nix show it.
        (
            "/etc/ssl/certs/ca-certificates.crt=/etc/ssl/company-ca.pem",
            &[],
        ),
    ] {
        site.is_built(&build(&[shown], variables));
        site.forget();
    }
    let named: (&[&str], &[_]) = (&[], &[("NIX_SSL_CERT_FILE", CA)]);
    let mut untrusted = vec![(&[][..], &[][..]), (&[CA], &[])];
    if site.nix_shows_authorities() {
        site.is_built(&build(named.0, named.1));
        site.forget();
    } else {
        untrusted.push(named);
    }
    for (shown, variables) in untrusted {
        let output = build(shown, variables);
        let told = program::told(&output);
        assert!(!output.status.success(), "{told}");
        for says in [
            "certificate",
            "no trusted authority issued the server's certificate",
            "hint: name your own certificate authority",
            "with NIX_SSL_CERT_FILE, SSL_CERT_FILE",
            "extra-sandbox-paths",
            "exit code 6",
        ] {
            assert!(told.contains(says), "no {says} in {told}");
        }
        site.is_discreet(&output);
    }
    let output = build(&["/etc/hosts"], &[("SSL_CERT_FILE", "/etc/hosts")]);
    let told = program::told(&output);
    assert!(
        told.contains("cannot read certificate authorities from /etc/hosts"),
        "{told}"
    );
}

#[test]
fn a_build_asks_a_token_server_by_https_once_a_process() {
    const CREDENTIALS: [(&str, &str); 2] = [("DOCKER_USER", USER), ("DOCKER_PASS", PASSWORD)];
    let authority = Authority::new("the company");
    let tokens = TokenServer::start();
    let realm = Nginx::start_with_tls(
        &authority.identity(&["localhost"]),
        &format!("location / {{ proxy_pass {}; }}", tokens.origin()),
    );
    let registry =
        DockerRegistry::start_with_tokens_from(&tokens, &format!("https://{}/token", realm.name()));
    let front = Nginx::start_with_tls(&authority.identity(&["localhost"]), &before(&registry));
    let image = layers(3);
    let nix = Nix::new();
    let ca = authority.write(nix.directory());
    let ca = ca.to_str().unwrap();
    push(&registry, &image, "1");
    let manifest = nix.directory().join("manifest.json");
    fs::write(&manifest, &image.manifest).unwrap();
    let body = format!(
        "hocker.fetchdocker {{ registry = \"https://{}/v2/\"; repository = \"team\"; imageName = \"app\"; tag = \"1\"; \
         imageManifest = {}; }}",
        front.name(),
        manifest.display()
    );
    let pushed = tokens.scopes().len();
    let mut variables = vec![("NIX_SSL_CERT_FILE", ca)];
    variables.extend(CREDENTIALS);
    let options = ["--option", "extra-sandbox-paths", ca];
    let output = nix.build_with(&body, &options, &variables);
    built(&output);
    is_discreet(nix.directory(), &output, &[PASSWORD, BASIC]);
    // Each blob has a process of its own.
    let blobs = 1 + image.layers.len();
    assert_eq!(
        tokens.scopes()[pushed..],
        vec!["repository:team/app:pull"; blobs]
    );
    let authorizations = tokens.authorizations().split_off(pushed);
    assert_eq!(authorizations, vec![Some(format!("Basic {BASIC}")); blobs]);

    // With a token of the user's own nobody is asked for another.
    let nix = Nix::new();
    let asked = tokens.scopes().len();
    let token = tokens.token("repository:team/app:pull");
    let output = nix.build_with(
        &body,
        &options,
        &[("NIX_SSL_CERT_FILE", ca), ("DOCKER_TOKEN", &token)],
    );
    built(&output);
    is_discreet(nix.directory(), &output, &[&token]);
    assert_eq!(tokens.scopes().len(), asked);
}

#[test]
fn a_helper_that_the_sandbox_does_not_have_stops_no_build_of_a_public_image() {
    let registry = DockerRegistry::start();
    let image = layers(2);
    push(&registry, &image, "1");
    let nix = Nix::new();
    let manifest = nix.directory().join("manifest.json");
    fs::write(&manifest, &image.manifest).unwrap();
    let body = format!(
        "hocker.fetchdocker {{ image = \"{}/team/app:1\"; imageManifest = {}; }}",
        registry.name(),
        manifest.display()
    );
    let config = nix.directory().join("config.json");
    let text = format!(
        r#"{{"auths":{{"{}":{{}}}},"credsStore":"pass"}}"#,
        registry.name()
    );
    fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let output = nix.build_with(
        &body,
        &["--option", "extra-sandbox-paths", config],
        &[("REGISTRY_AUTH_FILE", config)],
    );
    built(&output);
    let told = program::told(&output);
    assert!(!told.contains("docker-credential-pass"), "{told}");
}

#[test]
fn what_a_build_says_on_its_way_comes_in_lines_of_its_own() {
    let nix = Nix::new();
    let body = format!(
        "hocker.fetchDockerConfig {{ registry = \"http://localhost:1/v2/\"; imageName = \"app\"; tag = \"1\"; \
         sha256 = \"{}\"; }}",
        "0".repeat(64)
    );
    let output = nix.build_with(
        &body,
        &[],
        &[("HOCKER_RETRIES", "2"), ("HOCKER_RETRY_DELAY", "0.01")],
    );
    let told = program::told(&output);
    let retries = told.lines().filter(|line| line.starts_with("retrying in "));
    assert_eq!(retries.count(), 2, "{told:?}");
    assert!(
        told.lines()
            .any(|line| line.starts_with("hocker: cannot fetch the blob ")),
        "{told:?}"
    );
}
