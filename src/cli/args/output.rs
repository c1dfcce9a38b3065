//! The options for what a command writes, and for how much.

use std::path::PathBuf;

use hocker::compression::Limit;

/// An output file, in place of standard output.
#[derive(Debug, clap::Args)]
pub(crate) struct OptionalOutputArgs {
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Replace the file if it exists; the programs with classic names always do
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
}

/// An output file.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// Write to this file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Replace the file if it exists; the programs with classic names always do
    #[arg(long)]
    pub(crate) force: bool,
}

/// A limit for decompressed layers.
#[derive(Debug, clap::Args)]
pub(crate) struct LimitArgs {
    /// Refuse layers that decompress to more than this [default: 1 GiB or 200 times the compressed size, whichever is
    /// more]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_layer_size: Option<Limit>,
}
