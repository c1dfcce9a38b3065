//! Images as directories: what the kernel mounts is what `podman image mount` shows.

mod command;
mod kernels;
mod service;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use crate::erofs::generated;
use crate::erofs::snapshot::Snapshot;
use crate::machine::program;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing};

/// An image in a layout, with directories for mounts. What is still mounted at the end is unmounted.
struct Fixture {
    directory: TempDir,
    /// Parents that no layer lists.
    unlisted: Vec<PathBuf>,
}

impl Fixture {
    /// An image of these layers.
    fn of(layers: Vec<Vec<u8>>) -> Self {
        let layers = layers.into_iter();
        let layers = layers
            .map(|tar| Layer::of_tar(Packing::Gzip, tar))
            .collect();
        let directory = tempfile::tempdir().unwrap();
        let image = Image::new(Family::Oci, &["/hello"], layers);
        image.write_layout(&directory.path().join("layout"), "app:1");
        for name in ["mounted", "cache", "upper"] {
            fs::create_dir(directory.path().join(name)).unwrap();
        }
        Self {
            directory,
            unlisted: Vec::new(),
        }
    }

    /// An image of generated layers, and one that hides and replaces files of the others.
    fn odd() -> Self {
        let generated = [1, 2].map(generated::layer_for_engines);
        let mut layers: Vec<_> = generated.iter().map(|layer| layer.tar.clone()).collect();
        layers.push(lower());
        layers.push(upper());
        let unlisted = generated.into_iter().flat_map(|layer| layer.unlisted);
        let mut fixture = Self::of(layers);
        fixture.unlisted = unlisted.collect();
        fixture
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Mounts with further arguments. The image comes from the cache the second time.
    fn mount(&self, arguments: &[&str]) {
        self.command(arguments).run().done();
    }

    fn command(&self, arguments: &[&str]) -> crate::support::hocker::Run {
        hocker(["mount", "--cache"])
            .arguments([self.at("cache"), self.at("layout"), self.at("mounted")])
            .arguments(arguments)
    }

    fn unmount(&self) {
        hocker(["umount"])
            .arguments([self.at("mounted")])
            .run()
            .done();
    }

    fn is_mounted(&self) -> bool {
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
        table.contains(self.directory.path().to_str().unwrap())
    }

    /// The tree at a path, without what nobody promises.
    fn snapshot(&self, path: &Path) -> Snapshot {
        let mut snapshot = Snapshot::of(path);
        snapshot.forget_overlay();
        snapshot.forget_times_before_1970();
        // Podman gives every image the same root directory.
        snapshot.forget_metadata(Path::new(""));
        for path in &self.unlisted {
            snapshot.forget_metadata(path);
        }
        snapshot
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        for name in ["mounted", "rootfs"] {
            // Nothing is mounted if the test succeeded.
            let _ = Command::new("umount").arg(self.at(name)).output();
        }
    }
}

/// Adds an entry to a layer.
fn add(builder: &mut Builder<Vec<u8>>, name: &str, kind: EntryType, content: &str) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(if kind.is_dir() { 0o750 } else { 0o640 });
    header.set_uid(7);
    header.set_gid(8);
    header.set_mtime(1_000_000_000 + name.len() as u64);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_size(0);
        builder.append_link(&mut header, name, content).unwrap();
    } else {
        header.set_size(content.len() as u64);
        builder
            .append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
}

fn layer(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, content) in entries {
        add(&mut builder, name, *kind, content);
    }
    builder.into_inner().unwrap()
}

fn lower() -> Vec<u8> {
    use EntryType::{Directory, Link, Regular, Symlink};
    layer(&[
        ("d", Directory, ""),
        ("d/gone", Regular, "x"),
        ("d/kept", Regular, "kept"),
        ("d/deep", Directory, ""),
        ("d/deep/gone", Regular, "x"),
        ("opaque", Directory, ""),
        ("opaque/old", Regular, "x"),
        ("to-file", Directory, ""),
        ("to-file/old", Regular, "x"),
        ("to-directory", Regular, "x"),
        ("link", Symlink, "d"),
        ("first", Regular, "shared"),
        ("second", Link, "first"),
        ("third", Link, "first"),
    ])
}

fn upper() -> Vec<u8> {
    use EntryType::{Directory, Regular};
    layer(&[
        ("./", Directory, ""),
        ("d", Directory, ""),
        ("d/.wh.gone", Regular, ""),
        ("d/.wh.never", Regular, ""),
        ("d/.wh.deep", Regular, ""),
        ("opaque", Directory, ""),
        ("opaque/.wh..wh..opq", Regular, ""),
        ("opaque/new", Regular, "new"),
        ("to-file", Regular, "file"),
        ("to-directory", Directory, ""),
        ("to-directory/new", Regular, "new"),
        ("link", Directory, ""),
        ("link/new", Regular, "new"),
        ("first", Regular, "replaced"),
    ])
}

/// The tree that podman makes of the image, in a storage of its own.
fn by_podman(fixture: &Fixture) -> Snapshot {
    let podman = || {
        let mut command = Command::new("podman");
        for (option, name) in [
            ("--root", "root"),
            ("--runroot", "run"),
            ("--tmpdir", "tmp"),
        ] {
            command.arg(option).arg(fixture.at("podman").join(name));
        }
        command.args(["--storage-driver=overlay", "--events-backend=none"]);
        command.args(["--cgroup-manager=cgroupfs", "--runtime=runc"]);
        command
    };
    // Podman makes a name of the path.
    let pull = ["pull", "--quiet", "oci:layout:app:1"];
    let id = program::text(podman().args(pull).current_dir(fixture.at("")));
    let path = program::text(podman().args(["image", "mount", &id]));
    let snapshot = fixture.snapshot(Path::new(&path));
    program::run(podman().args(["image", "unmount", &id]));
    // The storage is mounted on itself.
    let storage = fixture.at("podman").join("root/overlay");
    let _ = Command::new("umount").arg(storage).output();
    snapshot
}

#[test]
fn images_are_mounted_as_podman_mounts_them() {
    let fixture = Fixture::odd();
    let expected = by_podman(&fixture);
    fixture.mount(&["--suid", "--dev"]);
    fixture
        .snapshot(&fixture.at("mounted"))
        .assert_equals(&expected);
    fixture.unmount();
    assert!(!fixture.is_mounted());
    // Now from the cache, with the defaults.
    fixture.mount(&[]);
    fixture
        .snapshot(&fixture.at("mounted"))
        .assert_equals(&expected);
    fixture.unmount();
}

#[test]
fn one_file_system_of_all_layers_is_as_podman_mounts_them() {
    let fixture = Fixture::odd();
    let expected = by_podman(&fixture);
    let image = fixture.at("rootfs.erofs");
    hocker(["image", "--format", "erofs", "--out"])
        .arguments([&image, &fixture.at("layout")])
        .run()
        .done();
    let check = program::output(Command::new("fsck.erofs").arg(&image));
    let told = program::told(&check);
    assert!(check.status.success() && told.trim().is_empty(), "{told}");
    fs::create_dir(fixture.at("rootfs")).unwrap();
    program::run(
        Command::new("mount")
            .args(["-t", "erofs", "-o", "ro"])
            .args([&image, &fixture.at("rootfs")]),
    );
    fixture
        .snapshot(&fixture.at("rootfs"))
        .assert_equals(&expected);
}
