//! A directory on which something may be mounted, which is unmounted at the end.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::program;

/// The directory.
pub(crate) struct MountPoint(PathBuf);

impl MountPoint {
    /// A directory on which the test or a daemon may mount something.
    pub(crate) fn new(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A directory that is a small disk of its own. The size is in MiB.
    pub(crate) fn with_disk_of(megabytes: u32, path: PathBuf) -> Self {
        let point = Self::new(path);
        let options = format!("size={megabytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "hocker-test"]);
        program::run(mount.arg(&point.0));
        point
    }
}

impl Drop for MountPoint {
    fn drop(&mut self) {
        let unmount = || {
            let mut umount = Command::new("umount");
            umount.arg(&self.0).stderr(Stdio::null()).status()
        };
        while unmount().is_ok_and(|status| status.success()) {}
    }
}
