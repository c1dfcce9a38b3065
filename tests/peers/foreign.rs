//! Layers that registries may not distribute, built in Nix's sandbox: docker-registry has all of the image but one
//! layer, which nginx has at the URL in the manifest, by https under a private authority.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::nginx::Nginx;
use crate::machine::nix::{Nix, built};
use crate::machine::program;
use crate::machine::pusher::Pusher;
use crate::machine::site::{BASIC, PASSWORD, USER, is_discreet};
use crate::support::hocker::{classic, hocker};
use crate::support::image::{Family, Image};
use crate::support::tls::Authority;
use crate::transport::layers;

/// The image's first layer is elsewhere.
struct Bench {
    registry: DockerRegistry,
    elsewhere: Nginx,
    image: Image,
    nix: Nix,
    ca: String,
}

impl Bench {
    /// With this content where the layer should be.
    fn new(family: Family, content: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let authority = Authority::new("the vendor");
        let registry = DockerRegistry::start();
        let nix = Nix::new();
        let ca = authority.write(nix.directory());
        let mut image = Image::new(family, &["/hello"], layers(2).layers);
        fs::write(
            nix.directory().join("layer"),
            content(&image.layers[0].blob),
        )
        .unwrap();
        let elsewhere = Nginx::start_with_tls(
            &authority.identity(&["localhost"]),
            &format!(
                "location = /layer {{ alias {}/layer; }}",
                nix.directory().display()
            ),
        );
        let mut manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
        manifest["layers"][0]["mediaType"] = json!(match family {
            Family::Docker => "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            Family::Oci => "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        });
        manifest["layers"][0]["urls"] = json!([
            // Not asked: not https, and not there.
            "http://vendor.example/layer",
            format!("https://{}/lost", elsewhere.name()),
            format!("https://{}/layer", elsewhere.name()),
        ]);
        image.manifest = manifest.to_string().into_bytes();
        let mut pusher = Pusher::to(registry.port());
        pusher.blob("team/app", &image.config, None);
        pusher.blob("team/app", &image.layers[1].blob, None);
        registry.put_manifest("team/app", "1", image.media_type, &image.manifest);
        Self {
            registry,
            elsewhere,
            image,
            nix,
            ca: ca.to_str().unwrap().to_owned(),
        }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.nix.directory().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// `fetchdocker { image; imageManifest; }`
    fn short(&self) -> String {
        format!(
            "hocker.fetchdocker {{ image = \"{}/team/app:1\"; imageManifest = {}; }}",
            self.registry.name(),
            self.file("app.json", &self.image.manifest)
        )
    }

    /// What docker2nix makes of a reference.
    fn pinned(&self) -> String {
        let expression = hocker([
            "docker2nix",
            &format!("{}/team/app:1", self.registry.name()),
        ])
        .run()
        .done()
        .text();
        format!("hocker.callImage {}", self.file("pinned.nix", expression))
    }

    /// What docker2nix makes of a manifest on standard input.
    fn classic(&self) -> String {
        let url = self.registry.url();
        let expression = classic("docker2nix", ["--registry", &url, "team/app", "1"])
            .input(self.image.manifest.clone())
            .run()
            .done()
            .text();
        format!("hocker.callImage {}", self.file("classic.nix", expression))
    }

    /// Out of a lock file.
    fn locked(&self) -> String {
        hocker(["lock", "add", "--platform", "linux/amd64"])
            .arguments([format!("{}/team/app:1", self.registry.name())])
            .in_directory(self.nix.directory())
            .run()
            .done();
        format!(
            "(hocker.importLock {{ lockFile = {}/docker-images.lock.json; platform = \"linux/amd64\"; }}).app",
            self.nix.directory().display()
        )
    }

    /// By a user with a password, which is nobody's business elsewhere.
    fn build(&self, body: &str, variables: &[(&str, &str)]) -> Output {
        let credentials = [("DOCKER_USER", USER), ("DOCKER_PASS", PASSWORD)];
        self.nix.build_with(
            body,
            &["--option", "extra-sandbox-paths", &self.ca],
            &[&credentials, variables].concat(),
        )
    }

    #[track_caller]
    fn is_built(&self, output: &Output) {
        let blobs = built(output).join("oci/blobs/sha256");
        for layer in &self.image.layers {
            assert!(
                fs::read(blobs.join(layer.hex())).unwrap() == layer.blob,
                "another layer"
            );
        }
    }

    /// Forgets what was built.
    fn forget(&self) {
        program::run(
            std::process::Command::new("sh")
                .args(["-c", "chmod -R u+w store; rm -rf store var log result"])
                .current_dir(self.nix.directory()),
        );
    }

    fn has_no_layer(&self) {
        let name = format!("docker-layer-{}.tar.gz", self.image.layers[0].hex());
        for entry in fs::read_dir(self.nix.directory().join("store")).unwrap() {
            let path = entry.unwrap().path();
            assert!(!ends_with(&path, &name), "{} is there", path.display());
        }
    }
}

fn ends_with(path: &Path, name: &str) -> bool {
    path.file_name().unwrap().to_str().unwrap().ends_with(name)
}

#[test]
fn a_foreign_layer_is_built_in_the_sandbox_from_where_the_manifest_says() {
    for family in [Family::Docker, Family::Oci] {
        let bench = Bench::new(family, <[u8]>::to_vec);
        let trust = [("NIX_SSL_CERT_FILE", bench.ca.as_str())];
        let bodies = [
            bench.short(),
            bench.pinned(),
            bench.classic(),
            bench.locked(),
        ];
        for (number, body) in bodies.iter().enumerate() {
            if number > 0 {
                bench.forget();
            }
            let before = bench.elsewhere.requests().len();
            let output = bench.build(body, &trust);
            bench.is_built(&output);
            assert_eq!(
                bench.elsewhere.requests()[before..],
                ["GET /lost 404 \"-\" \"-\"", "GET /layer 200 \"-\" \"-\""],
                "{body}"
            );
            if number == 0 {
                is_discreet(bench.nix.directory(), &output, &[PASSWORD, BASIC]);
            }
        }
    }
}

#[test]
fn a_foreign_layer_that_is_another_one_fails_the_build() {
    let bench = Bench::new(Family::Docker, |blob| {
        let mut wrong = blob.to_vec();
        wrong[100] ^= 1;
        wrong
    });
    let output = bench.build(&bench.short(), &[("NIX_SSL_CERT_FILE", &bench.ca)]);
    assert!(!output.status.success());
    let told = program::told(&output);
    for says in ["specified: sha256-", "got: sha256-", "exit code 5"] {
        assert!(told.contains(says), "no {says} in {told}");
    }
    bench.has_no_layer();
}

#[test]
fn a_foreign_layer_from_a_host_that_nobody_vouches_for_fails_the_build() {
    let bench = Bench::new(Family::Oci, <[u8]>::to_vec);
    let output = bench.build(&bench.short(), &[]);
    assert!(!output.status.success());
    let told = program::told(&output);
    for says in ["certificate", "extra-sandbox-paths", "exit code 6"] {
        assert!(told.contains(says), "no {says} in {told}");
    }
    bench.has_no_layer();
}
