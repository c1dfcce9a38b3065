//! Arguments of `hocker erofs`.

use std::path::PathBuf;

use super::{LimitArgs, OutputArgs};
use hocker::oci::digest::{Digest, ParseError};

/// `hocker erofs`
#[derive(Debug, clap::Args)]
#[command(after_help = "Prints the layer's diff ID, unless the image goes to standard output.")]
pub(crate) struct ErofsArgs {
    /// Layer: a tar archive, plain or compressed with gzip or zstd; `-` is standard input
    #[arg(value_name = "LAYER")]
    pub(crate) layer: PathBuf,

    /// Refuse a layer with another diff ID, the digest of the decompressed layer
    #[arg(long, value_name = "DIGEST", value_parser = diff_id)]
    pub(crate) diff_id: Option<Digest>,

    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

fn diff_id(text: &str) -> Result<Digest, ParseError> {
    Digest::parse_lenient(text)
}
