//! Podman of a user without privileges: it runs an image if the owners of the layers' files are mapped to the user's IDs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::machine::podman::keep_in;
use crate::machine::podman_storage::{Mounts, RUN};
use crate::machine::program;
use crate::machine::real_image::compiled_layer;
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing};

/// A user that this machine does not have, and the IDs that belong to it.
const USER: u32 = 54_321;
const FIRST: u32 = 1_000_000_000;
const COUNT: u32 = 65_536;

/// Podman's own bookkeeping.
const BOOKKEEPING: u64 = 200_000;

/// What only a root with mapped owners can do: read another user's file, and write into a directory of root.
const SOURCE: &str = r#"
    use std::os::unix::fs::MetadataExt;
    fn main() {
        std::fs::write("/etc/new", "x").unwrap();
        let owned = std::fs::metadata("/owned").unwrap();
        let text = std::fs::read_to_string("/owned").unwrap();
        println!("{}:{} {text}", owned.uid(), owned.gid());
    }
"#;

/// Runs a program with this user's accounts, which are seen by it alone.
const AS_USER: &str = r#"
    for file in passwd group subuid subgid; do mount --bind "$1/$file" "/etc/$file"; done
    cd "$1"; user=$2; shift 2
    exec setpriv --reuid="$user" --regid="$user" --clear-groups "$@"
"#;

/// Attaches a copy of a mount to another directory, with mapped owners: `mount -o X-mount.idmap` of util-linux 2.39 does
/// the same. The numbers are those of system calls: unshare, `open_tree`, `mount_setattr`, `move_mount`.
const MAP_OWNERS: &str = r#"
    use strict;
    my ($from, $to, $user, $first, $count) = @ARGV;
    my $empty = "";
    pipe(my $ready, my $says_ready) and pipe(my $end, my $says_end) or die "pipe: $!";
    my $child = fork() // die "fork: $!";
    if (!$child) {
        close $says_end;
        syscall(272, 0x10000000) == 0 or die "unshare: $!";
        syswrite $says_ready, "x";
        sysread $end, my $nothing, 1;
        exit;
    }
    sysread $ready, my $byte, 1;
    for my $kind ("uid", "gid") {
        open(my $map, ">", "/proc/$child/${kind}_map") or die "map: $!";
        syswrite($map, "0 $user 1\n1 $first $count\n") or die "map: $!";
    }
    open(my $namespace, "<", "/proc/$child/ns/user") or die "namespace: $!";
    my $tree = syscall(428, -100, $from, 1);
    $tree >= 0 or die "open_tree: $!";
    my $attributes = pack("Q4", 0x100000, 0, 0, fileno($namespace));
    syscall(442, $tree, $empty, 0x1000, $attributes, 32) == 0 or die "mount_setattr: $!";
    syscall(429, $tree, $empty, -100, $to, 4) == 0 or die "move_mount: $!";
"#;

/// The user, with a storage of podman's and a store.
struct User {
    directory: TempDir,
}

impl User {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(at("home")).unwrap();
        chown(at("home"), Some(USER), Some(USER)).unwrap();
        let home = at("home").display().to_string();
        for (file, line) in [
            (
                "passwd",
                format!("tester:x:{USER}:{USER}::{home}:/bin/sh\n"),
            ),
            ("group", format!("tester:x:{USER}:\n")),
            ("subuid", format!("tester:{FIRST}:{COUNT}\n")),
            ("subgid", format!("tester:{FIRST}:{COUNT}\n")),
        ] {
            let before = fs::read_to_string(Path::new("/etc").join(file)).unwrap();
            fs::write(at(file), before + &line).unwrap();
        }
        Self { directory }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn podman<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        let home = self.at("home");
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-e", "-c", AS_USER, "sh"])
            .arg(self.directory.path())
            .arg(USER.to_string())
            .arg("podman")
            .env("HOME", &home)
            .env("XDG_RUNTIME_DIR", &home);
        keep_in(&mut command, &home);
        command
            .args(["--cgroup-manager=cgroupfs", "--events-backend=none"])
            .args([
                "--storage-driver=overlay",
                "--runtime=runc",
                "--storage-opt",
            ])
            .arg(format!(
                "additionalimagestore={}",
                self.at("store").display()
            ))
            .args(arguments);
        program::output(&mut command)
    }

    fn run(&self) -> Output {
        self.podman(&[&RUN[..], &["app:1"]].concat())
    }

    /// The layers of the store, and where they are to be mounted.
    fn layers(&self) -> Vec<(PathBuf, PathBuf)> {
        let trees = fs::read_dir(self.at("store/overlay")).unwrap();
        let trees = trees.map(|entry| entry.unwrap().path());
        let layers = trees.map(|tree| (tree.join("layer.erofs"), tree.join("diff")));
        layers.filter(|(image, _)| image.exists()).collect()
    }

    /// Mounts the layers. Container engines decide about set-user-ID bits and devices by their own mounts.
    fn mount_with_mapped_owners(&self, mounts: &mut Mounts) {
        let plain = self.at("plain");
        for (image, diff) in self.layers() {
            let mut scratch = Mounts::default();
            scratch.add(&image, &plain);
            program::run(
                Command::new("perl")
                    .args(["-e", MAP_OWNERS])
                    .args([&plain, &diff])
                    .args([USER, FIRST, COUNT].map(|number| number.to_string())),
            );
            mounts.keep(&diff);
        }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // This ends the process that holds the user's namespace.
        self.podman(&["system", "migrate"]);
    }
}

/// An image with files of two owners, in a store for the user.
fn user_with_image() -> User {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |name: &str, kind, mode, owner, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(owner);
        header.set_gid(owner);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content).unwrap();
    };
    add("etc/", tar::EntryType::Directory, 0o755, 0, b"");
    add("owned", tar::EntryType::Regular, 0o600, 1000, b"secret");
    let files = Layer::of_tar(Packing::Gzip, builder.into_inner().unwrap());
    let layers = vec![files, compiled_layer(SOURCE)];
    let layout = Image::new(Family::Oci, &["/hello"], layers).layout("app:1");
    let user = User::new();
    hocker([
        "image",
        "--quiet",
        "--format",
        "erofs-dir",
        "--tag",
        "localhost/app:1",
        "--out",
    ])
    .arguments([&user.at("store"), layout.path()])
    .run()
    .done();
    user
}

fn says(output: &Output, text: &str) {
    let told = program::told(output);
    assert!(told.contains(text), "{told}");
}

#[test]
fn a_user_without_privileges_runs_an_image_over_mounts_with_mapped_owners() {
    let user = user_with_image();
    let mut mounts = Mounts::default();
    user.mount_with_mapped_owners(&mut mounts);
    says(&user.podman(&["images"]), "localhost/app");
    let output = user.run();
    assert!(output.status.success(), "{}", program::told(&output));
    says(&output, "1000:1000 secret");
    let bytes = crate::machine::podman_storage::bytes(&user.at("home/root"));
    assert!(bytes <= BOOKKEEPING, "podman wrote {bytes} bytes");
    let removed = user.podman(&["rmi", "app:1"]);
    assert!(!removed.status.success());
    says(&removed, "read-only");
}

#[test]
fn without_mapped_owners_a_user_sees_an_image_but_cannot_start_it() {
    let user = user_with_image();
    let mut mounts = Mounts::default();
    for (image, diff) in user.layers() {
        mounts.add(&image, &diff);
    }
    says(&user.podman(&["images"]), "localhost/app");
    let output = user.run();
    assert!(!output.status.success());
    says(&output, "ermission denied");
}
