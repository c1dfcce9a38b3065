//! Podman with its own storage and further stores that it only reads, and the layers that are mounted for it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::podman::keep_in;
use super::program;

/// What containers are run with. Podman's own limits may be higher than those of this machine.
pub(crate) const RUN: [&str; 7] = [
    "run",
    "--rm",
    "--pull=never",
    "--network=none",
    "--ulimit=nofile=1024:1024",
    "--ulimit=nproc=1024:1024",
    "--log-driver=none",
];

/// A storage with overlays, which is removed with what podman mounted there.
pub(crate) struct Storage {
    directory: TempDir,
    stores: Vec<PathBuf>,
}

impl Storage {
    /// An empty storage that also has the images of these stores.
    pub(crate) fn with_stores(stores: &[&Path]) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            stores: stores.iter().map(|store| (*store).to_owned()).collect(),
        }
    }

    pub(crate) fn podman(&self) -> Command {
        let path = self.directory.path();
        let mut command = Command::new("podman");
        keep_in(&mut command, path);
        command
            .args(["--cgroup-manager=cgroupfs", "--events-backend=none"])
            .args(["--storage-driver=overlay", "--runtime=runc"]);
        for store in &self.stores {
            let mut option = OsString::from("additionalimagestore=");
            option.push(store);
            command.arg("--storage-opt").arg(option);
        }
        command
    }

    /// Runs a container of an image that must be there.
    pub(crate) fn try_run(&self, image: &str, command: &[&str]) -> Output {
        program::output(self.podman().args(RUN).arg(image).args(command))
    }

    /// What such a container prints.
    #[track_caller]
    pub(crate) fn run(&self, image: &str, command: &[&str]) -> String {
        program::text(self.podman().args(RUN).arg(image).args(command))
    }

    /// Copies an image into the storage.
    pub(crate) fn pull(&self, image: &str) {
        program::run(
            self.podman()
                .args(["pull", "--quiet", "--tls-verify=false", image]),
        );
    }

    /// The images, as `podman images` lists them.
    pub(crate) fn images(&self) -> Value {
        let listed = program::run(self.podman().args(["images", "--format=json"]));
        serde_json::from_slice(&listed).unwrap()
    }

    /// Mounts the tree of a container that was never started.
    pub(crate) fn mounted(&self, image: &str) -> PathBuf {
        let create = ["create", "--pull=never", image, "/nothing"];
        let container = program::text(self.podman().args(create));
        program::text(self.podman().args(["mount", &container])).into()
    }

    /// The bytes in the files of the storage.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(&self.directory.path().join("root"))
    }
}

/// The bytes in the files of a directory.
pub(crate) fn bytes(path: &Path) -> u64 {
    let metadata = fs::symlink_metadata(path).unwrap();
    if !metadata.is_dir() {
        return metadata.len();
    }
    let entries = fs::read_dir(path).unwrap();
    entries.map(|entry| bytes(&entry.unwrap().path())).sum()
}

impl Drop for Storage {
    fn drop(&mut self) {
        let _ = self.podman().args(["rm", "--all", "--force"]).output();
        // Podman mounts the directory of the overlays on itself.
        unmount(&self.directory.path().join("root/overlay"));
    }
}

/// File system images that are mounted until this is dropped.
#[derive(Default)]
pub(crate) struct Mounts(Vec<PathBuf>);

impl Mounts {
    /// Mounts a file as the units do.
    pub(crate) fn add(&mut self, image: &Path, at: &Path) {
        fs::create_dir_all(at).unwrap();
        program::run(
            Command::new("mount")
                .args(["-t", "erofs", "-o", "ro"])
                .args([image, at]),
        );
        self.keep(at);
    }

    /// Unmounts what is mounted at a directory, when this is dropped.
    pub(crate) fn keep(&mut self, at: &Path) {
        self.0.push(at.to_owned());
    }

    /// Mounts the layers of a directory that `hocker image --format erofs-dir` wrote.
    pub(crate) fn of_directory(store: &Path) -> Self {
        let mut mounts = Self::default();
        for entry in fs::read_dir(store.join("overlay")).unwrap() {
            let tree = entry.unwrap().path();
            if tree.join("diff").is_dir() {
                mounts.add(&tree.join("layer.erofs"), &tree.join("diff"));
            }
        }
        mounts
    }
}

impl Drop for Mounts {
    fn drop(&mut self) {
        for path in &self.0 {
            unmount(path);
            let _ = fs::remove_dir(path);
        }
    }
}

fn unmount(path: &Path) {
    // Nothing is mounted there if mounting failed.
    let _ = Command::new("umount").arg("--lazy").arg(path).output();
}
