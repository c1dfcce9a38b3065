//! Outputs that exist already, or cannot be written.

use std::fs;

use super::{ALL, blobs, command};
use crate::support::files::listing;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing, blob_answer, small};
use crate::support::scripted_registry::Registry;

#[test]
fn an_existing_output_is_left_alone() {
    for name in ALL {
        let registry = Registry::start();
        let image = small();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("out"), "precious").unwrap();
        let before = listing(directory.path());
        // Whether it is noticed before or after the network is the program's choice.
        blobs(&registry, &image, blob_answer);
        command(name, &registry, &image, directory.path(), "out")
            .run()
            .failed(1)
            .says("--force");
        assert_eq!(listing(directory.path()), before, "{name}");
    }
}

#[test]
fn an_existing_output_is_replaced_on_request() {
    for name in ALL {
        let registry = Registry::start();
        let image = small();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("out"), "old").unwrap();
        blobs(&registry, &image, blob_answer);
        command(name, &registry, &image, directory.path(), "out")
            .arguments(["--force"])
            .run()
            .done();
        assert_ne!(fs::read(directory.path().join("out")).unwrap(), b"old");
        assert_eq!(listing(directory.path()).len(), 1, "{name}");
    }
}

#[test]
fn an_existing_layout_is_left_alone() {
    let registry = Registry::start();
    let image = small();
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("out")).unwrap();
    fs::write(directory.path().join("out/precious"), "x").unwrap();
    let before = listing(directory.path());
    blobs(&registry, &image, blob_answer);
    command("image", &registry, &image, directory.path(), "out")
        .arguments(["--format", "oci-dir"])
        .run()
        .failed(1);
    assert_eq!(listing(directory.path()), before);
}

#[test]
fn a_place_where_nothing_can_be_written_is_told() {
    // Below a regular file nobody may write, not even root, and neither in /proc.
    for out in ["file/out", "missing/out", "/proc/out"] {
        for name in ALL {
            let registry = Registry::start();
            let image = small();
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("file"), "x").unwrap();
            let before = listing(directory.path());
            blobs(&registry, &image, blob_answer);
            command(name, &registry, &image, directory.path(), out)
                .run()
                .failed(1)
                .says(out);
            assert_eq!(listing(directory.path()), before, "{name} {out}");
        }
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    for arguments in [
        &["manifest"][..],
        &["config"],
        &["image", "--out", "-"],
        &["docker2nix"],
    ] {
        let registry = Registry::start();
        // More than a pipe holds, so that the writer notices.
        let noise: Vec<u8> = (0..500_000_u32)
            .map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap())
            .collect();
        let layer = Layer::of_files(Packing::Plain, &[("noise", &noise)]);
        let image = Image::new(Family::Oci, &["/noise"], vec![layer]);
        blobs(&registry, &image, blob_answer);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let outcome = hocker(arguments)
            .arguments([format!("{}/team/app:1", registry.name())])
            .stdout_to(writer)
            .run()
            .done();
        assert!(
            !outcome.stderr.to_lowercase().contains("pipe"),
            "nobody wants to hear of it: {outcome}"
        );
    }
}

#[test]
fn a_full_device_is_an_error() {
    let registry = Registry::start();
    let image = small();
    blobs(&registry, &image, blob_answer);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    hocker(["manifest", &format!("{}/team/app:1", registry.name())])
        .stdout_to(full)
        .run()
        .failed(1);
}

#[test]
fn help_for_a_full_device_is_an_error() {
    for argument in ["--help", "--version"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        hocker([argument])
            .stdout_to(full)
            .run()
            .failed(1)
            .says("cannot write to standard output");
    }
}

#[test]
fn a_missing_directory_for_the_output_is_no_riddle() {
    let layout = small().layout("app:1");
    let run = |arguments: &[&str]| {
        hocker(arguments)
            .in_directory(layout.path())
            .run()
            .failed(1)
            .says("No such file or directory (os error 2)\n")
            .says("hint: create its directory first")
            // The crate for temporary files adds one.
            .never_says(".hocker-");
    };
    run(&["image", "--out", "missing/out", "./"]);
    run(&["image", "--format", "oci-dir", "--out", "missing/out", "./"]);
}

#[test]
fn a_file_where_manual_pages_need_a_directory_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "precious").unwrap();
    hocker(["man", "file"])
        .in_directory(directory.path())
        .run()
        .failed(1)
        .says("cannot create file")
        .says("not a directory")
        .never_says("--force");
}
