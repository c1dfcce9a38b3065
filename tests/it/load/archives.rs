//! Archives of other programs, from files and from standard input.

use std::fs;
use std::io::{PipeWriter, Write as _};
use std::path::Path;

use serde_json::json;

use super::{docker, gets, hocker, loaded, small, uploads};
use crate::support::archive::{crane, old_docker_save, several};
use crate::support::hocker::Running;
use crate::support::image::{Family, Image, gzip};
use crate::support::scripted_registry::Registry;

#[test]
fn an_archive_is_loaded_from_a_file_and_from_standard_input() {
    let image = small();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    for archive in [
        old_docker_save(&image, &["team/app:1"]).bytes(),
        gzip(&crane(&image, &["team/app:1"]).bytes()),
    ] {
        fs::write(&path, &archive).unwrap();
        // A shell passes `<(command)` as the name of a pipe in such a directory.
        for input in [None, Some("-"), Some("/dev/stdin"), Some("/dev/fd/0")] {
            let daemon = docker();
            gets(&daemon, &image, [loaded()]);
            let host = format!("tcp://{}", daemon.name());
            let load = hocker(["load", "--retries", "0", "--host", &host]);
            let load = match input {
                Some(input) => load.arguments([input]).input(archive.clone()),
                None => load.arguments([&path]),
            };
            let outcome = load.run().done();
            assert_eq!(outcome.text(), format!("{}\n", image.config_digest()));
            let sent = uploads(&daemon).remove(0);
            let layers = |content: &Vec<u8>| {
                let layers = image.layers.iter();
                layers
                    .clone()
                    .any(|layer| layer.tar == *content || layer.blob == *content)
            };
            assert_eq!(sent.values().filter(|content| layers(content)).count(), 2);
        }
    }
}

#[test]
fn all_images_of_an_archive_are_loaded_unless_one_is_selected() {
    let first = small();
    let second = Image::new(Family::Oci, &["/second"], first.layers[..1].to_vec());
    let archive = several(&[(&first, json!(["team/app:1"])), (&second, json!(null))]);
    for (arguments, images) in [
        (&[][..], &[&first, &second][..]),
        (&["--image", "team/app:1"], &[&first]),
    ] {
        let daemon = docker();
        for image in images {
            gets(&daemon, image, [loaded()]);
        }
        let host = format!("tcp://{}", daemon.name());
        let outcome = hocker(["load", "--retries", "0", "--host", &host, "-"])
            .arguments(arguments)
            .input(archive.bytes())
            .run()
            .done();
        let ids: Vec<_> = images.iter().map(|image| image.config_digest()).collect();
        assert_eq!(outcome.text().lines().collect::<Vec<_>>(), ids);
        assert_eq!(uploads(&daemon).len(), images.len());
    }
    let daemon = docker();
    let host = format!("tcp://{}", daemon.name());
    hocker([
        "load",
        "--retries",
        "0",
        "--host",
        &host,
        "--tag",
        "app:2",
        "-",
    ])
    .input(archive.bytes())
    .run()
    .failed(2)
    .says("cannot give one name to several images: team/app:1, sha256:")
    .says("--image");
}

/// `docker load` does the same: the last image gets the name.
#[test]
fn images_that_share_a_name_are_loaded_in_their_order() {
    let images = [
        small(),
        Image::new(Family::Oci, &["/second"], small().layers[..1].to_vec()),
    ];
    let name = json!(["team/app:1"]);
    let archive = several(&[(&images[1], name.clone()), (&images[0], name)]);
    let daemon = docker();
    for image in images.iter().rev() {
        gets(&daemon, image, [loaded()]);
    }
    let host = format!("tcp://{}", daemon.name());
    let outcome = hocker(["load", "--retries", "0", "--host", &host, "-"])
        .input(archive.bytes())
        .run()
        .done();
    let ids: Vec<_> = images.iter().rev().map(Image::config_digest).collect();
    assert_eq!(outcome.text().lines().collect::<Vec<_>>(), ids);
    assert_eq!(uploads(&daemon).len(), 2);
}

#[test]
fn what_standard_input_has_instead_of_an_archive_is_refused() {
    let daemon = docker();
    let host = format!("tcp://{}", daemon.name());
    hocker(["load", "--retries", "0", "--host", &host, "-"])
        .input("no archive\n".repeat(100))
        .run()
        .failed(7)
        .says("cannot use the archive standard input")
        .says("not a tar archive");
    let daemon = docker();
    let host = format!("tcp://{}", daemon.name());
    hocker(["load", "--retries", "0", "--host", &host, "-"])
        .input("")
        .run()
        .failed(7)
        .says("the input is empty");
}

#[test]
fn a_temporary_directory_that_cannot_be_used_is_named_without_a_random_name() {
    let image = small();
    let layout = image.layout("team/app:1");
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("app.tar");
    hocker(["image", "--format", "docker-save", "--out"])
        .arguments([archive.as_path(), layout.path()])
        .run()
        .done();
    let daemon = docker();
    let host = format!("tcp://{}", daemon.name());
    hocker(["load", "--host", &host])
        .arguments([&archive])
        .env("TMPDIR", "/missing")
        .run()
        .failed(1)
        .says("cannot unpack the archive into the temporary directory /missing\n")
        .says("caused by: No such file or directory (os error 2)\n")
        .says("TMPDIR");
}

/// A load that has read a half of its archive, and is the one of so many that have unpacked some of it here.
fn half_unpacked(daemon: &Registry, temporary: &Path, number: usize) -> (Running, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let host = format!("tcp://{}", daemon.name());
    let running = hocker(["load", "--retries", "0", "--host", &host, "-"])
        .env("TMPDIR", temporary)
        .stdin_from(reader)
        .start();
    let archive = old_docker_save(&small(), &["team/app:1"]).bytes();
    writer.write_all(&archive[..archive.len() / 2]).unwrap();
    while count(temporary) < number {
        std::thread::yield_now();
    }
    (running, writer)
}

fn count(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

#[test]
fn the_next_archive_removes_what_a_killed_process_unpacked() {
    let temporary = tempfile::tempdir().unwrap();
    let daemons = [docker(), docker()];
    let (killed, _writer) = half_unpacked(&daemons[0], temporary.path(), 1);
    let (running, _other) = half_unpacked(&daemons[1], temporary.path(), 2);
    killed.kill();
    assert_eq!(count(temporary.path()), 2);
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("image.tar");
    fs::write(&archive, old_docker_save(&small(), &["team/app:1"]).bytes()).unwrap();
    hocker(["image", "--out", "-"])
        .arguments([&archive])
        .env("TMPDIR", temporary.path())
        .run()
        .done();
    // That of the process that runs stays.
    assert_eq!(count(temporary.path()), 1);
    running.interrupt();
    assert_ne!(running.finish().code, Some(0));
    assert_eq!(count(temporary.path()), 0);
}

#[test]
fn an_interrupted_load_leaves_no_unpacked_archive() {
    let temporary = tempfile::tempdir().unwrap();
    let daemon = docker();
    let (running, _writer) = half_unpacked(&daemon, temporary.path(), 1);
    running.interrupt();
    let outcome = running.finish();
    assert_ne!(outcome.code, Some(0));
    assert_eq!(count(temporary.path()), 0);
}
