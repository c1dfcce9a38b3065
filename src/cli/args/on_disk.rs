//! Arguments of the commands that work with images on disk: serving them, and bringing them into a daemon.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::LimitArgs;
use crate::cli::unquoted::Unquoted;
use hocker::daemon::{Address, TagName};
use hocker::oci::platform::Platform;

/// `hocker serve`
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// What to serve: OCI image layouts, or what fetchdocker builds. Blobs that are links to files elsewhere are read at
    /// the start, unless those are in the Nix store
    #[arg(value_name = "IMAGE_PATH", required = true)]
    pub(crate) images: Vec<PathBuf>,

    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5000")]
    pub(crate) listen: SocketAddr,

    /// Answer for images of other registries than Docker Hub only by their full names (ghcr.io/a/b) or to clients
    /// that say which registry they mean
    #[arg(long)]
    pub(crate) full_names: bool,
}

/// Which daemon.
#[derive(Debug, clap::Args)]
pub(crate) struct DaemonArgs {
    /// The daemon, like <unix:///run/podman/podman.sock> or <tcp://host:2376> [default: `DOCKER_HOST`, else docker's
    /// context, else docker's socket]
    #[arg(
        long,
        value_name = "URL",
        value_parser = Unquoted(str::parse::<Address>),
        help = "The daemon, like unix:///run/podman/podman.sock or tcp://host:2376 [default: \
                DOCKER_HOST, else docker's context, else unix:///var/run/docker.sock]"
    )]
    pub(crate) host: Option<Address>,
}

/// `hocker load`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prints the image's id. The daemon has the image then, under all its names."
)]
pub(crate) struct LoadArgs {
    /// The image: an OCI image layout, what fetchdocker builds, or its stream
    #[arg(value_name = "IMAGE_PATH")]
    pub(crate) image_path: PathBuf,

    #[command(flatten)]
    pub(crate) daemon: DaemonArgs,

    /// A further name for the image; may be given several times
    #[arg(long = "tag", value_name = "NAME")]
    pub(crate) tags: Vec<TagName>,

    /// The name of the image in a layout that has several
    #[arg(long, value_name = "NAME")]
    pub(crate) image: Option<String>,

    #[command(flatten)]
    pub(crate) platform: LoadPlatformArgs,

    /// Remember in this directory what was put into the daemon, for `hocker prune`; it serves one daemon
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

/// Which of the images of an index, for a daemon.
#[derive(Debug, clap::Args)]
pub(crate) struct LoadPlatformArgs {
    /// Load the image for this platform, even if the daemon runs another [default: the daemon's]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
}

/// `hocker prune`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prints the ids of the images that were removed. What a container uses stays, and so do names \
    that have moved\nto another image, and images that were there before or that others have named."
)]
pub(crate) struct PruneArgs {
    /// The directory in which `hocker load --state` remembers what it brought
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,

    /// Keep the images that are here; may be given several times
    #[arg(long, value_name = "IMAGE_PATH")]
    pub(crate) keep: Vec<PathBuf>,

    /// Change nothing, and tell what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) daemon: DaemonArgs,
}
