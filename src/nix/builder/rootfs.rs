//! The job of a derivation that makes one file system of an image.

use std::path::PathBuf;

use serde::Deserialize;

use crate::erofs::MountPoint;

/// A file system of all layers to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootfsJob {
    /// The output path of the file system image.
    pub out: PathBuf,
    /// The output path of a directory for the image's `passwd` and `group`, if they are wanted.
    pub users: Option<PathBuf>,
    /// The result of `fetchdocker`.
    pub image: PathBuf,
    /// What is added if it is missing.
    pub mount_points: Vec<MountPoint>,
}

/// The file system as the derivation's attribute `imageRootfs` describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawRootfs {
    image: PathBuf,
    mount_points: bool,
    directories: Vec<String>,
    files: Vec<String>,
}

impl RootfsJob {
    pub(super) fn of(raw: RawRootfs, out: PathBuf, users: Option<PathBuf>) -> Self {
        let mut mount_points = if raw.mount_points {
            MountPoint::usual()
        } else {
            Vec::new()
        };
        mount_points.extend(raw.directories.into_iter().map(MountPoint::directory));
        mount_points.extend(raw.files.into_iter().map(MountPoint::file));
        Self {
            out,
            users,
            image: raw.image,
            mount_points,
        }
    }
}
