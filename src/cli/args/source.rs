//! The image that a command fetches: its name, its registry and its platform.

use crate::cli::redacted::Redacted;
use hocker::name::endpoint::Endpoint;
use hocker::oci::platform::Platform;

/// An image and its registry.
#[derive(Debug, clap::Args)]
pub(crate) struct SourceArgs {
    /// Image, as `docker pull` takes it: debian, ghcr.io/a/b:1, localhost:5000/x@sha256:…
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,

    /// Tag or digest, if IMAGE has none
    #[arg(value_name = "TAG")]
    pub(crate) tag: Option<String>,

    /// Fetch from the registry at this URL; IMAGE is then the full name of the repository
    #[arg(long, value_name = "URL", value_parser = Redacted(str::parse::<Endpoint>))]
    pub(crate) registry: Option<Endpoint>,
}

/// The platform that selects an image from an index.
#[derive(Debug, clap::Args)]
pub(crate) struct PlatformArgs {
    /// Select this platform from a multi-platform image [default: linux on this machine's architecture]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
}
