//! Images by the digest of their index, as `docker pull` prints it and people pin it: locked, built by Nix, and then read
//! by others while the registry is down.

use std::path::PathBuf;
use std::process::Command;

use super::fleet::lock;
use crate::machine::daemon::Daemon;
use crate::machine::nix::{Nix, built};
use crate::machine::podman::Podman;
use crate::machine::program;
use crate::machine::real_image::{GREETING, real_image};
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, digest, index, index_answer, small};
use crate::support::scripted_registry::{Registry, get, head};
use crate::support::serving::Serving;

use serde_json::json;

/// A built image, whose registry has ended.
struct Pinned {
    image: Image,
    /// The image of the index that was not locked.
    other: Image,
    /// The name without a tag.
    name: String,
    index: String,
    path: PathBuf,
    _nix: Nix,
}

impl Pinned {
    /// Locks an image of an index for one of two platforms, and builds it.
    fn new() -> Self {
        let image = real_image();
        let arm64 = json!({"os": "linux", "architecture": "arm64"});
        let other = Image::for_platform(Family::Oci, &arm64, &["/hello"], small().layers);
        let entries = [image.descriptor(), other.descriptor()];
        let index = index(&entries);
        let registry = Registry::start();
        let target = format!("/v2/team/app/manifests/{}", digest(&index));
        registry.on(head(&target).perhaps(), index_answer(&index));
        registry.on(get(&target).perhaps(), index_answer(&index));
        image.serve(&registry, "team/app", &image.digest());
        image.serve_config(&registry, "team/app");

        let nix = Nix::new();
        let name = format!("{}/team/app", registry.name());
        let reference = format!("{name}:1@{}", digest(&index));
        let add = ["add", "--platform", "linux/amd64", &reference];
        lock(nix.directory(), &add).run().done();
        let expression = format!(
            "(hocker.importLock {{ lockFile = {}/docker-images.lock.json; platform = \"linux/amd64\"; }}).app",
            nix.directory().display()
        );
        let path = built(&nix.build(&expression));
        Self {
            image,
            other,
            name,
            index: digest(&index),
            path,
            _nix: nix,
        }
    }
}

#[test]
fn podman_runs_a_loaded_image_by_the_digest_of_its_index() {
    let pinned = Pinned::new();
    let daemon = Daemon::of_podman(Podman::start());
    hocker(["load", "--host", &daemon.host()])
        .arguments([&pinned.path])
        .run()
        .done();
    assert_eq!(
        daemon.image_id(&format!("{}:1", pinned.name)),
        pinned.image.config_digest()
    );
    for digest in [&pinned.index, &pinned.image.digest()] {
        let name = format!("{}@{digest}", pinned.name);
        let output = daemon.run(&name);
        assert!(output.status.success(), "{}", program::told(&output));
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), GREETING);
    }
}

#[test]
fn podman_pulls_by_the_digest_of_the_index_from_hocker_serve() {
    let pinned = Pinned::new();
    let serving = Serving::start([&pinned.path]);
    let registry = pinned.name.split_once('/').unwrap().0;
    let mirror = format!(
        "[[registry]]\nlocation = \"{registry}\"\n\
         [[registry.mirror]]\nlocation = \"{}\"\ninsecure = true\n",
        serving.name()
    );
    let daemon = Daemon::of_podman(Podman::start_with(&mirror));
    let name = format!("{}@{}", pinned.name, pinned.index);
    for name in [&name, &format!("{}:1", pinned.name)] {
        program::run(
            daemon
                .client()
                .args(["pull", "--quiet", "--tls-verify=false", name]),
        );
        assert_eq!(daemon.image_id(name), pinned.image.config_digest());
        assert_eq!(daemon.inspect(name, "{{.Digest}}"), pinned.index);
    }
    let manifest = |digest: &str| {
        let target = format!("/v2/team/app/manifests/{digest}");
        serving.ask("GET", &target, "").status
    };
    assert_eq!(manifest(&pinned.image.digest()), 200);
    assert_eq!(manifest(&pinned.other.digest()), 404);
}

#[test]
fn readers_of_the_layout_need_only_the_manifest_that_is_there() {
    let pinned = Pinned::new();
    let layout = format!("oci:{}", pinned.path.join("oci").display());
    for reference in [layout.clone(), format!("{layout}:1")] {
        let digest = program::text(
            Command::new("skopeo")
                .args(["inspect", "--format", "{{.Digest}}"])
                .arg(&reference),
        );
        assert_eq!(digest.trim(), pinned.index);
        let copy = tempfile::tempdir().unwrap();
        program::run(
            Command::new("skopeo")
                .args(["copy", "--quiet", &reference])
                .arg(format!("dir:{}", copy.path().display())),
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("image.tar");
    hocker(["image", "--out"])
        .arguments([&archive, &pinned.path.join("oci")])
        .run()
        .done();
    assert!(archive.metadata().unwrap().len() > 0);
}
