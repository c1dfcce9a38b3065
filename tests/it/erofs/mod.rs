//! `hocker erofs`: the image of a layer, read by a reader that shares no code with the writer. The one image of several
//! layers.

mod files;
mod model;
mod refused;
mod rootfs;

use std::fs;
use std::path::Path;

use crate::support::hocker::hocker;
use crate::support::image::{digest, noise};
use crate::support::layer::{Layer, Packing};
use crate::support::properties::erofs_image::{self, Image};

/// An archive that is made by hand.
struct Tar {
    builder: tar::Builder<Vec<u8>>,
}

impl Tar {
    fn new() -> Self {
        Self {
            builder: tar::Builder::new(Vec::new()),
        }
    }

    /// Adds an entry, and what the header says beside its name.
    fn entry(mut self, name: &str, content: &[u8], change: impl Fn(&mut tar::Header)) -> Self {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        // Builders refuse hostile names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        change(&mut header);
        header.set_cksum();
        self.builder.append(&header, content).unwrap();
        self
    }

    fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name, content, |_| {})
    }

    /// Adds an entry without content.
    fn other(self, name: &str, kind: tar::EntryType) -> Self {
        self.entry(name, b"", |header| header.set_entry_type(kind))
    }

    fn link(self, name: &str, kind: tar::EntryType, target: &str) -> Self {
        self.entry(name, b"", |header| {
            header.set_entry_type(kind);
            header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        })
    }

    /// Adds records for the next entry.
    fn records(mut self, records: &[(&str, &[u8])]) -> Self {
        self.builder
            .append_pax_extensions(records.iter().copied())
            .unwrap();
        self
    }

    fn finish(self) -> Vec<u8> {
        self.builder.into_inner().unwrap()
    }
}

/// Converts a layer in a file.
fn convert(layer: &[u8]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("layer");
    fs::write(&path, layer).unwrap();
    hocker(["erofs", "layer", "--out", "image"])
        .in_directory(directory.path())
        .run()
        .done();
    fs::read(directory.path().join("image")).unwrap()
}

fn image(tar: Tar) -> Image {
    erofs_image::read(&convert(&tar.finish()))
}

/// Some files of many sizes.
fn several() -> Vec<u8> {
    let sizes = [0, 1, 4032, 4033, 4096, 5000, 300_000];
    let sizes = sizes.into_iter().enumerate();
    sizes
        .fold(Tar::new(), |tar, (number, size)| {
            tar.file(&format!("file{number}"), &noise(size))
        })
        .finish()
}

#[test]
fn the_image_is_the_same_however_the_layer_is_compressed_and_read() {
    let tar = several();
    let image = convert(&tar);
    for packing in [
        Packing::Plain,
        Packing::Gzip,
        Packing::GzipMembers,
        Packing::Zstd,
    ] {
        let layer = Layer::of_tar(packing, tar.clone());
        assert!(convert(&layer.blob) == image, "{packing:?}");
        let outcome = hocker(["erofs", "-", "--out", "-"]).input(layer.blob).run();
        assert!(outcome.done().stdout == image, "{packing:?}");
    }
}

#[test]
fn contents_of_every_size_are_kept() {
    let files = erofs_image::read(&convert(&several())).files;
    for (number, size) in [0, 1, 4032, 4033, 4096, 5000, 300_000]
        .into_iter()
        .enumerate()
    {
        let file = &files[format!("file{number}").as_bytes()];
        assert!(file.content == noise(size), "{size}");
    }
}

#[test]
fn the_diff_id_is_printed_verified_and_the_source_of_the_uuid() {
    let tar = several();
    let diff_id = digest(&tar);
    let directory = tempfile::tempdir().unwrap();
    let layer = Layer::of_tar(Packing::Gzip, tar);
    fs::write(directory.path().join("layer"), &layer.blob).unwrap();
    let outcome = hocker(["erofs", "layer", "--out", "image", "--diff-id", &diff_id])
        .in_directory(directory.path())
        .run()
        .done();
    assert_eq!(outcome.text(), format!("{diff_id}\n"));
    let image = fs::read(directory.path().join("image")).unwrap();
    let uuid = erofs_image::read(&image).uuid;
    let hex = crate::support::image::hex_of(&uuid);
    // All but the version and the variant.
    assert_eq!(hex[..12], diff_id[7..19]);
    assert_eq!(&hex[12..13], "8");
    assert_eq!(hex[17..], diff_id[24..39]);
}

#[test]
fn an_existing_image_is_replaced_only_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("layer"), several()).unwrap();
    fs::write(at("image"), "precious").unwrap();
    let command = || hocker(["erofs", "layer", "--out", "image"]).in_directory(directory.path());
    command().run().failed(1).says("--force");
    assert_eq!(fs::read(at("image")).unwrap(), b"precious");
    command().arguments(["--force"]).run().done();
    assert!(fs::read(at("image")).unwrap() == convert(&several()));
    assert_eq!(names(directory.path()), ["image", "layer"]);
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
