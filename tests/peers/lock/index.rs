//! Images by the digest of their index, as `docker pull` prints it and people pin it: locked, built by Nix, and then read
//! by others while the registry is down.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::fleet::lock;
use crate::machine::daemon::{Daemon, Store};
use crate::machine::nix::{Nix, built};
use crate::machine::podman::Podman;
use crate::machine::program;
use crate::machine::real_image::{GREETING, program_layer};
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
    expression: String,
    nix: Nix,
}

impl Pinned {
    /// Locks an image of an index for one of two platforms, and builds it.
    fn new() -> Self {
        Self::with_tag(":1")
    }

    /// The same, with a tag beside the digest or without.
    fn with_tag(tag: &str) -> Self {
        let mut layers = small().layers;
        layers.push(program_layer(GREETING));
        let image = Image::new(Family::Oci, &["/hello"], layers);
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
        let reference = format!("{name}{tag}@{}", digest(&index));
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
            expression,
            nix,
        }
    }

    /// The name by which people pin it.
    fn by_index(&self) -> String {
        format!("{}@{}", self.name, self.index)
    }
}

/// The daemons that keep the digests of images.
fn daemons() -> impl Iterator<Item = Daemon> {
    let all = Daemon::all().into_iter();
    all.filter(|daemon| daemon.store() != Store::Docker)
}

#[track_caller]
fn runs(daemon: &Daemon, name: &str) {
    let output = daemon.run(name);
    let told = program::told(&output);
    assert!(output.status.success(), "{} {name}: {told}", daemon.name());
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), GREETING);
}

#[test]
fn a_loaded_image_runs_by_the_digest_of_its_index_with_a_tag_and_without() {
    for tag in [":1", ""] {
        let pinned = Pinned::with_tag(tag);
        let name = pinned.by_index();
        for daemon in daemons() {
            for path in [pinned.path.clone(), pinned.path.join("oci")] {
                let load = || {
                    let load = hocker(["load", "--host", &daemon.host()]);
                    load.arguments([&path]).run().done()
                };
                let id = load().says("sent 3 of 3 layers").text();
                runs(&daemon, &name);
                let is_podman = daemon.store() == Store::Podman;
                if is_podman {
                    runs(
                        &daemon,
                        &format!("{}@{}", pinned.name, pinned.image.digest()),
                    );
                }
                if !tag.is_empty() {
                    runs(&daemon, &format!("{}:1", pinned.name));
                }
                let expected = if is_podman {
                    pinned.image.config_digest()
                } else {
                    pinned.index.clone()
                };
                assert_eq!(id.trim(), expected);
                assert_eq!(daemon.image_id(&name), expected);
                drop(load().says("nothing was sent"));
                daemon.remove(&expected);
                assert_eq!(daemon.images(), "", "{}", daemon.name());
            }
        }
    }
}

#[test]
fn an_image_gets_its_name_with_a_digest_beside_another_name_and_no_layer_is_sent() {
    let (tagged, pinned) = (Pinned::new(), Pinned::with_tag(""));
    for daemon in daemons() {
        let load = |path: &Path| {
            let load = hocker(["load", "--host", &daemon.host()]);
            load.arguments([path]).run().done()
        };
        load(&tagged.path);
        drop(load(&pinned.path).says("sent 0 of 3 layers"));
        for name in [tagged.by_index(), pinned.by_index()] {
            runs(&daemon, &name);
        }
    }
}

#[test]
fn archives_keep_the_digest_of_the_index() {
    let directory = tempfile::tempdir().unwrap();
    for tag in [":1", ""] {
        let pinned = Pinned::with_tag(tag);
        let archive = pinned
            .nix
            .build(&format!("({}).archive", pinned.expression));
        let mut archives = vec![built(&archive)];
        for (format, source) in [
            ("docker-save", pinned.path.clone()),
            ("oci-archive", pinned.path.join("oci")),
        ] {
            let out = directory.path().join(format!("{format}{tag}"));
            hocker(["image", "--format", format, "--out"])
                .arguments([&out, &source])
                .run()
                .done();
            archives.push(out);
        }
        let streamed = directory.path().join(format!("stream{tag}"));
        let stdout = File::create(&streamed).unwrap();
        let mut script = Command::new(pinned.path.join("compositeImage.sh"));
        assert!(script.stdout(stdout).status().unwrap().success());
        archives.push(streamed);
        for daemon in daemons() {
            for archive in &archives {
                let loaded = daemon.load(File::open(archive).unwrap());
                assert!(loaded.status.success(), "{}", program::told(&loaded));
                runs(&daemon, &pinned.by_index());
                daemon.remove(&daemon.image_id(&pinned.by_index()));
            }
        }
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
        let digests = daemon.inspect(name, "{{json .RepoDigests}}");
        assert!(digests.contains(&pinned.index), "{digests}");
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
