//! Arguments of `hocker diff` and of the commands that compare lock files.

use clap::ValueEnum;

use super::{CredentialArgs, LimitArgs};
use crate::cli::redacted::Redacted;
use hocker::name::endpoint::Endpoint;
use hocker::oci::platform::Platform;

/// `hocker diff`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A and B are references, as `docker pull` takes them; layouts, archives or results of fetchdocker, \
    whose paths begin with /, ./ or ../; or FILE#NAME, an image of a lock file, a layout or an archive. #NAME alone is \
    an image of docker-images.lock.json.\n\nPackages are compared if the layers of both images are on disk, or with \
    --fetch."
)]
pub(crate) struct DiffArgs {
    /// Old image: debian:12, ghcr.io/a/b@sha256:…, ./layout, ./images.tar#NAME, docker-images.lock.json#NAME
    #[arg(value_name = "A")]
    pub(crate) from: String,

    /// New image
    #[arg(value_name = "B")]
    pub(crate) to: String,

    /// Select this platform from multi-platform images; a second one is for B [default: linux on this machine's
    /// architecture]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Vec<Platform>,

    /// Ask the registry at this URL; references are then full names of repositories
    #[arg(long, value_name = "URL", value_parser = Redacted(str::parse::<Endpoint>))]
    pub(crate) registry: Option<Endpoint>,

    /// Fetch layers that are not on disk, and compare the packages
    #[arg(long)]
    pub(crate) fetch: bool,

    #[command(flatten)]
    pub(crate) shown: ShownArgs,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker lock diff`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --fetch, the command uses no network: it compares what the two files contain. A lock file \
    that the commit does not have counts as empty."
)]
pub(crate) struct LockDiffArgs {
    /// Commit of the git repository, by any name that `git rev-parse` takes
    #[arg(value_name = "REV", default_value = "HEAD")]
    pub(crate) revision: String,

    /// Fetch the configs of changed images, and compare them
    #[arg(long)]
    pub(crate) fetch: bool,

    /// Fetch configs and layers of changed images, and compare their packages too
    #[arg(long)]
    pub(crate) fetch_layers: bool,

    #[command(flatten)]
    pub(crate) shown: ShownArgs,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// The form of a comparison.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct ShownArgs {
    /// Print in this format
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DiffFormat,

    /// Print JSON, like --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,

    /// Print the values of environment variables, not only their names
    #[arg(long)]
    pub(crate) values: bool,
}

impl ShownArgs {
    /// Returns the format.
    pub(crate) fn format(self) -> DiffFormat {
        if self.json {
            DiffFormat::Json
        } else {
            self.format
        }
    }
}

/// The formats of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// Lines for a terminal
    #[default]
    Text,
    /// JSON
    Json,
    /// Markdown, for a pull request
    Markdown,
}
