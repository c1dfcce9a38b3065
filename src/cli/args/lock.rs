//! Arguments of `hocker lock`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::{CredentialArgs, LockDiffArgs, OptionalOutputArgs};
use crate::cli::redacted::Redacted;
use hocker::lock::{Age, Name, NameError, Pattern};
use hocker::name::endpoint::Endpoint;
use hocker::oci::platform::Platform;
use hocker::oci::timestamp::Timestamp;
use hocker::signature::{Identity, Issuer};

/// `hocker lock`
#[derive(Debug, clap::Args)]
pub(crate) struct LockArgs {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) command: LockCommand,

    /// Use this lock file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "docker-images.lock.json",
        help_heading = "Lock file"
    )]
    pub(crate) lock_file: PathBuf,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum LockCommand {
    /// Pin images; fetch only their manifests
    Add(Box<AddArgs>),
    /// Remove images from the lock file
    Remove(RemoveArgs),
    /// Follow tags that have moved, and print what hosts will fetch for them
    Update(Box<UpdateArgs>),
    /// Change how locked images are followed, without a registry
    Set(SetArgs),
    /// Verify the signatures of the images with the files beside the lock file, without the network
    Verify(VerifyArgs),
    /// Check whether tags have moved, without fetching anything; exit code 1 means yes
    Check(CheckArgs),
    /// Show what changed in the lock file since a commit, for a terminal or a pull request
    Diff(LockDiffArgs),
    /// List the images
    List(ListArgs),
    /// Show which layers the images share
    Graph(GraphArgs),
    /// Write a page about the images, for a web browser
    Report(ReportArgs),
    /// Pin the images of a Compose file's services
    Compose(ComposeArgs),
}

/// The form in which changes are printed on standard output.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct ChangesArgs {
    /// Print the changes as JSON
    #[arg(long, conflicts_with = "commit_message")]
    pub(crate) json: bool,

    /// Print the changes as a commit message; without changes, print nothing
    #[arg(long)]
    pub(crate) commit_message: bool,
}

/// The platforms to pin.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PlatformsArgs {
    /// Pin this platform; may be given several times [default: those of linux/amd64 and linux/arm64 that the image
    /// has]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Vec<Platform>,
}

/// `hocker lock add`
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// Images, as `docker pull` takes them, with or without a name for the lock file: debian:12, web=ghcr.io/a/b:1; an
    /// image with a digest never moves, and one with a pattern follows the newest tag: 'nginx:1.*', 'redis:*-alpine'
    #[arg(value_name = "[NAME=]IMAGE", required = true)]
    pub(crate) images: Vec<String>,

    /// Ask the registry at this URL; each image is then the full name of a repository
    #[arg(long, value_name = "URL", value_parser = Redacted(str::parse::<Endpoint>))]
    pub(crate) registry: Option<Endpoint>,

    #[command(flatten)]
    pub(crate) platforms: PlatformsArgs,

    /// Follow the newest tag that matches: '1.*', '~1.27', '^1.27', '*-alpine', '/REGEX/'; an image with a tag starts
    /// there
    #[arg(long, value_name = "PATTERN", help_heading = "Following")]
    pub(crate) follow: Option<Pattern>,

    /// Take new tags and digests of these images only after they are known for this long: 3d, 36h
    #[arg(long, value_name = "AGE", help_heading = "Following")]
    pub(crate) min_age: Option<Age>,

    /// Reassign a name that is already in use
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) changes: ChangesArgs,
    #[command(flatten)]
    pub(crate) signer: SignerArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// The signer that images must have.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Signatures")]
pub(crate) struct SignerArgs {
    /// Require that this person or workflow signed the images: the URI or email address in the certificate, in which
    /// each `*` stands for any characters
    #[arg(long, value_name = "IDENTITY", requires = "issuer")]
    pub(crate) signed_by: Option<Identity>,

    /// Require that the service at this URL identified the signer
    #[arg(long, value_name = "URL", requires = "signed_by")]
    pub(crate) issuer: Option<Issuer>,

    /// Require that the owner of the public key in this PEM file signed the images
    #[arg(long, value_name = "FILE", conflicts_with = "signed_by")]
    pub(crate) key: Option<PathBuf>,

    /// Trust the authorities and logs in this `trusted_root.json`, instead of those of Sigstore's public instance and
    /// GitHub
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_root: Option<PathBuf>,

