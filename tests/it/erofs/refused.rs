//! Layers that do not become an image, and what is left of them.

use std::fs;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tar::EntryType;

use super::{Tar, convert, names, several};
use crate::support::hocker::{Outcome, hocker};
use crate::support::image::{digest, gzip};
use crate::support::layer::{Layer, Packing};
use crate::support::properties::erofs_image;

/// Converts a layer, from a file and from standard input, with further arguments. Nothing may be left.
fn fails(layer: &[u8], arguments: &[&str], code: i32) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("layer"), layer).unwrap();
    let outcomes = ["layer", "-"].map(|name| {
        hocker(["erofs", name, "--out", "image"])
            .arguments(arguments)
            .in_directory(directory.path())
            .input(layer)
            .run()
            .failed(code)
    });
    assert_eq!(names(directory.path()), ["layer"]);
    let [outcome, _] = outcomes;
    outcome.says("cannot convert layer")
}

#[test]
fn a_layer_that_ends_early_is_refused() {
    let tar = several();
    for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd] {
        let blob = Layer::of_tar(packing, tar.clone()).blob;
        for end in [blob.len() / 2, blob.len() / 3, 700] {
            fails(&blob[..end], &[], 5);
        }
    }
}

#[test]
fn what_is_no_archive_is_refused() {
    let zip = [b"PK\x03\x04".to_vec(), vec![7; 2000]].concat();
    for junk in [&b"junk"[..], &[1; 4096], &zip, &gzip(&zip), b"\x1f\x8b\x08"] {
        fails(junk, &[], 5);
    }
}

#[test]
fn a_layer_in_another_compression_is_not_supported() {
    let xz = [b"\xfd7zXZ\0".to_vec(), vec![7; 2000]].concat();
    fails(&xz, &[], 7).says("xz");
}

#[test]
fn an_empty_archive_is_an_empty_layer() {
    for layer in [Tar::new().finish(), Vec::new()] {
        assert!(erofs_image::read(&convert(&layer)).paths().is_empty());
    }
}

#[test]
fn a_layer_that_expands_beyond_the_limit_is_refused() {
    let bomb = Tar::new().file("zeros", &vec![0; 3 << 20]).finish();
    for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd] {
        let blob = Layer::of_tar(packing, bomb.clone()).blob;
        fails(&blob, &["--max-layer-size", "1M"], 5).says("--max-layer-size");
    }
    // Holes take no room in the archive.
    let records: [(&str, &[u8]); 2] = [
        ("GNU.sparse.map", b"0,1"),
        ("GNU.sparse.size", b"9000000000000000000"),
    ];
    let holes = Tar::new().records(&records).file("sparse", b"x").finish();
    fails(&holes, &[], 7).says("16 TiB");
    let records: [(&str, &[u8]); 2] = [
        ("GNU.sparse.map", b"0,1"),
        ("GNU.sparse.size", b"1073741826"),
    ];
    let holes = Tar::new().records(&records).file("sparse", b"x").finish();
    fails(&holes, &[], 5).says("--max-layer-size");
}

#[test]
fn another_diff_id_than_the_given_one_is_refused() {
    let other = digest(b"");
    fails(&gzip(&several()), &["--diff-id", &other], 5)
        .says(&digest(&several()))
        .says("sha256-");
}

#[test]
fn a_hard_link_into_a_lower_layer_is_not_supported() {
    for tar in [
        Tar::new().link("a", EntryType::Link, "usr/bin/lower"),
        Tar::new()
            .link("a", EntryType::Link, "b")
            .file("b", b"later"),
        Tar::new()
            .file(".wh.b", b"")
            .link("a", EntryType::Link, "b"),
    ] {
        fails(&tar.finish(), &[], 7).says("a file of a lower layer is not supported");
    }
}

#[test]
fn entries_that_contradict_each_other_or_mean_nothing_are_refused() {
    let directory = || Tar::new().other("d/", EntryType::Directory);
    for (tar, code) in [
        (Tar::new().file("a", b"").file("a/b", b""), 5),
        (directory().link("a", EntryType::Link, "d"), 5),
        (directory().link("a", EntryType::Link, ".."), 5),
        (Tar::new().file("..", b""), 5),
        (Tar::new().link("/", EntryType::Symlink, "a"), 5),
        (Tar::new().link("a", EntryType::Symlink, ""), 5),
        (Tar::new().file(".wh.", b""), 5),
        (Tar::new().file("a/.wh...", b""), 5),
        (
            Tar::new()
                .link("a", EntryType::Symlink, "a")
                .file("a/b", b""),
            5,
        ),
        (Tar::new().other("a", EntryType::new(b'V')), 7),
        (
            Tar::new().records(&[("uid", b"4294967295")]).file("a", b""),
            7,
        ),
        (
            Tar::new().records(&[("path", &[b'x'; 256])]).file("a", b""),
            7,
        ),
        (
            Tar::new()
                .records(&[("SCHILY.xattr.user.a", &[0; 5000])])
                .file("a", b""),
            7,
        ),
        (Tar::new().records(&[("path", b"a\0b")]).file("a", b""), 5),
    ] {
        fails(&tar.finish(), &[], code);
    }
}

#[test]
fn names_in_errors_are_printable() {
    let tar = Tar::new().file("\x1b[31m/.wh.", b"").finish();
    fails(&tar, &[], 5)
        .never_says("\x1b")
        .says("\\u{1b}[31m/.wh.");
}

#[test]
fn only_regular_files_are_opened() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    for layer in ["fifo", "missing", "."] {
        hocker(["erofs", layer, "--out", "image"])
            .in_directory(directory.path())
            .run()
            .failed(1)
            .says(&format!("cannot read {layer}"));
    }
    assert_eq!(names(directory.path()), ["fifo"]);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    hocker(["erofs", "-", "--out", "-"])
        .input(several())
        .stdout_to(writer)
        .run()
        .done();
}
