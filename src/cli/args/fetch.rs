//! The commands that fetch one document or layer, or ask for access.

use std::path::PathBuf;

use super::{CredentialArgs, OptionalOutputArgs, OutputArgs, PlatformArgs, SourceArgs, values};
use crate::cli::redacted::Redacted;
use hocker::name::endpoint::Endpoint;
use hocker::oci::descriptor::MAX_BLOB_SIZE;
use hocker::oci::digest::{self, Digest};

/// `hocker manifest`
#[derive(Debug, clap::Args)]
pub(crate) struct ManifestArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) platform: PlatformArgs,

    /// Print the index of a multi-platform image, not the manifest of one platform
    #[arg(long, conflicts_with = "platform")]
    pub(crate) index: bool,

    #[command(flatten)]
    pub(crate) output: OptionalOutputArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker config`
#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) platform: PlatformArgs,
    #[command(flatten)]
    pub(crate) output: OptionalOutputArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker layer`
#[derive(Debug, clap::Args)]
pub(crate) struct LayerArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Write the layer with this digest, given with or without `sha256:`
    #[arg(short, long, alias = "imageLayer", value_name = "DIGEST", value_parser = layer_digest)]
    pub(crate) layer: Digest,

    /// Expect this size in bytes, as in the manifest; without it, the limit is 16 GiB
    #[arg(
        long,
        value_name = "BYTES",
        value_parser = |text: &str| values::blob_size(text, MAX_BLOB_SIZE),
        allow_negative_numbers = true
    )]
    pub(crate) size: Option<u64>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

fn layer_digest(text: &str) -> Result<Digest, digest::ParseError> {
    Digest::parse_lenient(text)
}

/// `hocker docker2nix`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With IMAGE alone, hocker fetches the manifest and makes it a part of the expression. With IMAGE \
    and TAG, as the classic program takes them, hocker reads the manifest from standard input or from --manifest, \
    and uses no network."
)]
pub(crate) struct Docker2nixArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) platform: PlatformArgs,

    /// Read the manifest from this file and fetch nothing; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// Give the derivation this name [default: the image's name]
    #[arg(
        long = "alt-name",
        visible_alias = "altName",
        alias = "altImageName",
        value_name = "NAME"
    )]
    pub(crate) alternative_name: Option<String>,

    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// `hocker login-check`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The command fetches no content. Its exit codes: 0 allowed, 4 denied, 6 unavailable."
)]
pub(crate) struct LoginCheckArgs {
    /// Image, or a registry alone: ghcr.io, localhost:5000
    #[arg(value_name = "IMAGE_OR_REGISTRY", required_unless_present = "registry")]
    pub(crate) target: Option<String>,

    /// Ask the registry at this URL; the image is then the full name of the repository
    #[arg(long, value_name = "URL", value_parser = Redacted(str::parse::<Endpoint>))]
    pub(crate) registry: Option<Endpoint>,

    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}
