//! Images of layers, mounted by the kernel and checked by `fsck.erofs`: the tree is the one that GNU tar unpacks.

pub(crate) mod generated;
pub(crate) mod snapshot;

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use self::snapshot::Snapshot;
use crate::machine::program;
use crate::support::hocker::hocker;

/// The image of a layer, mounted until it is dropped.
struct Mounted {
    directory: TempDir,
}

impl Mounted {
    /// Converts a layer, and mounts the image.
    fn of(layer: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let image = directory.path().join("image");
        hocker(["erofs", "--out"])
            .arguments([&image, layer])
            .run()
            .done();
        let check = program::output(Command::new("fsck.erofs").arg(&image));
        let told = program::told(&check);
        assert!(check.status.success() && told.trim().is_empty(), "{told}");
        let mounted = Self { directory };
        fs::create_dir(mounted.path()).unwrap();
        program::run(
            Command::new("mount")
                .args(["-t", "erofs", "-o", "ro"])
                .args([&image, &mounted.path()]),
        );
        mounted
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("mounted")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        unmount(&self.path());
    }
}

fn unmount(path: &Path) {
    // Nothing is mounted there if mounting failed.
    let _ = Command::new("umount").arg(path).output();
}

/// What GNU tar makes of a layer.
fn unpacked(layer: &Path) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    program::run(
        Command::new("tar")
            .env("LC_ALL", "C.UTF-8")
            .args(["--extract", "--absolute-names", "--preserve-permissions"])
            .args(["--numeric-owner", "--xattrs", "--xattrs-include=*"])
            // Entries of a directory may be anywhere in the archive.
            .arg("--delay-directory-restore")
            .arg("--directory")
            .arg(directory.path())
            .arg("--file")
            .arg(layer),
    );
    directory
}

/// Compares the mounted tree with the unpacked one, but for what the archive does not list.
fn is_as_unpacked(layer: &Path, unlisted: &[PathBuf]) {
    let mut expected = Snapshot::of(unpacked(layer).path());
    let mut found = Snapshot::of(&Mounted::of(layer).path());
    for path in unlisted {
        expected.forget_metadata(path);
        found.forget_metadata(path);
    }
    found.assert_equals(&expected);
}

#[test]
fn generated_layers_are_as_tar_unpacks_them() {
    for seed in 0..24 {
        let layer = generated::layer(seed);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("layer");
        fs::write(&path, &layer.tar).unwrap();
        is_as_unpacked(&path, &layer.unlisted);
    }
}

#[test]
fn a_real_tree_is_as_tar_unpacks_it() {
    let directory = tempfile::tempdir().unwrap();
    let special = directory.path().join("tree/special");
    fs::create_dir_all(&special).unwrap();
    let set_uid = special.join("su");
    fs::copy("/bin/true", &set_uid).unwrap();
    program::run(Command::new("chmod").arg("6755").arg(&set_uid));
    let capable = special.join("ping");
    fs::copy("/bin/true", &capable).unwrap();
    program::run(Command::new("setcap").arg("cap_net_raw+ep").arg(&capable));
    fs::hard_link(&capable, special.join("ping6")).unwrap();
    for tree in ["etc", "usr/lib/systemd", "usr/share/zsh"] {
        let to = directory.path().join("tree").join(tree);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        program::run(
            Command::new("cp")
                .arg("--archive")
                .arg(Path::new("/").join(tree))
                .arg(to),
        );
    }
    let layer = directory.path().join("layer");
    program::run(
        Command::new("tar")
            .args(["--create", "--gzip", "--xattrs", "--xattrs-include=*"])
            .arg("--directory")
            .arg(directory.path().join("tree"))
            .arg("--file")
            .args([layer.as_path(), Path::new(".")]),
    );
    is_as_unpacked(&layer, &[]);
}

#[test]
fn sparse_files_of_every_form_are_as_tar_unpacks_them() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let file = File::create(at("sparse")).unwrap();
    file.set_len(10_000_000).unwrap();
    // More parts than a header of the old form has.
    for number in 0..40 {
        file.write_all_at(b"data", number * 200_000 + 5).unwrap();
    }
    let file = File::create(at("hole")).unwrap();
    file.set_len(1 << 20).unwrap();
    for form in [
        &["--format=gnu"][..],
        &["--format=posix", "--sparse-version=0.0"],
        &["--format=posix", "--sparse-version=0.1"],
        &["--format=posix", "--sparse-version=1.0"],
    ] {
        program::run(
            Command::new("tar")
                .args(["--create", "--sparse"])
                .args(form)
                .arg("--directory")
                .arg(directory.path())
                .arg("--file")
                .arg(at("layer"))
                .args(["sparse", "hole"]),
        );
        assert!(fs::metadata(at("layer")).unwrap().len() < 1 << 20);
        is_as_unpacked(&at("layer"), &[PathBuf::new()]);
    }
}

#[test]
fn overlayfs_hides_what_a_layer_hides() {
    let directory = tempfile::tempdir().unwrap();
    let layer = |name: &str, files: &[&str]| {
        let mut builder = tar::Builder::new(Vec::new());
        for file in files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(0);
            builder.append_data(&mut header, file, &b""[..]).unwrap();
        }
        let path = directory.path().join(name);
        let mut file = File::create(&path).unwrap();
        file.write_all(&builder.into_inner().unwrap()).unwrap();
        Mounted::of(&path)
    };
    let lower = layer("lower", &["a/gone", "a/kept", "opaque/old", "both/old"]);
    let upper = layer(
        "upper",
        &[
            "a/.wh.gone",
            "opaque/.wh..wh..opq",
            "opaque/new",
            ".wh.both",
            "both/new",
        ],
    );
    let merged = directory.path().join("merged");
    fs::create_dir(&merged).unwrap();
    // The second is how users without privileges mount.
    for option in ["", ",userxattr"] {
        let (upper, lower) = (upper.path(), lower.path());
        let layers = format!("lowerdir={}:{}{option}", upper.display(), lower.display());
        program::run(
            Command::new("mount")
                .args(["-t", "overlay", "overlay", "-o", &layers])
                .arg(&merged),
        );
        let paths = Snapshot::of(&merged).paths();
        unmount(&merged);
        let expected = [
            "",
            "a",
            "a/kept",
            "both",
            "both/new",
            "opaque",
            "opaque/new",
        ];
        assert_eq!(paths, expected.map(PathBuf::from), "{option:?}");
    }
}

#[test]
fn a_layer_of_1_gib_takes_less_than_32_mib() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let mut header = tar::Header::new_gnu();
    header.set_path("large").unwrap();
    header.set_mode(0o644);
    header.set_size(1 << 30);
    header.set_cksum();
    let mut layer = File::create(at("layer")).unwrap();
    layer.write_all(header.as_bytes()).unwrap();
    layer.set_len((1 << 30) + 1536).unwrap();
    program::run(
        Command::new("time")
            .args(["--format", "%M", "--output"])
            .arg(at("report"))
            .arg(crate::support::hocker::executable())
            .args(["erofs", "--max-layer-size", "2G", "--out"])
            .args([at("image"), at("layer")]),
    );
    let peak = fs::read_to_string(at("report")).unwrap();
    let peak: u64 = peak.trim().parse().unwrap();
    assert!(peak < 32 << 10, "the peak was {peak} KiB");
}
