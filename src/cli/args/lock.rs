//! Arguments of `hocker lock`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::CredentialArgs;
use crate::cli::unquoted::Unquoted;
use hocker::lock::{Name, NameError};
use hocker::name::endpoint::Endpoint;
use hocker::oci::platform::Platform;

/// `hocker lock`
#[derive(Debug, clap::Args)]
pub(crate) struct LockArgs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: LockCommand,

    /// The lock file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "docker-images.lock.json",
        help_heading = "Lock file"
    )]
    pub(crate) lock_file: PathBuf,
}

/// What can be done with a lock file.
#[derive(Debug, Subcommand)]
pub(crate) enum LockCommand {
    /// Pin images, from manifests alone
    Add(AddArgs),
    /// Forget images
    Remove(RemoveArgs),
    /// Follow tags that have moved, and tell what a host has to fetch for it
    Update(UpdateArgs),
    /// Tell whether tags have moved, without fetching anything; exit code 1 if so
    Check(CheckArgs),
    /// List the images
    List(ListArgs),
    /// Show which layers the images share
    Graph(GraphArgs),
    /// Pin the images of a Compose file's services
    Compose(ComposeArgs),
}

/// How changes are told.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct TellArgs {
    /// Print what changed as JSON
    #[arg(long, conflicts_with = "commit_message")]
    pub(crate) json: bool,

    /// Print what changed as the message of a commit, or nothing if nothing did
    #[arg(long)]
    pub(crate) commit_message: bool,
}

/// Which platforms.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PlatformsArgs {
    /// A platform to pin; may be given several times [default: linux/amd64 and linux/arm64, where the image has
    /// them]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Vec<Platform>,
}

/// `hocker lock add`
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// The images as `docker pull` takes them, each with a name of its own or without: debian:12,
    /// web=ghcr.io/a/b:1. One with a digest never moves
    #[arg(value_name = "[NAME=]IMAGE", required = true)]
    pub(crate) images: Vec<String>,

    /// The registry's URL; the images' names are then taken as they are
    #[arg(long, value_name = "URL", value_parser = Unquoted(str::parse::<Endpoint>))]
    pub(crate) registry: Option<Endpoint>,

    #[command(flatten)]
    pub(crate) platforms: PlatformsArgs,

    /// Let a name that is taken stand for another image from now on
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) tell: TellArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker lock remove`
#[derive(Debug, clap::Args)]
pub(crate) struct RemoveArgs {
    /// The images' names in the lock
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    pub(crate) names: Vec<Name>,
}

/// `hocker lock update`
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// The images' names in the lock [default: all]
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) names: Vec<Name>,

    #[command(flatten)]
    pub(crate) tell: TellArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker lock check`
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The images' names in the lock [default: all]
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) names: Vec<Name>,

    /// Print what moved as JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker lock list`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "LAYERS, SIZE and AGE are those of the image for this machine's platform, else for the first \
    that is locked."
)]
pub(crate) struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `hocker lock graph`
#[derive(Debug, clap::Args)]
pub(crate) struct GraphArgs {
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: GraphFormat,

    /// The platform to look at [default: this machine's, else the first that is locked]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
}

/// How a graph is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A table of the layers that several images have
    #[default]
    Table,
    /// A picture
    Svg,
}

/// `hocker lock compose`
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeArgs {
    /// The Compose file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Take the services of this profile too; may be given several times [default: those of `COMPOSE_PROFILES`]
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Vec<String>,

    /// Where variables are, beside those of the environment [default: .env beside FILE]
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,

    /// Print the images and do nothing else
    #[arg(long, conflicts_with_all = ["platform", "json", "commit_message"])]
    pub(crate) images: bool,

    #[command(flatten)]
    pub(crate) platforms: PlatformsArgs,
    #[command(flatten)]
    pub(crate) tell: TellArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

fn name(text: &str) -> Result<Name, NameError> {
    text.parse()
}
