//! `docs/migrating.md`: what replaces the commands of other programs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{MIGRATING, follow, section};
use crate::machine::desk::Desk;
use crate::machine::internet::{Internet, image};
use crate::machine::nix::built;
use crate::machine::program;
use crate::manual::PROGRAMS;
use crate::support::image::{Image, Layer, Packing};
use crate::support::pages::Page;

/// An image of two layers.
fn two_layers() -> Image {
    let layer = |path, content: &[u8]| Layer::of_files(Packing::Gzip, &[(path, content)]);
    image(vec![
        layer("etc/motd", b"welcome\n"),
        layer("hello", b"hello"),
    ])
}

/// Demands that a directory is what fetchdocker makes of an image.
#[track_caller]
fn is_image(result: &Path, image: &Image) {
    for layer in &image.layers {
        let path = result.join("oci/blobs/sha256").join(layer.hex());
        assert!(fs::read(path).unwrap() == layer.blob, "another layer");
    }
}

#[test]
pub(super) fn from_the_haskell_program() {
    let jessie = two_layers();
    let internet = Internet::with(&[("library/debian:jessie", &jessie)]);
    let desk = internet.desk();
    fs::create_dir(desk.path("bin")).unwrap();
    for name in &PROGRAMS[1..] {
        symlink("../hocker/bin/hocker", desk.path("bin").join(name)).unwrap();
    }
    let config = internet.nix_config();
    let output = follow(
        desk,
        &section(MIGRATING, "From the Haskell program"),
        &[("NIX_CONFIG", &config)],
    );
    is_image(&built(&output), &jessie);
    assert!(fs::read(desk.path("config.json")).unwrap() == jessie.config);
    let shown = shown(desk, "docker-archive:debian-jessie.tar.gz");
    assert!(shown == jessie.config, "another image");
}

#[test]
pub(super) fn from_pull_image() {
    let etcd = two_layers();
    let internet = Internet::with(&[("coreos/etcd:v3", &etcd)]);
    let config = internet.nix_config();
    let output = follow(
        internet.desk(),
        &section(MIGRATING, "From `dockerTools.pullImage`"),
        &[("NIX_CONFIG", &config)],
    );
    is_image(&built(&output), &etcd);
}

/// The configuration of an image, as skopeo reads it.
#[track_caller]
fn shown(desk: &Desk, place: &str) -> Vec<u8> {
    let script = format!("skopeo --insecure-policy inspect --config --raw {place}");
    let output = desk.shell(&script, &[]);
    assert!(output.status.success(), "{}", program::told(&output));
    output.stdout
}

/// The commands of the table about skopeo: its own, and what is used instead.
fn commands() -> Vec<(String, String)> {
    let section = Page::at(MIGRATING).section("From nix2container and skopeo");
    let command = |cell: &str| {
        let text = cell.trim().trim_matches('`');
        text.replace("IMAGE", "debian:12")
    };
    let rows = section
        .prose()
        .lines()
        .filter(|line| line.starts_with("| `skopeo"));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ");
        (
            command(cells.next().unwrap()),
            command(cells.next().unwrap()),
        )
    })
    .collect()
}

#[test]
fn what_skopeo_did_is_done() {
    let debian = two_layers();
    let internet = Internet::with(&[("library/debian:12", &debian)]);
    let desk = internet.desk();
    let run = |command: &str, place: &str| {
        let command = command.replace("FILE", place).replace("DIR", place);
        let policy = command.replace("skopeo ", "skopeo --insecure-policy ");
        let output = desk.shell(&policy, &[]);
        assert!(
            output.status.success(),
            "{command}: {}",
            program::told(&output)
        );
        output.stdout
    };
    let mut compared = 0;
    for (number, (theirs, ours)) in commands().iter().enumerate() {
        let places = [format!("theirs-{number}"), format!("ours-{number}")];
        let Some((_, target)) = theirs.split_once("copy docker://debian:12 ") else {
            if theirs.contains("inspect") {
                assert!(run(theirs, "") == run(ours, ""), "{theirs}");
                compared += 1;
            }
            continue;
        };
        run(theirs, &places[0]);
        run(ours, &places[1]);
        let transport = target.split(':').next().unwrap();
        for place in &places {
            let config = shown(desk, &format!("{transport}:{place}"));
            assert!(config == debian.config, "{theirs}: {place}");
        }
        compared += 1;
    }
    // All but those about a daemon, which have tests of their own.
    assert_eq!(compared, 5);
}
