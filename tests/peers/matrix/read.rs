//! The formats of a whole image, as skopeo reads them.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Subject;
use crate::machine::program;
use crate::support::hocker::hocker;
use crate::support::image::digest;

/// Each format, and the names by which skopeo calls what is written.
const FORMATS: [(&str, &[&str]); 4] = [
    ("docker-archive", &["docker-archive"]),
    ("docker-save", &["docker-archive", "oci-archive"]),
    ("oci-archive", &["oci-archive"]),
    ("oci-dir", &["oci"]),
];

/// Writes the image in each format, from the registry and from disk, into files named after the formats, and lets
/// skopeo copy each, which holds all layers against their digests. Says which it reads.
pub(super) fn check(subject: &Subject<'_>, result: &Path, files: &Path) -> &'static str {
    let mut refused = false;
    for (format, transports) in FORMATS {
        let written = files.join(format);
        let again = files.join("again");
        for (image, output) in [
            (subject.reference.as_str(), &written),
            (result.to_str().unwrap(), &again),
        ] {
            hocker([
                "image",
                "--platform",
                "linux/amd64",
                "--format",
                format,
                image,
            ])
            .arguments(["--out".as_ref(), output.as_os_str()])
            .run()
            .done();
        }
        if again.is_dir() {
            program::run(Command::new("diff").arg("-r").args([&written, &again]));
            fs::remove_dir_all(&again).unwrap();
        } else {
            assert!(
                fs::read(&written).unwrap() == fs::read(&again).unwrap(),
                "{}: {format} is another from disk",
                subject.reference
            );
            fs::remove_file(&again).unwrap();
        }
        for transport in transports {
            if subject.is_zstd_of_docker() && *transport != "docker-archive" {
                refuses(transport, &written);
                refused = true;
            } else {
                reads(subject, transport, &written);
            }
        }
    }
    if refused {
        "Docker's formats"
    } else {
        "all formats"
    }
}

fn refuses(transport: &str, written: &Path) {
    let source = format!("{transport}:{}", written.display());
    let output = program::output(Command::new("skopeo").args(["inspect", "--config", &source]));
    assert!(!output.status.success(), "{source}");
    let told = program::told(&output);
    assert!(
        told.contains("unsupported docker v2s2 media type"),
        "{told}"
    );
}

fn reads(subject: &Subject<'_>, transport: &str, written: &Path) {
    let source = format!("{transport}:{}", written.display());
    let inspect = |what: &[&str]| {
        program::run(
            Command::new("skopeo")
                .arg("inspect")
                .args(what)
                .arg(&source),
        )
    };
    assert!(
        inspect(&["--raw", "--config"]) == subject.expected.config,
        "{source}"
    );
    if transport != "docker-archive" {
        assert_eq!(
            digest(&inspect(&["--raw"])),
            digest(&subject.expected.manifest),
            "{source}"
        );
    }
    let copy = tempfile::tempdir().unwrap();
    program::run(
        Command::new("skopeo")
            .args(["--insecure-policy", "copy", "--quiet", &source])
            .arg(format!("dir:{}", copy.path().display())),
    );
}
