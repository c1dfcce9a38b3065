//! `hocker serve` before real clients: the same bytes for everyone, each layer once, under the original names.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::machine::containerd::Containerd;
use crate::machine::daemon::Daemon;
use crate::machine::docker_registry::{Access, DockerRegistry};
use crate::machine::dockerd::Dockerd;
use crate::machine::nix::Nix;
use crate::machine::podman::Podman;
use crate::machine::program;
use crate::machine::real_image::{GREETING, program_layer, real_image};
use crate::pipeline::{expression, registry_with};
use crate::support::hocker::{Outcome, hocker};
use crate::support::image::{Family, Image, Layer, Packing};
use crate::support::serving::Serving;

/// Two images that differ in their top layer, which is a program that prints its line.
fn two_images() -> [Image; 2] {
    let first = real_image();
    let mut layers = first.layers.clone();
    *layers.last_mut().unwrap() = program_layer("Hello from the top.");
    let second = Image::new(Family::Oci, &["/hello"], layers);
    [first, second]
}

fn layouts(images: &[(&Image, &str)]) -> Vec<TempDir> {
    images
        .iter()
        .map(|(image, name)| image.layout(name))
        .collect()
}

/// How many times each layer of an image was asked for.
fn fetched(outcome: &Outcome, image: &Image) -> Vec<usize> {
    let accesses: Vec<Access> = outcome.stderr.lines().filter_map(Access::of_line).collect();
    let of = |digest: &str| {
        let fetches = accesses.iter().filter(|access| {
            access.method == "GET" && access.status == 200 && access.path.contains(digest)
        });
        fetches.count()
    };
    image
        .layers
        .iter()
        .map(|layer| of(&layer.digest()))
        .collect()
}

#[test]
fn dockerd_pulls_through_it_as_its_mirror_and_by_its_own_name() {
    let [first, second] = two_images();
    let layouts = layouts(&[
        (&first, "docker.io/library/app:1"),
        (&second, "docker.io/team/app:2"),
    ]);
    let serving = Serving::start(layouts.iter().map(TempDir::path));
    let mirror = format!("http://{}", serving.name());
    let dockerd = Dockerd::start_with(&["--registry-mirror", &mirror]);
    let pull = |name: &str| program::text(dockerd.docker().args(["pull", "--quiet", name]));

    pull("app:1");
    assert_eq!(dockerd.image_id("app:1"), first.config_digest());
    assert_eq!(dockerd.run_image("app:1"), GREETING);
    let by_digest = format!("team/app@{}", second.digest());
    pull(&by_digest);
    assert_eq!(dockerd.image_id(&by_digest), second.config_digest());
    assert_eq!(dockerd.run_image(&by_digest), "Hello from the top.");
    pull("team/app:2");
    for (name, image) in [("library/app:1", &first), ("team/app:2", &second)] {
        let name = format!("{}/{name}", serving.name());
        pull(&name);
        assert_eq!(dockerd.image_id(&name), image.config_digest());
    }

    // The second image cost one layer, and all that came after it none.
    let outcome = serving.stop().done();
    for image in [&first, &second] {
        assert_eq!(fetched(&outcome, image), [1, 1, 1], "{outcome}");
    }
}

#[test]
fn containerd_is_given_the_image_of_the_registry_that_it_has_in_mind() {
    let [first, second] = two_images();
    let names = ["docker.io/library/app:1", "ghcr.io/library/app:1"];
    let layouts = layouts(&[(&first, names[0]), (&second, names[1])]);
    let serving = Serving::start(layouts.iter().map(TempDir::path));
    let mirror = format!("http://{}", serving.name());
    let containerd = Containerd::start(&["docker.io", "ghcr.io"], &mirror);
    for (name, image) in names.into_iter().zip([&first, &second]) {
        containerd.pull(name);
        assert_eq!(containerd.digest(name), image.digest());
        let by_digest = format!("{}@{}", name.trim_end_matches(":1"), image.digest());
        containerd.pull(&by_digest);
        assert_eq!(containerd.digest(&by_digest), image.digest());
        for layer in &image.layers {
            let content = containerd.content(&layer.digest());
            assert!(content == layer.blob, "{name}: another layer");
        }
    }
    let outcome = serving.stop().done();
    assert!(outcome.stderr.contains("?ns=ghcr.io"), "{outcome}");
    for image in [&first, &second] {
        assert_eq!(fetched(&outcome, image), [1, 1, 1], "{outcome}");
    }
}

