//! The tree of an image in a store is that of the same image in podman's own storage, and what `umoci` unpacks: for ten
//! images of this machine's Debian packages, which have files with set-user-ID bits, capabilities and hard links.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::erofs::snapshot::Snapshot;
use crate::machine::podman_storage::{Mounts, Storage};
use crate::machine::program;
use crate::pipeline::registry_with;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing};

/// Packages of the images: `passwd`, `mount` and `util-linux` have files with set-user-ID bits and groups of their own,
/// `perl-base` has hard links, `tzdata` has many links, and `base-files` has the directories with special modes.
const IMAGES: [&[&str]; 10] = [
    &["base-files", "base-passwd", "bash"],
    &["base-files", "coreutils", "dash"],
    &["passwd", "login", "mount"],
    &["util-linux", "libc-bin"],
    &["man-db", "libcap2-bin"],
    &["perl-base", "sed"],
    &["tzdata", "base-files"],
    &["git", "ca-certificates"],
    &["openssl", "zsh-common"],
    &["systemd", "login", "tar"],
];

/// What changes while it is read.
const MOUNT_POINTS: [&str; 7] = [".", "dev", "proc", "run", "sys", "tmp", "var/tmp"];

/// Files that no package has, beside those of a package: devices, a FIFO, capabilities, attributes, hard links, times.
/// (Podman makes every time before 1970 the begin of 1970, so there is none.)
const SPECIAL: &str = r#"
    mkdir -p special/deep special/full/dir && cd special
    mknod char c 1 3; mknod block b 7 250; mkfifo fifo; chmod 4755 .; chmod 1777 deep
    cp /bin/true su; chown 1234:65534 su; chmod 6751 su; cp /bin/true ping; setcap cap_net_raw,cap_sys_admin+ep ping
    ln ping deep/ping6; ln ping ping4; setfattr -n user.note -v "a note" ping; ln -s ../etc/passwd link
    ln -s /nowhere dangling; touch -d 1970-01-01T00:00:01.123456789Z old; touch -d 2106-02-07T06:28:20Z late
    printf 'data' >"name with
    line break"; truncate -s 300000 hole; echo x >full/file; echo y >full/dir/file
    head -c 5000000 /dev/zero | tr '\0' z >large; chown 4000000000:3000000000 large
"#;

/// Packs a tree.
fn layer(tree: &Path) -> Layer {
    let tar = program::run(
        Command::new("tar")
            .args([
                "--create",
                "--format=posix",
                "--xattrs",
                "--xattrs-include=*",
                "--sort=name",
            ])
            .args(["--numeric-owner", "--directory"])
            .arg(tree)
            .arg("."),
    );
    Layer::of_tar(Packing::Gzip, tar)
}

/// Copies the files of packages, with all that they are.
fn copy_packages(packages: &[&str], tree: &Path) {
    let listed = program::text(Command::new("dpkg-query").arg("--listfiles").args(packages));
    let files = listed.lines().filter_map(|line| line.strip_prefix('/'));
    let mut files: Vec<_> = files
        .filter(|file| {
            !MOUNT_POINTS.contains(file) && Path::new("/").join(file).symlink_metadata().is_ok()
        })
        .collect();
    files.sort_unstable();
    files.dedup();
    fs::write(tree.join("list"), files.join("\n")).unwrap();
    // Packages name files in directories that are links into `usr` by now.
    for directory in ["bin", "lib", "lib32", "lib64", "libx32", "sbin"] {
        fs::create_dir_all(tree.join("usr").join(directory)).unwrap();
    }
    let script = "tar --create --directory=/ --no-recursion --xattrs --xattrs-include='*' --files-from=\"$PWD/list\" \
                  | tar --extract --xattrs --xattrs-include='*' --preserve-permissions --delay-directory-restore --keep-directory-symlink \
                  && rm list";
    program::run(
        Command::new("bash")
            .args(["-o", "pipefail", "-c", script])
            .current_dir(tree),
    );
}

/// A layer that removes and hides files of the one below.
fn changes() -> Layer {
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path();
    fs::create_dir_all(tree.join("special/full")).unwrap();
    for (path, content) in [
        ("special/.wh.su", ""),
        ("special/full/.wh..wh..opq", ""),
        ("special/full/new", "new"),
        ("special/ping4", "no longer a link"),
    ] {
        fs::write(tree.join(path), content).unwrap();
    }
    layer(tree)
}

fn image(packages: &[&str]) -> Image {
    let directory = tempfile::tempdir().unwrap();
    let tree = directory.path();
    copy_packages(packages, tree);
    program::run(
        Command::new("bash")
            .args(["-e", "-c", SPECIAL])
            .current_dir(tree),
    );
    Image::new(Family::Oci, &["/nothing"], vec![layer(tree), changes()])
}

/// The tree of an image, as `umoci` unpacks it.
fn unpacked(image: &Image, directory: &Path) -> PathBuf {
    let (layout, bundle) = (directory.join("layout"), directory.join("bundle"));
    image.write_layout(&layout, "1");
    let mut name = layout.into_os_string();
    name.push(":1");
    program::run(
        Command::new("umoci")
            .args(["unpack", "--image"])
            .arg(name)
            .arg(&bundle),
    );
    bundle.join("rootfs")
}

#[test]
fn ten_images_have_the_trees_of_the_pulled_images() {
    for packages in IMAGES {
        let image = image(packages);
        let registry = registry_with(&image);
        let reference = format!("{}/team/app:1", registry.name());
        let directory = tempfile::tempdir().unwrap();
        let store = directory.path().join("store");
        hocker(["image", "--quiet", "--format", "erofs-dir", "--out"])
            .arguments([&store, Path::new(&reference)])
            .run()
            .done();
        let _mounts = Mounts::of_directory(&store);
        let (own, other) = (Storage::with_stores(&[&store]), Storage::with_stores(&[]));
        other.pull(&reference);

        let of = |tree: &Path| {
            let mut snapshot = Snapshot::of(tree);
            snapshot.forget_overlays();
            // A container has a root of its own. Podman ignores what an archive lists of it, and makes it 0555.
            snapshot.forget_metadata(Path::new(""));
            snapshot
        };
        let found = of(&own.mounted(&reference));
        found.assert_equals(&of(&other.mounted(&reference)));
        let special = Path::new("special");
        assert!(found.paths().contains(&special.join("full/new")));
        for absent in ["su", "full/file", "full/.wh..wh..opq"] {
            assert!(!found.paths().contains(&special.join(absent)), "{absent}");
        }
        // A link that an upper layer replaces still counts in an overlay.
        let mut unpacked = of(&unpacked(&image, directory.path()));
        let mut found = found;
        for snapshot in [&mut found, &mut unpacked] {
            snapshot.forget_links();
        }
        found.assert_equals(&unpacked);
    }
}
