//! What must not be declared fails with a message that says what to do instead.

use crate::machine::nix::Nix;
use crate::machine::nixos::Configuration;

/// A configuration, and parts of the one message that it fails with: where, and the remedy.
const CASES: &[(&str, &[&str])] = &[
    (
        r#"services.hocker.images = { a.image = fetch "nginx:1.27"; b.image = fetch "docker.io/library/nginx:1.27"; };"#,
        &[
            "`a`, `b` all have the tag docker.io/library/nginx:1.27 in docker",
            "give the images different tags",
        ],
    ),
    (
        r#"services.hocker.images = { a.image = fetch "nginx:1"; b = { image = fetch "other:1"; tags = [ "nginx:1" ]; }; };"#,
        &["`a`, `b` all have the tag docker.io/library/nginx:1"],
    ),
    (
        r#"services.hocker.images.web = { image = fetch "nginx:1"; tags = [ "Bad Tag" "x@sha256:1" ]; };"#,
        &[
            "services.hocker.images.web.tags: `Bad Tag`, `x@sha256:1`",
            "Write names like debian:12",
        ],
    ),
    (
        r#"services.hocker.images."team/web".image = fetch "nginx:1";"#,
        &["services.hocker.images.team/web: the name is part of the name of a unit"],
    ),
    (
        r#"services.hocker.images.web.image = derivation { name = "image.tar"; system = "x"; builder = "x"; };"#,
        &[
            "services.hocker.images.web.image: `image.tar` is not a result of fetchdocker",
            "functions.fetchdocker",
        ],
    ),
    (
        r#"services.hocker.images.web.image = (fetch "nginx:1").stream;"#,
        &["services.hocker.images.web.image: `nginx` is not a result of fetchdocker"],
    ),
    (
        r#"services.hocker.images.web.image = "/srv/images/web";"#,
        &["/srv/images/web is not in the store", "without quotes"],
    ),
    (
        r#"services.hocker.images.web = { image = fetch "nginx:1"; backend = "podman"; };"#,
        &[
            "services.hocker.images.web is for podman, which this machine does not run",
            "`virtualisation.podman.enable = true`",
        ],
    ),
    (
        r#"virtualisation.docker.enable = lib.mkForce false; services.hocker.images.web.image = fetch "nginx:1";"#,
        &[
            "is for docker, which this machine does not run",
            "`virtualisation.docker.enable = true`",
        ],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.containers.c = { image = "nginx:1"; imageStream = (fetch "nginx:1").stream; };"#,
        &[
            "virtualisation.oci-containers.containers.c: `imageStream` loads",
            "hocker-load-web.service",
            "Remove `imageStream`",
        ],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.containers.c = { image = "nginx:1"; imageFile = fetch "nginx:1"; };"#,
        &["virtualisation.oci-containers.containers.c: `imageFile` loads"],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.containers.c = { image = "nginx:1"; pull = "always"; };"#,
        &[
            "containers.c: `pull = \"always\"` asks a registry",
            "Remove `pull`",
        ],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.containers.c.hockerImage = "wbe";"#,
        &[
            "containers.c.hockerImage: `services.hocker.images.wbe` is not declared; for docker, these are: web",
        ],
    ),
    (
        r#"virtualisation.oci-containers.containers.c.hockerImage = "web";"#,
        &["`services.hocker.images.web` is not declared. Declare it"],
    ),
    (
        r#"services.hocker.images.web = { image = fetch "nginx:1"; backend = "podman"; };
           virtualisation.podman.enable = true;
           virtualisation.oci-containers.containers.c.hockerImage = "web";"#,
        &[
            "`web` is for podman, but containers run with docker",
            "backend = \"docker\"`",
        ],
    ),
    (
        r#"services.hocker.images.web.image = "${fetch "nginx:1"}";
           virtualisation.oci-containers.containers.c.hockerImage = "web";"#,
        &[
            "`web` has no name, so no container can run it",
            "`services.hocker.images.web.tags`",
        ],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.backend = lib.mkForce "podman";
           virtualisation.oci-containers.containers.c = { image = "nginx:1"; podman.user = "ann"; };"#,
        &[
            "containers.c: the user ann has a separate image store",
            "Remove `podman.user`",
        ],
    ),
    (
        r#"services.hocker.credentials.authFile = "${builtins.toFile "auth.json" "{}"}";"#,
        &[
            "credentials.authFile: ",
            "auth.json is in the store",
            "Name a file outside of the store",
        ],
    ),
    (
        r#"services.hocker.credentials.classicFile = "/run/my secrets";"#,
        &[
            "credentials.classicFile: `/run/my secrets` contains a space",
            "Rename the file",
        ],
    ),
    (
        r"services.hocker.serve.enable = true;",
        &["services.hocker.serve: no images to serve"],
    ),
    (
        r#"services.hocker.serve = { enable = true; images = [ (fetch "nginx:1") ]; openFirewall = true; };"#,
        &["only this machine can reach the address 127.0.0.1"],
    ),
    (
        r#"services.hocker.serve = { enable = true; images = [ (fetch "nginx:1") ]; };
           services.dockerRegistry.enable = true;"#,
        &[
            "port 5000 is also the port of `services.dockerRegistry`",
            "another `services.hocker.serve.port`",
        ],
    ),
    (
        r#"services.hocker.serve = { enable = true; images = [ "/srv/images/web" ]; };"#,
        &[
            "services.hocker.serve.images: /srv/images/web is not in the store",
            "without quotes",
        ],
    ),
];

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn what_must_not_be_declared_fails_with_a_remedy() {
    let nix = Nix::new();
    for (body, parts) in CASES {
        let failures = Configuration::new(&format!(
            r#"
            imports = [ {{
              virtualisation.docker.enable = true;
              virtualisation.oci-containers.backend = "docker";
              services.hocker.enable = true;
            }} ];
            {body}
            "#
        ))
        .failures(&nix);
        let [message] = failures.as_slice() else {
            panic!("one message was expected of {body}, but there are {failures:#?}");
        };
        for part in *parts {
            assert!(message.contains(part), "{message:?} does not say {part:?}");
        }
    }
}