#[test]
fn podman_pulls_through_it_as_a_mirror_and_by_its_own_name() {
    let [first, second] = two_images();
    let names = ["docker.io/library/app:1", "ghcr.io/team/app:2"];
    let layouts = layouts(&[(&first, names[0]), (&second, names[1])]);
    let serving = Serving::start(layouts.iter().map(TempDir::path));
    let host = serving.name();
    let mirrors = ["docker.io", "ghcr.io"].map(|registry| {
        format!(
            "[[registry]]\nlocation = \"{registry}\"\n\
             [[registry.mirror]]\nlocation = \"{host}/{registry}\"\ninsecure = true\n"
        )
    });
    let daemon = Daemon::of_podman(Podman::start_with(&mirrors.concat()));
    let pull = |name: &str, image: &Image| {
        let pull = ["pull", "--quiet", "--tls-verify=false", name];
        program::run(daemon.client().args(pull));
        assert_eq!(daemon.image_id(name), image.config_digest());
        assert_eq!(daemon.inspect(name, "{{.Digest}}"), image.digest());
    };
    for (name, image) in names.into_iter().zip([&first, &second]) {
        pull(name, image);
        let (repository, _) = name.rsplit_once(':').unwrap();
        pull(&format!("{repository}@{}", image.digest()), image);
        pull(&format!("{host}/{name}"), image);
    }
    let outcome = serving.stop().done();
    assert_eq!(fetched(&outcome, &first), [1, 1, 1], "{outcome}");
    assert_eq!(fetched(&outcome, &second), [1, 1, 1], "{outcome}");
}

#[test]
fn clients_select_the_platform_of_images_that_share_a_name_in_a_layout() {
    let images = ["amd64", "arm64"].map(|architecture| {
        let platform = json!({"os": "linux", "architecture": architecture});
        Image::for_platform(Family::Oci, &platform, &["/hello"], real_image().layers)
    });
    let layout = TempDir::new().unwrap();
    let name = "docker.io/team/app:1";
    let entries = images.each_ref().map(|image| {
        image.write_layout(layout.path(), name);
        let mut entry = image.descriptor();
        entry["annotations"] = json!({"io.containerd.image.name": name});
        entry
    });
    let index = json!({"schemaVersion": 2, "manifests": entries});
    std::fs::write(layout.path().join("index.json"), index.to_string()).unwrap();
    let serving = Serving::start([layout.path()]);
    let name = format!("{}/team/app:1", serving.name());
    for (image, architecture) in images.iter().zip(["amd64", "arm64"]) {
        let config = program::run(
            Command::new("skopeo")
                .arg(format!("--override-arch={architecture}"))
                .args(["inspect", "--tls-verify=false", "--config", "--raw"])
                .arg(format!("docker://{name}")),
        );
        assert!(config.trim_ascii() == image.config, "{architecture}");
    }
    let dockerd = Dockerd::start();
    program::run(dockerd.docker().args(["pull", "--quiet", &name]));
    assert_eq!(dockerd.image_id(&name), images[0].config_digest());
    assert_eq!(dockerd.run_image(&name), GREETING);
    serving.stop().done();
}

