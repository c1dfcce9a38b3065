//! An image in a daemon, by each of the ways that lead there.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::Subject;
use crate::machine::daemon::{Daemon, Store};
use crate::machine::program;
use crate::machine::real_image::GREETING;
use crate::support::hocker::hocker;
use crate::support::image::{Packing, digest};

/// Loads the image by its stream, by hocker, and as an archive, and says what the daemon makes of its stream.
pub(super) fn check(
    subject: &Subject<'_>,
    result: &Path,
    files: &Path,
    daemon: &Daemon,
) -> &'static str {
    let streamed = load_stream(daemon, &result.join("compositeImage.sh"));
    let outcome = if subject.packing == Packing::Zstd && !daemon.reads_zstd() {
        // It says so, and nothing is left.
        assert!(!streamed.status.success(), "{}", subject.reference);
        assert_eq!(daemon.images(), "", "{}", subject.reference);
        "refused: cannot read zstd"
    } else {
        assert!(streamed.status.success(), "{}", program::told(&streamed));
        is_there(subject, daemon, Manifest::Kept)
    };

    // What the daemon cannot read is decompressed on the way.
    hocker(["load", result.to_str().unwrap()])
        .env("DOCKER_HOST", daemon.host())
        .run()
        .done();
    is_there(subject, daemon, Manifest::Kept);

    let archive = File::open(files.join("docker-archive")).unwrap();
    let loaded = daemon.load(archive);
    assert!(loaded.status.success(), "{}", program::told(&loaded));
    is_there(subject, daemon, Manifest::Left);
    outcome
}

/// `compositeImage.sh | docker load`
fn load_stream(daemon: &Daemon, script: &Path) -> Output {
    let mut stream = Command::new(script)
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(File::open("/dev/null").unwrap())
        .spawn()
        .unwrap();
    let loaded = daemon.load(stream.stdout.take().unwrap());
    // A daemon that refuses the archive closes the pipe.
    stream.wait().unwrap();
    loaded
}

/// Whether the registry's manifest is in what is loaded. A docker-archive has none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manifest {
    Kept,
    Left,
}

/// Demands that the daemon has the image under its name, with its id, its diff ids and, where they are kept, its
/// manifest's digest; runs it, and removes it.
fn is_there(subject: &Subject<'_>, daemon: &Daemon, manifest: Manifest) -> &'static str {
    let (reference, expected) = (&subject.reference, subject.expected);
    let config: Value = serde_json::from_slice(&expected.config).unwrap();
    let layers = daemon.inspect(reference, "{{json .RootFS.Layers}}");
    assert_eq!(
        serde_json::from_str::<Value>(&layers).unwrap(),
        config["rootfs"]["diff_ids"],
        "{reference}"
    );
    let id = daemon.image_id(reference);
    if daemon.store() != Store::Containerd {
        assert_eq!(id, digest(&expected.config), "{reference}");
    } else if manifest == Manifest::Kept {
        assert_eq!(id, digest(&expected.manifest), "{reference}");
    }
    let keeps = match daemon.store() {
        Store::Docker => false,
        Store::Containerd => true,
        // What it cannot read as an OCI layout, it reads as a docker-archive.
        Store::Podman => !subject.is_zstd_of_docker(),
    };
    if manifest == Manifest::Kept && keeps {
        let (name, _) = reference.rsplit_once(':').unwrap();
        let kept = format!("{name}@{}", digest(&expected.manifest));
        let digests = daemon.inspect(reference, "{{json .RepoDigests}}");
        assert!(digests.contains(&kept), "{reference}: {digests}");
    }
    let outcome = if subject.runs {
        runs(subject, daemon, manifest)
    } else {
        "loaded"
    };
    daemon.remove(reference);
    outcome
}

fn runs(subject: &Subject<'_>, daemon: &Daemon, manifest: Manifest) -> &'static str {
    let run = daemon.run(&subject.reference);
    if subject.is_zstd_of_docker()
        && daemon.store() == Store::Containerd
        && manifest == Manifest::Kept
    {
        assert!(!run.status.success(), "{}", program::told(&run));
        return "loaded, does not run";
    }
    assert!(run.status.success(), "{}", program::told(&run));
    assert_eq!(String::from_utf8_lossy(&run.stdout).trim(), GREETING);
    "loaded, runs"
}
