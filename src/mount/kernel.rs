//! The calls that mount: this file alone makes file systems, and nothing that it makes has a path.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;
use std::process::Command;

use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen,
    move_mount, open_tree,
};

/// Which ways of mounting are tried. A kernel that lacks one needs no change: the next way is tried then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// EROFS images are mounted from files (Linux 6.12), else from loop devices.
    pub mounts_files: bool,
    /// Layers of an overlay need no directory (Linux 6.15), else they get one for a moment.
    pub takes_detached_layers: bool,
    /// Layers of an overlay are named one by one (Linux 6.8), else all in one text of at most a page.
    pub appends_layers: bool,
}

impl Default for Kernel {
    fn default() -> Self {
        Self {
            mounts_files: true,
            takes_detached_layers: true,
            appends_layers: true,
        }
    }
}

/// The longest options of mount(2) in bytes: a page, with its last byte.
pub(super) const MAX_OPTIONS: usize = 4095;

/// The name under which this process knows an open file or mount.
pub(super) fn path_of(descriptor: impl AsFd) -> String {
    format!("/proc/self/fd/{}", descriptor.as_fd().as_raw_fd())
}

/// Mounts an EROFS image.
pub(super) fn erofs(image: &File, kernel: Kernel) -> io::Result<OwnedFd> {
    if kernel.mounts_files {
        match read_only("erofs", &path_of(image)) {
            // These mean that the kernel wants a block device.
            Err(Errno::NOTBLK | Errno::INVAL | Errno::OPNOTSUPP) => {}
            mounted => return Ok(mounted?),
        }
    }
    let device = LoopDevice::new(image)?;
    Ok(read_only("erofs", &device.path)?)
}

/// Mounts an empty directory in memory.
pub(super) fn tmpfs() -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "source", "hocker")?;
    fsconfig_set_string(&context, "mode", "0755")?;
    fsconfig_create(&context)?;
    let flags = FsMountFlags::FSMOUNT_CLOEXEC;
    Ok(fsmount(&context, flags, MountAttrFlags::empty())?)
}

fn read_only(file_system: &str, source: &str) -> rustix::io::Result<OwnedFd> {
    let context = fsopen(file_system, FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "source", source)?;
    fsconfig_set_flag(&context, "ro")?;
    fsconfig_create(&context)?;
    let flags = FsMountFlags::FSMOUNT_CLOEXEC;
    fsmount(&context, flags, MountAttrFlags::MOUNT_ATTR_RDONLY)
}

/// Mounts an overlay whose layers, the highest first, are named one by one.
pub(super) fn overlay(
    name: &str,
    layers: &[String],
    options: &[(&str, String)],
    attributes: MountAttrFlags,
) -> rustix::io::Result<OwnedFd> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "source", name)?;
    for layer in layers {
        fsconfig_set_string(&context, "lowerdir+", layer)?;
    }
    for (key, value) in options {
        fsconfig_set_string(&context, *key, value)?;
    }
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// Mounts an overlay by one text of options. `directory` is used for a moment.
pub(super) fn overlay_by_text(
    name: &str,
    options: &str,
    attributes: MountAttrFlags,
    directory: &Path,
) -> io::Result<OwnedFd> {
    let mut flags = MountFlags::empty();
    for (attribute, flag) in [
        (MountAttrFlags::MOUNT_ATTR_RDONLY, MountFlags::RDONLY),
        (MountAttrFlags::MOUNT_ATTR_NOSUID, MountFlags::NOSUID),
        (MountAttrFlags::MOUNT_ATTR_NODEV, MountFlags::NODEV),
    ] {
        flags.set(flag, attributes.contains(attribute));
    }
    let options = CString::new(options)?;
    rustix::mount::mount(name, directory, "overlay", flags, options.as_c_str())?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let clone = open_tree(rustix::fs::CWD, directory, flags);
    detach(directory)?;
    Ok(clone?)
}

/// Gives a mount that has no path a directory.
pub(super) fn attach(mount: &OwnedFd, directory: impl AsFd) -> rustix::io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, "", directory, "", flags)
}

/// Takes a mount away from a directory. It lives on while something uses it.
pub(super) fn detach(directory: &Path) -> rustix::io::Result<()> {
    rustix::mount::unmount(directory, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)
}

/// A loop device. It is freed with its last user after this value is dropped.
struct LoopDevice {
    path: String,
}

impl LoopDevice {
    fn new(image: &File) -> io::Result<Self> {
        // The child's own descriptors have other numbers.
        let file = format!("/proc/{}/fd/{}", std::process::id(), image.as_raw_fd());
        let output = Command::new("losetup")
            .args(["--find", "--show", "--read-only", &file])
            .output()
            .map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!(
                        "cannot start losetup, which this kernel needs to mount files: {error}"
                    ),
                )
            })?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(io::Error::other(text));
        }
        let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Self { path })
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        // Linux frees a device that is in use later. If that fails, nothing more can be done.
        let _ = Command::new("losetup")
            .args(["--detach", &self.path])
            .output();
    }
}