#[test]
fn skopeo_copies_what_nix_built_byte_for_byte() {
    let image = real_image();
    let registry = registry_with(&image);
    let nix = Nix::new();
    let result = nix.built_image(&expression(&registry));
    let serving = Serving::start([&result]);
    let copy = nix.directory().join("copy");
    let source = format!("docker://{}/team/app", serving.name());
    for reference in [
        format!("{source}:1"),
        format!("{source}@{}", image.digest()),
    ] {
        program::run(
            Command::new("skopeo")
                .args(["--insecure-policy", "copy", "--src-tls-verify=false"])
                .arg("--preserve-digests")
                .arg(&reference)
                .arg(format!("dir:{}", copy.display())),
        );
        let read = |name: &str| std::fs::read(Path::new(&copy).join(name)).unwrap();
        assert!(read("manifest.json") == image.manifest, "{reference}");
        for layer in &image.layers {
            assert!(read(&layer.hex()) == layer.blob, "{reference}: a layer");
        }
        std::fs::remove_dir_all(&copy).unwrap();
    }
    let tags = program::text(
        Command::new("skopeo")
            .args(["list-tags", "--tls-verify=false"])
            .arg(&source),
    );
    assert!(tags.contains("\"1\""), "{tags}");
    serving.stop().done();
}

#[test]
fn everyone_fetches_the_same_bytes_of_ten_images_that_nix_built() {
    let base = real_image();
    let registry = DockerRegistry::start();
    let nix = Nix::new();
    let images: Vec<(String, Image)> = (0..10)
        .map(|number| {
            let mut layers = base.layers.clone();
            let motd = format!("image {number}\n");
            layers.push(Layer::of_files(
                Packing::Gzip,
                &[("etc/motd", motd.as_bytes())],
            ));
            (
                format!("team/app{number}"),
                Image::new(Family::Oci, &["/hello"], layers),
            )
        })
        .collect();
    let results = images.iter().map(|(repository, image)| {
        let layout = image.layout("1");
        registry.push(layout.path(), repository, "1", &["--preserve-digests"]);
        let reference = format!("{}/{repository}:1", registry.name());
        nix.built_image(&hocker(["docker2nix", &reference]).run().done().text())
    });
    let results: Vec<PathBuf> = results.collect();
    let origin = registry.name();
    drop(registry);

    let serving = Serving::start(&results);
    let dockerd = Dockerd::start();
    let podman = Daemon::of_podman(Podman::start());
    let mirror = format!("http://{}", serving.name());
    let containerd = Containerd::start(&[&origin], &mirror);
    let directory = tempfile::tempdir().unwrap();
    for (repository, image) in &images {
        let reference = format!("{}/{repository}", serving.name());
        let (tagged, by_digest) = (
            format!("{reference}:1"),
            format!("{reference}@{}", image.digest()),
        );
        for name in [&tagged, &by_digest] {
            program::run(dockerd.docker().args(["pull", "--quiet", name]));
            assert_eq!(dockerd.image_id(name), image.config_digest());
            let pull = ["pull", "--quiet", "--tls-verify=false", name];
            program::run(podman.client().args(pull));
            assert_eq!(podman.image_id(name), image.config_digest());
            assert_eq!(podman.inspect(name, "{{.Digest}}"), image.digest());
        }
        let original = format!("{origin}/{repository}");
        for name in [
            format!("{original}:1"),
            format!("{original}@{}", image.digest()),
        ] {
            containerd.pull(&name);
            assert_eq!(containerd.digest(&name), image.digest());
        }
        for layer in &image.layers {
            let content = containerd.content(&layer.digest());
            assert!(content == layer.blob, "{repository}: another layer");
        }
        let copies = ["skopeo", "hocker"].map(|name| directory.path().join(name));
        program::run(
            Command::new("skopeo")
                .args(["--insecure-policy", "copy", "--src-tls-verify=false"])
                .arg(format!("docker://{tagged}"))
                .arg(format!("oci:{}:1", copies[0].display())),
        );
        hocker(["image", "--format", "oci-dir", &by_digest, "--out"])
            .arguments([&copies[1]])
            .run()
            .done();
        for copy in &copies {
            let read = |digest: &str| {
                let hex = digest.trim_start_matches("sha256:");
                std::fs::read(copy.join("blobs/sha256").join(hex)).unwrap()
            };
            assert!(read(&image.digest()) == image.manifest, "{repository}");
            assert!(read(&image.config_digest()) == image.config, "{repository}");
            for layer in &image.layers {
                assert!(read(&layer.digest()) == layer.blob, "{repository}: a layer");
            }
            std::fs::remove_dir_all(copy).unwrap();
        }
    }
    serving.stop().done();
}
