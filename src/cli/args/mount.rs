//! Arguments of `hocker mount` and `hocker umount`.

use std::path::PathBuf;

use super::{LimitArgs, PlatformArgs};

/// `hocker mount`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Needs root, because Linux mounts EROFS file systems for no other user. `hocker umount` removes the \
    mount; nothing else remains of it."
)]
pub(crate) struct MountArgs {
    /// OCI image layout, a result of fetchdocker, or an archive such as that of docker save
    #[arg(value_name = "IMAGE_PATH")]
    pub(crate) image_path: PathBuf,

    /// Empty directory to mount on
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// Store changes in memory until the image is unmounted
    #[arg(long)]
    pub(crate) writable: bool,

    /// Store changes in this directory, and show those of earlier mounts
    #[arg(long, value_name = "DIR", conflicts_with = "writable")]
    pub(crate) upper: Option<PathBuf>,

    /// Let programs of the image run as their owner (set-user-ID) or with their capabilities
    #[arg(long)]
    pub(crate) suid: bool,

    /// Let the devices of the image be devices
    #[arg(long)]
    pub(crate) dev: bool,

    /// Use the file system images of layers in this directory: files *.erofs, or a store for Podman; may be given several
    /// times
    #[arg(long, value_name = "DIR")]
    pub(crate) layers: Vec<PathBuf>,

    /// Keep the file system images that hocker makes in this directory [default: `$XDG_CACHE_HOME/hocker/layers`, else
    /// `~/.cache/hocker/layers`]
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,

    /// Select the image with this name or digest from several
    #[arg(long, value_name = "NAME")]
    pub(crate) image: Option<String>,

    #[command(flatten)]
    pub(crate) platform: PlatformArgs,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

/// `hocker umount`
#[derive(Debug, clap::Args)]
pub(crate) struct UmountArgs {
    /// Directory on which `hocker mount` mounted an image
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}
