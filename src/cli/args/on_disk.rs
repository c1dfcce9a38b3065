//! Arguments of the commands that use images on disk: `serve`, `load` and `prune`.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::{LimitArgs, values};
use crate::cli::redacted::Redacted;
#[cfg(feature = "containerd")]
use hocker::daemon::containerd::Namespace;
use hocker::daemon::{Address, TagName};
use hocker::oci::platform::Platform;

/// `hocker serve`
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// OCI image layouts, results of fetchdocker, or archives such as those of docker save; blobs that are links out of
    /// a layout are verified at the start, unless they lead into the Nix store
    #[arg(value_name = "IMAGE_PATH", required = true)]
    pub(crate) images: Vec<PathBuf>,

    /// Listen on this address; port 0 selects a free port
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:5000",
        value_parser = values::listen_address
    )]
    pub(crate) listen: SocketAddr,

    /// Serve images of registries other than Docker Hub only under their full names (ghcr.io/a/b), or to clients that
    /// name the registry
    #[arg(long)]
    pub(crate) full_names: bool,
}

/// A daemon.
#[derive(Debug, clap::Args)]
pub(crate) struct DaemonArgs {
    /// Connect to this daemon, like <unix:///run/podman/podman.sock>, <tcp://host:2376> or
    /// <containerd:///run/containerd/containerd.sock> [default: `DOCKER_HOST`, else docker's context, else docker's socket]
    #[arg(
        long,
        value_name = "URL",
        value_parser = Redacted(str::parse::<Address>),
        help = "Connect to this daemon, like unix:///run/podman/podman.sock, tcp://host:2376 or \
                containerd:///run/containerd/containerd.sock [default: DOCKER_HOST, else docker's context, else \
                unix:///var/run/docker.sock]"
    )]
    pub(crate) host: Option<Address>,

    /// Use this namespace of containerd [default: `CONTAINERD_NAMESPACE`, else k8s.io at the socket of k3s, RKE2, k0s or
    /// `MicroK8s`, else default]
    #[cfg(feature = "containerd")]
    #[arg(
        long,
        value_name = "NAMESPACE",
        help = "Use this namespace of containerd [default: CONTAINERD_NAMESPACE, else k8s.io at the socket of k3s, RKE2, \
                k0s or MicroK8s, else default]"
    )]
    pub(crate) namespace: Option<Namespace>,
}

/// `hocker load`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The command prints the image ID. When it is done, the daemon has the image under all its names."
)]
pub(crate) struct LoadArgs {
    /// OCI image layout, a result or stream of fetchdocker, or an archive such as that of docker save; - reads an archive
    /// from standard input
    #[arg(value_name = "IMAGE_PATH")]
    pub(crate) image_path: PathBuf,

    #[command(flatten)]
    pub(crate) daemon: DaemonArgs,

    /// Let this snapshotter of containerd unpack the image [default: `CONTAINERD_SNAPSHOTTER`, else that of pods in
    /// k8s.io, else that of the namespace, else overlayfs]
    #[cfg(feature = "containerd")]
    #[arg(
        long,
        value_name = "NAME",
        help = "Let this snapshotter of containerd unpack the image [default: CONTAINERD_SNAPSHOTTER, else that of pods \
                in k8s.io, else that of the namespace, else overlayfs]"
    )]
    pub(crate) snapshotter: Option<String>,

    /// Add this name to the image; may be given several times
    #[arg(long = "tag", value_name = "NAME")]
    pub(crate) tags: Vec<TagName>,

    /// Load only the image with this name or digest [default: all images]
    #[arg(long, value_name = "NAME")]
    pub(crate) image: Option<String>,

    #[command(flatten)]
    pub(crate) platform: LoadPlatformArgs,

    /// Record the loaded images in this directory, for `hocker prune`; each daemon needs its own directory
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

/// The platform that selects an image from an index, for a daemon.
#[derive(Debug, clap::Args)]
pub(crate) struct LoadPlatformArgs {
    /// Load the image for this platform, even if the daemon runs another one [default: the daemon's]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
}

/// `hocker prune`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The command prints the IDs of the images that it removed. It keeps images that a container or \
    another image uses, images that the daemon had before hocker loaded them, and images with names that hocker did \
    not give. It keeps names that have moved to another image."
)]
pub(crate) struct PruneArgs {
    /// Read this directory, in which `hocker load --state` records images
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,

    /// Keep the images at this path; may be given several times
    #[arg(long, value_name = "IMAGE_PATH")]
    pub(crate) keep: Vec<PathBuf>,

    /// Print what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) daemon: DaemonArgs,
}
