//! Credentials that the module declares reach a build in the sandbox, by the very settings that it makes.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::machine::configuration::Configuration;
use crate::machine::docker_registry::DockerRegistry;
use crate::machine::nix::{Nix, built};
use crate::machine::program;
use crate::machine::real_image::real_image;

const PASSWORD: &str = "s3cret=x";

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn declared_credentials_open_a_registry_to_builds() {
    let image = real_image();
    let registry = DockerRegistry::start_with_password("ann", PASSWORD);
    let layout = image.layout("1");
    let credentials = format!("ann:{PASSWORD}");
    registry.push(
        layout.path(),
        "team/app",
        "1",
        &["--dest-creds", &credentials, "--preserve-digests"],
    );

    let auth = BASE64_STANDARD.encode(&credentials);
    let auth_file = json!({"auths": {registry.name(): {"auth": auth}}}).to_string();
    let classic_file = format!("DOCKER_USER=ann\nDOCKER_PASS={PASSWORD}\n");
    // With the daemon's environment, and without, as root builds.
    for (option, content, by_daemon) in [
        ("authFile", &auth_file, true),
        ("authFile", &auth_file, false),
        ("classicFile", &classic_file, true),
    ] {
        let nix = Nix::new();
        let secret = nix.directory().join("secret");
        let manifest = nix.directory().join("manifest.json");
        fs::write(&manifest, &image.manifest).unwrap();
        let values = Configuration::new(&format!(
            "services.hocker = {{ enable = true; credentials.{option} = {:?}; }};",
            secret.display()
        ))
        .values(
            &nix,
            "paths = config.nix.settings.extra-sandbox-paths; \
             environment = config.systemd.services.nix-daemon.environment or { };",
        );
        let paths: Vec<String> = serde_json::from_value(values["paths"].clone()).unwrap();
        let paths = paths.join(" ");
        let environment: Vec<(&str, &str)> = values["environment"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|_| by_daemon)
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let options = ["--option", "extra-sandbox-paths", &paths];
        let build = || {
            let body = format!(
                "hocker.fetchdocker {{ image = \"{}/team/app:1\"; imageManifest = {}; }}",
                registry.name(),
                manifest.display()
            );
            nix.build_with(&body, &options, &environment)
        };

        // A secret that is not there yet hinders builds that want it, and says so; it does not hinder the others.
        let refused = build();
        assert!(!refused.status.success(), "{option}: it needs no password");
        let told = program::told(&refused);
        assert!(told.contains("hocker: "), "{option}: {told}");

        fs::write(&secret, content).unwrap();
        let output = build();
        built(&output);
        assert!(!program::told(&output).contains(PASSWORD), "{option}");
    }
}
