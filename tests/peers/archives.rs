//! Archives of other programs as sources of images, and the names that each reader takes from hocker's archives.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use crate::machine::containerd::Containerd;
use crate::machine::daemon::{Daemon, Store};
use crate::machine::dockerd::Dockerd;
use crate::machine::podman::Podman;
use crate::machine::program;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing, gzip};

fn image() -> Image {
    let layers = vec![
        Layer::of_files(Packing::Gzip, &[("file", b"content")]),
        program_layer(GREETING),
    ];
    Image::new(Family::Oci, &["/hello"], layers)
}

/// Writes an archive of the image with two names.
fn write(directory: &Path, layout: &Path, format: &str) -> std::path::PathBuf {
    let archive = directory.join(format);
    hocker(["image", "--tag", "second:2", "--format", format, "--out"])
        .arguments([&archive])
        .arguments([layout])
        .run()
        .done();
    archive
}

#[test]
fn every_name_arrives_in_every_reader() {
    let directory = tempfile::tempdir().unwrap();
    let layout = image().layout("docker.io/library/app:1");
    for daemon in Daemon::all() {
        let is_podman = daemon.store() == Store::Podman;
        for format in ["docker-archive", "docker-save", "oci-archive"] {
            let archive = write(directory.path(), layout.path(), format);
            let loaded = daemon.load(File::open(&archive).unwrap());
            fs::remove_file(&archive).unwrap();
            let told = program::told(&loaded);
            assert!(
                loaded.status.success(),
                "{} {format}: {told}",
                daemon.name()
            );
            // Podman takes the short names of a docker-archive for its own.
            let start = if is_podman && format == "docker-archive" {
                "localhost/"
            } else {
                "docker.io/library/"
            };
            let names = [format!("{start}app:1"), format!("{start}second:2")];
            assert_eq!(
                daemon.image_id(&names[0]),
                daemon.image_id(&names[1]),
                "{} {format}",
                daemon.name()
            );
            for name in &names {
                daemon.remove(name);
            }
        }
    }
}

#[test]
fn containerd_takes_every_name() {
    let directory = tempfile::tempdir().unwrap();
    let layout = image().layout("docker.io/library/app:1");
    let containerd = Containerd::start(&[], "http://127.0.0.1:1");
    for format in ["docker-archive", "docker-save", "oci-archive"] {
        let archive = write(directory.path(), layout.path(), format);
        let mut import = containerd.ctr();
        import
            .args(["images", "import", "--no-unpack"])
            .arg(&archive);
        program::run(&mut import);
        for name in ["docker.io/library/app:1", "docker.io/library/second:2"] {
            containerd.digest(name);
            program::run(containerd.ctr().args(["images", "rm", "--sync", name]));
        }
    }
}

#[test]
fn an_archive_that_a_daemon_saved_is_loaded_again() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("saved.tar");
    let layout = image().layout("docker.io/library/app:1");
    for daemon in Daemon::all() {
        let load =
            |arguments: &[&Path]| hocker(["load", "--host", &daemon.host()]).arguments(arguments);
        load(&[layout.path()])
            .arguments(["--tag", "b:1"])
            .run()
            .done();
        let id = daemon.image_id("app:1");
        let mut save = daemon.client();
        save.args(["save", "--output"]).arg(&archive);
        if daemon.store() == Store::Podman {
            save.arg("--multi-image-archive");
        }
        program::run(save.args(["docker.io/library/app:1", "docker.io/library/b:1"]));
        let content = fs::read(&archive).unwrap();
        fs::remove_file(&archive).unwrap();
        fs::write(directory.path().join("saved.tar.gz"), gzip(&content)).unwrap();
        for from_input in [true, false] {
            for name in ["app:1", "b:1"] {
                daemon.remove(&format!("docker.io/library/{name}"));
            }
            assert_eq!(daemon.images(), "", "{}", daemon.name());
            if from_input {
                load(&["-".as_ref()]).input(content.clone()).run().done();
            } else {
                load(&[&directory.path().join("saved.tar.gz")]).run().done();
            }
            if daemon.store() != Store::Containerd {
                assert_eq!(daemon.image_id("app:1"), id, "{}", daemon.name());
            }
            assert_eq!(daemon.image_id("b:1"), daemon.image_id("app:1"));
            let ran = program::told(&daemon.run("docker.io/library/app:1"));
            assert!(ran.contains(GREETING), "{}: {ran}", daemon.name());
        }
        for name in ["app:1", "b:1"] {
            daemon.remove(&format!("docker.io/library/{name}"));
        }
    }
}

#[test]
fn archives_of_skopeo_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let image = image();
    image.write_layout(&directory.path().join("layout"), "1");
    for target in ["docker-archive:a.tar:app:1", "oci-archive:a.tar:1"] {
        program::run(
            Command::new("skopeo")
                .args(["copy", "--quiet", "oci:layout:1", target])
                .current_dir(directory.path()),
        );
        hocker(["image", "--out", "out", "./a.tar"])
            .in_directory(directory.path())
            .run()
            .done();
        let members = program::text(
            Command::new("tar")
                .args(["--list", "--file", "out"])
                .current_dir(directory.path()),
        );
        for layer in &image.layers {
            let name = format!("{}.tar", crate::support::image::hex(&layer.tar));
            assert!(members.contains(&name), "{target}: {members}");
        }
        for file in ["a.tar", "out"] {
            fs::remove_file(directory.path().join(file)).unwrap();
        }
    }
}

#[test]
fn archives_of_other_programs_are_loaded_and_run() {
    let directory = tempfile::tempdir().unwrap();
    let layout = image().layout("docker.io/library/app:1");
    let at = |name: &str| directory.path().join(name);
    let mut archives = Vec::new();
    let podman = Daemon::of_podman(Podman::start());
    hocker(["load", "--host", &podman.host()])
        .arguments([layout.path()])
        .run()
        .done();
    for format in ["docker-archive", "oci-archive"] {
        let saved = at(&format!("podman-{format}"));
        let mut save = podman.client();
        save.args(["save", "--quiet", "--format", format, "--output"]);
        program::run(save.arg(&saved).arg("docker.io/library/app:1"));
        let copied = at(&format!("skopeo-{format}"));
        program::run(
            Command::new("skopeo")
                .args(["--insecure-policy", "copy", "--quiet"])
                .arg(format!("oci:{}", layout.path().display()))
                .arg(format!("{format}:{}:app:1", copied.display())),
        );
        archives.extend([saved, copied]);
    }
    let whole = write(directory.path(), layout.path(), "docker-save");
    let containerd = Containerd::start(&[], "http://127.0.0.1:1");
    let ctr = |arguments: &[&str], archive: &Path, name: &[&str]| {
        let mut ctr = containerd.ctr();
        ctr.arg("images").args(arguments).arg(archive).args(name);
        program::run(&mut ctr);
    };
    ctr(&["import", "--no-unpack"], &whole, &[]);
    ctr(&["export"], &at("ctr"), &["docker.io/library/app:1"]);
    archives.push(at("ctr"));
    let dockerd = Dockerd::start();
    for archive in archives {
        let id = hocker(["load", "--host", &dockerd.host()])
            .arguments([&archive])
            .run()
            .done()
            .text();
        assert_eq!(dockerd.image_id("app:1"), id.trim());
        assert_eq!(dockerd.run_image("app:1"), GREETING);
        program::run(dockerd.docker().args(["image", "rm", "--force", "app:1"]));
    }
}
