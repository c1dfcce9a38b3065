//! Arguments for the mount points of a file system image.

use hocker::erofs::MountPoint;

/// Mount points of a read-only file system.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Mount points, for --format erofs")]
pub(crate) struct MountPointArgs {
    /// Add what systemd and containers mount on, where it is missing: the directories /dev, /proc, /run, /sys, /tmp and
    /// /var/tmp, the files hostname, hosts, machine-id and resolv.conf in /etc
    #[arg(long)]
    mount_points: bool,

    /// Add an empty directory where there is nothing; may be given several times
    #[arg(long, value_name = "PATH")]
    add_directory: Vec<String>,

    /// Add an empty file where there is nothing; may be given several times
    #[arg(long, value_name = "PATH")]
    add_file: Vec<String>,
}

impl MountPointArgs {
    /// Whether any of these arguments is given.
    pub(crate) fn is_given(&self) -> bool {
        self.mount_points || !self.add_directory.is_empty() || !self.add_file.is_empty()
    }

    /// All mount points.
    pub(crate) fn into_points(self) -> Vec<MountPoint> {
        let mut points = if self.mount_points {
            MountPoint::usual()
        } else {
            Vec::new()
        };
        points.extend(self.add_directory.into_iter().map(MountPoint::directory));
        points.extend(self.add_file.into_iter().map(MountPoint::file));
        points
    }
}