    /// Require no signer any more
    #[arg(long, conflicts_with_all = ["signed_by", "key", "trusted_root"])]
    pub(crate) unsigned: bool,
}

/// `hocker lock remove`
#[derive(Debug, clap::Args)]
pub(crate) struct RemoveArgs {
    /// Names of images in the lock file
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    pub(crate) names: Vec<Name>,
}

/// `hocker lock update`
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// Names of images in the lock file [default: all]
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) names: Vec<Name>,

    /// Update this image at once, without a wait, and even if its signer did not sign the new one; may be given several
    /// times
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = "Following")]
    pub(crate) now: Vec<Name>,

    /// Take new tags and digests only after they are known for this long, this time; images with a longer wait keep
    /// theirs
    #[arg(long, value_name = "AGE", help_heading = "Following")]
    pub(crate) min_age: Option<Age>,

    /// Count the time since Docker Hub received a tag, too; asks hub.docker.com
    #[arg(long, help_heading = "Following")]
    pub(crate) trust_hub_times: bool,

    #[command(flatten)]
    pub(crate) changes: ChangesArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker lock set`
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("settings").required(true).multiple(true))]
pub(crate) struct SetArgs {
    /// Names of images in the lock file [default: the whole file]
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) names: Vec<Name>,

    /// Take new tags and digests only after they are known for this long: 3d, 36h; 0 is no wait
    #[arg(long, value_name = "AGE", group = "settings")]
    pub(crate) min_age: Option<Age>,

    /// Remove the wait; an image without its own has the one of the file
    #[arg(long, group = "settings", conflicts_with = "min_age")]
    pub(crate) no_min_age: bool,

    /// Follow the newest tag that matches
    #[arg(long, value_name = "PATTERN", group = "settings")]
    pub(crate) follow: Option<Pattern>,

    /// Follow only the present tag
    #[arg(long, group = "settings", conflicts_with = "follow")]
    pub(crate) no_follow: bool,
}

/// `hocker lock verify`
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// Names of images in the lock file [default: all with a signer]
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) names: Vec<Name>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `hocker lock check`
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Names of images in the lock file [default: all]
    #[arg(value_name = "NAME", value_parser = name)]
    pub(crate) names: Vec<Name>,

    /// Check instead whether the registries still have everything that is pinned; exit code 1 means no
    #[arg(long)]
    pub(crate) available: bool,

    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker lock list`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "LAYERS, SIZE and AGE are those of the image for this machine's platform. If that platform is not \
    locked, they are those for the first platform that is."
)]
pub(crate) struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `hocker lock graph`
#[derive(Debug, clap::Args)]
pub(crate) struct GraphArgs {
    /// Print in this format
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: GraphFormat,

    /// Show the layers for this platform [default: this machine's, else the first locked one]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,
}

/// The formats of the graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A table of the layers that several images share
    #[default]
    Table,
    /// A picture, as SVG
    Svg,
}

/// `hocker lock report`
#[derive(Debug, clap::Args)]
#[command(after_help = "The page is one self-contained HTML file.")]
pub(crate) struct ReportArgs {
    /// Show sizes and layers for this platform [default: this machine's, else the first locked one]
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Option<Platform>,

    /// Compute ages for this time, like 2026-01-31T12:00:00Z, so that the same lock file gives the same page
    /// [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<Timestamp>,

    #[command(flatten)]
    pub(crate) output: OptionalOutputArgs,
}

/// `hocker lock compose`
#[derive(Debug, clap::Args)]
pub(crate) struct ComposeArgs {
    /// Compose file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Include the services of this profile; may be given several times [default: those of `COMPOSE_PROFILES`]
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Vec<String>,

    /// Read variables from this file; the environment takes precedence [default: .env beside FILE]
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,

    /// Print the images of the services and of their volumes, and change nothing
    #[arg(long, conflicts_with_all = ["platform", "json", "commit_message", "override_file"])]
    pub(crate) images: bool,

    /// Write a Compose file that pins the images by their digests, for `docker compose --file FILE --file OVERRIDE`
    #[arg(long = "override", value_name = "OVERRIDE")]
    pub(crate) override_file: Option<PathBuf>,

    /// Replace OVERRIDE even if hocker did not write it
    #[arg(long, requires = "override_file")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) platforms: PlatformsArgs,
    #[command(flatten)]
    pub(crate) changes: ChangesArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

fn name(text: &str) -> Result<Name, NameError> {
    text.parse()
}
