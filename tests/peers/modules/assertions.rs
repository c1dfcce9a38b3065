//! What must not be declared fails with a message that says what to do instead.

use crate::machine::configuration::Configuration;
use crate::machine::nix::Nix;

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
           virtualisation.oci-containers.containers.c = { image = "nginx:1"; extraOptions = [ "--rm" "--pull=always" ]; };"#,
        &[
            "containers.c: `--pull=always` in `extraOptions`",
            "Remove it",
        ],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.containers.c = { image = "nginx:1"; extraOptions = [ "--pull" "Newer" "--rm" ]; };"#,
        &["containers.c: `--pull Newer` in `extraOptions`"],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.containers.c = { image = "nginx:1"; extraOptions = [ "--pull always" ]; };"#,
        &["containers.c: `--pull always` in `extraOptions`"],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.containers.c.image =
             "nginx:1@${config.services.hocker.images.web.image.manifestDigest}";"#,
        &[
            "containers.c: Docker's own image store does not keep the registry's digests",
            "set `hockerImage`",
            "`virtualisation.docker.daemon.settings.features.containerd-snapshotter = true`",
        ],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.containers.c = {
             hockerImage = "web";
             image = "nginx@${config.services.hocker.images.web.image.manifestDigest}";
           };"#,
        &["Docker's own image store", "Remove `image`"],
    ),
    (
        r#"services.hocker.docker.keepsDigests = true;
           services.hocker.images.web.image =
             let
               manifest = (fetch "nginx:1").imageSpec.manifest;
             in
             config.services.hocker.functions.fetchdocker {
               image = "nginx:1";
               imageManifest = manifest;
               imageIndex = builtins.toJSON {
                 manifests = [ {
                   digest = "sha256:${builtins.hashString "sha256" manifest}";
                   platform = { os = "linux"; architecture = "amd64"; };
                 } ];
               };
             };
           virtualisation.oci-containers.containers.c.image =
             "nginx:1@${config.services.hocker.images.web.image.manifestDigest}";"#,
        &[
            "has the digest of the manifest, but Docker finds this image only by the digest of its index",
            "set `hockerImage`",
        ],
    ),
    (
        r#"services.hocker.docker.keepsDigests = true;
           services.hocker.images.web.image =
             let
               manifest = (fetch "nginx:1").imageSpec.manifest;
               digest = "sha256:${builtins.hashString "sha256" manifest}";
             in
             config.services.hocker.functions.fetchdocker {
               image = "nginx@${digest}";
               imageManifest = manifest;
               imageIndex = builtins.toJSON { manifests = [ { inherit digest; } ]; };
             };
           virtualisation.oci-containers.containers.c.image =
             "nginx@${config.services.hocker.images.web.image.indexDigest}";"#,
        &[
            "has the digest of the index, but Docker finds this image only by the digest of its manifest",
        ],
    ),
    (
        r#"services.hocker.images.web.image =
             let
               manifest = (fetch "nginx:1").imageSpec.manifest;
             in
             config.services.hocker.functions.fetchdocker {
               image = "nginx:1";
               imageManifest = manifest;
               imageIndex = builtins.toJSON { manifests = [ { digest = "sha256:${builtins.hashString "sha256" manifest}"; } ]; };
             };
           virtualisation.oci-containers.containers.c.image =
             "nginx:1@${config.services.hocker.images.web.image.indexDigest}";"#,
        &["Docker's own image store does not keep the registry's digests"],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.containers.c.image =
             "nginx:1@sha256:0000000000000000000000000000000000000000000000000000000000000000";"#,
        &[
            "does not have a digest of the declared image with this name, which has `sha256:",
            "Correct the digest",
            "`hocker manifest --index nginx:1` prints",
        ],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           virtualisation.oci-containers.backend = lib.mkForce "podman";
           services.hocker.podman.host = "unix:///run/user/1000/podman/podman.sock";
           virtualisation.oci-containers.containers.c.image = "nginx:1";"#,
        &[
            "containers.c: root has a separate image store",
            "the store of the user 1000",
        ],
    ),
    (
        r#"services.hocker.images.web.image = fetch "nginx:1";
           services.hocker.docker.host = "unix:///home/ann/docker.sock";"#,
        &[
            "services.hocker.docker.host: the units cannot see /home/ann/docker.sock",
            "outside of /home and /root",
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
            "\"unix:///run/user/<user ID>/podman/podman.sock\"",
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
